// A model card after Hugging Face's template: what was trained, how well it does, what it took.
import { energyTable, finalValue, format, qualityTable } from './metrics.js';

/** @typedef {import('./metrics.js').Configuration} Configuration */

/**
 * @typedef {object} About
 * @property {string} project
 * @property {Date} date
 * @property {string} [backbone] what the features come from
 * @property {string} [license] of the trained model
 * @property {number} [extractionSeconds] that the features took, once for all configurations
 */

/**
 * @param {Configuration[]} configurations
 * @param {About} about
 */
export function modelCard(configurations, about) {
  const best = bestOf(configurations);
  return [
    frontMatter(best, about),
    `# Model Card for ${about.project}`,
    details(best, about),
    uses(best),
    training(configurations, best, about),
    evaluation(configurations, best),
    impact(best),
  ].join('\n\n');
}

/**
 * The configuration with the highest validation accuracy, or training accuracy where nothing was validated.
 * @param {Configuration[]} configurations
 */
export function bestOf(configurations) {
  const score = (/** @type {Configuration} */ c) =>
    finalValue(c, 'val_accuracy') ?? finalValue(c, 'accuracy') ?? 0;
  return configurations.reduce((best, c) => (score(c) > score(best) ? c : best));
}

/**
 * @param {Configuration} best
 * @param {About} about
 */
function frontMatter({ energy }, { license }) {
  return [
    '---',
    ...(license ? [`license: ${license}`] : []),
    'library_name: ocelli',
    'pipeline_tag: image-classification',
    'tags: [image-classification, mobilenet_v2, transfer-learning, tflite]',
    'metrics: [accuracy]',
    'co2_eq_emissions:',
    `  emissions: ${energy.account.emissions * 1000}`,
    '  source: CodeCarbon\'s model, see "Environmental Impact"',
    '  training_type: fine-tuning',
    '---',
  ].join('\n');
}

/**
 * @param {Configuration} best
 * @param {About} about
 */
function details({ data }, { backbone = 'features that were given', date }) {
  return [
    '## Model Details',
    '',
    `A softmax layer over ${data.classes.length} classes on ${backbone}, trained with ocelli on ${date.toISOString().slice(0, 10)}.`,
    '',
    '- **Model type:** image classifier',
    `- **Trained parameters:** ${data.parameters}`,
    `- **Classes:** ${data.classes.join(', ')}`,
  ].join('\n');
}

/** @param {Configuration} best */
function uses({ data }) {
  return [
    '## Uses',
    '',
    'Telling the classes above apart in images like those it was trained on. It gives every image one of them, also one',
    'that shows none.',
    '',
    '## Bias, Risks, and Limitations',
    '',
    `It has seen ${data.train} examples. What they leave out, it does not know; what they have too much of, it expects.`,
  ].join('\n');
}

/**
 * @param {Configuration[]} configurations
 * @param {Configuration} best
 * @param {About} about
 */
function training(configurations, { data }, { extractionSeconds }) {
  const list = configurations.map(({ name, plan, history, seconds }) => {
    const { type, learningRate, ...rest } = plan.optimizer;
    const rate = typeof learningRate === 'number' ? learningRate : JSON.stringify(learningRate);
    const constants = Object.entries(rest).map(([key, value]) => `${key} ${value}`);
    const facts = [
      `batch size ${plan.batchSize}`,
      `${history.epoch.length} epochs`,
      `${type} with learning rate ${rate}`,
      ...constants,
      `seed ${plan.seed}`,
      `${format(seconds)} s`,
    ];
    return `- **${name}:** ${facts.join(', ')}`;
  });
  return [
    '## Training Details',
    '',
    `- **Training data:** ${data.train} examples; ${data.validation} others for validation`,
    '- **Loss:** cross-entropy',
    ...(extractionSeconds === undefined
      ? []
      : [
          `- **Features:** extracted once, in ${format(extractionSeconds)} s that the figures below leave out`,
        ]),
    ...list,
  ].join('\n');
}

/**
 * @param {Configuration[]} configurations
 * @param {Configuration} best
 */
function evaluation(configurations, best) {
  return [
    '## Evaluation',
    '',
    'Training figures are means over the last epoch, each batch measured before its update; validation figures were',
    'measured after it, on examples that are not trained on.',
    '',
    qualityTable(configurations),
    ...(configurations.length > 1 ? [`Best: ${best.name}.`, ''] : []),
    '![loss](loss.svg)',
    '![accuracy](accuracy.svg)',
    '',
    energyTable(configurations),
    '![emissions](emissions.svg)',
  ].join('\n');
}

/** @param {Configuration} best */
function impact({ name, energy }) {
  const { account, mlCo2, machine, options, intensity } = energy;
  const hardware = machine.cpuModel ?? `CPU with ${machine.threads ?? 'unknown'} hardware threads`;
  return [
    '## Environmental Impact',
    '',
    `Of the training of ${name}.`,
    '',
    `- **Hardware Type:** ${hardware}`,
    `- **Hours used:** ${format(mlCo2.hours)}`,
    `- **Cloud Provider:** ${options.cloudProvider ?? 'none'}`,
    `- **Compute Region:** ${options.region ?? options.country ?? 'not given'}`,
    `- **Carbon Emitted:** ${format(account.emissions)} kg CO2e (CodeCarbon's model: ${format(account.energy_consumed)} kWh at ${intensity.value} g/kWh, ${intensity.source})`,
    `- **ML CO2 Impact calculator:** ${format(mlCo2.emissions)} kg CO2e (${mlCo2.tdpWatts} W of TDP all the time, nothing else)`,
    '',
  ].join('\n');
}

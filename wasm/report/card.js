// Writes a model card in the format of Hugging Face's template: training, evaluation, environmental impact.
import { escapeMarkdown, escapeYaml } from '../shared/text.js';
import {
  areDetectors,
  bestOf,
  describeUnfrozen,
  energyTable,
  finalValue,
  format,
  qualityTable,
} from './metrics.js';
import { describeBest, describeEpochs, describeRate } from './words.js';

/** @typedef {import('./metrics.js').Configuration} Configuration */

/**
 * @typedef {object} About
 * @property {string} project
 * @property {Date} date
 * @property {string} [backbone] the model that computed the features
 * @property {string} [license] of the trained model
 * @property {number} [extractionSeconds] time to extract the features of all configurations
 */

/**
 * @param {Configuration[]} configurations
 * @param {About} about
 */
export function modelCard(configurations, about) {
  const best = bestOf(configurations);
  return [
    frontMatter(best, about),
    `# Model Card for ${escapeMarkdown(about.project)}`,
    details(best, about),
    uses(best),
    training(configurations, best, about),
    evaluation(configurations, best),
    impact(best),
  ].join('\n\n');
}

/**
 * @param {Configuration} best
 * @param {About} about
 */
function frontMatter(best, { license }) {
  const { energy } = best;
  const isDetector = areDetectors([best]);
  const task = isDetector ? 'object-detection' : 'image-classification';
  return [
    '---',
    ...(license ? [`license: ${escapeYaml(license)}`] : []),
    'library_name: ocelli',
    `pipeline_tag: ${task}`,
    `tags: [${task}, mobilenet_v2, transfer-learning, tflite]`,
    `metrics: [${isDetector ? 'mean_average_precision' : 'accuracy'}]`,
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
function details(best, { backbone = 'features that were given', date }) {
  const { data } = best;
  const isDetector = areDetectors([best]);
  const count = data.classes.length;
  const heads = isDetector ? `The heads of an SSD detector of ${count}` : `A softmax layer over ${count}`;
  const classes = count === 1 ? 'class' : 'classes';
  const network = `${backbone}${data.unfrozen ? describeUnfrozen(data.unfrozen) : ''}`;
  return [
    '## Model Details',
    '',
    `${heads} ${classes} on ${escapeMarkdown(network)}, trained with ocelli on ${date.toISOString().slice(0, 10)}.`,
    '',
    `- **Model type:** ${isDetector ? 'object detector' : 'image classifier'}`,
    `- **Trained parameters:** ${data.parameters}`,
    `- **Classes:** ${data.classes.map(escapeMarkdown).join(', ')}`,
  ].join('\n');
}

/** @param {Configuration} best */
function uses(best) {
  const { data } = best;
  const use = areDetectors([best])
    ? [
        'Find objects of the classes above in images similar to the training images. The model may take other objects for',
        'them: choose a score threshold by `ocelli evaluate`.',
      ]
    : [
        'Classify images similar to the training images into the classes above. The model assigns one of these classes to',
        'every image, even if the image shows none of them.',
      ];
  return [
    '## Uses',
    '',
    ...use,
    '',
    '## Bias, Risks, and Limitations',
    '',
    `The model was trained on ${data.train} examples. It may fail on images that these examples do not represent,`,
    'and it favours what is frequent in them.',
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
    const constants = Object.entries(rest).map(([key, value]) => `${key} ${value}`);
    const facts = [
      `batch size ${plan.batchSize}`,
      `${history.epoch.length} epochs`,
      `${type} with learning rate ${describeRate(learningRate)}`,
      ...constants,
      `seed ${plan.seed}`,
      `${format(seconds)} s`,
    ];
    return `- **${escapeMarkdown(name)}:** ${facts.map(escapeMarkdown).join(', ')}`;
  });
  return [
    '## Training Details',
    '',
    `- **Training data:** ${data.train} examples; ${data.validation} others for validation`,
    `- **Loss:** ${areDetectors(configurations) ? "classification and, where boxes are trained, localization, as TensorFlow's Object Detection API computes them" : 'cross-entropy'}`,
    ...(extractionSeconds === undefined
      ? []
      : [
          `- **Features:** extracted in ${format(extractionSeconds)} s in all, which the figures below do not include`,
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
    ...describeEpochs(configurations).map(escapeMarkdown),
    'Training figures are means over the batches of the epoch, each measured before the update of its batch.',
    'Validation figures were measured after the epoch, on examples that were not used for training.',
    '',
    qualityTable(configurations),
    ...(configurations.length > 1 ? [escapeMarkdown(describeBest(configurations, best)), ''] : []),
    '![loss](loss.svg)',
    ...(!areDetectors(configurations)
      ? ['![accuracy](accuracy.svg)']
      : finalValue(best, 'val_AP50') === undefined
        ? []
        : ['![AP at IoU 0.5](ap50.svg)']),
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
    `Figures for the run "${escapeMarkdown(name)}".`,
    '',
    `- **Hardware Type:** ${escapeMarkdown(hardware)}`,
    `- **Hours used:** ${format(mlCo2.hours)}`,
    `- **Cloud Provider:** ${escapeMarkdown(options.cloudProvider ?? 'none')}`,
    `- **Compute Region:** ${escapeMarkdown(options.region ?? options.country ?? 'not given')}`,
    `- **Carbon Emitted:** ${format(account.emissions)} kg CO2e (CodeCarbon's model: ${format(account.energy_consumed)} kWh at ${intensity.value} g/kWh, ${escapeMarkdown(intensity.source)})`,
    `- **ML CO2 Impact calculator:** ${format(mlCo2.emissions)} kg CO2e (${mlCo2.tdpWatts} W TDP for the whole time, and nothing else)`,
    '',
  ].join('\n');
}

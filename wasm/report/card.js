// Writes a model card by Hugging Face's template. What nobody said is left out, or said to be not given.
import { escapeMarkdown, formatBytes, plural, safeJson } from '../shared/text.js';
import { frontMatter } from './front_matter.js';
import { areDetectors, bestOf, energyTable, finalValue, format, qualityTable } from './metrics.js';
import * as words from './words.js';

/** @typedef {import('./metrics.js').Configuration} Configuration */

/**
 * @typedef {object} About
 * @property {string} project
 * @property {Date} date
 * @property {string} [backbone] the model that computed the features
 * @property {string} [baseModel] that model's name on the Hugging Face hub, such as `owner/name`
 * @property {string} [license] of the trained model: an identifier of the Hugging Face hub, or its name
 * @property {string} [dataset] name of the data set
 * @property {string} [file] name of the model's file
 */

/** The name of the file in the instructions, if it is not given. */
const SOME_FILE = 'model.tflite';

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
    uses(best, about),
    limits(best),
    start(best, about),
    training(configurations, best, about),
    evaluation(configurations, best),
    impact(configurations, best),
    '',
  ].join('\n\n');
}

/** @param {string} name @param {string} text */
const item = (name, text) => `- **${name}:** ${escapeMarkdown(text)}`;

/**
 * @param {Configuration} best
 * @param {About} about
 */
function details(best, { backbone, baseModel, license, file, date }) {
  const { data, energy } = best;
  const isDetector = areDetectors([best]);
  const heads = isDetector ? 'The heads of an SSD detector of' : 'A softmax layer over';
  const network = words.describeNetwork(best, backbone);
  const bytes = energy.transfer && formatBytes(energy.transfer.bytes);
  return [
    '## Model Details',
    '',
    '### Model Description',
    '',
    `${heads} ${words.countClasses(data)} on ${escapeMarkdown(network)}, trained with ocelli on ${date.toISOString().slice(0, 10)}.`,
    '',
    item('Model type', isDetector ? 'object detector' : 'image classifier'),
    item('Classes', words.trainedClasses(data).join(', ')),
    ...(data.kept?.length
      ? [item('Kept classes', `${data.kept.join(', ')} (kept from the base model, not trained)`)]
      : []),
    item('Base model', baseModel ?? backbone ?? 'not given'),
    item('License', license || 'not given; ask who trained the model before you share it'),
    item('Trained parameters', String(data.parameters)),
    ...(file || bytes ? [item('File', [file, bytes].filter(Boolean).join(', '))] : []),
  ].join('\n');
}

/**
 * @param {Configuration} best
 * @param {About} about
 */
function uses(best, { dataset }) {
  const { data } = best;
  const like = `similar to the training images${dataset ? ` (${escapeMarkdown(dataset)})` : ''}`;
  const list = escapeMarkdown(words.trainedClasses(data).join(', '));
  const direct = areDetectors([best])
    ? `Find and locate objects of ${data.kept?.length ? 'the trained classes' : 'these classes'} in images ${like}: ${list}.`
    : `Classify images ${like} into these classes: ${list}.`;
  const outside = areDetectors([best])
    ? 'Objects of other classes: the model does not report them, or takes them for one of its own.'
    : 'Images that show none of the classes: the model assigns one of them to every image.';
  return [
    '## Uses',
    '',
    '### Direct Use',
    '',
    direct,
    ...(data.kept?.length
      ? ['', `The model also reports the classes that it kept: ${escapeMarkdown(data.kept.join(', '))}.`]
      : []),
    '',
    '### Out-of-Scope Use',
    '',
    `- ${outside}`,
    '- Images of other cameras, places or light than the training images, unless you measured the model on such images.',
    '- Decisions about the safety, health or rights of people: the model was not measured for them.',
  ].join('\n');
}

/** @param {Configuration} best */
function limits(best) {
  const { data } = best;
  const noun = areDetectors([best]) ? 'photo' : 'example';
  const what = data.kept?.length ? 'The trained classes were learned from' : 'The model was trained on';
  return [
    '## Bias, Risks, and Limitations',
    '',
    `${what} ${plural(data.train, noun)}. The model may fail on images that ${data.train === 1 ? 'this one does' : 'these do'} not represent, and it favours what is frequent in them.`,
    ...(data.kept?.length
      ? ['', 'The kept classes were not trained: they have the limits of the base model.']
      : []),
    ...(data.validation === 0
      ? ['', 'No images were held out. How well the model works on other images is not known.']
      : []),
    '',
    '### Recommendations',
    '',
    '- Measure the model with `ocelli evaluate` on labelled images of the place where it will be used.',
    areDetectors([best])
      ? '- Choose the score threshold by that measurement.'
      : '- Treat a low score as "none of these": choose the limit by that measurement.',
    '- Train again with images of the cases in which it fails.',
  ].join('\n');
}

/**
 * @param {Configuration} best
 * @param {About} about
 */
function start(best, { file }) {
  const isDetector = areDetectors([best]);
  const model = safeJson(file ?? SOME_FILE);
  const code = isDetector
    ? [
        "import { ObjectDetector } from 'ocelli';",
        '',
        `const detector = await ObjectDetector.create({ model: ${model} });`,
        "const { detections } = await detector.detect('photo.jpg');",
        'for (const { label, score, box } of detections) console.log(label, score, box);',
        'detector.close();',
      ]
    : [
        "import { ImageClassifier } from 'ocelli';",
        '',
        `const classifier = await ImageClassifier.create({ model: ${model} });`,
        "const { classes } = await classifier.classify('photo.jpg');",
        'for (const { label, score } of classes) console.log(label, score);',
        'classifier.close();',
      ];
  const metadata = isDetector ? 'labels, anchors and normalization' : 'labels and normalization';
  return [
    '## How to Get Started with the Model',
    '',
    ...(file ? [] : [`Save what \`export()\` returned as \`${SOME_FILE}\`.`, '']),
    '```js',
    ...code,
    '```',
    '',
    `The file is a TensorFlow Lite model with ${metadata} in its metadata: it runs in LiteRT.js and MediaPipe, too.`,
  ].join('\n');
}

/**
 * @param {Configuration[]} configurations
 * @param {Configuration} best
 * @param {About} about
 */
function training(configurations, best, { dataset }) {
  const loss = areDetectors(configurations)
    ? "classification and, where boxes are trained, localization, as TensorFlow's Object Detection API computes them"
    : 'cross-entropy';
  const nameOf = (/** @type {Configuration} */ { name }) =>
    configurations.length === 1 ? 'Training' : escapeMarkdown(name);
  return [
    '## Training Details',
    '',
    '### Training Data',
    '',
    item('Data set', dataset ?? 'not named'),
    item('Training data', words.countExamples(best)),
    ...(best.data.kept?.length ? [item('Learned from it', words.trainedClasses(best.data).join(', '))] : []),
    '',
    '### Training Hyperparameters',
    '',
    item('Loss', loss),
    ...configurations.map((configuration) => item(nameOf(configuration), settings(configuration))),
    '',
    '### Speeds, Sizes, Times',
    '',
    ...configurations.map((configuration) =>
      item(nameOf(configuration), words.inSeconds(configuration.seconds)),
    ),
    `- ${escapeMarkdown(words.describeExtraction(configurations))}`,
  ].join('\n');
}

/** @param {Configuration} configuration */
function settings({ plan, history }) {
  const { type, learningRate, ...rest } = plan.optimizer;
  // What is off is not worth a word.
  const constants = Object.entries(rest).filter(([, value]) => value !== false && value !== 0);
  return [
    `batch size ${plan.batchSize}`,
    plural(history.epoch.length, 'epoch'),
    type,
    ...constants.map(([key, value]) => (value === true ? key : `${key} ${value}`)),
    `seed ${plan.seed}`,
    `learning rate ${words.describeRate(learningRate)}`,
  ].join(', ');
}

/**
 * @param {Configuration[]} configurations
 * @param {Configuration} best
 */
function evaluation(configurations, best) {
  const isDetector = areDetectors(configurations);
  const measures = isDetector
    ? 'AP is the mean of the average precision at IoU 0.50 to 0.95, as COCO defines it.'
    : 'Accuracy is the share of examples whose highest score is that of their class.';
  return [
    '## Evaluation',
    '',
    '### Testing Data and Metrics',
    '',
    ...words.describeEpochs(configurations).map(escapeMarkdown),
    'Training figures are means over the batches of the epoch, each measured before the update of its batch.',
    best.data.validation === 0
      ? 'Nothing was validated.'
      : `Validation figures were measured after the epoch, on ${plural(best.data.validation, isDetector ? 'photo' : 'example')} not used for training.`,
    measures,
    '',
    '### Results',
    '',
    qualityTable(configurations),
    ...(configurations.length > 1 ? [escapeMarkdown(words.describeBest(configurations, best)), ''] : []),
    '![loss](loss.svg)',
    ...(!isDetector
      ? ['![accuracy](accuracy.svg)']
      : finalValue(best, 'val_AP50') === undefined
        ? []
        : ['![AP at IoU 0.5](ap50.svg)']),
  ].join('\n');
}

/**
 * @param {Configuration[]} configurations
 * @param {Configuration} best
 */
function impact(configurations, { name, energy }) {
  const { account, mlCo2, machine, options, intensity, sci } = energy;
  const unknown = machine.threads === undefined ? 'CPU, not known which' : undefined;
  const hardware =
    machine.cpuModel ?? unknown ?? `CPU with ${plural(machine.threads ?? 0, 'hardware thread')}`;
  return [
    '## Environmental Impact',
    '',
    ...(configurations.length > 1 ? [`The list is of "${escapeMarkdown(name)}".`, ''] : []),
    item('Hardware Type', hardware),
    item('Hours used', format(mlCo2.hours)),
    item('Cloud Provider', options.cloudProvider ?? 'none'),
    item('Compute Region', options.region ?? options.country ?? 'not given'),
    item(
      'Carbon Emitted',
      `${format(account.emissions)} kg CO2e (CodeCarbon's model: ${format(account.energy_consumed)} kWh at ${intensity.value} g/kWh, ${intensity.source})`,
    ),
    ...(sci
      ? [
          item(
            'SCI (ISO/IEC 21031)',
            `${format(sci.value)} kg CO2e per 1000 images, with the making of the machine; each pass over a training image counts: ${plural(sci.images, 'image')}`,
          ),
        ]
      : []),
    item(
      'ML CO2 Impact calculator',
      `${format(mlCo2.emissions)} kg CO2e (${mlCo2.tdpWatts} W TDP for the whole time, and nothing else)`,
    ),
    '',
    escapeMarkdown(words.describeExtraction(configurations)),
    '',
    energyTable(configurations),
    '![emissions](emissions.svg)',
  ].join('\n');
}

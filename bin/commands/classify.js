// ocelli classify: prints the most probable classes of each image.
import { DEFAULT_TOP_K, TOP_K } from '../../wasm/vision/classifier.js';
import { ImageClassifier } from '../../wasm/platform/node.js';
import { safeJson } from '../../wasm/shared/text.js';
import { factsOf, formatPercent, layOut } from '../common.js';
import { eachImage, findInputs } from '../inputs.js';
import { openModel, readLoading } from '../model.js';
import { deterministic, images, input, labels, reading, signature, threads } from '../options.js';
import { bold, print, printable } from '../output.js';

const options = /** @type {const} */ ({
  model: {
    type: 'file',
    value: 'FILE',
    about: 'the classifier: a .tflite file, or - for standard input',
    required: true,
  },
  labels,
  top: {
    type: 'number',
    value: 'N',
    about: 'print the N most probable classes',
    range: TOP_K,
    default: DEFAULT_TOP_K,
    library: 'topK',
  },
  json: {
    type: 'flag',
    about:
      'print one line of JSON for each image: {file, width, height, classes: [{label, labelId, score}], precision, ' +
      'decode?, ms: {decode, preprocess, network, postprocess}}',
  },
  signature,
  input,
  threads,
  deterministic,
  ...reading,
});

/** @type {import('../arguments.js').Command<typeof options>} */
export const command = {
  summary: 'print the most probable classes of each image, with your own classifier',
  about: 'Prints the most probable classes of each image.',
  positionals: [images],
  options,
  examples: ['ocelli classify --model flowers.tflite --top 3 photo.jpg'],
  run,
};

/**
 * @param {import('../arguments.js').Values<typeof options>} values
 * @param {string[]} args
 */
async function run(values, args) {
  const { json, top: topK } = values;
  const files = await findInputs(args);
  if (files.length === 0) return;
  const loading = await readLoading(values);
  const classifier = loading && (await openModel(ImageClassifier, values, loading));
  if (!classifier) return;
  try {
    await eachImage(files, async (file, bytes) => {
      const { classes, size, ...run } = await classifier.classify(bytes, { topK });
      print(json ? safeJson({ file, ...size, classes, ...factsOf(run) }) : toText(file, classes));
    });
  } finally {
    classifier.close();
  }
}

/**
 * @param {string} file
 * @param {import('../../wasm/vision/types.js').Classification[]} classes
 */
export function toText(file, classes) {
  const rows = classes.map(({ label, score }) => [formatPercent(score), printable(label)]);
  return [bold(printable(file)), ...layOut(rows, 'rl')].join('\n');
}

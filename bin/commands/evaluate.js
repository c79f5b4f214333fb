// ocelli evaluate: measures the accuracy of a classifier on a directory of images.
import { readLabels } from '../../wasm/vision/labels.js';
import { resolveInput } from '../../wasm/vision/model_spec.js';
import { checkModel } from '../../wasm/vision/prepare_classifier.js';
import { toPixels } from '../../wasm/vision/input.js';
import { Confusion } from '../../wasm/train/metrics.js';
import { openImageDirectory } from '../../wasm/train/node.js';
import { failure } from '../../wasm/train/errors.js';
import { attempt, layOut } from '../common.js';
import { loadModel, readModel } from '../model.js';
import { classDirectory, MODEL_OPTIONS, threads } from '../options.js';
import { bold, clearProgress, print, printable, showProgress } from '../output.js';

const MAX_PIXELS = 1 << 24;

const options = /** @type {const} */ ({
  threads,
  json: { type: 'flag', about: 'print one JSON object' },
});

/** @type {import('../arguments.js').Command<typeof options>} */
export const command = {
  summary: 'measure the accuracy of a classifier',
  about:
    'Runs a classifier that ocelli train wrote on the images in DIR/CLASS/ and prints accuracy, loss, the precision ' +
    'and recall of each class, and a table of which classes are confused.',
  positionals: [
    {
      name: 'MODEL',
      what: 'a classifier',
      about: 'a .tflite file; - is standard input',
      optionNames: MODEL_OPTIONS,
    },
    classDirectory,
  ],
  options,
  examples: ['ocelli evaluate flowers.tflite photos/'],
  run,
};

/**
 * @param {import('../arguments.js').Values<typeof options>} values
 * @param {string[]} positionals
 */
async function run(values, [file, directory]) {
  const examples = await attempt(directory, () => openImageDirectory(directory));
  const model =
    examples && (await attempt(file, () => openClassifier(file, values.threads, examples.labels)));
  if (!model) return;
  try {
    const measured = await measure(model, examples);
    if (measured) printResult(values, measured, model.labels, examples.labels.length);
  } finally {
    model.engine.close();
  }
}

/**
 * @param {string} file
 * @param {number} threads
 * @param {string[]} truth the classes that it needs to know
 */
async function openClassifier(file, threads, truth) {
  const { engine, entry, metadata } = await loadModel(await readModel(file), threads);
  try {
    checkModel(engine);
    const labels = readLabels(metadata.labels ?? '').map(({ name }) => name);
    checkLabels(labels, truth);
    return { engine, labels, input: resolveInput(undefined, metadata, entry, engine.inputs[0]) };
  } catch (error) {
    engine.close();
    throw error;
  }
}

/**
 * @param {string[]} labels of the model
 * @param {string[]} truth
 */
function checkLabels(labels, truth) {
  if (labels.length === 0) throw failure('INVALID_LABEL', 'the file has no names of classes');
  const unknown = truth.find((label) => !labels.includes(label));
  if (unknown !== undefined) throw failure('INVALID_LABEL', `the model has no class '${unknown}'`);
}

/**
 * @param {Awaited<ReturnType<typeof openClassifier>>} model
 * @param {Awaited<ReturnType<typeof openImageDirectory>>} examples
 * @returns {Promise<{confusion: Confusion, loss: number} | undefined>} undefined if an image cannot be read: its error
 *   is printed
 */
async function measure({ engine, labels, input }, { sources, labels: truth }) {
  const confusion = new Confusion(labels);
  let loss = 0;
  for (const [i, { name, read }] of sources.entries()) {
    showProgress('image', i + 1, sources.length);
    const probabilities = await attempt(name, async () => {
      const image = await toPixels(await read());
      if (image instanceof Uint8Array) engine.image.decode(image, MAX_PIXELS);
      else engine.image.setPixels(image);
      engine.image.preprocess(input, undefined, 0);
      engine.run();
      return /** @type {Float32Array} */ (engine.readOutput(0).data);
    });
    if (!probabilities) return undefined;
    const label = labels.indexOf(truth[i]);
    confusion.add(probabilities, [label]);
    loss -= Math.log(Math.max(probabilities[label], 1e-7));
  }
  clearProgress();
  return { confusion, loss: loss / sources.length };
}

/**
 * @param {{json?: boolean}} values
 * @param {{confusion: Confusion, loss: number}} measured
 * @param {string[]} labels
 * @param {number} examples
 */
function printResult({ json }, { confusion, loss }, labels, examples) {
  const { classes, table } = confusion;
  const accuracy = table.reduce((sum, row, i) => sum + row[i], 0) / examples;
  if (json) return print(JSON.stringify({ loss, accuracy, examples, classes, confusion: table }));
  const percent = (/** @type {number} */ value) => `${(100 * value).toFixed(1)} %`;
  const names = labels.map(printable);
  const rows = classes.map(({ label, precision, recall, examples: count }) => [
    printable(label),
    percent(precision),
    percent(recall),
    String(count),
  ]);
  print(
    [
      `accuracy ${accuracy.toFixed(4)}, loss ${loss.toFixed(4)}, ${examples} photos`,
      '',
      bold('Classes'),
      ...layOut([['', 'precision', 'recall', 'photos'], ...rows], 'lrrr'),
      '',
      bold('Confusion (rows: what it is)'),
      ...layOut(
        [['', ...names], ...table.map((row, i) => [names[i], ...row.map(String)])],
        `l${'r'.repeat(labels.length)}`,
      ),
    ].join('\n'),
  );
}

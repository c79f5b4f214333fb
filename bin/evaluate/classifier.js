// ocelli evaluate with a classifier: accuracy on a directory with a folder of images for each class.
import { readLabels } from '../../wasm/vision/labels.js';
import { resolveInput } from '../../wasm/vision/model_spec.js';
import { toPixels } from '../../wasm/vision/input.js';
import { Confusion } from '../../wasm/train/metrics.js';
import { openImageDirectory } from '../../wasm/train/node.js';
import { failure } from '../../wasm/train/errors.js';
import { bold, layOut, print } from '../common.js';
import { loadModel, readModel } from '../model.js';

const MAX_PIXELS = 1 << 24;

/**
 * @param {{threads: number, json: boolean}} values
 * @param {string[]} files
 */
export async function evaluateClassifier(values, [model, directory]) {
  const { engine, entry, metadata } = await loadModel(await readModel(model), values.threads);
  try {
    const labels = readLabels(metadata.labels ?? '').map(({ name }) => name);
    const { sources, labels: truth } = await openImageDirectory(directory);
    const unknown = truth.find((label) => !labels.includes(label));
    if (unknown !== undefined) throw failure('INVALID_LABEL', `the model has no class '${unknown}'`);
    const input = resolveInput(undefined, metadata, entry, engine.inputs[0]);
    const confusion = new Confusion(labels);
    let loss = 0;
    for (const [i, { read }] of sources.entries()) {
      const image = await toPixels(await read());
      if (image instanceof Uint8Array) engine.image.decode(image, MAX_PIXELS);
      else engine.image.setPixels(image);
      engine.image.preprocess(input, undefined, 0);
      engine.run();
      const probabilities = /** @type {Float32Array} */ (engine.readOutput(0).data);
      const label = labels.indexOf(truth[i]);
      confusion.add(probabilities, [label]);
      loss -= Math.log(Math.max(probabilities[label], 1e-7));
    }
    printResult(values, confusion, labels, loss / sources.length, sources.length);
  } finally {
    engine.close();
  }
}

/**
 * @param {{json?: boolean}} values
 * @param {Confusion} confusion
 * @param {string[]} labels
 * @param {number} loss
 * @param {number} examples
 */
function printResult({ json }, confusion, labels, loss, examples) {
  const { classes, table } = confusion;
  const accuracy = table.reduce((sum, row, i) => sum + row[i], 0) / examples;
  if (json) return print(JSON.stringify({ loss, accuracy, examples, classes, confusion: table }));
  const percent = (/** @type {number} */ value) => `${(100 * value).toFixed(1)} %`;
  const rows = classes.map(({ label, precision, recall, examples: count }) => [
    label,
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
        [['', ...labels], ...table.map((row, i) => [labels[i], ...row.map(String)])],
        `l${'r'.repeat(labels.length)}`,
      ),
    ].join('\n'),
  );
}

// ocelli evaluate with a classifier: accuracy on a directory with a folder of images for each class.
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { readLabels } from '../../wasm/vision/labels.js';
import { resolveInput } from '../../wasm/vision/model_spec.js';
import { toPixels } from '../../wasm/vision/input.js';
import { evaluateClassification } from '../../wasm/evaluate/classification.js';
import { makeClassifierReport } from '../../wasm/evaluate/report/classifier.js';
import { openImageDirectory } from '../../wasm/train/node.js';
import { failure } from '../../wasm/train/errors.js';
import { bold, layOut, print } from '../common.js';
import { loadModel, readModel } from '../model.js';

/** @typedef {import('../../wasm/evaluate/classification.js').Classification} Classification */

const MAX_PIXELS = 1 << 24;

/**
 * @param {{threads: number, json: boolean, report?: string}} values
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
    const probabilities = [];
    for (const { read } of sources) {
      const image = await toPixels(await read());
      if (image instanceof Uint8Array) engine.image.decode(image, MAX_PIXELS);
      else engine.image.setPixels(image);
      engine.image.preprocess(input, undefined, 0);
      engine.run();
      probabilities.push(/** @type {Float32Array} */ (engine.readOutput(0).data));
    }
    const classes = truth.map((label) => labels.indexOf(label));
    const evaluation = evaluateClassification(labels, classes, probabilities);
    if (values.report !== undefined) await writeReport(values.report, evaluation, model, directory);
    printResult(values, evaluation);
  } finally {
    engine.close();
  }
}

/**
 * @param {string} directory
 * @param {Classification} evaluation
 * @param {string} model
 * @param {string} dataset
 */
async function writeReport(directory, evaluation, model, dataset) {
  await mkdir(directory, { recursive: true });
  const about = { model: basename(model), dataset: basename(resolve(dataset)), date: new Date() };
  for (const [name, content] of Object.entries(makeClassifierReport(evaluation, about)))
    await writeFile(join(directory, name), content);
}

/**
 * @param {{json?: boolean}} values
 * @param {Classification} evaluation
 */
function printResult({ json }, evaluation) {
  const { images: examples, accuracy, top5, loss, classes, confusion: table, calibration } = evaluation;
  if (json)
    return print(JSON.stringify({ loss, accuracy, top5, examples, classes, confusion: table, calibration }));
  const labels = classes.map(({ label }) => label);
  const percent = (/** @type {number} */ value) => `${(100 * value).toFixed(1)} %`;
  const rows = classes.map(({ label, precision, recall, examples: count }) => [
    label,
    percent(precision),
    percent(recall),
    String(count),
  ]);
  print(
    [
      `accuracy ${accuracy.toFixed(4)}, among the first 5 ${top5.toFixed(4)}, loss ${loss.toFixed(4)}, ${examples} photos`,
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

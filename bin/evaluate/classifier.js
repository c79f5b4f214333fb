// ocelli evaluate with a classifier: accuracy on a directory with a folder of images for each class.
import { basename, resolve } from 'node:path';
import { evaluateClassification } from '../../wasm/evaluate/classification.js';
import { makeClassifierReport } from '../../wasm/evaluate/report/classifier.js';
import { drawMisclassified } from '../../wasm/evaluate/report/worst.js';
import { decodeImage } from '../../wasm/platform/node.js';
import { readFileLabels, resolveInput } from '../../wasm/vision/model_spec.js';
import { checkModel, fitLabels } from '../../wasm/vision/prepare_classifier.js';
import { resolveReading } from '../../wasm/vision/reading.js';
import { readAnyView } from '../../wasm/vision/view.js';
import { openImageDirectory } from '../../wasm/train/node.js';
import { failure } from '../../wasm/train/errors.js';
import { plural, safeJson } from '../../wasm/shared/text.js';
import { attempt, formatPercent, layOut } from '../common.js';
import { saveAll } from '../files.js';
import { LeftOut } from '../inputs.js';
import { REPORT } from './files.js';
import { loadModel, readModel, readSpecs } from '../model.js';
import { bold, print, printable, showProgress } from '../output.js';

/** @typedef {import('../../wasm/evaluate/classification.js').Classification} Classification */

/**
 * @param {{threads: number, signature?: string, input?: string, json: boolean, strict: boolean, report?: string,
 *   decode?: 'full' | 'scaled', 'max-pixels': number}} values
 * @param {string[]} positionals
 */
export async function evaluateClassifier(values, [file, directory]) {
  const examples = await attempt(directory, () => openImageDirectory(directory));
  const model = examples && (await attempt(file, () => openClassifier(file, values, examples.labels)));
  if (!model) return;
  try {
    const maxPixels = values['max-pixels'];
    const reading = resolveReading({ ...values, maxPixels });
    const classified = await classify(model, examples, reading, new LeftOut(values));
    if (!classified) return;
    const evaluation = evaluateClassification(
      model.labels,
      classified.map(({ truth }) => truth),
      classified.map(({ probabilities }) => probabilities),
    );
    if (values.report !== undefined) {
      const about = { model: basename(file), dataset: basename(resolve(directory)), date: new Date() };
      const worst = await drawMisclassified(model.labels, classified, (bytes) =>
        decodeImage(bytes, { maxPixels }),
      );
      await saveAll(values.report, makeClassifierReport(evaluation, about, worst), REPORT);
    }
    printResult(values, evaluation);
  } finally {
    model.engine.close();
  }
}

/**
 * @param {string} file
 * @param {{threads: number, signature?: string, input?: string}} values
 * @param {string[]} truth the classes that it needs to know
 */
async function openClassifier(file, { threads, signature, input: given }, truth) {
  const specs = await readSpecs({ input: given });
  if (!specs) return undefined;
  const { engine, entry, metadata } = await loadModel(await readModel(file), threads, { signature });
  try {
    checkModel(engine);
    const labels = metadata.labels === undefined ? [] : labelsOf(engine, metadata.labels);
    checkLabels(labels, truth);
    const [tensor] = engine.inputs;
    const [, height, width, channels] = tensor.shape;
    const input = resolveInput(specs.input, metadata, entry, tensor);
    return { engine, labels, target: { input, inputSize: { width, height }, channels } };
  } catch (error) {
    engine.close();
    throw error;
  }
}

/**
 * @param {import('../../wasm/engine/engine.js').Engine} engine
 * @param {string} text
 */
function labelsOf(engine, text) {
  const count = Number(engine.outputs[0].shape.at(-1));
  return fitLabels(readFileLabels(text), Math.max(count, 2)).map(({ name }) => name);
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
 * @param {NonNullable<Awaited<ReturnType<typeof openClassifier>>>} model
 * @param {Awaited<ReturnType<typeof openImageDirectory>>} examples
 * @param {import('../../wasm/engine/image.js').Reading} reading
 * @param {LeftOut} leftOut
 * @returns {Promise<import('../../wasm/evaluate/report/worst.js').Classified[] | undefined>} undefined: it ended with an
 *   error, which is printed
 */
async function classify({ engine, labels, target }, { sources, labels: truth }, reading, leftOut) {
  /** @type {import('../../wasm/evaluate/report/worst.js').Classified[]} */
  const classified = [];
  for (const [i, { name, read: readSource }] of sources.entries()) {
    showProgress('image', i + 1, sources.length);
    const read = /** @type {() => Promise<Uint8Array>} */ (readSource);
    const isDone = await attempt(name, async () => {
      try {
        await readAnyView(engine, target, await read(), { turns: 0, reading });
        engine.run();
        const probabilities = /** @type {Float32Array} */ (engine.readOutput(0).data);
        classified.push({ name, truth: labels.indexOf(truth[i]), probabilities, read });
      } catch (error) {
        leftOut.add(name, error);
      }
      return true;
    });
    if (!isDone) return undefined;
  }
  return leftOut.report(sources.length) ? classified : undefined;
}

/**
 * @param {{json?: boolean}} values
 * @param {Classification} evaluation
 */
function printResult({ json }, evaluation) {
  const { images: examples, accuracy, top5, loss, classes, confusion: table, calibration } = evaluation;
  if (json)
    return print(safeJson({ loss, accuracy, top5, examples, classes, confusion: table, calibration }));
  const names = classes.map(({ label }) => printable(label));
  const rows = classes.map(({ label, precision, recall, examples: count }) => [
    printable(label),
    formatPercent(precision),
    formatPercent(recall),
    String(count),
  ]);
  print(
    [
      `accuracy ${accuracy.toFixed(4)}, among the first 5 ${top5.toFixed(4)}, loss ${loss.toFixed(4)}, ${plural(examples, 'photo')}`,
      '',
      bold('Classes'),
      ...layOut([['', 'precision', 'recall', 'photos'], ...rows], 'lrrr'),
      '',
      bold('Confusion (rows: what it is)'),
      ...layOut(
        [['', ...names], ...table.map((row, i) => [names[i], ...row.map(String)])],
        `l${'r'.repeat(names.length)}`,
      ),
    ].join('\n'),
  );
}

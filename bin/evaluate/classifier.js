// ocelli evaluate with a classifier: accuracy on a directory with a folder of images for each class.
import { basename, resolve } from 'node:path';
import { evaluateClassification } from '../../wasm/evaluate/classification.js';
import { makeClassifierReport } from '../../wasm/evaluate/report/classifier.js';
import { drawMisclassified } from '../../wasm/evaluate/report/worst.js';
import { decodeImage, ImageClassifier } from '../../wasm/platform/node.js';
import { TOP_K } from '../../wasm/vision/classifier.js';
import { openImageDirectory } from '../../wasm/train/node.js';
import { failure } from '../../wasm/train/errors.js';
import { plural, safeJson } from '../../wasm/shared/text.js';
import { attempt, formatPercent, layOut } from '../common.js';
import { saveAll } from '../files.js';
import { LeftOut } from '../inputs.js';
import { REPORT } from './files.js';
import { openModel, readLoading } from '../model.js';
import { bold, print, printable, showProgress } from '../output.js';

/**
 * @typedef {import('../../wasm/evaluate/classification.js').Classification} Classification
 * @typedef {import('../../wasm/evaluate/report/worst.js').Classified} Classified
 * @typedef {Awaited<ReturnType<typeof openImageDirectory>>} Examples
 */

/**
 * @param {Parameters<typeof readLoading>[0] & {json: boolean, strict: boolean, report?: string}} values
 * @param {string[]} positionals
 */
export async function evaluateClassifier(values, [file, directory]) {
  const examples = await attempt(directory, () => openImageDirectory(directory));
  const loading = examples && (await readLoading(values));
  const classifier = loading && (await openModel(ImageClassifier, { ...values, model: file }, loading));
  if (!classifier) return;
  try {
    const labels = await attempt(file, () => labelsFor(classifier, examples));
    const classified = labels && (await classify(classifier, labels, examples, new LeftOut(values)));
    if (!classified) return;
    const evaluation = evaluateClassification(
      labels,
      classified.map(({ truth }) => truth),
      classified.map(({ probabilities }) => probabilities),
    );
    if (values.report !== undefined) {
      const about = { model: basename(file), dataset: basename(resolve(directory)), date: new Date() };
      const worst = await drawMisclassified(labels, classified, (bytes) =>
        decodeImage(bytes, { maxPixels: values['max-pixels'] }),
      );
      await saveAll(values.report, makeClassifierReport(evaluation, about, worst), REPORT);
    }
    printResult(values, evaluation);
  } finally {
    classifier.close();
  }
}

/**
 * The names of the model's classes, which must include those of the examples.
 * @param {ImageClassifier} classifier
 * @param {Examples} examples
 */
function labelsFor(classifier, examples) {
  const labels = classifier.labels.map(({ name }) => name);
  if (labels.length === 0) throw failure('INVALID_LABEL', 'the file has no names of classes; pass --labels');
  const unknown = examples.labels.find((label) => !labels.includes(label));
  if (unknown !== undefined) throw failure('INVALID_LABEL', `the model has no class '${unknown}'`);
  return labels;
}

/**
 * @param {ImageClassifier} classifier
 * @param {string[]} labels of the classifier
 * @param {Examples} examples
 * @param {LeftOut} leftOut
 * @returns {Promise<Classified[] | undefined>} undefined: it ended with an error, which is printed
 */
async function classify(classifier, labels, { sources, labels: truth }, leftOut) {
  /** @type {Classified[]} */
  const classified = [];
  for (const [i, { name, read: readSource }] of sources.entries()) {
    showProgress('image', i + 1, sources.length);
    const read = /** @type {() => Promise<Uint8Array>} */ (readSource);
    const isDone = await attempt(name, async () => {
      try {
        const { classes } = await classifier.classify(await read(), { topK: TOP_K.max });
        const probabilities = classes.sort((a, b) => a.labelId - b.labelId).map(({ score }) => score);
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

// In: the evaluation of a classifier. Out: the files of its report.
import { checkAbout, checkClassification, checkText } from '../arguments.js';
import { plural, safeJson } from '../../shared/text.js';
import { toHtml } from '../../report/html.js';
import { toMarkdown } from '../../report/markdown.js';
import { calibrationPlot, figure, matrixOf, namesOf, picturesOf } from './parts.js';

/**
 * @param {import('../classification.js').Classification} evaluation
 * @param {import('./report.js').ReportAbout & {model: string}} about
 * @param {import('./report.js').WorstImage[]} [worst]
 * @returns {Record<string, string | Uint8Array>} file name -> content
 */
export function makeClassifierReport(evaluation, about, worst = []) {
  checkClassification(evaluation);
  checkAbout(about);
  checkText(about.model, 'about.model');
  const { images, accuracy, top5, loss, calibration, classes, confusion } = evaluation;
  const title = `Evaluation on ${about.dataset}`;
  const labels = classes.map(({ label }) => label);
  const pairs = confusion.flatMap((row, i) =>
    row.map((count, j) => ({ truth: labels[i], found: labels[j], count })).filter(({ count }) => count > 0),
  );
  const plot = calibrationPlot('Accuracy by probability', { x: 'probability', y: 'accuracy' }, calibration);
  /** @type {import('../../report/html.js').Section[]} */
  const sections = [
    {
      title: 'Overview',
      texts: [
        `${plural(images, 'image')}, ${plural(classes.length, 'class', 'classes')}. ${about.date.toISOString().slice(0, 10)}.`,
      ],
      tables: [
        {
          columns: ['model', 'accuracy', 'among the first 5', 'loss', 'calibration error'],
          rows: [[about.model, ...[accuracy, top5, loss, calibration?.error].map(figure)]],
        },
      ],
    },
    {
      title: 'Classes',
      tables: [
        {
          columns: ['class', 'images', 'precision', 'recall'],
          rows: classes.map(({ label, examples, precision, recall }) => [
            label,
            String(examples),
            figure(precision),
            figure(recall),
          ]),
        },
      ],
    },
    ...(plot ? [{ title: 'Calibration', plots: [{ ...plot, file: 'calibration.svg' }] }] : []),
    matrixOf('Confusion', 'Images by their most probable class.', pairs),
    ...(worst.length > 0
      ? [
          {
            title: 'Worst images',
            texts: [
              'Images of another class than the most probable one, those first whose class is least probable.',
            ],
            pictures: picturesOf(worst, 'worst'),
          },
        ]
      : []),
  ];
  return {
    'report.md': toMarkdown(title, sections),
    'report.html': toHtml(title, sections),
    'report.json': `${safeJson({ ...about, ...evaluation, ...(worst.length > 0 && { worst: namesOf(worst) }) }, 1)}\n`,
    ...Object.fromEntries(
      sections.flatMap(({ pictures = [] }) => pictures.map(({ file, png }) => [file, png])),
    ),
    ...(plot && { 'calibration.svg': plot.svg }),
  };
}

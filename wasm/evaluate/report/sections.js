// What a report says, as tables, plots and pictures; markdown.js and html.js write it down.
import { MOST_SERIES, NEUTRAL } from '../../report/palette.js';
import { curvePlot } from '../../report/svg.js';
import { differenceOf } from '../measure/bootstrap.js';
import { RECALLS } from '../measure/coco.js';
import { TIDE_KINDS } from '../measure/tide.js';
import { calibrationPlot, figure, matrixOf, picturesOf } from './parts.js';
import { formatBytes, plural } from '../../shared/text.js';

/**
 * @typedef {import('./report.js').EvaluatedRun} EvaluatedRun
 * @typedef {import('./report.js').ReportAbout} ReportAbout
 * @typedef {import('../evaluate.js').Evaluation} Evaluation
 * @typedef {import('../../report/html.js').Section} Section
 * @typedef {import('../../report/html.js').Table} Table
 */

const FIGURES = /** @type {const} */ ([
  ...['AP', 'AP50', 'AP75', 'APs', 'APm', 'APl'],
  ...['AR1', 'AR10', 'AR100', 'ARs', 'ARm', 'ARl'],
]);
const KINDS = {
  Cls: 'wrong class',
  Loc: 'box too far off',
  Both: 'wrong class and box off',
  Dupe: 'object found twice',
  Bkg: 'nothing is there',
  Miss: 'object not found',
};
/** @param {import('../evaluate.js').Interval | undefined} interval */
const span = (interval) => (interval ? `${figure(interval[0])} to ${figure(interval[1])}` : '–');
/** @param {number} i */
const suffix = (i) => (i === 0 ? '' : `-${i + 1}`);

/**
 * @param {EvaluatedRun[]} runs
 * @param {ReportAbout} about
 * @returns {Section[]}
 */
export function sectionsOf(runs, about) {
  return [
    overview(runs, about),
    cocoFigures(runs),
    errors(runs),
    ...runs.flatMap((run, i) => [
      classes(run, runs),
      curves(run, i, runs),
      confusion(run, runs),
      worst(run, i, runs),
    ]),
    notes(runs),
  ].filter((section) => section !== undefined);
}

/** @param {string} title @param {EvaluatedRun} run @param {EvaluatedRun[]} runs */
function titleOf(title, run, runs) {
  return runs.length > 1 ? `${title}: ${run.name}` : title;
}

/** @param {EvaluatedRun[]} runs @param {ReportAbout} about @returns {Section} */
function overview(runs, { dataset, format, date }) {
  const [{ evaluation }] = runs;
  const { images, objects } = evaluation;
  const drawn = evaluation.intervals?.samples;
  return {
    title: 'Overview',
    texts: [
      `${dataset}${format ? ` (${format})` : ''}: ${plural(images, 'image')}, ${plural(objects, 'object')}, ${plural(evaluation.classes.length, 'class', 'classes')}. ${date.toISOString().slice(0, 10)}.`,
      ...(drawn
        ? [
            `The intervals hold 95 % of the values if the images are drawn again, ${drawn} times; those of AP are moved so that their middle is the AP. A difference within an interval may be chance.`,
          ]
        : []),
    ],
    tables: comparisonOf(runs),
  };
}

/**
 * The models beside each other, and how far those after the first differ from it.
 * @param {EvaluatedRun[]} runs
 * @returns {Table[]}
 */
export function comparisonOf(runs) {
  const rows = runs.map(({ name, evaluation: { coco, intervals, thresholds }, msPerImage, sizeBytes }) => [
    name,
    sizeBytes === undefined ? '–' : formatBytes(sizeBytes),
    typeof msPerImage === 'number' ? `${msPerImage.toFixed(1)} ms` : '–',
    figure(coco.AP),
    span(intervals?.AP),
    figure(coco.AP50),
    span(intervals?.AP50),
    figure(thresholds?.bestF1?.f1),
    figure(thresholds?.bestF1?.threshold),
    span(intervals?.threshold),
  ]);
  const differences = runs.slice(1).flatMap((run) => {
    const difference = differenceTo(runs[0], run);
    if (!difference) return [];
    const { AP, interval, isClear } = difference;
    return [[run.name, figure(AP), span(interval), isClear ? 'yes' : 'no']];
  });
  return [
    {
      columns: ['model', 'size', 'time', 'AP', '95 %', 'AP50', '95 %', 'best F1', 'at threshold', '95 %'],
      rows,
    },
    ...(differences.length > 0
      ? [
          {
            title: `Difference of AP to ${runs[0].name}`,
            columns: ['model', 'difference', '95 %', 'more than chance'],
            rows: differences,
          },
        ]
      : []),
  ];
}

/**
 * @param {EvaluatedRun} first
 * @param {EvaluatedRun} run
 * @returns {{AP: number, interval: [low: number, high: number], isClear: boolean} | null} null: there is no AP, or nothing
 *   was drawn
 */
export function differenceTo(first, run) {
  const [a, b] = [first, run].map(({ evaluation: { coco, intervals } }) => ({
    AP: coco.AP,
    draws: intervals?.draws ?? [],
  }));
  const interval = differenceOf(a, b);
  if (interval === null || a.AP === null || b.AP === null) return null;
  return { AP: b.AP - a.AP, interval, isClear: interval[0] > 0 || interval[1] < 0 };
}

/** @param {EvaluatedRun[]} runs @returns {Section} */
function cocoFigures(runs) {
  const others = /** @type {[string, (evaluation: Evaluation) => number | null | undefined][]} */ ([
    ['Open Images mAP', ({ openImages }) => openImages?.mAP],
    ['VOC 2007 mAP', ({ voc }) => voc?.mAP2007],
    ['VOC 2010 mAP', ({ voc }) => voc?.mAP2010],
    ['calibration error', ({ calibration }) => calibration?.error],
  ]).filter(([, of]) => runs.some(({ evaluation }) => of(evaluation) !== undefined));
  return {
    title: 'Figures',
    tables: [
      {
        title: 'COCO',
        columns: ['model', ...FIGURES],
        rows: runs.map(({ name, evaluation: { coco } }) => [
          name,
          ...FIGURES.map((key) => figure(coco[key])),
        ]),
      },
      ...(others.length > 0
        ? [
            {
              title: 'Others',
              columns: ['model', ...others.map(([title]) => title)],
              rows: runs.map(({ name, evaluation }) => [
                name,
                ...others.map(([, of]) => figure(of(evaluation))),
              ]),
            },
          ]
        : []),
    ],
  };
}

/** @param {EvaluatedRun[]} runs @returns {Section | undefined} */
function errors(runs) {
  if (!runs.some(({ evaluation }) => evaluation.tide)) return undefined;
  return {
    title: 'Kinds of errors',
    texts: [
      'The points of AP50, of 100, that would be won if all errors of one kind were corrected, and the number of these errors, after TIDE.',
    ],
    tables: [
      {
        columns: ['model', ...TIDE_KINDS.map((kind) => KINDS[kind])],
        rows: runs.map(({ name, evaluation: { tide } }) => [
          name,
          ...TIDE_KINDS.map((kind) =>
            typeof tide?.[kind] === 'number' ? `${tide[kind].toFixed(2)} (${tide.counts[kind]})` : '–',
          ),
        ]),
      },
    ],
  };
}

/** @param {EvaluatedRun} run @param {EvaluatedRun[]} runs @returns {Section} */
function classes(run, runs) {
  const found = run.evaluation.classes.filter(({ objects, detections }) => objects + detections > 0);
  const hasIntervals = found.some(({ interval }) => interval);
  return {
    title: titleOf('Classes', run, runs),
    tables: [
      {
        columns: [
          ...['class', 'objects', 'detections', 'AP', ...(hasIntervals ? ['95 %'] : [])],
          ...['AP50', 'AR100', 'best F1', 'at threshold', 'precision', 'recall'],
        ],
        rows: found.map(({ name, objects, detections, coco, interval, bestF1 }) => [
          name,
          String(objects),
          String(detections),
          figure(coco.AP),
          ...(hasIntervals ? [span(interval)] : []),
          figure(coco.AP50),
          figure(coco.AR100),
          figure(bestF1?.f1),
          figure(bestF1?.threshold),
          figure(bestF1?.precision),
          figure(bestF1?.recall),
        ]),
      },
    ],
  };
}

/** @param {EvaluatedRun} run @param {number} i @param {EvaluatedRun[]} runs @returns {Section | undefined} */
function curves(run, i, runs) {
  const { classes: all, calibration } = run.evaluation;
  const known = all.filter(({ precision }) => precision !== null);
  if (known.length === 0) return undefined;
  const mean = Array.from(
    RECALLS,
    (_, r) =>
      known.reduce((sum, { precision }) => sum + /** @type {number[]} */ (precision)[r], 0) / known.length,
  );
  const toPoints = (/** @type {number[]} */ precision) =>
    precision.map((value, r) => /** @type {[number, number]} */ ([RECALLS[r], value]));
  const frequent = [...known].sort((a, b) => b.objects - a.objects).slice(0, MOST_SERIES - 1);
  const reliability = calibrationPlot(
    'Precision of detections by score',
    { x: 'score', y: 'precision' },
    calibration,
  );
  return {
    title: titleOf('Curves', run, runs),
    plots: [
      {
        file: `precision-recall${suffix(i)}.svg`,
        title: 'Precision and recall at IoU 0.5',
        svg: curvePlot('Precision and recall at IoU 0.5', { x: 'recall', y: 'precision' }, [
          { name: 'mean of the classes', points: toPoints(mean), color: NEUTRAL },
          ...frequent.map(({ name, precision }, color) => ({
            name,
            points: toPoints(/** @type {number[]} */ (precision)),
            color,
          })),
        ]),
      },
      ...(reliability ? [{ ...reliability, file: `calibration${suffix(i)}.svg` }] : []),
    ],
  };
}

/** @param {EvaluatedRun} run @param {EvaluatedRun[]} runs @returns {Section | undefined} */
function confusion(run, runs) {
  const { confusion: found } = run.evaluation;
  if (!found || found.pairs.length === 0) return undefined;
  const text = `Detections with a score above ${figure(found.threshold)} that overlap an object with an IoU of 0.5 or more.`;
  return matrixOf(titleOf('Confusion', run, runs), text, found.pairs);
}

/** @param {EvaluatedRun} run @param {number} i @param {EvaluatedRun[]} runs @returns {Section | undefined} */
function worst(run, i, runs) {
  if (!run.worst || run.worst.length === 0) return undefined;
  return {
    title: titleOf('Images with most errors', run, runs),
    texts: ['Green: found. Yellow: an object that was not found. Red: a detection where no such object is.'],
    pictures: picturesOf(run.worst, `worst${suffix(i)}`),
  };
}

/** @param {EvaluatedRun[]} runs @returns {Section | undefined} */
function notes(runs) {
  const texts = runs.flatMap(({ name, evaluation, unmatched }) => [
    ...evaluation.notes.map(({ message }) => `${name}: ${message}.`),
    ...(unmatched && unmatched.categories.length > 0
      ? [
          `${name}: the model does not have these classes of the data set, and they do not count: ${unmatched.categories.join(', ')}.`,
        ]
      : []),
    ...(unmatched && unmatched.labels.length > 0
      ? [
          `${name}: the data set does not have these classes of the model, and they do not count: ${unmatched.labels.join(', ')}.`,
        ]
      : []),
  ]);
  return texts.length > 0 ? { title: 'Notes', texts } : undefined;
}

// What ocelli evaluate prints: tables, or one JSON object.
import { comparisonOf } from '../../wasm/evaluate/report/sections.js';
import { layOut } from '../common.js';
import { bold, printable } from '../output.js';
import { plural } from '../../wasm/shared/text.js';

/**
 * @typedef {import('../../wasm/evaluate/evaluate.js').Evaluation} Evaluation
 * @typedef {import('../../wasm/evaluate/report/report.js').EvaluatedRun} EvaluatedRun
 */

const TITLES = {
  AP: 'AP, IoU 0.50 to 0.95',
  AP50: 'AP, IoU 0.50',
  AP75: 'AP, IoU 0.75',
  APs: 'AP, small objects',
  APm: 'AP, medium objects',
  APl: 'AP, large objects',
  AR1: 'recall, 1 detection an image',
  AR10: 'recall, 10 detections',
  AR100: 'recall, 100 detections',
  ARs: 'recall, small objects',
  ARm: 'recall, medium objects',
  ARl: 'recall, large objects',
};

/** @param {number | null | undefined} value */
const figure = (value) => (value === null || value === undefined ? '-' : value.toFixed(3));

/** The evaluation without curves and images. @param {Evaluation} evaluation */
export function toJson({ classes, confusion, intervals, ...rest }) {
  const { draws, ...limits } = intervals ?? {};
  return {
    ...rest,
    ...(draws && { intervals: limits }),
    ...(confusion && { confusion: { threshold: confusion.threshold, pairs: confusion.pairs } }),
    classes: classes.map(({ precision, ...figures }) => figures),
  };
}

/** The models beside each other. @param {EvaluatedRun[]} runs @returns {string[]} lines */
export function toComparison(runs) {
  return comparisonOf(runs).flatMap(({ title, columns, rows }, i) => [
    ...(i > 0 ? [''] : []),
    ...(title ? [bold(printable(title))] : []),
    ...layOut(
      [columns, ...rows.map(([name, ...cells]) => [printable(name), ...cells])],
      `l${'r'.repeat(columns.length - 1)}`,
    ),
  ]);
}

/** @param {Evaluation} evaluation */
export function toText(evaluation) {
  const { coco, images, objects, detections, intervals, openImages, voc, tide, calibration, thresholds } =
    evaluation;
  const between = (/** @type {import('../../wasm/evaluate/evaluate.js').Interval | undefined} */ interval) =>
    interval ? `${figure(interval[0])} to ${figure(interval[1])}` : '';
  const rows = Object.entries(TITLES).map(([key, title]) => [
    title,
    figure(coco[/** @type {keyof typeof TITLES} */ (key)]),
    key === 'AP' || key === 'AP50' ? between(intervals?.[key]) : '',
  ]);
  if (openImages) rows.push([`mAP, Open Images (${openImages.rule})`, figure(openImages.mAP), '']);
  if (voc)
    rows.push(
      ['mAP, Pascal VOC 2007', figure(voc.mAP2007), ''],
      ['mAP, Pascal VOC 2010', figure(voc.mAP2010), ''],
    );
  if (calibration) rows.push(['calibration error', figure(calibration.error), '']);
  const best = thresholds?.bestF1;
  if (best) {
    const around = intervals?.threshold ? ` (${between(intervals.threshold)})` : '';
    rows.push([`best F1, at threshold ${figure(best.threshold)}${around}`, figure(best.f1), '']);
  }
  return [
    `${plural(images, 'image')}, ${plural(objects, 'object')}, ${plural(detections, 'detection')}`,
    '',
    ...layOut(rows, 'lrl'),
    ...(tide ? ['', bold('AP50 that each kind of error costs, in points'), ...tideLines(tide)] : []),
    '',
    bold('Classes'),
    ...classLines(evaluation),
  ].join('\n');
}

/** @param {Record<string, any>} tide */
function tideLines({ AP, counts, FalsePos, FalseNeg, ...kinds }) {
  const names = Object.keys(kinds);
  const points = (/** @type {number | null} */ value) => (value === null ? '-' : value.toFixed(2));
  return layOut(
    [
      ['', ...names],
      ['points', ...names.map((name) => points(kinds[name]))],
      ['errors', ...names.map((name) => String(counts[name]))],
    ],
    `l${'r'.repeat(names.length)}`,
  );
}

/** @param {Evaluation} evaluation */
function classLines({ classes, intervals }) {
  const header = [
    '',
    'objects',
    'AP',
    ...(intervals ? ['95 %'] : []),
    'AP50',
    'AR100',
    'best F1',
    'threshold',
  ];
  const rows = classes
    .filter(({ objects, detections }) => objects + detections > 0)
    .map(({ name, objects, coco, interval, bestF1 }) => [
      printable(name),
      String(objects),
      figure(coco.AP),
      ...(intervals ? [interval ? `${figure(interval[0])} to ${figure(interval[1])}` : ''] : []),
      figure(coco.AP50),
      figure(coco.AR100),
      figure(bestF1?.f1),
      figure(bestF1?.threshold),
    ]);
  return layOut([header, ...rows], `l${'r'.repeat(header.length - 1)}`);
}

// The judge: ground truth and detections -> every measure.
import { checkMeasures } from './arguments.js';
import { checkBoolean, checkCallbacks, checkChoice, checkKeys, checkNumber } from '../shared/options.js';
import { bootstrap } from './measure/bootstrap.js';
import { measureCoco, RECALLS } from './measure/coco.js';
import { confuse } from './measure/confusion.js';
import { expandHierarchy, measureOpenImages, measureVoc, OPEN_IMAGES_RULES } from './measure/open_images.js';
import { bestThreshold, calibrate, mergeScored, scoredOf, thresholdForPrecision } from './measure/scores.js';
import { tabulate } from './measure/table.js';
import { measureTide } from './measure/tide.js';

/**
 * @typedef {import('./measure/scores.js').CalibrationBin} CalibrationBin
 * @typedef {import('./types.js').GroundTruth} GroundTruth
 * @typedef {import('./types.js').Detection} Detection
 * @typedef {import('./measure/table.js').Table} Table
 * @typedef {import('./measure/coco.js').Figure} Figure
 * @typedef {import('./measure/coco.js').CocoFigures} CocoFigures
 * @typedef {import('./measure/scores.js').Threshold} Threshold
 * @typedef {import('./measure/bootstrap.js').Interval} Interval
 *
 * @typedef {object} EvaluateOptions
 * @property {readonly Measure[]} [measures] what to measure besides COCO's figures; default: all
 * @property {boolean} [agnostic] count a box of the wrong class as found, for COCO's figures
 * @property {typeof OPEN_IMAGES_RULES[number]} [openImagesRule] v2, or the rule of the challenge: default v2, or challenge
 *   if the ground truth has imageLabels
 * @property {number} [groupWeight] of a group-of box: default 0 for v2, 1 for the challenge
 * @property {import('./measure/open_images.js').Hierarchy} [hierarchy] Open Images' class hierarchy, by which its ground
 *   truth is expanded
 * @property {number} [precision] also find the threshold with this precision for each class
 * @property {number} [threshold] of the confusion matrix; default: the threshold with the highest F1
 * @property {number} [bootstrap] draw the images so often for the intervals; default 0: no intervals
 * @property {number} [seed] of the intervals
 * @property {import('./types.js').Locate} [locate] names the place of an entry in error messages, such as a file and line
 *
 * @typedef {typeof MEASURES[number]} Measure
 *
 * @typedef {object} ClassEvaluation
 * @property {import('./types.js').Id} id
 * @property {string} name
 * @property {number} objects annotations without crowds
 * @property {number} detections
 * @property {CocoFigures} coco
 * @property {Interval} [interval] of AP
 * @property {number[] | null} precision at IoU 0.5 and the recalls 0, 0.01 … 1
 * @property {Figure} [openImages] AP
 * @property {Figure} [voc2007] AP
 * @property {Figure} [voc2010] AP
 * @property {Threshold | null} [bestF1]
 * @property {Threshold | null} [forPrecision]
 *
 * @typedef {object} Evaluation
 * @property {number} images
 * @property {number} objects
 * @property {number} detections
 * @property {CocoFigures} coco
 * @property {{AP: Interval, AP50: Interval, threshold: Interval, samples: number, seed: number,
 *   draws: (number | null)[]}} [intervals] 95 %; threshold: the one with the best F1; draws: the AP of each draw of the
 *   images
 * @property {{mAP: Figure, rule: string}} [openImages]
 * @property {{mAP2007: Figure, mAP2010: Figure}} [voc]
 * @property {Record<string, any>} [tide] AP at IoU 0.5 and the AP that each kind of error costs, in points from 0 to 100
 * @property {ReturnType<typeof calibrate>} [calibration]
 * @property {{bestF1: Threshold | null, forPrecision?: Threshold | null}} [thresholds] one for all classes
 * @property {Confusion} [confusion]
 * @property {ClassEvaluation[]} classes
 * @property {import('./types.js').Note[]} notes
 *
 * @typedef {object} Confusion
 * @property {number} threshold
 * @property {{truth: string | null, found: string | null, count: number}[]} pairs null: background
 * @property {ImageErrors[]} images
 *
 * @typedef {{id: import('./types.js').Id, name: string, right: number, confused: number, extra: number, missed: number}}
 *   ImageErrors
 */

export const MEASURES = /** @type {const} */ ([
  'openImages',
  'voc',
  'tide',
  'calibration',
  'thresholds',
  'confusion',
]);
export const BOOTSTRAP = { min: 0, max: 100000, integer: true };
export const SEED = { min: 0, max: 2 ** 32 - 1, integer: true };
export const SHARE = { min: 0, max: 1 };
const OPTIONS = [
  ...['measures', 'agnostic', 'openImagesRule', 'groupWeight', 'hierarchy', 'precision', 'threshold'],
  ...['bootstrap', 'seed', 'locate'],
];

/**
 * Measures detections against ground truth.
 * @param {GroundTruth} groundTruth COCO's format
 * @param {Detection[]} detections COCO's format of results
 * @param {EvaluateOptions} [options]
 * @returns {Evaluation}
 */
export function evaluateDetections(groundTruth, detections, options = {}) {
  checkOptions(options);
  const { measures = MEASURES, agnostic = false, locate } = options;
  const has = (/** @type {Measure} */ measure) => measures.includes(measure);
  const table = tabulate(groundTruth, detections, locate);
  const coco = measureCoco(table, { agnostic });
  const perClass = agnostic ? measureCoco(table) : coco;
  const scored = perClass.matches.map((matches) => scoredOf(matches, table.found.score));
  const all = mergeScored(scored);
  const positives = perClass.matches.map((matches) => matches.positives[0]);
  const total = positives.reduce((sum, count) => sum + count, 0);
  const bestF1 = bestThreshold(all, total);
  const samples = options.bootstrap ?? 0;
  const { seed = 0, precision } = options;
  const numImages = table.images.length;
  const counts = table.categories.map(() => 0);
  for (const category of table.found.category) counts[category]++;
  const intervals =
    samples > 0
      ? bootstrap(perClass.matches, all, table.found.image, numImages, { samples, seed })
      : undefined;
  const openImages = has('openImages')
    ? measureOpenImagesOf(groundTruth, detections, table, options)
    : undefined;
  const voc = has('voc') ? measureVoc(table) : undefined;
  return {
    coco: coco.figures,
    images: numImages,
    objects: total,
    detections: table.found.count,
    ...(intervals && {
      intervals: {
        AP: intervals.AP,
        AP50: intervals.AP50,
        threshold: intervals.threshold,
        samples,
        seed,
        draws: intervals.draws,
      },
    }),
    ...(openImages && { openImages: { mAP: openImages.mAP, rule: openImages.rule } }),
    ...(voc && { voc: { mAP2007: voc.voc2007.mAP, mAP2010: voc.voc2010.mAP } }),
    ...(has('tide') && { tide: withoutErrors(measureTide(table)) }),
    ...(has('calibration') && { calibration: calibrate(all) }),
    ...(has('thresholds') && {
      thresholds: {
        bestF1,
        ...(precision !== undefined && { forPrecision: thresholdForPrecision(all, total, precision) }),
      },
    }),
    ...(has('confusion') && {
      confusion: nameConfusion(table, options.threshold ?? bestF1?.threshold ?? 0.5),
    }),
    classes: table.categories.slice(0, table.listedCategories).map(({ id, name }, k) => ({
      id,
      name,
      objects: positives[k],
      detections: counts[k],
      coco: perClass.perCategory[k],
      ...(intervals && { interval: intervals.perCategory[k] }),
      precision: perClass.curves[k].precision[0] ? Array.from(perClass.curves[k].precision[0][0]) : null,
      ...(openImages && { openImages: openImages.perCategory[k] }),
      ...(voc && { voc2007: voc.voc2007.perCategory[k], voc2010: voc.voc2010.perCategory[k] }),
      ...(has('thresholds') && {
        bestF1: bestThreshold(scored[k], positives[k]),
        ...(precision !== undefined && {
          forPrecision: thresholdForPrecision(scored[k], positives[k], precision),
        }),
      }),
    })),
    notes: table.notes,
  };
}

/** The recalls of a class's `precision`. */
export { RECALLS };

/** @param {EvaluateOptions} options */
function checkOptions(options) {
  checkKeys('options', options, OPTIONS);
  const {
    measures = [],
    agnostic,
    openImagesRule,
    groupWeight,
    precision,
    threshold,
    bootstrap: samples,
    seed,
    locate,
  } = options;
  checkMeasures(measures);
  for (const measure of measures) checkChoice('measures', measure, MEASURES);
  if (agnostic !== undefined) checkBoolean('agnostic', agnostic);
  if (openImagesRule !== undefined) checkChoice('openImagesRule', openImagesRule, OPEN_IMAGES_RULES);
  if (groupWeight !== undefined) checkNumber('groupWeight', groupWeight, SHARE);
  if (precision !== undefined) checkNumber('precision', precision, SHARE);
  if (threshold !== undefined) checkNumber('threshold', threshold, {});
  if (samples !== undefined) checkNumber('bootstrap', samples, BOOTSTRAP);
  if (seed !== undefined) checkNumber('seed', seed, SEED);
  checkCallbacks({ locate });
}

/**
 * @param {GroundTruth} groundTruth
 * @param {Detection[]} detections
 * @param {Table} table
 * @param {EvaluateOptions} options
 */
function measureOpenImagesOf(
  groundTruth,
  detections,
  table,
  { openImagesRule, groupWeight, hierarchy, locate },
) {
  const rule = openImagesRule ?? (groundTruth.imageLabels ? 'challenge' : 'v2');
  const expanded =
    hierarchy !== undefined ? tabulate(expandHierarchy(groundTruth, hierarchy), detections, locate) : table;
  return { ...measureOpenImages(expanded, { rule, groupWeight }), rule };
}

/** @param {ReturnType<typeof measureTide>} tide */
function withoutErrors({ errors, ...figures }) {
  return figures;
}

/** @param {Table} table @param {number} threshold @returns {Confusion} */
function nameConfusion(table, threshold) {
  const { pairs, images } = confuse(table, () => threshold);
  const nameOf = (/** @type {number} */ category) => (category < 0 ? null : table.categories[category].name);
  return {
    threshold,
    pairs: pairs.map(({ truth, found, count }) => ({ truth: nameOf(truth), found: nameOf(found), count })),
    images: images.map(({ image, ...counts }) => {
      const { id, file_name: name = String(id) } = table.images[image];
      return { id, name, ...counts };
    }),
  };
}

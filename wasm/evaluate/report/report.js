// In: the evaluations of one or several models on a data set. Out: the files of a report: Markdown, JSON and one HTML page.
import { checkAbout, checkRuns } from '../arguments.js';
import { safeJson } from '../../shared/text.js';
import { toHtml } from '../../report/html.js';
import { toMarkdown } from '../../report/markdown.js';
import { namesOf } from './parts.js';
import { sectionsOf } from './sections.js';

/**
 * @typedef {import('../evaluate.js').Evaluation} Evaluation
 *
 * @typedef {object} EvaluatedRun
 * @property {string} name of the model
 * @property {Evaluation} evaluation
 * @property {number | null} [msPerImage] the median time for one image
 * @property {number} [sizeBytes] of the model
 * @property {{categories: string[], labels: string[]}} [unmatched] classes that the data set or the model has alone
 * @property {WorstImage[]} [worst]
 *
 * @typedef {object} WorstImage
 * @property {string} name
 * @property {string} summary such as "2 missed, 1 extra"
 * @property {Uint8Array} png with both kinds of boxes
 *
 * @typedef {object} ReportAbout
 * @property {string} dataset
 * @property {string} [format]
 * @property {Date} date
 */

/**
 * @param {EvaluatedRun[]} runs
 * @param {ReportAbout} about
 * @returns {Record<string, string | Uint8Array>} file name -> content
 */
export function makeEvaluationReport(runs, about) {
  checkRuns(runs);
  checkAbout(about);
  const title = `Evaluation on ${about.dataset}`;
  const sections = sectionsOf(runs, about);
  const pictures = sections.flatMap((section) => section.pictures ?? []);
  return {
    'report.md': toMarkdown(title, sections),
    'report.html': toHtml(title, sections),
    'report.json': `${safeJson({ ...about, runs: runs.map(withoutPictures) }, 1)}\n`,
    ...Object.fromEntries(sections.flatMap(({ plots = [] }) => plots.map(({ file, svg }) => [file, svg]))),
    ...Object.fromEntries(pictures.map(({ file, png }) => [file, png])),
  };
}

/** @param {EvaluatedRun} run */
function withoutPictures({ worst, evaluation, ...run }) {
  const { intervals, ...figures } = evaluation;
  const { draws, ...limits } = intervals ?? {};
  return {
    ...run,
    evaluation: { ...figures, ...(draws && { intervals: limits }) },
    ...(worst && { worst: namesOf(worst) }),
  };
}

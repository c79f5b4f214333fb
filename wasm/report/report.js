// In: the configurations of a training. Out: the files of its report, as text.
import { safeJson } from '../shared/text.js';
import { modelCard } from './card.js';
import { emissionsCsv } from './csv.js';
import { toHtml } from './html.js';
import { energyTable, qualityTable } from './metrics.js';
import { curvesOf, emissionsPlot, sectionsOf } from './sections.js';

/**
 * @param {import('./metrics.js').Configuration[]} configurations
 * @param {import('./card.js').About} about
 * @returns {Record<string, string>} file name -> content: README.md is the model card, report.html a page that needs no other
 *   file
 */
export function makeReport(configurations, about) {
  const plots = [...curvesOf(configurations), emissionsPlot(configurations)];
  return {
    'README.md': modelCard(configurations, about),
    'report.html': toHtml(`Training report: ${about.project}`, sectionsOf(configurations, about)),
    'tables.md': `${qualityTable(configurations)}\n${energyTable(configurations)}`,
    'emissions.csv': emissionsCsv(configurations, about),
    'report.json': `${safeJson({ ...about, configurations }, 2)}\n`,
    ...Object.fromEntries(plots.map(({ file, svg }) => [file, svg])),
  };
}

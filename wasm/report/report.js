// In: the configurations of a training. Out: the files of its report, as text.
import { safeJson } from '../shared/text.js';
import { modelCard } from './card.js';
import { emissionsCsv } from './csv.js';
import { areDetectors, energyTable, qualityTable } from './metrics.js';
import { barPlot, linePlot } from './svg.js';

/**
 * @param {import('./metrics.js').Configuration[]} configurations
 * @param {import('./card.js').About} about
 * @returns {Record<string, string>} file name -> content: README.md is the model card
 */
export function makeReport(configurations, about) {
  const bars = configurations.map(({ name, energy }) => ({ name, value: energy.account.emissions }));
  return {
    'README.md': modelCard(configurations, about),
    'tables.md': `${qualityTable(configurations)}\n${energyTable(configurations)}`,
    'emissions.csv': emissionsCsv(configurations, about),
    'report.json': `${safeJson({ ...about, configurations }, 2)}\n`,
    'loss.svg': linePlot('Loss', linesOf(configurations, 'loss')),
    ...qualityPlot(configurations),
    'emissions.svg': barPlot('Emissions', 'kg CO2e', bars),
  };
}

/** @param {import('./metrics.js').Configuration[]} configurations @returns {Record<string, string>} */
function qualityPlot(configurations) {
  if (!areDetectors(configurations))
    return { 'accuracy.svg': linePlot('Accuracy', linesOf(configurations, 'accuracy')) };
  const lines = configurations.flatMap(({ name, history: { history } }, color) =>
    history.val_AP50
      ? [{ name: `${name}, validation`, values: history.val_AP50, isDashed: true, color }]
      : [],
  );
  return lines.length > 0 ? { 'ap50.svg': linePlot('AP at IoU 0.5', lines) } : {};
}

/**
 * Solid lines for training, dashed lines for validation.
 * @param {import('./metrics.js').Configuration[]} configurations
 * @param {string} key
 */
function linesOf(configurations, key) {
  return configurations.flatMap(({ name, history: { history } }, color) => [
    { name: `${name}, train`, values: history[key], color },
    ...(history[`val_${key}`]
      ? [{ name: `${name}, validation`, values: history[`val_${key}`], isDashed: true, color }]
      : []),
  ]);
}

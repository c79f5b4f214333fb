// The panel beside the picture: detections, stage times, and facts about the engine.
import { listenForCopy } from './copy.js';
import { element, make, makeDot, makeFacts, percent } from './page.js';
import { Plot, STAGES } from './plot.js';
import { colorOf } from './stage.js';

/**
 * @typedef {import('./model.js').Found} Found
 * @typedef {import('ocelli').RunResult} RunResult
 */

const summary = element('summary', HTMLElement);
const list = element('found', HTMLElement);
const json = element('json', HTMLElement);
const plot = new Plot(element('plot', HTMLCanvasElement));
/** @type {number[]} */
let arrivals = [];

/**
 * @param {Found[]} found
 * @param {string} nothing what to say if it is empty
 */
export function showFound(found, nothing) {
  const items = found.map(({ label, labelId, trackId, score }) => {
    const name = trackId === undefined ? label : `${label} #${trackId}`;
    const dot = makeDot(colorOf(trackId ?? labelId));
    return make('li', {}, dot, make('span', {}, name), make('span', {}, percent(score)));
  });
  list.replaceChildren(...items);
  list.hidden = items.length === 0;
  say(found.length > 0 ? describe(found) : nothing);
  json.textContent = JSON.stringify(found, round, 2);
}

/**
 * Empties the list when there is no result.
 * @param {string} text
 */
export function clearFound(text) {
  list.replaceChildren();
  list.hidden = true;
  say(text);
  json.textContent = '[]';
}

/**
 * Writes only changes, so that a screen reader does not read out every frame.
 * @param {string} text
 */
function say(text) {
  if (summary.textContent !== text) summary.textContent = text;
}

/** @param {Found[]} found at least one */
function describe(found) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { label } of found) counts.set(label, (counts.get(label) ?? 0) + 1);
  const names = [...counts].map(([label, count]) => (count > 1 ? `${count} × ${label}` : label));
  return `${found.length} object${found.length > 1 ? 's' : ''}: ${names.join(', ')}`;
}

/**
 * @param {string} _
 * @param {unknown} value
 */
const round = (_, value) => (typeof value === 'number' ? Number(value.toFixed(3)) : value);

/**
 * @param {RunResult} run
 * @param {boolean} isVideo
 */
export function showSpeed({ ms }, isVideo) {
  plot.add(ms);
  drawSpeed();
  const now = performance.now();
  arrivals = [...arrivals, now].filter((time) => now - time < 2000);
  const rate = ((arrivals.length - 1) * 1000) / (now - arrivals[0]);
  element('fps', HTMLElement).textContent = isVideo && arrivals.length > 2 ? `${rate.toFixed(0)} fps` : '';
}

export function drawSpeed() {
  plot.draw();
  const rows = STAGES.flatMap((stage) => [
    make('dt', {}, make('span', { className: `dot ${stage}` }), stage),
    make('dd', {}, `${plot.median(stage).toFixed(1)} ms`),
  ]);
  element('stages', HTMLElement).replaceChildren(...rows);
}

export function clearSpeed() {
  plot.clear();
  arrivals = [];
}

/** @param {Record<string, string>} facts */
export function showEngine(facts) {
  element('engine', HTMLElement).replaceChildren(...makeFacts(facts));
}

listenForCopy(element('copy', HTMLButtonElement), json);

// The panel beside the picture: detections, stage times, and facts about the engine.
import { element, make, makeDot, makeFacts, percent } from './page.js';
import { Plot, STAGES } from './plot.js';
import { colorOf } from './stage.js';

/**
 * @typedef {import('ocelli').Detection} Detection
 * @typedef {import('ocelli').RunResult} RunResult
 */

const summary = element('summary', HTMLElement);
const json = element('json', HTMLElement);
const copy = element('copy', HTMLButtonElement);
const plot = new Plot(element('plot', HTMLCanvasElement));
/** @type {number[]} */
let arrivals = [];

/** @param {Detection[]} found */
export function showFound(found) {
  const items = found.map(({ label, labelId, score }) =>
    make('li', {}, makeDot(colorOf(labelId)), make('span', {}, label), make('span', {}, percent(score))),
  );
  element('found', HTMLElement).replaceChildren(...items);
  const text = describe(found);
  // Write only changes, so that a screen reader does not read out every frame.
  if (summary.textContent !== text) summary.textContent = text;
  json.textContent = JSON.stringify(found, round, 2);
}

/** Empties the list when there is no picture. */
export function clearFound() {
  element('found', HTMLElement).replaceChildren();
  summary.textContent = 'Nothing yet.';
  json.textContent = '[]';
}

/** @param {Detection[]} found */
function describe(found) {
  if (found.length === 0) return 'Nothing above the threshold.';
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
    make('span', { className: `dot ${stage}` }),
    make('dt', {}, stage),
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

copy.addEventListener('click', async () => {
  try {
    await navigator.clipboard.writeText(json.textContent ?? '');
    copy.textContent = 'Copied';
  } catch {
    // The clipboard is not available: select the text, so that the user can copy it by keyboard.
    getSelection()?.selectAllChildren(json);
    copy.textContent = 'Selected';
  }
  setTimeout(() => (copy.textContent = 'Copy'), 1500);
});

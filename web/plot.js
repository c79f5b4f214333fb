// Times of the last runs -> a stacked bar chart: one bar for each run, its stages stacked.
import { fitToScreen } from './stage.js';

/** @typedef {import('ocelli').StageTimes} Times */

export const STAGES = /** @type {const} */ (['decode', 'preprocess', 'network', 'postprocess']);
const MAX_RUNS = 60;

export class Plot {
  /** @type {Times[]} */ #runs = [];
  #canvas;

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
  }

  clear() {
    this.#runs = [];
  }

  /** @param {Times} ms */
  add(ms) {
    this.#runs.push(ms);
    if (this.#runs.length > MAX_RUNS) this.#runs.shift();
  }

  /** @param {typeof STAGES[number]} stage */
  median(stage) {
    const sorted = this.#runs.map((run) => run[stage]).sort((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? 0;
  }

  draw() {
    const context = fitToScreen(this.#canvas);
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const { color, borderTopColor } = getComputedStyle(this.#canvas);
    const total = (/** @type {Times} */ run) => STAGES.reduce((sum, stage) => sum + run[stage], 0);
    const top = niceCeiling(Math.max(10, ...this.#runs.map(total)));
    context.font = '11px system-ui, sans-serif';
    context.fillStyle = color;
    context.strokeStyle = borderTopColor;
    for (const share of [0.5, 1]) {
      const y = Math.round(height - share * (height - 14)) - 0.5;
      context.beginPath();
      context.moveTo(0, y);
      context.lineTo(width, y);
      context.stroke();
      context.fillText(`${top * share} ms`, 0, y - 3);
    }
    const colors = readColors(this.#canvas);
    const left = 48;
    const step = (width - left) / MAX_RUNS;
    this.#runs.forEach((run, i) => {
      let y = height;
      for (const stage of STAGES) {
        const barHeight = (run[stage] / top) * (height - 14);
        context.fillStyle = colors[stage];
        context.fillRect(left + i * step, y - barHeight, Math.max(step - 1, 1), barHeight);
        y -= barHeight;
      }
    });
  }
}

/**
 * The stages' colours in the current colour scheme, read from the computed style of an element.
 * @param {HTMLCanvasElement} canvas
 */
function readColors(canvas) {
  const swatch = document.createElement('span');
  canvas.replaceChildren(swatch);
  const entries = STAGES.map((stage) => {
    swatch.className = stage;
    return [stage, getComputedStyle(swatch).backgroundColor];
  });
  return /** @type {Record<typeof STAGES[number], string>} */ (Object.fromEntries(entries));
}

/**
 * The smallest of …, 10, 20, 50, 100, 200, … that is not below `value`.
 * @param {number} value
 */
export function niceCeiling(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * (value <= power ? 1 : value <= 2 * power ? 2 : value <= 5 * power ? 5 : 10);
}

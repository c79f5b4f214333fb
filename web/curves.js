// Metrics of each epoch -> curves: a solid line for the training examples, a dashed line for validation.
import { percent } from './page.js';
import { niceCeiling } from './plot.js';
import { fitToScreen } from './stage.js';

const MARGIN = { left: 42, top: 8, bottom: 4 };

export class Curves {
  /** @type {Record<string, number[]>} */ #history = {};
  #epochs = 1;
  #canvases;

  /** @param {Record<string, HTMLCanvasElement>} canvases by metric: loss, or one that goes from 0 to 1 */
  constructor(canvases) {
    this.#canvases = canvases;
  }

  /** @param {number} epochs the number of epochs of this training */
  begin(epochs) {
    this.#history = {};
    this.#epochs = epochs;
    this.draw();
  }

  /** @param {Record<string, number>} logs metrics of one epoch, under Keras' names */
  add(logs) {
    for (const [key, value] of Object.entries(logs)) (this.#history[key] ??= []).push(value);
    this.draw();
  }

  draw() {
    const highest = Math.max(0.1, ...(this.#history.loss ?? []), ...(this.#history.val_loss ?? []));
    for (const [key, canvas] of Object.entries(this.#canvases)) {
      if (key === 'loss') this.#drawOne(key, canvas, niceCeiling(highest), String);
      else this.#drawOne(key, canvas, 1, percent);
    }
  }

  /**
   * @param {string} key
   * @param {HTMLCanvasElement} canvas
   * @param {number} top
   * @param {(value: number) => string} label
   */
  #drawOne(key, canvas, top, label) {
    const context = fitToScreen(canvas);
    const { clientWidth: width, clientHeight: height } = canvas;
    const { color, borderTopColor, outlineColor } = getComputedStyle(canvas);
    const x = (/** @type {number} */ epoch) =>
      MARGIN.left + ((width - MARGIN.left - 2) * epoch) / Math.max(this.#epochs - 1, 1);
    const y = (/** @type {number} */ value) =>
      height - MARGIN.bottom - (height - MARGIN.top - MARGIN.bottom) * (value / top);
    context.font = '11px system-ui, sans-serif';
    context.fillStyle = color;
    context.strokeStyle = borderTopColor;
    context.textAlign = 'right';
    for (const value of [0, top / 2, top]) {
      line(context, [MARGIN.left, width], [y(value), y(value)]);
      context.fillText(label(value), MARGIN.left - 5, y(value) + 4);
    }
    context.strokeStyle = outlineColor;
    context.lineWidth = 2;
    for (const [name, dash] of /** @type {[string, number[]][]} */ ([
      [key, []],
      [`val_${key}`, [5, 4]],
    ])) {
      const values = this.#history[name] ?? [];
      context.setLineDash(dash);
      line(
        context,
        values.map((_, epoch) => x(epoch)),
        values.map(y),
      );
    }
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number[]} xs
 * @param {number[]} ys
 */
function line(context, xs, ys) {
  context.beginPath();
  xs.forEach((x, i) => context.lineTo(x, ys[i]));
  context.stroke();
}

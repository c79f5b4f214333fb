// Detections -> boxes and labels on a canvas over the picture, at the screen's pixel density.
import { classColor, drawDetections } from 'ocelli/draw';

/** @typedef {import('ocelli').Detection} Detection */

const FONT_PX = 13;
const LINE_PX = 3;

/** @param {number} labelId */
export const colorOf = (labelId) => `rgb(${classColor(labelId).join(' ')})`;

/**
 * Draws boxes over a picture that is laid out by `object-fit: contain` in the canvas's area.
 * @param {HTMLCanvasElement} canvas
 * @param {Detection[]} found best first
 * @param {{width: number, height: number}} size of the source picture, which the boxes refer to
 * @param {boolean} isMirrored
 * @param {Pick<import('ocelli/draw').DrawOptions, 'labels' | 'colours'>} [options]
 */
export function drawBoxes(canvas, found, size, isMirrored, options) {
  const context = fitToScreen(canvas);
  const { clientWidth, clientHeight } = canvas;
  const scale = Math.min(clientWidth / size.width, clientHeight / size.height);
  context.translate((clientWidth - size.width * scale) / 2, (clientHeight - size.height * scale) / 2);
  drawDetections(context, found, {
    scale,
    size,
    mirror: isMirrored,
    lineWidth: LINE_PX,
    fontSize: FONT_PX,
    ...options,
  });
}

/**
 * Clears the canvas, gives it the screen's resolution, and returns a context that takes CSS pixels.
 * @param {HTMLCanvasElement} canvas
 */
export function fitToScreen(canvas) {
  const ratio = devicePixelRatio;
  canvas.width = Math.round(canvas.clientWidth * ratio);
  canvas.height = Math.round(canvas.clientHeight * ratio);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

/**
 * Calls `redraw` when the colours that a canvas takes from the page's style have changed.
 * @param {() => void} redraw
 */
export function listenForColors(redraw) {
  for (const query of ['(prefers-color-scheme: dark)', '(forced-colors: active)'])
    matchMedia(query).addEventListener('change', redraw);
}

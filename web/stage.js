// Detections -> boxes and labels on a canvas over the picture, at the screen's pixel density.
import { classColor, placeTag } from 'ocelli/draw';
import { percent } from './page.js';

/**
 * @typedef {import('ocelli').Detection} Detection
 * @typedef {import('ocelli/draw').Rect} Rect
 */

const FONT_PX = 13;
const LINE_PX = 2.5;

/** @param {number} labelId */
export const colorOf = (labelId) => `rgb(${classColor(labelId).join(' ')})`;

/**
 * Draws boxes over a picture that is laid out by `object-fit: contain` in the canvas's area.
 * @param {HTMLCanvasElement} canvas
 * @param {Detection[]} found best first
 * @param {{width: number, height: number}} size of the source picture, which the boxes refer to
 * @param {boolean} isMirrored
 */
export function drawBoxes(canvas, found, size, isMirrored) {
  const context = fitToScreen(canvas);
  context.font = `600 ${FONT_PX}px system-ui, sans-serif`;
  const { clientWidth, clientHeight } = canvas;
  const scale = Math.min(clientWidth / size.width, clientHeight / size.height);
  const left = (clientWidth - size.width * scale) / 2;
  const top = (clientHeight - size.height * scale) / 2;
  const picture = { left, top, right: clientWidth - left, bottom: clientHeight - top };
  /** @type {Rect[]} */
  const taken = [];
  const drawn = found.map(({ label, labelId, score, box }) => {
    const x = isMirrored ? size.width - box.x - box.width : box.x;
    const [boxLeft, boxTop] = [left + x * scale, top + box.y * scale];
    const rect = {
      left: boxLeft,
      top: boxTop,
      right: boxLeft + box.width * scale,
      bottom: boxTop + box.height * scale,
    };
    const text = `${label} ${percent(score)}`;
    const tagSize = { width: context.measureText(text).width + 12, height: FONT_PX + 9 };
    const tag = placeTag(tagSize, rect, taken, picture);
    taken.push(tag);
    return { rect, tag, text, color: colorOf(labelId) };
  });
  // Draw the best ones last, so that they are on top.
  drawn.reverse();
  for (const { rect, color } of drawn) drawBox(context, rect, color);
  for (const { tag, text, color } of drawn) drawTag(context, tag, text, color);
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

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Rect} rect
 * @param {string} color
 */
function drawBox(context, { left, top, right, bottom }, color) {
  const inset = LINE_PX / 2;
  const [width, height] = [right - left - LINE_PX, bottom - top - LINE_PX];
  context.beginPath();
  context.roundRect(left + inset, top + inset, Math.max(width, 1), Math.max(height, 1), 4);
  context.lineWidth = LINE_PX + 2;
  context.strokeStyle = 'rgb(0 0 0 / 35%)';
  context.stroke();
  context.lineWidth = LINE_PX;
  context.strokeStyle = color;
  context.stroke();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Rect} rect
 * @param {string} text
 * @param {string} color
 */
function drawTag(context, { left, top, right, bottom }, text, color) {
  context.beginPath();
  context.roundRect(left, top, right - left, bottom - top, 4);
  context.fillStyle = color;
  context.fill();
  context.fillStyle = '#000';
  context.fillText(text, left + 6, top + FONT_PX + 2.5);
}

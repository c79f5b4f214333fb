// The picture and the boxes on it, drawn in the screen's own pixels.
import { classColor } from 'ocelli/draw';

/** @typedef {import('ocelli').Detection} Detection */

const FONT_PX = 13;
const LINE_PX = 2.5;

/** @param {number} labelId */
export const colorOf = (labelId) => `rgb(${classColor(labelId).join(' ')})`;

/**
 * Draws boxes over a picture that fills a canvas's box as `object-fit: contain` does.
 * @param {HTMLCanvasElement} canvas
 * @param {Detection[]} found
 * @param {{width: number, height: number}} size of the picture that they were found in
 * @param {boolean} isMirrored
 */
export function drawBoxes(canvas, found, size, isMirrored) {
  const context = fitToScreen(canvas);
  const { clientWidth, clientHeight } = canvas;
  const scale = Math.min(clientWidth / size.width, clientHeight / size.height);
  const left = (clientWidth - size.width * scale) / 2;
  const top = (clientHeight - size.height * scale) / 2;
  const rects = found.map(({ box }) => {
    const x = isMirrored ? size.width - box.x - box.width : box.x;
    return {
      x: left + x * scale,
      y: top + box.y * scale,
      width: box.width * scale,
      height: box.height * scale,
    };
  });
  // The best ones last, on top.
  for (let i = found.length - 1; i >= 0; i--) drawBox(context, rects[i], colorOf(found[i].labelId));
  for (let i = found.length - 1; i >= 0; i--) drawTag(context, rects[i], found[i], { left, top });
}

/**
 * As many pixels as the screen has, addressed in CSS pixels; empty.
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

/** @typedef {{x: number, y: number, width: number, height: number}} Rect */

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Rect} rect
 * @param {string} color
 */
function drawBox(context, { x, y, width, height }, color) {
  const inset = LINE_PX / 2;
  context.beginPath();
  context.roundRect(x + inset, y + inset, Math.max(width - LINE_PX, 1), Math.max(height - LINE_PX, 1), 4);
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
 * @param {Detection} detection
 * @param {{left: number, top: number}} picture
 */
function drawTag(context, { x, y }, { label, labelId, score }, { left, top }) {
  context.font = `600 ${FONT_PX}px system-ui, sans-serif`;
  const text = `${label} ${Math.round(score * 100)} %`;
  const width = context.measureText(text).width + 12;
  const height = FONT_PX + 9;
  const tagX = Math.max(x, left);
  const tagY = y - height >= top ? y - height + 2 : Math.max(y, top);
  context.beginPath();
  context.roundRect(tagX, tagY, width, height, 4);
  context.fillStyle = colorOf(labelId);
  context.fill();
  context.fillStyle = '#000';
  context.fillText(text, tagX + 6, tagY + FONT_PX + 2.5);
}

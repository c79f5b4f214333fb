// Draws boxes and label tags onto a photo, in place, or on a canvas. layout.js has the rules.
//
//   in   8-bit RGB or RGBA pixels [height, width, channels], detections in pixels of that photo
//   out  the same array; drawn pixels are opaque, all others are unchanged
import { OcelliError } from '../shared/errors.js';
import { tagOf } from '../shared/platform.js';
import { drawOnCanvas, isContext } from './canvas.js';
import { arrange, colorOf, edgeOf, sizesFor, TAG_PADDING_EM, tagText } from './layout.js';
import { CAP_HEIGHT_EM, measureText, rasterizeText } from './text.js';

/**
 * @typedef {import('./canvas.js').Context2D} Context2D
 * @typedef {import('./canvas.js').DrawOptions} DrawOptions
 * @typedef {import('./color.js').Color} Color
 * @typedef {import('./layout.js').Detection} Detection
 * @typedef {import('./layout.js').Rect} Rect
 * @typedef {import('./layout.js').Tag} Tag
 *
 * @typedef {object} Pixels
 * @property {Uint8Array | Uint8ClampedArray} data row by row, without gaps
 * @property {number} width in pixels
 * @property {number} height in pixels
 * @property {3 | 4} channels RGB or RGBA
 */

/**
 * Throws if these are no pixels, or the size of `data` does not match.
 * @param {Pixels} pixels
 * @param {string} task what cannot be done with them
 */
export function checkPixels(pixels, task) {
  if (!/^Uint8(Clamped)?Array$/.test(tagOf(pixels?.data) ?? ''))
    throw new OcelliError(
      'INVALID_INPUT',
      `cannot ${task}: pixels must be {data: Uint8Array, width, height, channels}`,
    );
  const { data, width, height, channels } = pixels;
  const hasExtent = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0;
  const isColor = channels === 3 || channels === 4;
  if (hasExtent && isColor && data.length === width * height * channels) return;
  const size = `${width} x ${height} pixels with ${channels} channels`;
  throw new OcelliError('INVALID_PIXELS', `cannot ${task}: ${data.length} bytes are not ${size}`);
}

/** @param {unknown} detections */
function checkDetections(detections) {
  const isDetection = (/** @type {any} */ each) =>
    ['x', 'y', 'width', 'height'].every((key) => typeof each?.box?.[key] === 'number') &&
    (each.label === undefined || typeof each.label === 'string');
  if (Array.isArray(detections) && detections.every(isDetection)) return;
  throw new OcelliError(
    'INVALID_INPUT',
    'detections must be a list of {label, labelId, score, box: {x, y, width, height}}, as in `(await detector.detect(image)).detections`',
  );
}

/** Fills the part of `rect` that lies on the photo. @param {Pixels} pixels @param {Rect} rect @param {Color} color */
function fillRect(pixels, rect, color) {
  const { data, width, height, channels } = pixels;
  const left = Math.max(rect.left, 0);
  const right = Math.min(rect.right, width);
  for (let y = Math.max(rect.top, 0); y < Math.min(rect.bottom, height); y++) {
    for (let x = left; x < right; x++) {
      const at = (y * width + x) * channels;
      for (let c = 0; c < 3; c++) data[at + c] = color[c];
      if (channels === 4) data[at + 3] = 255;
    }
  }
}

/** @param {Pixels} pixels @param {Rect} rect the outer edge @param {number} thickness_px @param {Color} color */
function strokeRect(pixels, rect, thickness_px, color) {
  const { left, top, right, bottom } = rect;
  const edge = edgeOf(rect, thickness_px);
  fillRect(pixels, { left, top, right, bottom: Math.min(top + edge, bottom) }, color);
  fillRect(pixels, { left, top: Math.max(bottom - edge, top), right, bottom }, color);
  fillRect(pixels, { left, top, right: Math.min(left + edge, right), bottom }, color);
  fillRect(pixels, { left: Math.max(right - edge, left), top, right, bottom }, color);
}

/** @param {Pixels} pixels @param {Tag} tag @param {Color} paper */
function drawTag(pixels, { rect, text, em_px }, paper) {
  fillRect(pixels, rect, paper);
  const width = rect.right - rect.left;
  const height = rect.bottom - rect.top;
  const baseline = Math.round((height + CAP_HEIGHT_EM * em_px) / 2);
  const coverage = rasterizeText(text, em_px, { width, height, x: TAG_PADDING_EM * em_px, baseline });
  const { data, channels } = pixels;
  for (let y = 0; y < Math.min(height, pixels.height - rect.top); y++) {
    for (let x = 0; x < Math.min(width, pixels.width - rect.left); x++) {
      const at = ((rect.top + y) * pixels.width + rect.left + x) * channels;
      const paperShare = 1 - coverage[y * width + x];
      for (let c = 0; c < 3; c++) data[at + c] = Math.round(paper[c] * paperShare); // the ink is black
    }
  }
}

/**
 * Draws a box and a tag such as `Dog 81 %` for each detection: into `pixels.data`, or on a 2D context. Boxes without a
 * score come last. On a canvas nothing is cleared, and the letters are those of the system.
 *
 * @param {Pixels | Context2D} target
 * @param {Detection[]} detections in any order; boxes outside the picture are skipped
 * @param {DrawOptions} [options] for a context only
 * @throws {OcelliError} INVALID_PIXELS if width or height is 0, or `data` has another size; INVALID_OPTION
 */
export function drawDetections(target, detections, options = {}) {
  checkDetections(detections);
  if (isContext(target)) drawOnCanvas(target, detections, options);
  else drawOnPixels(target, detections);
}

/**
 * @param {Pixels} pixels
 * @param {Detection[]} detections
 */
function drawOnPixels(pixels, detections) {
  checkPixels(pixels, 'draw');
  const { em_px, thickness_px } = sizesFor(pixels);
  const placed = arrange(detections, pixels, { em_px, measure: measureText, textOf: tagText });
  const drawn = placed.map((each) => ({ ...each, color: colorOf(each.detection) }));
  for (const { box, color } of drawn) strokeRect(pixels, box, thickness_px, color);
  for (const { tag, color } of drawn) if (tag) drawTag(pixels, tag, color);
}

export { classColor } from './color.js';
export { placeTag } from './layout.js';

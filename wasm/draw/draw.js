// Draws boxes and label tags onto a photo, in place.
//
//   in   8-bit RGB or RGBA pixels [height, width, channels], detections in pixels of that photo
//   out  the same array; drawn pixels are opaque, all others are unchanged
//
// Line widths and letters scale with the photo. Boxes are drawn in the order of ascending scores, so that the best ones
// are on top; tags are drawn over all boxes.
import { OcelliError } from '../shared/errors.js';
import { tagOf } from '../shared/platform.js';
import { CAP_HEIGHT_EM, measureText, rasterizeText } from './text.js';

/**
 * @typedef {object} Pixels
 * @property {Uint8Array | Uint8ClampedArray} data row by row, without gaps
 * @property {number} width in pixels
 * @property {number} height in pixels
 * @property {3 | 4} channels RGB or RGBA
 *
 * @typedef {object} Detection
 * @property {string} [label] name of the class; default: the tag shows `labelId`
 * @property {number} labelId
 * @property {number} [score] 0 to 1; default: the tag shows the label only
 * @property {number} [trackId] of a tracked object; the tag shows it after the label
 * @property {Color} [color] default: the colour of the class
 * @property {{ x: number, y: number, width: number, height: number }} box in pixels; may extend past the edges
 *
 * @typedef {object} Rect whole pixels on a photo; right and bottom are the first column and row outside
 * @property {number} left
 * @property {number} top
 * @property {number} right
 * @property {number} bottom
 *
 * @typedef {readonly [red: number, green: number, blue: number]} Color each 0 to 255
 *
 * @typedef {object} Tag
 * @property {Rect} rect may be wider or higher than a tiny photo
 * @property {string} text
 * @property {number} em_px
 */

const GOLDEN_ANGLE = Math.PI * (3 - Math.sqrt(5));
/** Chosen by eye for the most common classes of the default model. */
const FIRST_HUE = 0.5;
const MIN_EM_PX = 8;
/** No class name is longer. A longer label is cut, because drawing it would cost unbounded time and memory. */
const MAX_LABEL_CHARS = 64;
const TAG_HEIGHT_EM = 1.4;
const TAG_PADDING_EM = 0.35;

/** @param {number} value @param {number} low @param {number} high */
const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

/**
 * @param {number} lightness @param {number} chroma @param {number} hue in radians
 * @returns {[number, number, number]} linear sRGB; outside 0 to 1 if sRGB does not contain the colour (Björn Ottosson's
 *   OKLab)
 */
function oklchToLinearRgb(lightness, chroma, hue) {
  const a = chroma * Math.cos(hue);
  const b = chroma * Math.sin(hue);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

/** @param {number} linear 0 to 1 @returns {number} 0 to 255, with sRGB's transfer curve */
function toSrgb(linear) {
  return Math.round(255 * (linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055));
}

/**
 * The colour of a class; it depends on `labelId` only. Hues advance by the golden angle, so that neighbouring numbers
 * differ most. The lightness is the one with the most vivid colour in sRGB, from a range that contrasts with dark and
 * bright photos and with black text.
 *
 * @param {number} labelId
 * @returns {Color}
 */
export function classColor(labelId) {
  const hue = labelId * GOLDEN_ANGLE + FIRST_HUE;
  for (let chroma = 0.22; chroma > 0; chroma -= 0.005) {
    for (let lightness = 0.88; lightness >= 0.68; lightness -= 0.01) {
      const rgb = oklchToLinearRgb(lightness, chroma, hue);
      const isInSrgb = rgb.every((part) => part >= 0 && part <= 1);
      if (isInSrgb) return [toSrgb(rgb[0]), toSrgb(rgb[1]), toSrgb(rgb[2])];
    }
  }
  return [255, 255, 255]; // labelId is NaN
}

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

/**
 * @param {Detection} detection
 * @param {Pixels} pixels
 * @returns {Rect | undefined} the part of its box that lies on the photo, at least 1 x 1; undefined: it lies outside
 */
function visibleRect({ box }, { width, height }) {
  const endX = box.x + box.width;
  const endY = box.y + box.height;
  const isVisible =
    box.width > 0 && box.height > 0 && endX > 0 && endY > 0 && box.x < width && box.y < height;
  if (!isVisible) return undefined;
  const left = clamp(Math.round(box.x), 0, width - 1);
  const top = clamp(Math.round(box.y), 0, height - 1);
  const right = clamp(Math.round(endX), left + 1, width);
  const bottom = clamp(Math.round(endY), top + 1, height);
  return { left, top, right, bottom };
}

/** @param {Detection} detection @returns {string} the text of its tag */
export function tagText({ label, labelId, trackId, score }) {
  const shown = (label ?? `#${labelId}`).slice(0, MAX_LABEL_CHARS);
  const name = trackId === undefined ? shown : `${shown} #${trackId}`;
  return score === undefined ? name : `${name} ${Math.round(score * 100)} %`;
}

/** @param {Pixels} pixels @param {Rect} rect the outer edge @param {number} thickness_px @param {Color} color */
function strokeRect(pixels, rect, thickness_px, color) {
  const { left, top, right, bottom } = rect;
  // Thinner lines for a small box, so that they do not fill it.
  const edge = clamp(Math.floor(Math.min(right - left, bottom - top) / 4), 1, thickness_px);
  fillRect(pixels, { left, top, right, bottom: Math.min(top + edge, bottom) }, color);
  fillRect(pixels, { left, top: Math.max(bottom - edge, top), right, bottom }, color);
  fillRect(pixels, { left, top, right: Math.min(left + edge, right), bottom }, color);
  fillRect(pixels, { left: Math.max(right - edge, left), top, right, bottom }, color);
}

/** @param {Rect} a @param {Rect} b @returns {boolean} whether they share a pixel */
function overlap(a, b) {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

/**
 * Chooses the place of a tag: above its box or, if there is no room or another tag is there, inside at the top, below
 * the box, or inside at the bottom. Works in any unit, for applications that draw detections themselves.
 *
 * @param {{width: number, height: number}} tag its size
 * @param {Rect} box
 * @param {readonly Rect[]} taken rectangles of the tags that already have a place
 * @param {Rect} photo
 * @returns {Rect} inside the photo, unless the tag is larger than the photo
 */
export function placeTag({ width, height }, box, taken, photo) {
  const left = clamp(box.left, photo.left, Math.max(photo.left, photo.right - width));
  const at = (/** @type {number} */ top) => ({ left, top, right: left + width, bottom: top + height });
  const places = [box.top - height, box.top, box.bottom, box.bottom - height]
    .map(at)
    .filter(({ top, bottom }) => top >= photo.top && bottom <= photo.bottom);
  return (
    places.find((place) => !taken.some((other) => overlap(place, other))) ??
    places[0] ??
    at(clamp(box.top, photo.top, Math.max(photo.top, photo.bottom - height)))
  );
}

/**
 * A tag at its place, with letters small enough for the width of the photo.
 *
 * @param {string} text
 * @param {Rect} box
 * @param {Rect[]} taken rectangles of the tags that already have a place
 * @param {number} em_px the largest size of the letters
 * @param {Pixels} pixels
 * @returns {Tag}
 */
function setTag(text, box, taken, em_px, { width, height }) {
  const widthAt = (/** @type {number} */ em) => Math.ceil(measureText(text, em) + 2 * TAG_PADDING_EM * em);
  const fitting = widthAt(em_px) <= width ? em_px : Math.floor((em_px * width) / widthAt(em_px));
  const em = Math.max(fitting, MIN_EM_PX);
  const size = { width: widthAt(em), height: Math.round(TAG_HEIGHT_EM * em) };
  const photo = { left: 0, top: 0, right: width, bottom: height };
  return { rect: placeTag(size, box, taken, photo), text, em_px: em };
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
 * Draws a box and a tag such as `Dog 81 %` for each detection into `pixels.data`. Boxes without a score come last.
 *
 * @param {Pixels} pixels
 * @param {Detection[]} detections in any order; boxes outside the photo are skipped
 * @throws {OcelliError} INVALID_PIXELS if width or height is 0, or `data` has another size
 */
export function drawDetections(pixels, detections) {
  checkPixels(pixels, 'draw');
  checkDetections(detections);
  const size_px = Math.sqrt(pixels.width * pixels.height);
  const thickness_px = Math.max(1, Math.round(size_px / 180));
  const em_px = Math.max(Math.round(size_px / 42), Math.min(13, Math.round(size_px / 16)), MIN_EM_PX);

  /** @type {Rect[]} */
  const taken = [];
  const drawn = [...detections]
    .sort((a, b) => (b.score ?? -1) - (a.score ?? -1))
    .flatMap((detection) => {
      const box = visibleRect(detection, pixels);
      if (!box) return [];
      const tag = setTag(tagText(detection), box, taken, em_px, pixels);
      taken.push(tag.rect);
      return [{ box, tag, color: detection.color ?? classColor(detection.labelId) }];
    })
    .reverse();
  for (const { box, color } of drawn) strokeRect(pixels, box, thickness_px, color);
  for (const { tag, color } of drawn) drawTag(pixels, tag, color);
}

// Where boxes and tags lie on a picture, what the tags say, and in which order they are drawn. Pixels and canvases are drawn
// by these rules alike.
//
//   in   detections in pixels of the picture
//   out  whole pixels
//
// Boxes are drawn in the order of ascending scores, so that the best ones are on top; tags are drawn over all boxes.
import { classColor } from './color.js';

/**
 * @typedef {import('./color.js').Color} Color
 *
 * @typedef {object} Detection
 * @property {string} [label] name of the class; default: the tag shows `labelId`
 * @property {number} labelId
 * @property {number} [score] 0 to 1; default: the tag shows the label only
 * @property {number} [trackId] of a tracked object; the tag shows it after the label, and the box has its colour
 * @property {Color} [color] default: the colour of the track or of the class
 * @property {{ x: number, y: number, width: number, height: number }} box in pixels; may extend past the edges
 *
 * @typedef {object} Rect whole pixels on a photo; right and bottom are the first column and row outside
 * @property {number} left
 * @property {number} top
 * @property {number} right
 * @property {number} bottom
 *
 * @typedef {object} Tag
 * @property {Rect} rect may be wider or higher than a tiny photo
 * @property {string} text
 * @property {number} em_px
 *
 * @typedef {object} Style
 * @property {number} em_px the largest size of the letters
 * @property {(text: string, em_px: number) => number} measure the width of a text
 * @property {(detection: Detection) => string} textOf empty: no tag
 *
 * @typedef {object} Placed
 * @property {Detection} detection
 * @property {Rect} box
 * @property {Tag} [tag]
 */

export const MIN_EM_PX = 8;
const TAG_HEIGHT_EM = 1.4;
export const TAG_PADDING_EM = 0.35;
/** No class name is longer. A longer label is cut, because drawing it would cost unbounded time and memory. */
const MAX_LABEL_CHARS = 64;
/** A tag that covers more of a box hides it. */
const MAX_COVERED = 1 / 3;
/** How many heights away a tag may lie from its box. */
const MAX_DISTANCE = 8;
/** For more boxes, farther places are not tried: the time would grow with the square of their number. */
const MAX_SEARCHED = 300;

/** @param {number} value @param {number} low @param {number} high */
export const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

/** Line width and size of the letters for a picture. @param {{width: number, height: number}} picture */
export function sizesFor({ width, height }) {
  const size_px = Math.sqrt(width * height);
  return {
    thickness_px: Math.max(1, Math.round(size_px / 180)),
    em_px: Math.max(Math.round(size_px / 42), Math.min(13, Math.round(size_px / 16)), MIN_EM_PX),
  };
}

/** The colour of a detection that has none of its own. @param {Detection} detection */
export const colorOf = ({ color, trackId, labelId }) => color ?? classColor(trackId ?? labelId);

/** @param {string} text */
export const cutLabel = (text) => text.slice(0, MAX_LABEL_CHARS);

/** @param {Detection} detection @returns {string} the text of its tag, such as `Dog #3 81 %` */
export function tagText({ label, labelId, trackId, score }) {
  const shown = cutLabel(label ?? `#${labelId}`);
  const name = trackId === undefined ? shown : `${shown} #${trackId}`;
  return score === undefined ? name : `${name} ${Math.round(score * 100)} %`;
}

/**
 * @param {Detection[]} detections in any order; boxes outside the picture are left out
 * @param {{width: number, height: number}} picture
 * @param {Style} style
 * @returns {Placed[]} in the order in which they are drawn
 */
export function arrange(detections, picture, style) {
  const sorted = [...detections].sort((a, b) => (b.score ?? -1) - (a.score ?? -1));
  const visible = sorted.flatMap((detection) => {
    const box = visibleRect(detection, picture);
    return box ? [{ detection, box }] : [];
  });
  const boxes = visible.map(({ box }) => box);
  /** @type {Rect[]} */
  const taken = [];
  const placed = visible.map(({ detection, box }) => {
    const text = style.textOf(detection);
    if (text === '') return { detection, box };
    const tag = setTag(text, box, { taken, boxes }, picture, style);
    taken.push(tag.rect);
    return { detection, box, tag };
  });
  return placed.reverse();
}

/**
 * @param {Detection} detection
 * @param {{width: number, height: number}} picture
 * @returns {Rect | undefined} the part of its box that lies on the picture, at least 1 x 1; undefined: it lies outside
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

/**
 * A tag at its place, with letters small enough for the width of the picture.
 * @param {string} text
 * @param {Rect} box
 * @param {{taken: Rect[], boxes: Rect[]}} others
 * @param {{width: number, height: number}} picture
 * @param {Style} style
 * @returns {Tag}
 */
function setTag(text, box, { taken, boxes }, { width, height }, { em_px, measure }) {
  const widthAt = (/** @type {number} */ em) => Math.ceil(measure(text, em) + 2 * TAG_PADDING_EM * em);
  const fitting = widthAt(em_px) <= width ? em_px : Math.floor((em_px * width) / widthAt(em_px));
  const em = Math.min(Math.max(fitting, MIN_EM_PX), em_px);
  const size = { width: widthAt(em), height: Math.round(TAG_HEIGHT_EM * em) };
  const photo = { left: 0, top: 0, right: width, bottom: height };
  return { rect: placeTag(size, box, taken, photo, boxes), text, em_px: em };
}

/**
 * The thickness of the line of a box: thinner for a small one, so that the line does not fill it.
 * @param {Rect} box
 * @param {number} thickness_px
 */
export function edgeOf({ left, top, right, bottom }, thickness_px) {
  return clamp(Math.floor(Math.min(right - left, bottom - top) / 4), 1, thickness_px);
}

/** @param {Rect} a @param {Rect} b @returns {number} the area that they share */
function sharedArea(a, b) {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  return Math.max(width, 0) * Math.max(height, 0);
}

/** @param {Rect} rect */
const areaOf = ({ left, top, right, bottom }) => (right - left) * (bottom - top);

/**
 * Chooses the place of a tag: above its box or, if there is no room, another tag is there or it would hide a small box,
 * inside at the top, below the box, inside at the bottom, beside the box, or farther away. Works in any unit, for
 * applications that draw detections themselves.
 *
 * @param {{width: number, height: number}} tag its size
 * @param {Rect} box
 * @param {readonly Rect[]} taken rectangles of the tags that already have a place
 * @param {Rect} photo
 * @param {readonly Rect[]} [boxes] boxes that the tag must not hide: it covers a third of each at most
 * @returns {Rect} inside the photo, unless the tag is larger than the photo
 */
export function placeTag(tag, box, taken, photo, boxes = []) {
  // Larger boxes cannot be hidden by this tag.
  const small = boxes.filter((each) => areaOf(each) * MAX_COVERED < tag.width * tag.height);
  const isFree = (/** @type {Rect} */ place) =>
    !taken.some((other) => sharedArea(place, other) > 0) &&
    !small.some((each) => sharedArea(place, each) > areaOf(each) * MAX_COVERED);
  const near = nearPlaces(tag, box, photo);
  const free = near.find(isFree);
  if (free) return free;
  const far = small.length <= MAX_SEARCHED ? farPlaces(tag, box, photo).find(isFree) : undefined;
  return far ?? near[0] ?? toRect(tag, box.left, clampTop(tag, box.top, photo), photo);
}

/**
 * @param {{width: number, height: number}} tag
 * @param {Rect} box
 * @param {Rect} photo
 */
function nearPlaces(tag, box, photo) {
  return [box.top - tag.height, box.top, box.bottom, box.bottom - tag.height]
    .map((top) => toRect(tag, box.left, top, photo))
    .filter((place) => isInside(place, photo));
}

/**
 * Beside the box, then in rows farther and farther above and below it.
 * @param {{width: number, height: number}} tag
 * @param {Rect} box
 * @param {Rect} photo
 */
function farPlaces(tag, box, photo) {
  const { width, height } = tag;
  const beside = [box.right, box.left - width].map((left) => ({ left, top: clampTop(tag, box.top, photo) }));
  const rows = Array.from({ length: MAX_DISTANCE }, (_, i) => [
    box.top - (i + 2) * height,
    box.bottom + (i + 1) * height,
  ]).flat();
  const lefts = [box.left, box.right - width, box.right, box.left - width];
  const around = rows.flatMap((top) => lefts.map((left) => ({ left, top })));
  return [...beside, ...around]
    .map(({ left, top }) => ({ left, top, right: left + width, bottom: top + height }))
    .filter((place) => isInside(place, photo));
}

/**
 * @param {{width: number, height: number}} tag
 * @param {number} left
 * @param {number} top
 * @param {Rect} photo
 * @returns {Rect} moved to the left as far as it must
 */
function toRect({ width, height }, left, top, photo) {
  const start = clamp(left, photo.left, Math.max(photo.left, photo.right - width));
  return { left: start, top, right: start + width, bottom: top + height };
}

/** @param {{height: number}} tag @param {number} top @param {Rect} photo */
const clampTop = ({ height }, top, photo) =>
  clamp(top, photo.top, Math.max(photo.top, photo.bottom - height));

/** @param {Rect} place @param {Rect} photo */
function isInside({ left, top, right, bottom }, photo) {
  const isWide = right - left > photo.right - photo.left;
  return (
    top >= photo.top && bottom <= photo.bottom && (isWide || (left >= photo.left && right <= photo.right))
  );
}

// Draws boxes and label tags on a 2D context: of a page's canvas, an OffscreenCanvas, or a canvas package of Node.
import { checkBoolean, checkKeys, checkNumber } from '../shared/options.js';
import { failure } from '../shared/errors.js';
import { paint } from './paint.js';

/**
 * @typedef {import('./layout.js').Detection} Detection
 * @typedef {import('./paint.js').Context2D} Context2D
 * @typedef {import('./paint.js').DrawOptions} DrawOptions
 */

const OPTIONS = ['labels', 'colours', 'lineWidth', 'fontSize', 'scale', 'mirror', 'trackIds', 'size'];
const LENGTH = { min: 0.1, max: 10_000 };
const SCALE = { min: 1e-6, max: 1e6 };
const SIDE = { min: 1e-6, max: 1e9 };

/** @param {any} target @returns {target is Context2D} */
export function isContext(target) {
  return typeof target?.fillRect === 'function' && typeof target.measureText === 'function';
}

/**
 * @param {Context2D} context
 * @param {Detection[]} detections
 * @param {DrawOptions} options
 */
export const drawOnCanvas = (context, detections, options) => paint(context, detections, check(options));

/**
 * @param {DrawOptions} options
 * @returns {DrawOptions}
 */
function check(options) {
  checkKeys('options', options, OPTIONS);
  const { labels = true, colours = [], lineWidth = 1, fontSize = 1, scale = 1, mirror = false } = options;
  const { trackIds = true, size = { width: 1, height: 1 } } = options;
  if (typeof labels !== 'boolean') checkTexts('labels', labels);
  checkTexts('colours', colours);
  checkNumber('lineWidth', lineWidth, LENGTH);
  checkNumber('fontSize', fontSize, LENGTH);
  checkNumber('scale', scale, SCALE);
  checkBoolean('mirror', mirror);
  checkBoolean('trackIds', trackIds);
  checkNumber('size.width', size?.width, SIDE);
  checkNumber('size.height', size?.height, SIDE);
  return options;
}

/**
 * @param {string} name
 * @param {unknown} value
 */
function checkTexts(name, value) {
  const isList = Array.isArray(value) && value.every((each) => typeof each === 'string');
  if (isList || typeof value === 'function') return;
  throw failure('INVALID_OPTION', `${name} must be a list of texts or a function`);
}

// Draws boxes and label tags on a 2D context, with options that were checked.
import {
  arrange,
  colorOf,
  cutLabel,
  edgeOf,
  MIN_EM_PX,
  sizesFor,
  TAG_PADDING_EM,
  tagText,
} from './layout.js';

/**
 * @typedef {import('./layout.js').Detection} Detection
 * @typedef {import('./layout.js').Rect} Rect
 *
 * @typedef {object} Context2D What is used of a CanvasRenderingContext2D or its like.
 * @property {{width: number, height: number}} canvas
 * @property {any} fillStyle
 * @property {string} font
 * @property {any} textAlign
 * @property {any} textBaseline
 * @property {number} globalAlpha
 * @property {() => void} save
 * @property {() => void} restore
 * @property {(x: number, y: number, width: number, height: number) => void} fillRect
 * @property {(text: string, x: number, y: number) => void} fillText
 * @property {(text: string) => {width: number}} measureText
 *
 * @typedef {object} DrawOptions
 * @property {boolean | readonly string[] | ((detection: any) => string)} [labels] the texts of the tags: true (label, track
 *   and score), false (no tags), the names by `labelId`, or a function. Default: true
 * @property {readonly string[] | ((detection: any) => string)} [colours] CSS colours by `trackId` or `labelId`, which repeat,
 *   or a function. Default: those of `classColor`
 * @property {number} [lineWidth] of the boxes; default: grows with the picture
 * @property {number} [fontSize] of the tags; default: grows with the picture
 * @property {number} [scale] pixels of the canvas for each pixel of the picture; default 1
 * @property {boolean} [mirror] flip the boxes, but not the texts, for a picture that is shown mirrored; default: false
 * @property {boolean} [trackIds] show `trackId` in the tags, and give each track a colour of its own; default: true
 * @property {{width: number, height: number}} [size] of the picture, if it does not fill the canvas
 */

const FONT = 'system-ui, sans-serif';
/** Height of a capital letter in the usual fonts. */
const CAP_HEIGHT_EM = 0.72;

/**
 * @param {Context2D} context
 * @param {Detection[]} detections
 * @param {DrawOptions} options
 */
export function paint(context, detections, options) {
  const { scale = 1, mirror = false, trackIds = true, size, lineWidth, fontSize, labels, colours } = options;
  const picture = size
    ? { width: size.width * scale, height: size.height * scale }
    : { width: context.canvas.width, height: context.canvas.height };
  const sizes = sizesFor(picture);
  const toCanvas = placer(scale, mirror ? picture.width : undefined);
  const shown = detections.map((detection) => {
    const { trackId, ...rest } = detection;
    return { ...(trackIds ? detection : rest), box: toCanvas(detection.box), source: detection };
  });
  context.save();
  try {
    context.globalAlpha = 1;
    context.textAlign = 'left';
    context.textBaseline = 'alphabetic';
    const placed = arrange(shown, picture, {
      em_px: fontSize ?? Math.max(sizes.em_px, MIN_EM_PX),
      measure: (text, em_px) => {
        context.font = `600 ${em_px}px ${FONT}`;
        return context.measureText(text).width;
      },
      textOf: texts(labels),
    });
    const styles = placed.map(({ detection }) => cssColor(detection, colours));
    placed.forEach(({ box }, i) =>
      strokeBox(context, box, edgeOf(box, lineWidth ?? sizes.thickness_px), styles[i]),
    );
    placed.forEach(({ tag }, i) => tag && drawTag(context, tag, styles[i]));
  } finally {
    context.restore();
  }
}

/**
 * @param {number} scale
 * @param {number | undefined} mirroredWidth
 * @returns {(box: Detection['box']) => Detection['box']}
 */
function placer(scale, mirroredWidth) {
  return ({ x, y, width, height }) => ({
    x: mirroredWidth === undefined ? x * scale : mirroredWidth - (x + width) * scale,
    y: y * scale,
    width: width * scale,
    height: height * scale,
  });
}

/**
 * @param {DrawOptions['labels']} labels
 * @returns {(detection: any) => string}
 */
function texts(labels = true) {
  if (labels === true) return tagText;
  if (labels === false) return () => '';
  if (typeof labels === 'function') return ({ source }) => cutLabel(String(labels(source)));
  return (detection) => tagText({ ...detection, label: labels[detection.labelId] ?? detection.label });
}

/**
 * @param {any} detection
 * @param {DrawOptions['colours']} colours
 * @returns {string}
 */
function cssColor(detection, colours) {
  if (typeof colours === 'function') return colours(detection.source);
  const number = detection.trackId ?? detection.labelId;
  return colours?.[number % colours.length] ?? `rgb(${colorOf(detection).join(', ')})`;
}

/**
 * @param {Context2D} context
 * @param {Rect} box the outer edge
 * @param {number} edge
 * @param {string} style
 */
function strokeBox(context, { left, top, right, bottom }, edge, style) {
  const [width, height] = [right - left, bottom - top];
  context.fillStyle = style;
  context.fillRect(left, top, width, edge);
  context.fillRect(left, bottom - edge, width, edge);
  context.fillRect(left, top, edge, height);
  context.fillRect(right - edge, top, edge, height);
}

/**
 * @param {Context2D} context
 * @param {import('./layout.js').Tag} tag
 * @param {string} style
 */
function drawTag(context, { rect: { left, top, right, bottom }, text, em_px }, style) {
  context.fillStyle = style;
  context.fillRect(left, top, right - left, bottom - top);
  context.font = `600 ${em_px}px ${FONT}`;
  context.fillStyle = '#000';
  const baseline = (top + bottom + CAP_HEIGHT_EM * em_px) / 2;
  context.fillText(text, left + TAG_PADDING_EM * em_px, baseline);
}

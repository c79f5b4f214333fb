// The anchors of MediaPipe's SsdAnchorsCalculator: BlazeFace, palm and pose detection, and MediaPipe's object detectors.
import { failure } from '../../shared/errors.js';

/** @typedef {import('../../engine/types.js').MediaPipeAnchorGenerator} MediaPipeAnchorGenerator */

const MAX_ANCHORS = 1e6;

/** @param {string} what */
const refused = (what) => failure('INVALID_OPTION', `ssd.anchorGenerator ${what}`);

/**
 * @param {MediaPipeAnchorGenerator} generator
 * @param {import('../../engine/host.js').Size} image size of the network's input
 * @returns {Float32Array} [N, 4]: y centre, x centre, height, width
 */
export function mediaPipeAnchors(generator, image) {
  const { strides, featureMaps = strides, anchorOffsetX = 0.5, anchorOffsetY = 0.5 } = generator;
  if (featureMaps.length !== strides.length || (generator.numLayers ?? strides.length) !== strides.length)
    throw refused('must have one featureMaps entry for each of strides, and as many as numLayers');
  /** @type {number[]} */
  const anchors = [];
  strides.forEach((stride, layer) => {
    // Layers of the same stride that follow each other share their cells.
    if (stride === strides[layer - 1]) return;
    const end = strides.findIndex((other, i) => i > layer && other !== stride);
    const layers = Array.from(strides.keys()).slice(layer, end < 0 ? undefined : end);
    const shapes = layers.flatMap((i) => shapesOf(generator, i));
    const [rows, columns] = generator.featureMaps?.[layer] ?? [
      Math.ceil(image.height / stride),
      Math.ceil(image.width / stride),
    ];
    if (anchors.length / 4 + rows * columns * shapes.length > MAX_ANCHORS)
      throw refused(`makes more than ${MAX_ANCHORS} anchors`);
    for (let cell = 0; cell < rows * columns; cell++) {
      const [row, column] = [Math.floor(cell / columns), cell % columns];
      for (const sides of shapes)
        anchors.push((row + anchorOffsetY) / rows, (column + anchorOffsetX) / columns, ...sides);
    }
  });
  if (anchors.length === 0) throw refused('makes no anchors');
  return Float32Array.from(anchors);
}

/**
 * @param {MediaPipeAnchorGenerator} generator
 * @param {number} layer
 * @returns {[height: number, width: number][]}
 */
function shapesOf(generator, layer) {
  const { aspectRatios = [1], interpolatedScaleAspectRatio: between = 1 } = generator;
  const [scale, next] = [scaleOf(generator, layer), scaleOf(generator, layer + 1)];
  const shapes =
    layer === 0 && generator.reduceBoxesInLowestLayer
      ? [toSides(0.1, 1), toSides(scale, 2), toSides(scale, 0.5)]
      : [
          ...aspectRatios.map((ratio) => toSides(scale, ratio)),
          ...(between > 0 ? [toSides(Math.sqrt(scale * next), between)] : []),
        ];
  return generator.fixedAnchorSize ? shapes.map(() => [1, 1]) : shapes;
}

/** @param {MediaPipeAnchorGenerator} generator @param {number} layer one more than there are: 1 */
function scaleOf({ minScale, maxScale, strides: { length } }, layer) {
  if (layer === length) return 1;
  return length === 1 ? (minScale + maxScale) / 2 : minScale + ((maxScale - minScale) * layer) / (length - 1);
}

/** @param {number} scale @param {number} ratio @returns {[height: number, width: number]} */
function toSides(scale, ratio) {
  const root = Math.sqrt(ratio);
  if (scale > 0 && root > 0) return [scale / root, scale * root];
  throw refused('makes anchors without an area: minScale, maxScale and aspectRatios must be above 0');
}

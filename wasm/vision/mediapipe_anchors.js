// The anchors of MediaPipe's SsdAnchorsCalculator: BlazeFace, palm and pose detection, and MediaPipe's object detectors.
import { failure } from '../shared/errors.js';
import { checkBoolean, checkKeys, checkList, checkNumber } from '../shared/options.js';

/**
 * @typedef {import('../engine/types.js').MediaPipeAnchorGenerator} MediaPipeAnchorGenerator
 * @typedef {import('../engine/host.js').Size} Size
 * @typedef {{height: number, width: number}} Shape
 */

const KEYS = [
  ...['type', 'strides', 'numLayers', 'minScale', 'maxScale', 'aspectRatios', 'interpolatedScaleAspectRatio'],
  ...['reduceBoxesInLowestLayer', 'fixedAnchorSize', 'anchorOffsetX', 'anchorOffsetY', 'featureMaps'],
];
const MAX_LAYERS = 16;
const MAX_ANCHORS = 1e6;
const POSITIVE = { min: 1e-6, max: 1e6 };

/**
 * @param {MediaPipeAnchorGenerator} given
 * @param {Size} image size of the network's input
 * @returns {Float32Array} [N, 4]: y centre, x centre, height, width
 */
export function mediaPipeAnchors(given, image) {
  const generator = check(given);
  const { strides, featureMaps, anchorOffsetX, anchorOffsetY } = generator;
  /** @type {number[]} */
  const anchors = [];
  // Layers of the same stride that follow each other share their cells.
  let layer = 0;
  while (layer < strides.length) {
    /** @type {Shape[]} */
    const shapes = [];
    let next = layer;
    for (; strides[next] === strides[layer]; next++) shapes.push(...shapesOf(generator, next));
    const [rows, columns] = featureMaps?.[layer] ?? [
      Math.ceil(image.height / strides[layer]),
      Math.ceil(image.width / strides[layer]),
    ];
    if (anchors.length / 4 + rows * columns * shapes.length > MAX_ANCHORS)
      throw failure('INVALID_OPTION', `ssd.anchorGenerator makes more than ${MAX_ANCHORS} anchors`);
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++)
        for (const { height, width } of shapes)
          anchors.push((row + anchorOffsetY) / rows, (column + anchorOffsetX) / columns, height, width);
    layer = next;
  }
  if (anchors.length === 0) throw failure('INVALID_OPTION', 'ssd.anchorGenerator makes no anchors');
  return Float32Array.from(anchors);
}

/** @param {ReturnType<typeof check>} generator @param {number} layer @returns {Shape[]} */
function shapesOf(generator, layer) {
  const { aspectRatios, interpolatedScaleAspectRatio, reduceBoxesInLowestLayer, fixedAnchorSize } = generator;
  const scale = scaleOf(generator, layer);
  /** @type {[scale: number, ratio: number][]} */
  const boxes =
    layer === 0 && reduceBoxesInLowestLayer
      ? [
          [0.1, 1],
          [scale, 2],
          [scale, 0.5],
        ]
      : aspectRatios.map((ratio) => [scale, ratio]);
  if (!(layer === 0 && reduceBoxesInLowestLayer) && interpolatedScaleAspectRatio > 0) {
    const isLast = layer === generator.strides.length - 1;
    boxes.push([
      Math.sqrt(scale * (isLast ? 1 : scaleOf(generator, layer + 1))),
      interpolatedScaleAspectRatio,
    ]);
  }
  return boxes.map(([size, ratio]) =>
    fixedAnchorSize
      ? { height: 1, width: 1 }
      : { height: size / Math.sqrt(ratio), width: size * Math.sqrt(ratio) },
  );
}

/** @param {ReturnType<typeof check>} generator @param {number} layer */
function scaleOf({ minScale, maxScale, strides }, layer) {
  if (strides.length === 1) return (minScale + maxScale) / 2;
  return minScale + ((maxScale - minScale) * layer) / (strides.length - 1);
}

/** @param {MediaPipeAnchorGenerator} given MediaPipe's defaults for what is left out */
function check(given) {
  checkKeys('ssd.anchorGenerator', given, KEYS);
  const {
    numLayers = given.strides?.length,
    aspectRatios = [1],
    interpolatedScaleAspectRatio = 1,
    reduceBoxesInLowestLayer = false,
    fixedAnchorSize = false,
    anchorOffsetX = 0.5,
    anchorOffsetY = 0.5,
    featureMaps,
  } = given;
  const name = (/** @type {string} */ key) => `ssd.anchorGenerator.${key}`;
  const strides = checkList(name('strides'), given.strides);
  checkNumber(`${name('strides')}.length`, strides.length, { min: 1, max: MAX_LAYERS });
  for (const stride of strides) checkNumber(name('strides'), stride, { min: 1, max: 65535, integer: true });
  checkNumber(name('numLayers'), numLayers, { min: strides.length, max: strides.length });
  for (const ratio of checkList(name('aspectRatios'), aspectRatios))
    checkNumber(name('aspectRatios'), ratio, POSITIVE);
  if (featureMaps !== undefined) checkMaps(featureMaps, strides.length);
  return {
    strides,
    featureMaps,
    aspectRatios,
    minScale: checkNumber(name('minScale'), given.minScale, POSITIVE),
    maxScale: checkNumber(name('maxScale'), given.maxScale, POSITIVE),
    interpolatedScaleAspectRatio: checkNumber(
      name('interpolatedScaleAspectRatio'),
      interpolatedScaleAspectRatio,
      {
        min: 0,
        max: 1e6,
      },
    ),
    reduceBoxesInLowestLayer: checkBoolean(name('reduceBoxesInLowestLayer'), reduceBoxesInLowestLayer),
    fixedAnchorSize: checkBoolean(name('fixedAnchorSize'), fixedAnchorSize),
    anchorOffsetX: checkNumber(name('anchorOffsetX'), anchorOffsetX, { min: 0, max: 1 }),
    anchorOffsetY: checkNumber(name('anchorOffsetY'), anchorOffsetY, { min: 0, max: 1 }),
  };
}

/** @param {number[][]} maps @param {number} count */
function checkMaps(maps, count) {
  const isValid =
    Array.isArray(maps) &&
    maps.length === count &&
    maps.every(
      (map) => map?.length === 2 && map.every((side) => Number.isInteger(side) && side > 0 && side <= 65535),
    );
  if (!isValid)
    throw failure(
      'INVALID_OPTION',
      'ssd.anchorGenerator.featureMaps must be one [height, width] for each stride',
    );
}

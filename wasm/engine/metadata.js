// In: a bridge whose model is open. Out: the model's metadata as plain objects.
import { DETECTOR, METADATA, TEXT } from '../../dist/layout.js';

const text = new TextDecoder();

/** @typedef {import('./bridge.js').Bridge} Bridge */

/**
 * @param {Bridge} bridge
 * @returns {import('./engine.js').Metadata}
 */
export function readMetadata(bridge) {
  const address = bridge.exports.ocl_model_metadata();
  if (address === 0) return {};
  const struct = bridge.memory.readStruct(address, METADATA);
  const { numChannels, mean, std, hasThreshold, threshold, defaultScore, transform, ...texts } = struct;
  /** @param {number[]} values */
  const perChannel = (values) => [0, 1, 2].map((c) => values[numChannels === 1 ? 0 : c]);
  const labels = readText(bridge, 'ocl_model_read_labels');
  const calibration = readText(bridge, 'ocl_model_read_calibration');
  const { own, detector } = readDetector(bridge);
  return {
    ...Object.fromEntries(Object.entries(texts).filter(([, value]) => value)),
    ...(numChannels > 0 && { normalization: { mean: perChannel(mean), std: perChannel(std) } }),
    ...(labels !== undefined && { labels }),
    ...(hasThreshold && { scoreThreshold: threshold }),
    ...(calibration !== undefined && { calibration: { text: calibration, transform, defaultScore } }),
    ...(detector !== undefined && { detector }),
    ...(own !== undefined && { own }),
  };
}

/**
 * @param {Bridge} bridge
 * @param {'ocl_model_read_labels' | 'ocl_model_read_calibration'} read
 * @returns {string | undefined} of an associated file
 */
function readText(bridge, read) {
  const { exports, memory } = bridge;
  const { bytes, sizeBytes } = bridge.fill(TEXT, (out) => exports[read](out));
  if (bytes === 0) return undefined;
  const content = text.decode(memory.read(bytes, sizeBytes));
  exports.ocl_free(bytes);
  return content;
}

/** @param {Bridge} bridge */
function readDetector(bridge) {
  const { exports, memory } = bridge;
  const info = bridge.fill(DETECTOR, (out) => exports.ocl_model_read_detector(out));
  const own = info.own === 0 ? undefined : text.decode(memory.read(info.own, info.ownSizeBytes));
  if (info.anchors === 0) return { own };
  const anchors = memory.readFloats(info.anchors, info.numAnchors * 4);
  exports.ocl_free(info.anchors);
  const { boxScales: boxCoder, numClasses, isSigmoid } = info;
  /** @type {'exponential' | 'linear'} */
  const boxSizes = info.isSizeExponential ? 'exponential' : 'linear';
  return { own, detector: { anchors, boxCoder, boxSizes, numClasses, isSigmoid } };
}

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
  const { numChannels, mean, std, ...texts } = bridge.memory.readStruct(address, METADATA);
  /** @param {number[]} values */
  const perChannel = (values) => [0, 1, 2].map((c) => values[numChannels === 1 ? 0 : c]);
  const labels = readLabels(bridge);
  const { own, detector } = readDetector(bridge);
  return {
    ...Object.fromEntries(Object.entries(texts).filter(([, value]) => value)),
    ...(numChannels > 0 && { normalization: { mean: perChannel(mean), std: perChannel(std) } }),
    ...(labels !== undefined && { labels }),
    ...(detector !== undefined && { detector }),
    ...(own !== undefined && { own }),
  };
}

/** @param {Bridge} bridge */
function readLabels(bridge) {
  const { exports, memory } = bridge;
  const { bytes, sizeBytes } = bridge.fill(TEXT, (out) => exports.ocl_model_read_labels(out));
  if (bytes === 0) return undefined;
  const labels = text.decode(memory.read(bytes, sizeBytes));
  exports.ocl_free(bytes);
  return labels;
}

/**
 * `detector` is undefined if box sizes are not encoded as logarithms, because ocelli cannot decode such boxes.
 * @param {Bridge} bridge
 */
function readDetector(bridge) {
  const { exports, memory } = bridge;
  const info = bridge.fill(DETECTOR, (out) => exports.ocl_model_read_detector(out));
  const own = info.own === 0 ? undefined : text.decode(memory.read(info.own, info.ownSizeBytes));
  if (info.anchors === 0) return { own };
  const anchors = memory.readFloats(info.anchors, info.numAnchors * 4);
  exports.ocl_free(info.anchors);
  const { boxScales: boxCoder, numClasses, isSigmoid } = info;
  return { own, detector: info.isSizeExponential ? { anchors, boxCoder, numClasses, isSigmoid } : undefined };
}

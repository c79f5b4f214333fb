// What the opened model's metadata says, as plain objects.
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
 * Where sizes are not encoded as logarithms, ocelli cannot decode the boxes: then there is no detector.
 * @param {Bridge} bridge
 */
function readDetector(bridge) {
  const { exports, memory } = bridge;
  const said = bridge.fill(DETECTOR, (out) => exports.ocl_model_read_detector(out));
  const own = said.own === 0 ? undefined : text.decode(memory.read(said.own, said.ownSizeBytes));
  if (said.anchors === 0) return { own };
  const anchors = memory.readFloats(said.anchors, said.numAnchors * 4);
  exports.ocl_free(said.anchors);
  const { boxScales: boxCoder, numClasses, isSigmoid } = said;
  return { own, detector: said.isSizeExponential ? { anchors, boxCoder, numClasses, isSigmoid } : undefined };
}

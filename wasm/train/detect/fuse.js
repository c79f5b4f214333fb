// New heads of scores, which read, in place of a map, the map and the finer one before it, both scaled to length 1 at each
// pixel. Joining maps: FSSD (Li and Zhou, 2017).
import { mapOf } from './heads.js';

/**
 * @typedef {import('../../tflite/network.js').Op} Op
 * @typedef {import('../../tflite/network.js').Value} Value
 * @typedef {import('./heads.js').FileHeads} FileHeads
 */

/**
 * Heads whose scores are computed by new layers from joined maps.
 * @param {FileHeads} found
 * @returns {{found: FileHeads, fused: Set<Value>}} fused: the joined maps
 */
export function fuseMaps(found) {
  /** @type {Op[]} */
  const added = [];
  const emit = (/** @type {string} */ kind, /** @type {Omit<Op, 'kind'>} */ op) => {
    added.push({ kind, ...op });
    return op.output;
  };
  const maps = found.heads.map(({ scores }) => mapOf(scores));
  const unit = maps.map((map, i) =>
    emit('L2_NORMALIZATION', {
      inputs: [map],
      output: { name: `fused/${i}/unit`, shape: map.shape },
      options: { activation: 'NONE' },
    }),
  );
  const joined = unit.map((own, i) => {
    if (i === 0 || !isHalf(own, unit[i - 1])) return own;
    const shape = own.shape.with(3, unit[i - 1].shape[3]);
    const finer = emit('AVERAGE_POOL_2D', {
      inputs: [unit[i - 1]],
      output: { name: `fused/${i}/finer`, shape },
      options: { padding: 'SAME', strideW: 2, strideH: 2, filterW: 3, filterH: 3, activation: 'NONE' },
    });
    return emit('CONCATENATION', {
      inputs: [own, finer],
      output: { name: `fused/${i}`, shape: own.shape.with(3, own.shape[3] + shape[3]) },
      options: { axis: 3, activation: 'NONE' },
    });
  });
  const heads = found.heads.map(({ boxes, scores }, i) => ({
    boxes,
    scores: [newLayer(scores[scores.length - 1], joined[i])],
  }));
  const network = { ...found.network, ops: [...found.network.ops, ...added] };
  return { found: { ...found, network, heads }, fused: new Set(joined) };
}

/**
 * Whether pooling the finer map with stride 2 gives the pixels of a map.
 * @param {Value} map
 * @param {Value} finer
 */
const isHalf = (map, finer) => [1, 2].every((side) => map.shape[side] === Math.ceil(finer.shape[side] / 2));

/**
 * A 1x1 convolution with the outputs of the layer that it replaces, and no weights yet.
 * @param {Op} old
 * @param {Value} input
 * @returns {Op}
 */
function newLayer({ output }, input) {
  const shape = [1, 1, input.shape[3], output.shape[3]];
  return {
    kind: 'CONV_2D',
    inputs: [input],
    output,
    options: {
      ...{ padding: 'VALID', strideW: 1, strideH: 1, dilationW: 1, dilationH: 1 },
      activation: 'NONE',
    },
    weights: { kernel: { dtype: 'float32', shape, data: new Float32Array() }, isTransposed: false },
  };
}

/** Whether a layer has no weights in the file. @param {Op} op */
export const isNew = ({ weights }) => weights?.kernel.data.length === 0;

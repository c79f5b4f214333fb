// The columns of the final classes in the last layer of a head's scores: those that were trained, and those of the file that are
// only kept.
import { columnSources } from './network.js';

/**
 * @typedef {import('./export.js').LayerWeights} LayerWeights
 * @typedef {import('../../tflite/network.js').Op} Op
 * @typedef {ReturnType<typeof import('./classes.js').chooseClasses>} Classes
 */

/**
 * A layer that was trained from the file's.
 * @param {Op} op the file's
 * @param {LayerWeights} trained
 * @param {Classes} classes
 * @returns {LayerWeights}
 */
export function mergeColumns(op, trained, classes) {
  const { kept, learnt } = pickColumns(op, trained, classes);
  // A new layer has no kernel in the file.
  const kernel = learnt.kernel.map((value, i) => value + (kept.kernel[i] ?? 0));
  return { kernel, bias: addBiases(kept, learnt) };
}

/**
 * A layer of what the file's reads and, after it unless that has it, what a 1x1 convolution reads that was trained beside it. Each
 * column has zeros for what it does not read, which change no bit of a sum.
 * @param {Op} op the file's
 * @param {LayerWeights} trained
 * @param {Classes} classes
 * @param {number} [joinedAt] the channel at which the file's layer reads the same
 * @returns {LayerWeights}
 */
export function joinColumns(op, trained, classes, joinedAt) {
  const { kept, learnt } = pickColumns(op, trained, classes);
  const [height, width] = weightsOf(op).kernel.shape;
  const taps = height * width;
  const own = kept.kernel.length / taps;
  const at = joinedAt === undefined ? own : joinedAt * kept.bias.length;
  const tap = Math.max(own, at + learnt.kernel.length);
  const kernel = new Float32Array(taps * tap);
  for (let i = 0; i < taps; i++) kernel.set(kept.kernel.subarray(i * own, (i + 1) * own), i * tap);
  const center = ((taps - 1) / 2) * tap;
  learnt.kernel.forEach((value, i) => {
    kernel[center + at + i] += value;
  });
  return { kernel, bias: addBiases(kept, learnt) };
}

/** @param {LayerWeights} a @param {LayerWeights} b */
const addBiases = (a, b) => a.bias.map((value, i) => value + b.bias[i]);

/**
 * The final classes' columns of both layers; 0 for the classes of the other one.
 * @param {Op} op the file's
 * @param {LayerWeights} trained
 * @param {Classes} classes
 */
function pickColumns(op, trained, { final, columns }) {
  const { kernel, bias } = weightsOf(op);
  const size = (trained.bias.length / columns) * final.length;
  const pick = (
    /** @type {ArrayLike<number>} */ values,
    /** @type {ArrayLike<number> | undefined} */ biases,
    /** @type {number} */ channels,
    /** @type {(number | null)[]} */ sources,
  ) => {
    const of = columnSources(size, channels, sources);
    const rows = values.length / channels;
    return {
      kernel: Float32Array.from({ length: rows * size }, (_, i) => {
        const source = of[i % size];
        return source === null ? 0 : values[Math.floor(i / size) * channels + source];
      }),
      bias: Float32Array.from(of, (source) => (source === null ? 0 : (biases?.[source] ?? 0))),
    };
  };
  return {
    kept: pick(
      kernel.data,
      bias,
      op.output.shape[3],
      final.map((c) => (c.trained === null ? c.source : null)),
    ),
    learnt: pick(
      trained.kernel,
      trained.bias,
      trained.bias.length,
      final.map((c) => c.trained),
    ),
  };
}

/** @param {Op} op */
const weightsOf = ({ weights }) => /** @type {import('../../tflite/network.js').Weights} */ (weights);

// New heads of scores, which read, in place of a map, what the network has at several depths there: the map, the finer one before
// it, and the first values of the first map's size and of twice its size, each scaled to length 1 at each pixel. The later ones
// say what kind of thing is there, the earlier ones how it looks. Joining maps: FSSD (Li and Zhou, 2017); values of several
// depths at a place: hypercolumns (Hariharan et al. 2015).
import { Wiring } from '../../tflite/network.js';
import { mapOf } from './heads.js';

/**
 * @typedef {import('../../tflite/network.js').Op} Op
 * @typedef {import('../../tflite/network.js').Value} Value
 * @typedef {import('./heads.js').FileHeads} FileHeads
 */

/** What is added to a network between its maps and the last layers of scores has names that begin so. */
export const NAME = 'fused/';

/**
 * Heads whose scores are computed by new layers from joined maps.
 * @param {FileHeads} found
 * @returns {{found: FileHeads, fused: Set<Value>}} fused: the joined maps
 */
export function fuseMaps(found) {
  const { ops } = found.network;
  const layers = new Layers(ops);
  const wiring = new Wiring(found.network);
  const maps = found.heads.map(({ scores }) => unjoin(mapOf(scores), wiring));
  const unit = maps.map((map) => layers.normalize(map));
  const first = findFirst(ops, (value) => isSame(maps[0], value));
  const finer = findFirst(ops, (value) => isHalf(maps[0], value));
  let early = [
    ...(first === undefined || first === maps[0] ? [] : [layers.normalize(first)]),
    ...(finer === undefined ? [] : [layers.normalize(layers.halve(finer))]),
  ];
  const joined = unit.map((own, i) => {
    if (i === 0) return layers.join([own, ...early]);
    const fits = isHalf(own, unit[i - 1]);
    early = fits ? early.map(layers.halve) : [];
    return layers.join([own, ...(fits ? [layers.halve(unit[i - 1])] : []), ...early]);
  });
  const heads = found.heads.map(({ boxes, scores }, i) => ({
    boxes,
    scores: [newLayer(scores[scores.length - 1], joined[i])],
    own: { layers: scores, joinedAt: findPart(scores[scores.length - 1].inputs[0], joined[i], wiring) },
  }));
  const network = { ...found.network, ops: [...ops, ...layers.ops] };
  return { found: { ...found, network, heads }, fused: new Set(joined) };
}

/**
 * The map itself, where an earlier training joined it to others.
 * @param {Value} map
 * @param {Wiring} wiring
 * @returns {Value}
 */
function unjoin(map, wiring) {
  const op = map.name.startsWith(NAME) && wiring.producer(map);
  return op ? unjoin(op.inputs[0], wiring) : map;
}

/**
 * The channel at which a value, joined of parts or not, has a part; undefined: nowhere.
 * @param {Value} value
 * @param {Value} part
 * @param {Wiring} wiring
 */
function findPart(value, part, wiring) {
  const op = wiring.producer(value);
  const parts = op?.kind === 'CONCATENATION' && value !== part ? op.inputs : [value];
  const at = parts.indexOf(part);
  return at < 0 ? undefined : parts.slice(0, at).reduce((sum, { shape }) => sum + shape[3], 0);
}

/** @param {readonly Op[]} ops @param {(value: Value) => boolean} fits */
const findFirst = (ops, fits) => ops.find(({ output }) => output.shape.length === 4 && fits(output))?.output;

/** Whether two values have the same pixels. @param {Value} a @param {Value} b */
const isSame = (a, b) => [1, 2].every((side) => a.shape[side] === b.shape[side]);

/**
 * Whether pooling the finer map with stride 2 gives the pixels of a map.
 * @param {Value} map
 * @param {Value} finer
 */
const isHalf = (map, finer) => [1, 2].every((side) => map.shape[side] === Math.ceil(finer.shape[side] / 2));

/** Operators without weights, which are added to a network unless it has the same from an earlier training. */
class Layers {
  /** @type {Op[]} */ ops = [];
  #before;
  #names;

  /** @param {readonly Op[]} before those of the network */
  constructor(before) {
    this.#before = before;
    this.#names = new Set(before.map(({ output }) => output.name));
  }

  /** To length 1 at each pixel. @param {Value} input */
  normalize = (input) => this.#add('L2_NORMALIZATION', [input], input.shape, { activation: 'NONE' });

  /** Means of 3x3 pixels. @param {Value} input */
  halve = (input) => {
    const [batch, height, width, channels] = input.shape;
    const shape = [batch, Math.ceil(height / 2), Math.ceil(width / 2), channels];
    const options = { padding: 'SAME', strideW: 2, strideH: 2, filterW: 3, filterH: 3, activation: 'NONE' };
    return this.#add('AVERAGE_POOL_2D', [input], shape, options);
  };

  /** @param {Value[]} inputs */
  join(inputs) {
    if (inputs.length === 1) return inputs[0];
    const channels = inputs.reduce((sum, { shape }) => sum + shape[3], 0);
    return this.#add('CONCATENATION', inputs, inputs[0].shape.with(3, channels), {
      axis: 3,
      activation: 'NONE',
    });
  }

  /** @param {string} kind @param {Value[]} inputs @param {number[]} shape @param {Record<string, unknown>} options */
  #add(kind, inputs, shape, options) {
    const same = this.#before.find(
      (op) =>
        op.kind === kind &&
        op.inputs.length === inputs.length &&
        op.inputs.every((input, i) => input === inputs[i]) &&
        Object.entries(options).every(([key, value]) => op.options[key] === value),
    );
    if (same) return same.output;
    const output = { name: this.#newName(), shape };
    this.ops.push({ kind, inputs, output, options });
    return output;
  }

  #newName() {
    let name = `${NAME}0`;
    for (let i = 1; this.#names.has(name); i++) name = `${NAME}${i}`;
    this.#names.add(name);
    return name;
  }
}

/**
 * A 1x1 convolution with the outputs of the layer that it replaces, and no weights yet.
 * @param {Op} old
 * @param {Value} input
 * @returns {Op}
 */
function newLayer({ output, options: { activation } }, input) {
  const shape = [1, 1, input.shape[3], output.shape[3]];
  return {
    kind: 'CONV_2D',
    inputs: [input],
    output,
    options: {
      ...{ padding: 'VALID', strideW: 1, strideH: 1, dilationW: 1, dilationH: 1, activation },
    },
    weights: { kernel: { dtype: 'float32', shape, data: new Float32Array() }, isTransposed: false },
  };
}

/** Whether a layer has no weights in the file. @param {Op} op */
export const isNew = ({ weights }) => weights?.kernel.data.length === 0;

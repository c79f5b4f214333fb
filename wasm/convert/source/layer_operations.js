// Operations that Keras writes as layers: those of Keras 3 (keras.ops), and TensorFlow's functions in Keras 2
// (TFOpLambda), such as the arithmetic of preprocess_input.
import { convertFailure } from '../errors.js';
import { constant, make } from '../graph/graph.js';
import { apply, floats, ints } from './layer_rules.js';

/**
 * @typedef {import('../graph/graph.js').Ref} Ref
 * @typedef {import('./layer_rules.js').LayerRule} LayerRule
 * @typedef {import('./layer_rules.js').Layer} Layer
 * @typedef {import('./layer_calls.js').Operand} Operand
 */

/** @param {Layer} layer @param {string} what */
function unreadable({ name }, what) {
  return convertFailure(
    'GRAPH_UNSUPPORTED',
    `the operation '${name}' has ${what}; save the model by export()`,
  );
}

/**
 * An operand as a node: a value, or a constant.
 * @param {Layer} layer
 * @param {number} index
 * @param {string} name its name, if it is given by name
 * @returns {Ref}
 */
function operandOf(layer, index, name) {
  const { operands, named } = layer.call;
  const operand = operands[index] ?? named[name];
  if (operand && 'ref' in operand) return operand.ref;
  const list = operand && [operand.value].flat(4);
  if (!list?.every((value) => typeof value === 'number')) throw unreadable(layer, `no number as '${name}'`);
  return floats(`${layer.name}/${name}`, list, list.length === 1 ? [] : [list.length]);
}

/** @param {string} op @param {[string, string]} [names] of the operands @returns {LayerRule} */
const binary =
  (op, names = ['x', 'y']) =>
  (layer) =>
    make(layer.name, op, [operandOf(layer, 0, names[0]), operandOf(layer, 1, names[1])]);

/** @param {string} op @returns {LayerRule} */
const unary =
  (op) =>
  ({ name, inputs }) =>
    make(name, op, [inputs[0]]);

/** @param {string} activation @returns {LayerRule} */
const activation = (activation) => (layer) => apply(activation, layer.inputs[0], layer);

/** @type {LayerRule} */
const same = ({ inputs }) => inputs[0];

/** @param {Layer} layer @param {string} key */
function numberOf({ config, call }, key) {
  const operand = call.named[key];
  const value = config[key] ?? (operand && 'value' in operand ? operand.value : undefined);
  return typeof value === 'number' ? value : undefined;
}

/** @param {[string, string]} keys @returns {LayerRule} */
const clip = (keys) => (layer) => {
  const [low, high] = keys.map((key, i) => {
    const given = layer.call.operands[i + 1];
    return numberOf(layer, key) ?? (given && 'value' in given ? Number(given.value) : Number.NaN);
  });
  if (!(low < high)) throw unreadable(layer, 'no two numbers as bounds');
  const bounds = [low, high].map((bound, i) => floats(`${layer.name}/${keys[i]}`, [bound], []));
  return make(layer.name, 'ClipByValue', [layer.inputs[0], ...bounds]);
};

/** @param {string} op @param {string} keep @returns {LayerRule} */
const reduction = (op, keep) => (layer) => {
  const { config, call, name, inputs } = layer;
  const named = call.named.axis;
  const axis = [config.axis ?? (named && 'value' in named ? named.value : undefined)].flat();
  if (!axis.every((each) => typeof each === 'number')) throw unreadable(layer, 'no numbers as axis');
  const keeps = call.named[keep];
  const keepDims = config[keep] ?? (keeps && 'value' in keeps ? keeps.value : false);
  return make(name, op, [inputs[0], ints(`${name}/axis`, axis)], { keep_dims: { b: keepDims === true } });
};

/** A Python slice in a configuration. @param {any} part @returns {{begin: number, end: number, by: number, masks: string[]}} */
function toBounds(part) {
  const { start = null, stop = null, step = null } = part.config ?? part;
  return {
    begin: start ?? 0,
    end: stop ?? 0,
    by: step ?? 1,
    masks: [...(start === null ? ['begin_mask'] : []), ...(stop === null ? ['end_mask'] : [])],
  };
}

/** x[...] with slices, indices and an ellipsis. @type {LayerRule} */
function getItem(layer) {
  const { call, name, inputs } = layer;
  const given = call.operands[1] ?? call.named.key ?? call.named.slice_spec;
  const parts = [given && 'value' in given ? given.value : []].flat();
  /** @type {Record<string, number>} */
  const masks = {};
  const bounds = parts.map((/** @type {any} */ operand, i) => {
    const part = operand && typeof operand === 'object' && 'value' in operand ? operand.value : operand;
    const set = (/** @type {string} */ mask) => {
      masks[mask] = (masks[mask] ?? 0) | (1 << i);
    };
    if (part === 'Ellipsis' || part?.class_name === '__ellipsis__') set('ellipsis_mask');
    else if (typeof part === 'number') set('shrink_axis_mask');
    else if (typeof part !== 'object' || part === null) throw unreadable(layer, 'an index that is not known');
    if (typeof part === 'number') return { begin: part, end: part + 1, by: 1, masks: [] };
    const bound = toBounds(Object(part));
    bound.masks.forEach(set);
    return bound;
  });
  const list = (/** @type {'begin' | 'end' | 'by'} */ key) =>
    ints(
      `${name}/${key}`,
      bounds.map((bound) => bound[key]),
    );
  const attrs = Object.fromEntries(Object.entries(masks).map(([key, i]) => [key, { i }]));
  return make(name, 'StridedSlice', [inputs[0], list('begin'), list('end'), list('by')], attrs);
}

/** @type {LayerRule} */
function biasAdd(layer) {
  return make(layer.name, 'AddV2', [layer.inputs[0], operandOf(layer, 1, 'bias')]);
}

/** @type {LayerRule} */
function concatenate({ name, config, call, inputs }) {
  const axis = call.named.axis;
  const at = Number(config.axis ?? (axis && 'value' in axis ? axis.value : -1));
  const place = constant(`${name}/axis`, { dtype: 'int32', shape: [], data: Int32Array.of(at) });
  return make(name, 'ConcatV2', [...inputs, place]);
}

/** @type {LayerRule} */
function stack({ name, config, inputs }) {
  return make(name, 'Pack', inputs, { axis: { i: Number(config.axis ?? 0) } });
}

const KERAS = /** @type {[string, string]} */ (['x1', 'x2']);

/** @type {Record<string, LayerRule>} */
export const OPERATIONS = {
  Absolute: unary('Abs'),
  Add: binary('AddV2', KERAS),
  Cast: same,
  Clip: clip(['x_min', 'x_max']),
  Concatenate: concatenate,
  Divide: binary('RealDiv', KERAS),
  GetItem: getItem,
  HardSigmoid: activation('hard_sigmoid'),
  HardSilu: activation('hard_silu'),
  LeakyRelu: activation('leaky_relu'),
  Max: reduction('Max', 'keepdims'),
  Maximum: binary('Maximum', KERAS),
  Mean: reduction('Mean', 'keepdims'),
  Minimum: binary('Minimum', KERAS),
  Multiply: binary('Mul', KERAS),
  Negative: unary('Neg'),
  Relu: activation('relu'),
  Relu6: activation('relu6'),
  Sigmoid: activation('sigmoid'),
  Silu: activation('silu'),
  Softmax: activation('softmax'),
  Sqrt: unary('Sqrt'),
  Square: unary('Square'),
  Stack: stack,
  Subtract: binary('Sub', KERAS),
  Sum: reduction('Sum', 'keepdims'),
  Tanh: activation('tanh'),
  TrueDivide: binary('RealDiv', KERAS),

  '__operators__.add': binary('AddV2'),
  '__operators__.getitem': getItem,
  cast: same,
  clip_by_value: clip(['clip_value_min', 'clip_value_max']),
  'math.abs': unary('Abs'),
  'math.add': binary('AddV2'),
  'math.divide': binary('RealDiv'),
  'math.maximum': binary('Maximum'),
  'math.minimum': binary('Minimum'),
  'math.multiply': binary('Mul'),
  'math.reduce_max': reduction('Max', 'keepdims'),
  'math.reduce_mean': reduction('Mean', 'keepdims'),
  'math.reduce_sum': reduction('Sum', 'keepdims'),
  'math.sigmoid': activation('sigmoid'),
  'math.subtract': binary('Sub'),
  'math.tanh': activation('tanh'),
  'math.truediv': binary('RealDiv'),
  'nn.bias_add': biasAdd,
  'nn.relu': activation('relu'),
  'nn.relu6': activation('relu6'),
  'nn.silu': activation('silu'),
  'nn.softmax': activation('softmax'),
};

// Operations that Keras writes as layers: those of Keras 3 (keras.ops), and TensorFlow's functions in Keras 2
// (TFOpLambda), such as the arithmetic of preprocess_input.
import { convertFailure } from '../errors.js';
import { make } from '../graph/graph.js';
import { isGiven } from './layer_calls.js';
import { apply, array, floats, ints, LAYERS } from './layer_rules.js';

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

/** In a configuration, what is no argument of the operation; TensorFlow's argument `name` changes nothing. */
const NO_ARGUMENTS = new Set(['name', 'trainable', 'dtype', 'function']);

/**
 * The arguments of an operation by the names of its parameters: those of the call, and those that Keras 3 keeps in the
 * configuration. An argument that is no parameter here would change the result: it is refused.
 * @param {Layer} layer
 * @param {string[]} parameters
 * @returns {Record<string, Operand | undefined>}
 */
function argumentsOf(layer, parameters) {
  const { config, call } = layer;
  const kept = Object.entries(config).map(([key, value]) => [key, { value }]);
  const placed = call.operands.map((operand, i) => [parameters[i] ?? `number ${i + 1}`, operand]);
  /** @type {Record<string, Operand>} */
  const given = { ...Object.fromEntries([...kept, ...placed]), ...call.named };
  for (const [key, operand] of Object.entries(given)) {
    if (isGiven(operand) && !parameters.includes(key) && !NO_ARGUMENTS.has(key))
      throw unreadable(layer, `the argument '${key}', which is not read`);
  }
  return given;
}

/** @param {Operand | undefined} operand @returns {unknown} undefined: none, or what a layer computes */
const valueOf = (operand) => (operand && 'value' in operand ? (operand.value ?? undefined) : undefined);

/**
 * A number among the arguments.
 * @param {Layer} layer
 * @param {Record<string, Operand | undefined>} given
 * @param {string} key
 * @param {number} fallback
 */
function numberOf(layer, given, key, fallback) {
  const operand = given[key];
  const value = operand && 'ref' in operand ? undefined : (valueOf(operand) ?? fallback);
  if (typeof value !== 'number') throw unreadable(layer, `no number as '${key}'`);
  return value;
}

/**
 * An operand as a node: a value, or a constant.
 * @param {Layer} layer
 * @param {Record<string, Operand | undefined>} given
 * @param {string} key
 * @returns {Ref}
 */
function operandOf(layer, given, key) {
  const operand = given[key];
  if (operand && 'ref' in operand) return operand.ref;
  const made = array(`${layer.name}/${key}`, operand?.value);
  if (!made) throw unreadable(layer, `no number as '${key}'`);
  return made;
}

/** @param {string} op @param {[string, string]} [names] of the operands @returns {LayerRule} */
const binary =
  (op, names = ['x', 'y']) =>
  (layer) => {
    const given = argumentsOf(layer, names);
    return make(
      layer.name,
      op,
      names.map((key) => operandOf(layer, given, key)),
    );
  };

/** @param {(layer: Layer) => Ref} rule of the first argument alone @returns {LayerRule} */
const alone = (rule) => (layer) => {
  argumentsOf(layer, ['x']);
  return rule(layer);
};

/** @param {string} op */
const unary = (op) => alone(({ name, inputs }) => make(name, op, [inputs[0]]));

/** @param {string} kind */
const activation = (kind) => alone((layer) => apply(kind, layer.inputs[0], layer));

/** @type {LayerRule} */
function leakyRelu(layer) {
  const given = argumentsOf(layer, ['x', 'negative_slope']);
  const slope = numberOf(layer, given, 'negative_slope', 0.2);
  return LAYERS.LeakyReLU({ ...layer, config: { negative_slope: slope } });
}

/** @type {LayerRule} */
function silu(layer) {
  const beta = numberOf(layer, argumentsOf(layer, ['x', 'beta']), 'beta', 1);
  if (beta !== 1) throw unreadable(layer, `beta ${beta}`);
  return apply('silu', layer.inputs[0], layer);
}

/** @type {LayerRule} */
function softmax(layer) {
  const axis = numberOf(layer, argumentsOf(layer, ['x', 'axis']), 'axis', -1);
  return LAYERS.Softmax({ ...layer, config: { axis } });
}

/** The network computes in float32: other types would round. @type {LayerRule} */
function cast(layer) {
  const type = valueOf(argumentsOf(layer, ['x', 'dtype']).dtype);
  if (!/^b?float\d+$/.test(String(type))) throw unreadable(layer, `the type ${type}`);
  return layer.inputs[0];
}

/** @param {[string, string]} keys @returns {LayerRule} */
const clip = (keys) => (layer) => {
  const given = argumentsOf(layer, ['x', ...keys]);
  const [low, high] = keys.map((key) => Number(valueOf(given[key]) ?? Number.NaN));
  if (!(low < high)) throw unreadable(layer, 'no two numbers as bounds');
  const bounds = [low, high].map((bound, i) => floats(`${layer.name}/${keys[i]}`, [bound], []));
  return make(layer.name, 'ClipByValue', [layer.inputs[0], ...bounds]);
};

/** @param {string} op @returns {LayerRule} */
const reduction = (op) => (layer) => {
  const { name, inputs } = layer;
  const given = argumentsOf(layer, ['x', 'axis', 'keepdims']);
  const axis = [valueOf(given.axis)].flat();
  if (!axis.every((each) => typeof each === 'number')) throw unreadable(layer, 'no numbers as axis');
  const keepDims = valueOf(given.keepdims) === true;
  return make(name, op, [inputs[0], ints(`${name}/axis`, axis)], { keep_dims: { b: keepDims } });
};

/**
 * A Python slice in a configuration.
 * @param {Layer} layer
 * @param {any} part
 * @returns {{begin: number, end: number, by: number, masks: string[]}}
 */
function toBounds(layer, part) {
  const { start = null, stop = null, step = null } = part.config ?? part;
  if (![start, stop, step].every((bound) => bound === null || Number.isInteger(bound)))
    throw unreadable(layer, 'an index that is not known');
  return {
    begin: start ?? 0,
    end: stop ?? 0,
    by: step ?? 1,
    masks: [...(start === null ? ['begin_mask'] : []), ...(stop === null ? ['end_mask'] : [])],
  };
}

/** x[...] with slices, indices and an ellipsis. @param {string} key @returns {LayerRule} */
const getItem = (key) => (layer) => {
  const { name, inputs } = layer;
  const parts = [valueOf(argumentsOf(layer, ['x', key])[key])].flat();
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
    const bound = toBounds(layer, Object(part));
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
};

/** @type {LayerRule} */
function biasAdd(layer) {
  const given = argumentsOf(layer, ['x', 'bias', 'data_format']);
  const format = valueOf(given.data_format) ?? 'NHWC';
  if (format !== 'NHWC') throw unreadable(layer, `the data format ${format}`);
  return make(layer.name, 'AddV2', [layer.inputs[0], operandOf(layer, given, 'bias')]);
}

/** The axis along which all of a list's values are joined. @param {Layer} layer */
function joinOf(layer) {
  const given = argumentsOf(layer, ['xs', 'axis']);
  const parts = [valueOf(given.xs)].flat();
  if (!parts.every((part) => part && typeof part === 'object' && 'ref' in part))
    throw unreadable(layer, 'a constant among what it joins');
  return numberOf(layer, given, 'axis', 0);
}

/** @type {LayerRule} */
function concatenate(layer) {
  const { name, inputs } = layer;
  return make(name, 'ConcatV2', [...inputs, ints(`${name}/axis`, [joinOf(layer)], [])]);
}

/** @type {LayerRule} */
function stack(layer) {
  return make(layer.name, 'Pack', layer.inputs, { axis: { i: joinOf(layer) } });
}

const KERAS = /** @type {[string, string]} */ (['x1', 'x2']);

/** @type {Record<string, LayerRule>} */
export const OPERATIONS = {
  Absolute: unary('Abs'),
  Add: binary('AddV2', KERAS),
  Cast: cast,
  Clip: clip(['x_min', 'x_max']),
  Concatenate: concatenate,
  Divide: binary('RealDiv', KERAS),
  GetItem: getItem('key'),
  HardSigmoid: activation('hard_sigmoid'),
  HardSilu: activation('hard_silu'),
  LeakyRelu: leakyRelu,
  Max: reduction('Max'),
  Maximum: binary('Maximum', KERAS),
  Mean: reduction('Mean'),
  Minimum: binary('Minimum', KERAS),
  Multiply: binary('Mul', KERAS),
  Negative: unary('Neg'),
  Relu: activation('relu'),
  Relu6: activation('relu6'),
  Sigmoid: activation('sigmoid'),
  Silu: silu,
  Softmax: softmax,
  Sqrt: unary('Sqrt'),
  Square: unary('Square'),
  Stack: stack,
  Subtract: binary('Sub', KERAS),
  Sum: reduction('Sum'),
  Tanh: activation('tanh'),
  TrueDivide: binary('RealDiv', KERAS),

  '__operators__.add': binary('AddV2'),
  '__operators__.getitem': getItem('slice_spec'),
  cast,
  clip_by_value: clip(['clip_value_min', 'clip_value_max']),
  'math.abs': unary('Abs'),
  'math.add': binary('AddV2'),
  'math.divide': binary('RealDiv'),
  'math.maximum': binary('Maximum'),
  'math.minimum': binary('Minimum'),
  'math.multiply': binary('Mul'),
  'math.reduce_max': reduction('Max'),
  'math.reduce_mean': reduction('Mean'),
  'math.reduce_sum': reduction('Sum'),
  'math.sigmoid': activation('sigmoid'),
  'math.subtract': binary('Sub'),
  'math.tanh': activation('tanh'),
  'math.truediv': binary('RealDiv'),
  'nn.bias_add': biasAdd,
  'nn.relu': activation('relu'),
  'nn.relu6': activation('relu6'),
  'nn.silu': silu,
  'nn.softmax': softmax,
};

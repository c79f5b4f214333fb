// Reads Keras models that are written as a configuration of layers: TensorFlow.js layers models (Teachable Machine exports
// these), Keras 2's .h5 and the .keras files of Keras 2 and 3. Builds the same graph of TensorFlow operators as the other
// readers.
import { convertFailure } from '../errors.js';
import { constant, Node } from '../graph/graph.js';
import { NORMS } from './layer_norms.js';
import { activated, LAYERS } from './layer_rules.js';
import { OPERATIONS } from './layer_operations.js';
import { isGiven, partsOf, toCall } from './layer_calls.js';
import { droppedNote } from './saved_model.js';

/**
 * @typedef {import('../graph/graph.js').Ref} Ref
 * @typedef {import('./layer_weights.js').WeightScope} WeightScope
 * @typedef {import('./layer_calls.js').Call} Call
 * @typedef {{class_name: string, module?: string | null, name?: string, config: any, inbound_nodes?: any[],
 *   keras_version?: string}} LayerSpec
 * @typedef {{name: string, ref: Ref, shape: number[]}} Input
 */

const MAX_DEPTH = 32;
const RULES = { ...LAYERS, ...NORMS };
const MODELS = new Set(['Sequential', 'Functional', 'Model']);
/** Layers that change images in training only. RandomCrop is none of them: it always crops. */
const AUGMENTATIONS = new Set(
  (
    'Brightness ColorDegeneration ColorJitter Contrast ElasticTransform Erasing Flip GaussianBlur Grayscale Height Hue ' +
    'Invert Perspective Posterization Rotation Saturation Sharpness Shear Translation Width Zoom'
  )
    .split(' ')
    .map((change) => `Random${change}`),
);

/**
 * @param {LayerSpec} topology the outermost model
 * @param {WeightScope} weights of its layers
 * @param {number} kerasVersion 2 or 3
 * @param {import('./saved_model.js').Selection} wanted
 * @returns {import('./saved_model.js').Model}
 */
export function readLayersModel(topology, weights, kerasVersion, { signature, outputs: names }) {
  if (signature !== undefined)
    throw convertFailure('SIGNATURE_UNKNOWN', `there is no signature '${signature}': a Keras model has none`);
  const isWeb = /^tfjs/.test(String(topology.keras_version));
  const reader = new LayersReader(kerasVersion, isWeb);
  const refs = reader.model(topology, [], { path: '', depth: 0, weights, isTraining: false });
  const outputs = refs.map((ref, i) => ({ name: reader.outputNames[i] ?? `output_${i}`, ref }));
  return {
    inputs: reader.inputs,
    outputs: names ? names.map((name) => choose(outputs, reader.layerOutputs, name)) : outputs,
    readTable: async () => undefined,
    notes: droppedNote([...reader.dropped]),
  };
}

/**
 * @param {import('./saved_model.js').Port[]} outputs
 * @param {Map<string, Ref[]>} layers what each layer gives at its first call
 * @param {string} name of an output or a layer
 * @returns {import('./saved_model.js').Port}
 */
function choose(outputs, layers, name) {
  const found = outputs.find((output) => output.name === name)?.ref ?? layers.get(name)?.[0];
  if (found) return { name, ref: found };
  const names = outputs.map((output) => output.name).join(', ');
  throw convertFailure(
    'SIGNATURE_UNKNOWN',
    `no output depends on a layer '${name}'; the outputs are ${names}`,
  );
}

/**
 * Where a model's layers are, and whether a call of the model says that they train.
 * @typedef {{path: string, depth: number, weights: WeightScope, isTraining: boolean}} Place
 */

/** @param {LayerSpec} spec @param {string} path of its model */
const nameOf = ({ name, class_name: kind, config }, path) => path + (config?.name ?? name ?? kind);

class LayersReader {
  /** @type {Input[]} */ inputs = [];
  /** @type {string[]} */ outputNames = [];
  /** What each layer gives at its first call. @type {Map<string, Ref[]>} */ layerOutputs = new Map();
  /** Names of augmentation layers. @type {Set<string>} */ dropped = new Set();

  /** @param {number} kerasVersion @param {boolean} isWeb saved by TensorFlow.js */
  constructor(kerasVersion, isWeb) {
    this.kerasVersion = kerasVersion;
    this.isWeb = isWeb;
  }

  /**
   * @param {LayerSpec} spec a model, which may be a layer of another model
   * @param {Ref[]} inputs empty if the model's input layers are the inputs
   * @param {Place} place
   * @returns {Ref[]}
   */
  model({ class_name: kind, config }, inputs, place) {
    if (place.depth > MAX_DEPTH) throw convertFailure('GRAPH_BAD', 'models are nested too deeply');
    const layers = Array.isArray(config) ? config : config?.layers;
    if (!MODELS.has(kind))
      throw convertFailure(
        'GRAPH_UNSUPPORTED',
        `a model of the class ${kind}: only its Python code knows its layers; save it by export() and convert that`,
      );
    if (!Array.isArray(layers))
      throw convertFailure('SOURCE_DAMAGED', `the model '${place.path}' has no layers`);
    return kind === 'Sequential'
      ? this.#sequential(config, layers, inputs, place)
      : this.#functional(config, inputs, place);
  }

  /**
   * @param {any} config
   * @param {LayerSpec[]} layers
   * @param {Ref[]} inputs
   * @param {Place} place
   */
  #sequential(config, layers, inputs, place) {
    let refs = inputs;
    for (const spec of layers) {
      const shape = spec.config?.batch_input_shape ?? config.build_input_shape;
      if (refs.length === 0 && spec.class_name !== 'InputLayer' && shape)
        refs = [this.#input({ ...spec.config, batch_shape: shape })];
      refs = this.#layer(spec, { inputs: refs, operands: refs.map((ref) => ({ ref })), named: {} }, place);
      if (place.depth === 0) this.outputNames = [spec.config?.name ?? 'output'];
    }
    return refs;
  }

  /**
   * Builds the layers that the outputs depend on. A layer that is called several times becomes one node per call.
   * @param {any} config
   * @param {Ref[]} inputs
   * @param {Place} place
   */
  #functional(config, inputs, place) {
    /** @type {Map<string, LayerSpec>} */
    const specs = new Map(
      config.layers.map((/** @type {LayerSpec} */ spec) => [spec.name ?? spec.config.name, spec]),
    );
    /** @type {Map<string, Ref[] | 'open'>} */
    const done = new Map();
    const firstCalls = firstCallsOf(config);
    const inputNames = toEndpoints(config.input_layers).map(([name]) => name);
    inputNames.forEach((name, i) => {
      if (inputs[i]) done.set(`${name} 0`, [inputs[i]]);
    });
    /** @param {string} name @param {number} call @returns {Ref[]} */
    const evaluate = (name, call) => {
      const key = `${name} ${call}`;
      const known = done.get(key);
      if (known === 'open') throw convertFailure('GRAPH_BAD', `the layer '${name}' takes its own output`);
      if (known) return known;
      const spec = specs.get(name);
      if (!spec) throw convertFailure('SOURCE_DAMAGED', `there is no layer '${name}'`);
      done.set(key, 'open');
      const node = spec.inbound_nodes?.[call - (firstCalls.get(name) ?? 0)];
      if (!node && spec.class_name !== 'InputLayer')
        throw convertFailure('SOURCE_DAMAGED', `the layer '${name}' has no call ${call}`);
      const made = toCall(node, (from, at, index) => evaluate(from, at)[index]);
      const refs = this.#layer(spec, made, place);
      done.set(key, refs);
      return refs;
    };
    const outputs = toEndpoints(config.output_layers);
    const refs = outputs.map(([name, call, index]) => evaluate(name, call)[index]);
    if (place.depth === 0) {
      this.outputNames = outputs.map(([name]) => name);
      this.inputs.sort((a, b) => inputNames.indexOf(a.name) - inputNames.indexOf(b.name));
    }
    return refs;
  }

  /** @param {any} config */
  #input({ name, batch_input_shape: legacy, batch_shape: shape }) {
    const sizes = (legacy ?? shape ?? []).map((/** @type {number | null} */ size) => size ?? -1);
    const dim = sizes.map((/** @type {number} */ size) => ({ size }));
    const node = new Node(name, 'Placeholder', new Map([['shape', { shape: { dim } }]]));
    const ref = { node, index: 0 };
    this.inputs.push({ name, ref, shape: sizes });
    return ref;
  }

  /**
   * @param {LayerSpec} spec
   * @param {Call} call
   * @param {Place} place
   * @returns {Ref[]}
   */
  #layer(spec, call, place) {
    const refs = this.#build(spec, call, place);
    const name = nameOf(spec, place.path);
    if (!this.layerOutputs.has(name)) this.layerOutputs.set(name, refs);
    return refs;
  }

  /**
   * @param {LayerSpec} spec
   * @param {Call} call
   * @param {Place} place
   * @returns {Ref[]}
   */
  #build(spec, call, place) {
    const { path, depth, weights } = place;
    const { class_name: kind, config = {} } = spec;
    const { inputs } = call;
    const isTraining = trainingOf(call) ?? place.isTraining;
    const own = nameOf(spec, '');
    const name = nameOf(spec, path);
    if (kind === 'InputLayer' && inputs.length > 0) return inputs;
    if (kind === 'InputLayer' && depth > 0)
      throw convertFailure(
        'SOURCE_DAMAGED',
        `nothing is given to the input '${name}' of a model inside the model`,
      );
    if (kind === 'InputLayer') return [this.#input(config)];
    if (MODELS.has(kind)) {
      const inner = { path: `${name}/`, depth: depth + 1, weights: weights.inner(spec), isTraining };
      return this.model(spec, inputs, inner);
    }
    if (inputs.length === 0) throw convertFailure('SOURCE_DAMAGED', `the layer '${name}' has no input`);
    if (config.data_format && config.data_format !== 'channels_last')
      throw convertFailure(
        'GRAPH_UNSUPPORTED',
        `data format ${config.data_format} at '${name}', only channels_last is supported`,
      );
    if ((isKeras(spec) || isKerasExtension(spec)) && AUGMENTATIONS.has(kind)) {
      this.dropped.add(own);
      return [inputs[0]];
    }
    const weight = (/** @type {string[]} */ ...keys) => {
      const found = keys.map((key) => weights.weight(spec, key)).find(Boolean);
      if (!found) throw convertFailure('SOURCE_INCOMPLETE', `there is no weight '${own}/${keys[0]}'`);
      return constant(`${name}/${keys[0]}`, found);
    };
    const isOperation = isOperationCall(spec, this.kerasVersion);
    const rules = isOperation ? OPERATIONS : RULES;
    const key = kind.endsWith('OpLambda') ? config.function : kind;
    const rule = isKeras(spec) && Object.hasOwn(rules, key) ? rules[key] : undefined;
    if (rule === undefined) throw unknownLayer(key, name);
    if (!isOperation) this.#checkLayer(spec, call, `the layer ${key} at '${name}'`);
    const { kerasVersion, isWeb } = this;
    const layer = { name, config, inputs, weight, call, kerasVersion, isWeb, isTraining };
    const ref = rule(layer);
    return [isOperation ? ref : activated(ref, layer)];
  }

  /**
   * A layer's rule takes float weights, what other layers compute, and whether the layer trains.
   * @param {LayerSpec} spec
   * @param {Call} call
   * @param {string} layer
   */
  #checkLayer({ config }, { operands, named }, layer) {
    const refuse = (/** @type {string} */ what) => convertFailure('GRAPH_UNSUPPORTED', `${layer} ${what}`);
    if (/Quantized|_from_/.test(JSON.stringify(config?.dtype ?? ''))) throw refuse('has quantized weights');
    // By position, None and False are the defaults of `training` and `mask`.
    const given = operands.filter(
      (operand) => isGiven(operand) && !('value' in operand && operand.value === false),
    );
    const inputs = given.flatMap((operand) =>
      'value' in operand && Array.isArray(operand.value) ? operand.value : [operand],
    );
    if (!inputs.every((input) => Object.hasOwn(Object(input), 'ref'))) throw refuse('takes a number');
    const other = Object.keys(named).find((key) => key !== 'training' && isSet(named[key]));
    if (other) throw refuse(`takes the argument '${other}', which is not read`);
    // In Keras 2, several operands are the inputs of a layer that merges.
    if (this.kerasVersion >= 3 && given.length > 1) throw refuse('takes several arguments');
  }
}

/** @param {import('./layer_calls.js').Operand} operand */
const isSet = (operand) => 'ref' in operand || Boolean(operand.value);

/** What a call itself says about training. @param {Call} call @returns {boolean | undefined} */
function trainingOf({ named: { training } }) {
  return training && isGiven(training) ? isSet(training) : undefined;
}

/**
 * Whether an entry is an operation, not a layer: keras.ops' Add has the class name of the layer Add. Keras 3's .h5 does not
 * say the module; there, a layer has a dtype and an operation has none.
 * @param {LayerSpec} spec
 * @param {number} kerasVersion
 */
function isOperationCall({ class_name: kind, module, config = {} }, kerasVersion) {
  if (kind === 'TFOpLambda' || kind === 'SlicingOpLambda') return true;
  return module?.includes('.ops.') ?? (kerasVersion >= 3 && config.dtype === undefined);
}

/** Whether a class is Keras' own. Only Keras 3 tells it from a user's class of the same name. @param {LayerSpec} spec */
const isKeras = ({ module }) =>
  module === undefined || /^((tf_)?keras|keras_core|tensorflow)\b/.test(module ?? '');

/** Whether a class is of KerasCV or KerasHub, which have augmentation layers of the same names. @param {LayerSpec} spec */
const isKerasExtension = ({ module }) => /^keras_(cv|hub)\b/.test(module ?? '');

/** @param {string} kind @param {string} name */
function unknownLayer(kind, name) {
  const hint =
    kind === 'Lambda'
      ? 'its Python code cannot be read; save the model by export() and convert that'
      : 'save the model by export(), which writes operators instead of layers, and convert that';
  return convertFailure('GRAPH_UNSUPPORTED', `the layer ${kind} at '${name}': ${hint}`);
}

/**
 * The number of each layer's first call. A model that is a layer has a first call of its own in Keras 2, on its input
 * layers, which the configuration leaves out: the calls that it has are then counted from 1.
 * @param {any} config of a functional model
 */
function firstCallsOf(config) {
  /** @type {Map<string, number>} */
  const last = new Map();
  const note = (/** @type {string} */ name, /** @type {number} */ call) =>
    last.set(name, Math.max(last.get(name) ?? 0, call));
  const refOf = (/** @type {string} */ name, /** @type {number} */ call) => {
    note(name, call);
    return { node: new Node('', ''), index: 0 };
  };
  for (const { inbound_nodes: nodes = [] } of config.layers) for (const node of nodes) toCall(node, refOf);
  for (const [name, call] of toEndpoints(config.output_layers)) note(name, call);
  const counts = config.layers.map(
    (/** @type {LayerSpec} */ { name, config: own, inbound_nodes: nodes = [] }) => [
      name ?? own.name,
      nodes.length > 0 && (last.get(name ?? own.name) ?? 0) >= nodes.length ? 1 : 0,
    ],
  );
  return new Map(counts);
}

/**
 * Each [layer, call, output] of a list or dictionary, in Keras' order.
 * @param {any} structure
 * @returns {[string, number, number][]}
 */
function toEndpoints(structure) {
  if (!Array.isArray(structure) || typeof structure[0] === 'object')
    return partsOf(structure).flatMap(toEndpoints);
  const [name, call, index] = structure;
  return [[String(name), Number(call ?? 0), Number(index ?? 0)]];
}

// TensorFlow's graphs as written (GraphDef: nodes that name their inputs, and a library of functions) -> nodes that point
// at their inputs, with every function call inlined. Only what the outputs need is made.
import { convertFailure } from '../errors.js';
import { dtypeOf, shapeFromProto, tensorFromProto } from '../../tflite/tensor.js';

/**
 * @typedef {import('../../tflite/tensor.js').Tensor} Tensor
 * @typedef {{node: Node, index: number}} Ref an output of a node
 * @typedef {{name: string, op: string, input?: string[], attr?: Map<string, any>}} NodeDef
 * @typedef {{signature: {name: string, inputArg?: {name: string}[], outputArg?: {name: string}[]}, nodeDef?: NodeDef[],
 *   ret?: {key: string, value: string}[]}} FunctionDef
 * @typedef {{node?: NodeDef[], library?: {function?: FunctionDef[]}}} GraphDef
 */

const MAX_CALL_DEPTH = 100;
const MAX_NODES = 2_000_000;
const MAX_CALLS = 100_000;
const decoder = new TextDecoder();

export class Node {
  /** @type {Ref[]} */ inputs = [];
  /** @type {Tensor | undefined} */ #tensor;

  /**
   * @param {string} name its path through the calls
   * @param {string} op
   * @param {Map<string, any>} [attrs] of attr_value.proto
   */
  constructor(name, op, attrs = new Map()) {
    this.name = name;
    this.op = op;
    this.attrs = attrs;
  }

  /** What a constant is. @returns {Tensor | undefined} */
  get tensor() {
    const proto = this.op === 'Const' ? this.attrs.get('value')?.tensor : undefined;
    if (this.#tensor === undefined && proto) this.#tensor = tensorFromProto(proto);
    return this.#tensor;
  }

  /** Makes a constant of the node. @param {Tensor} tensor */
  become(tensor) {
    this.op = 'Const';
    this.inputs = [];
    this.#tensor = tensor;
  }

  /** @param {string} key @param {number} fallback @returns {number} */
  int(key, fallback) {
    return this.attrs.get(key)?.i ?? fallback;
  }

  /** @param {string} key @param {number} fallback @returns {number} */
  float(key, fallback) {
    return this.attrs.get(key)?.f ?? fallback;
  }

  /** @param {string} key */
  bool(key) {
    return this.attrs.get(key)?.b === true;
  }

  /** @param {string} key @param {string} fallback */
  string(key, fallback) {
    const bytes = this.attrs.get(key)?.s;
    return bytes === undefined ? fallback : decoder.decode(bytes);
  }

  /** @param {string} key @returns {number[]} */
  ints(key) {
    return this.attrs.get(key)?.list?.i ?? [];
  }

  /** @param {string} key @returns {number[]} */
  floats(key) {
    return this.attrs.get(key)?.list?.f ?? [];
  }

  /** @param {string} key @returns {string[]} */
  strings(key) {
    return (this.attrs.get(key)?.list?.s ?? []).map((/** @type {Uint8Array} */ bytes) =>
      decoder.decode(bytes),
    );
  }

  /** @param {string} key */
  dtype(key) {
    return dtypeOf(this.attrs.get(key)?.type);
  }

  /** @param {string} key */
  shape(key) {
    return shapeFromProto(this.attrs.get(key)?.shape);
  }
}

/**
 * @param {string} name
 * @param {Tensor} tensor
 * @returns {Ref}
 */
export function constant(name, tensor) {
  const node = new Node(name, 'Const');
  node.become(tensor);
  return { node, index: 0 };
}

/**
 * @param {string} name
 * @param {string} op
 * @param {Ref[]} inputs
 * @param {Record<string, any>} [attrs]
 * @returns {Ref}
 */
export function make(name, op, inputs, attrs = {}) {
  const node = new Node(name, op, new Map(Object.entries(attrs)));
  node.inputs = inputs;
  return { node, index: 0 };
}

// Outputs of operators that have several, by the names that functions use for them. Of all others the name does not
// matter: one output, or one list.
const OUTPUT_NAMES = new Map([
  ['FusedBatchNorm', ['y']],
  ['FusedBatchNormV2', ['y']],
  ['FusedBatchNormV3', ['y']],
  ['TopKV2', ['values', 'indices']],
  ['Switch', ['output_false', 'output_true']],
  ['NonMaxSuppressionV4', ['selected_indices', 'valid_outputs']],
  ['NonMaxSuppressionV5', ['selected_indices', 'selected_scores', 'valid_outputs']],
  ['CombinedNonMaxSuppression', ['nmsed_boxes', 'nmsed_scores', 'nmsed_classes', 'valid_detections']],
  ['TensorArrayV3', ['handle', 'flow']],
]);

const CONDITIONS = new Set(['If', 'StatelessIf']);
const CALLS = new Set([
  'PartitionedCall',
  'StatefulPartitionedCall',
  'While',
  'StatelessWhile',
  ...CONDITIONS,
]);
const MAX_HOPS = 100;

export class GraphBuilder {
  /** @type {Map<string, FunctionDef>} */ functions;
  /** @type {{node: Node, def: NodeDef, scope: Scope}[]} */ #pending = [];
  /** @type {Ref[]} what decides on another round, of every loop met */ loopConditions = [];
  #count = 0;
  #calls = 0;
  #top;

  /** @param {GraphDef} graphDef */
  constructor({ node = [], library }) {
    this.functions = new Map((library?.function ?? []).map((def) => [def.signature?.name, def]));
    this.#top = new Scope(this, node, new Map(), '', 0);
  }

  /** The definition of a node of the graph itself. @param {string} name */
  definition(name) {
    return this.#top.defs.get(name);
  }

  /** @returns {Iterable<NodeDef>} */
  get definitions() {
    return this.#top.defs.values();
  }

  /**
   * @param {string} name "node" or "node:1"
   * @returns {Ref} with all that it needs linked
   */
  output(name) {
    if (!this.definition(name.split(':')[0]))
      throw convertFailure('SIGNATURE_UNKNOWN', `there is no node '${name}'`);
    const ref = this.#top.ref(name);
    this.link();
    return ref;
  }

  /**
   * @param {NodeDef} def
   * @param {Scope} scope
   */
  create(def, scope) {
    if (++this.#count > MAX_NODES) throw convertFailure('GRAPH_BAD', `over ${MAX_NODES} nodes`);
    const node = new Node(scope.path + def.name, def.op, def.attr);
    this.#pending.push({ node, def, scope });
    if (def.op === 'LoopCond') this.loopConditions.push({ node, index: 0 });
    return node;
  }

  countCall() {
    if (++this.#calls > MAX_CALLS) throw convertFailure('GRAPH_BAD', `over ${MAX_CALLS} function calls`);
  }

  /** Gives all nodes made so far their inputs. */
  link() {
    for (let next = this.#pending.pop(); next; next = this.#pending.pop()) {
      const { node, def, scope } = next;
      node.inputs = scope.inputsOf(def);
    }
  }
}

/** The nodes of one graph or of one call of a function. */
class Scope {
  /** @type {Map<string, NodeDef>} */ defs;
  /** @type {Map<string, Node>} */ #nodes = new Map();
  /** @type {Map<string, (index: number) => Ref>} */ #calls = new Map();
  /** @type {Set<string>} */ #opening = new Set();
  #builder;
  #args;

  /**
   * @param {GraphBuilder} builder
   * @param {NodeDef[]} defs
   * @param {Map<string, Ref>} args
   * @param {string} path
   * @param {number} depth
   */
  constructor(builder, defs, args, path, depth) {
    this.#builder = builder;
    this.#args = args;
    this.defs = new Map(defs.map((def) => [def.name, def]));
    this.path = path;
    this.depth = depth;
  }

  /** @param {NodeDef} def */
  inputsOf(def) {
    return (def.input ?? []).filter((input) => !input.startsWith('^')).map((input) => this.ref(input));
  }

  /**
   * @param {string} text "node", "node:1", "node:output:1" or an argument's name
   * @returns {Ref}
   */
  ref(text) {
    const [name, ...where] = text.split(':');
    const argument = this.#args.get(name);
    if (argument) return argument;
    const def = this.defs.get(name);
    if (def === undefined) throw convertFailure('GRAPH_BAD', `there is no node '${this.path}${name}'`);
    const index = outputIndex(def.op, where);
    const call = CALLS.has(def.op) ? this.#call(def) : undefined;
    if (call) return call(index);
    let node = this.#nodes.get(name);
    if (node === undefined) {
      node = this.#builder.create(def, this);
      this.#nodes.set(name, node);
    }
    return { node, index };
  }

  /**
   * A call -> its function's body, once. Of a loop: its body for one round, which is all there is for a batch of one.
   * @param {NodeDef} def
   */
  #call(def) {
    const known = this.#calls.get(def.name);
    if (known) return known;
    const path = this.path + def.name;
    if (this.#opening.has(def.name)) throw convertFailure('GRAPH_BAD', `'${path}' takes its own output`);
    this.#opening.add(def.name);
    this.#builder.countCall();
    const isCondition = CONDITIONS.has(def.op);
    const branch = isCondition && this.#isTrue(def) ? 'then_branch' : 'else_branch';
    const name =
      (isCondition ? def.attr?.get(branch) : (def.attr?.get('f') ?? def.attr?.get('body')))?.func?.name ?? '';
    const body = this.#builder.functions.get(name);
    if (body === undefined)
      throw convertFailure('GRAPH_BAD', `there is no function '${name}', called by '${path}'`);
    if (this.depth >= MAX_CALL_DEPTH)
      throw convertFailure('GRAPH_BAD', `the function '${name}' calls itself`);
    const inputs = this.inputsOf(def).slice(Number(isCondition));
    const call = openFunction(this.#builder, body, inputs, `${path}/`, this.depth + 1);
    this.#calls.set(def.name, call);
    const condition = this.#builder.functions.get(def.attr?.get('cond')?.func?.name ?? '');
    if (condition)
      this.#builder.loopConditions.push(
        openFunction(this.#builder, condition, inputs, `${path}/cond/`, this.depth + 1)(0),
      );
    return call;
  }

  /** Whether a condition that is known beforehand (such as: no training) holds. @param {NodeDef} def */
  #isTrue(def) {
    let { node } = this.inputsOf(def)[0];
    this.#builder.link();
    for (let hops = 0; !node.tensor && node.inputs.length > 0 && hops < MAX_HOPS; hops++)
      [{ node }] = node.inputs;
    if (!node.tensor) throw convertFailure('GRAPH_UNSUPPORTED', `${def.op} at '${this.path}${def.name}'`);
    return Boolean(node.tensor.data[0]);
  }
}

/**
 * @param {GraphBuilder} builder
 * @param {FunctionDef} body
 * @param {Ref[]} inputs
 * @param {string} path
 * @param {number} depth
 * @returns {(index: number) => Ref}
 */
function openFunction(builder, { signature, nodeDef = [], ret = [] }, inputs, path, depth) {
  const names = signature.inputArg ?? [];
  if (inputs.length < names.length) throw convertFailure('GRAPH_BAD', `'${path}' lacks an argument`);
  const args = new Map(names.map(({ name }, i) => [name, inputs[i]]));
  const scope = new Scope(builder, nodeDef, args, path, depth);
  const returned = new Map(ret.map(({ key, value }) => [key, value]));
  return (index) => {
    const value = returned.get(signature.outputArg?.[index]?.name ?? '');
    if (value === undefined) throw convertFailure('GRAPH_BAD', `'${path}' has no output ${index}`);
    return scope.ref(value);
  };
}

/**
 * @param {string} op
 * @param {string[]} where [], ["1"] or ["output", "1"]
 */
function outputIndex(op, where) {
  const index = Number(where.at(-1) ?? 0);
  if (!Number.isInteger(index) || index < 0)
    throw convertFailure('GRAPH_BAD', `output '${where.join(':')}' of a ${op}`);
  if (where.length < 2) return index;
  const at = OUTPUT_NAMES.get(op)?.indexOf(where[0]) ?? 0;
  return Math.max(at, 0) + index;
}

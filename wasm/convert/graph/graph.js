// Builds a graph of linked nodes from a GraphDef, whose nodes name their inputs. Function calls are inlined. Only nodes
// that the outputs depend on are built.
import { convertFailure } from '../errors.js';
import { evaluate } from './kernels.js';
import { dtypeOf, shapeFromProto, tensorFromProto } from '../../tflite/tensor.js';

/**
 * @typedef {import('../../tflite/tensor.js').Tensor} Tensor
 * @typedef {{node: Node, index: number}} Ref an output of a node
 * @typedef {{name: string, op: string, input?: string[], attr?: Map<string, any>, tensor?: Tensor}} NodeDef `tensor`: the
 *   value of a constant that is stored elsewhere
 * @typedef {{signature: {name: string, inputArg?: {name: string}[], outputArg?: {name: string}[]}, nodeDef?: NodeDef[],
 *   ret?: {key: string, value: string}[]}} FunctionDef
 * @typedef {{node?: NodeDef[], library?: {function?: FunctionDef[]}}} GraphDef
 * @typedef {{condition: Ref, next?: Ref, results: Ref[]}} Loop its condition before the first iteration, and before the
 *   second one if it is a function; what an iteration computes
 */

const MAX_CALL_DEPTH = 100;
const MAX_NODES = 2_000_000;
const MAX_CALLS = 100_000;
const decoder = new TextDecoder();

export class Node {
  /** @type {Ref[]} */ inputs = [];
  /** @type {Tensor | undefined} */ #tensor;

  /**
   * @param {string} name prefixed with the path of function calls
   * @param {string} op
   * @param {Map<string, any>} [attrs] of attr_value.proto
   */
  constructor(name, op, attrs = new Map()) {
    this.name = name;
    this.op = op;
    this.attrs = attrs;
  }

  /** The value of a constant. @returns {Tensor | undefined} */
  get tensor() {
    const proto = this.op === 'Const' ? this.attrs.get('value')?.tensor : undefined;
    if (this.#tensor === undefined && proto) this.#tensor = tensorFromProto(proto);
    return this.#tensor;
  }

  /** Turns the node into a constant. @param {Tensor} tensor */
  setConstant(tensor) {
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
  node.setConstant(tensor);
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

/**
 * Functions refer to outputs by name. These are the names for operators with several outputs; every other operator has
 * one output, or one list of outputs.
 */
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

/** Operators whose output is their first input. */
export const IDENTITIES = new Set([
  ...['Identity', 'StopGradient', 'PreventGradient', 'Snapshot', 'CheckNumerics', 'EnsureShape', 'Print'],
  ...['ReadVariableOp', 'Enter', 'NextIteration', 'LoopCond', 'PlaceholderWithDefault', 'DisableCopyOnRead'],
]);
const CONDITIONS = new Set(['If', 'StatelessIf']);
const LOOPS = new Set(['While', 'StatelessWhile']);
const CALLS = new Set(['PartitionedCall', 'StatefulPartitionedCall', ...LOOPS, ...CONDITIONS]);
const MAX_HOPS = 100;

export class GraphBuilder {
  /** @type {Map<string, FunctionDef>} */ functions;
  /** @type {{node: Node, def: NodeDef, scope: Scope}[]} */ #pending = [];
  /** @type {Loop[]} */ loops = [];
  /** @type {Map<Node, Loop>} */ #loopsByCondition = new Map();
  #count = 0;
  #calls = 0;
  #top;

  /** @param {GraphDef} graphDef */
  constructor({ node = [], library }) {
    this.functions = new Map((library?.function ?? []).map((def) => [def.signature?.name, def]));
    this.#top = new Scope(this, node, new Map(), '', 0);
  }

  /** The definition of a node outside functions. @param {string} name */
  definition(name) {
    return this.#top.defs.get(name);
  }

  /** @returns {Iterable<NodeDef>} */
  get definitions() {
    return this.#top.defs.values();
  }

  /**
   * @param {string} name "node" or "node:1"
   * @returns {Ref} with all nodes that it depends on linked
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
    if (++this.#count > MAX_NODES) throw convertFailure('GRAPH_BAD', `it has over ${MAX_NODES} nodes`);
    const node = new Node(scope.path + def.name, def.op, def.attr);
    this.#pending.push({ node, def, scope });
    if (def.tensor) node.setConstant(def.tensor);
    if (def.op === 'LoopCond') {
      const loop = { condition: { node, index: 0 }, results: [] };
      this.loops.push(loop);
      this.#loopsByCondition.set(node, loop);
    }
    return node;
  }

  countCall() {
    if (++this.#calls > MAX_CALLS)
      throw convertFailure('GRAPH_BAD', `it has over ${MAX_CALLS} function calls`);
  }

  /** Sets the inputs of all nodes created since the last call, and creates these. */
  link() {
    for (let next = this.#pending.pop(); next; next = this.#pending.pop()) {
      const { node, def, scope } = next;
      node.inputs = scope.inputsOf(def);
      // A TensorFlow 1 loop switches its variables, each of them a Merge, by its condition.
      const [variable, condition] = node.inputs;
      if (node.op === 'Switch') this.#loopsByCondition.get(condition?.node)?.results.push(variable);
    }
  }
}

/** The nodes of the main graph or of one function call. */
class Scope {
  /** @type {Map<string, NodeDef>} */ defs;
  /** @type {Map<string, Node>} */ #nodes = new Map();
  /** @type {Map<string, (index: number) => Ref>} */ #calls = new Map();
  /** @type {Set<string>} */ #inProgress = new Set();
  #builder;
  #args;

  /**
   * @param {GraphBuilder} builder
   * @param {NodeDef[]} defs
   * @param {Map<string, () => Ref>} args
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
    if (argument) return argument();
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
   * Inlines the function that a node calls, once per node. A loop's body is inlined for one iteration; see loops.js.
   * @param {NodeDef} def
   */
  #call(def) {
    const known = this.#calls.get(def.name);
    if (known) return known;
    const path = this.path + def.name;
    if (this.#inProgress.has(def.name)) throw convertFailure('GRAPH_BAD', `'${path}' takes its own output`);
    this.#inProgress.add(def.name);
    this.#builder.countCall();
    const isLoop = LOOPS.has(def.op);
    const inputs = this.inputsOf(def).slice(Number(CONDITIONS.has(def.op)));
    const input = (/** @type {number} */ index) => {
      if (inputs[index]) return isLoop ? make(path, 'Enter', [inputs[index]]) : inputs[index];
      throw convertFailure('GRAPH_BAD', `'${path}' has ${inputs.length} arguments, expected more`);
    };
    const call = this.#inline(def, this.#bodyOf(def), input, '');
    const result = isLoop ? this.#loop(def, input, call) : call;
    this.#calls.set(def.name, result);
    return result;
  }

  /**
   * Adds a loop, and notes which of its results are used.
   * @param {NodeDef} def
   * @param {(index: number) => Ref} input
   * @param {(index: number) => Ref} call its body
   */
  #loop(def, input, call) {
    /** @type {Ref[]} */
    const results = [];
    this.#builder.loops.push({
      condition: this.#inline(def, 'cond', input, 'cond/')(0),
      next: this.#inline(def, 'cond', call, 'next/')(0),
      results,
    });
    return (/** @type {number} */ index) => {
      const result = call(index);
      results.push(result);
      return result;
    };
  }

  /** The attribute that names the function whose outputs the node has. @param {NodeDef} def */
  #bodyOf(def) {
    if (CONDITIONS.has(def.op)) return this.#isTrue(def) ? 'then_branch' : 'else_branch';
    return LOOPS.has(def.op) ? 'body' : 'f';
  }

  /**
   * @param {NodeDef} def
   * @param {string} key of the attribute that names the function
   * @param {(index: number) => Ref} input
   * @param {string} place
   */
  #inline(def, key, input, place) {
    const path = this.path + def.name;
    const name = def.attr?.get(key)?.func?.name ?? '';
    const body = this.#builder.functions.get(name);
    if (body === undefined)
      throw convertFailure('GRAPH_BAD', `there is no function '${name}', called by '${path}'`);
    if (this.depth >= MAX_CALL_DEPTH)
      throw convertFailure('GRAPH_BAD', `the function '${name}' calls itself`);
    return inlineFunction(this.#builder, body, input, `${path}/${place}`, this.depth + 1);
  }

  /** Evaluates a condition that is constant, such as the flag for training. @param {NodeDef} def */
  #isTrue(def) {
    const [condition] = this.inputsOf(def);
    this.#builder.link();
    const value = valueOf(condition, new Map(), 0);
    if (value === undefined || value.strings)
      throw convertFailure(
        'GRAPH_UNSUPPORTED',
        `${def.op} at '${this.path}${def.name}': its condition is not constant`,
      );
    return value.shape.length === 0 ? value.data[0] !== 0 : value.data.length > 0;
  }
}

/** What one operand must be to decide the result, whatever the other is. */
const DECIDING = new Map([
  ['LogicalAnd', false],
  ['LogicalOr', true],
]);

/**
 * The operand that alone decides a condition of scalars.
 * @param {Node} node
 * @param {(Tensor | undefined)[]} inputs
 */
const decidingOf = ({ op }, inputs) =>
  inputs.find((input) => input?.shape.length === 0 && Boolean(input.data[0]) === DECIDING.get(op));

/**
 * The value of an output that constants decide.
 * @param {Ref} ref
 * @param {Map<Node, Tensor[] | undefined>} known the outputs of nodes that were evaluated
 * @param {number} hops
 * @returns {Tensor | undefined}
 */
function valueOf({ node, index }, known, hops) {
  if (node.tensor) return node.tensor;
  if (node.inputs.length === 0 || hops > MAX_HOPS) return undefined;
  if (IDENTITIES.has(node.op)) return valueOf(node.inputs[0], known, hops + 1);
  if (!known.has(node)) {
    const inputs = node.inputs.map((input) => valueOf(input, known, hops + 1));
    const isKnown = inputs.every((input) => input !== undefined);
    const deciding = decidingOf(node, inputs);
    known.set(node, isKnown ? evaluate(node, inputs) : deciding && [deciding]);
  }
  return known.get(node)?.[index];
}

/**
 * @param {GraphBuilder} builder
 * @param {FunctionDef} body
 * @param {(index: number) => Ref} input
 * @param {string} path
 * @param {number} depth
 * @returns {(index: number) => Ref}
 */
function inlineFunction(builder, { signature, nodeDef = [], ret = [] }, input, path, depth) {
  const args = new Map((signature.inputArg ?? []).map(({ name }, i) => [name, () => input(i)]));
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
    throw convertFailure('GRAPH_BAD', `'${where.join(':')}' is not an output of ${op}`);
  if (where.length < 2) return index;
  const at = OUTPUT_NAMES.get(op)?.indexOf(where[0]) ?? 0;
  return Math.max(at, 0) + index;
}

// Loads variables from a checkpoint. The graph's restore operation gives the key of each variable; without one, the
// variable's name is the key.
import { convertFailure } from '../errors.js';
import { tensorFromProto } from '../../tflite/tensor.js';

/**
 * @typedef {import('../graph/graph.js').GraphBuilder} GraphBuilder
 * @typedef {import('../graph/graph.js').Node} Node
 * @typedef {import('../graph/graph.js').NodeDef} NodeDef
 */

const VARIABLES = new Set(['VarHandleOp', 'VariableV2', 'Variable']);
const ASSIGNMENTS = new Set(['AssignVariableOp', 'Assign']);
const decoder = new TextDecoder();

/**
 * Replaces variables by constants.
 * @param {Iterable<Node>} nodes
 * @param {Map<string, string>} keys by variable's name
 * @param {import('./checkpoint.js').Checkpoint | undefined} checkpoint
 */
export async function loadVariables(nodes, keys, checkpoint) {
  for (const node of nodes) {
    if (!VARIABLES.has(node.op)) continue;
    if (checkpoint === undefined)
      throw convertFailure(
        'CHECKPOINT_INCOMPLETE',
        `there is no checkpoint with the variable '${node.name}'`,
      );
    const candidates = [keys.get(node.name), node.string('shared_name', ''), node.name];
    const key = candidates.find((candidate) => candidate && checkpoint.has(candidate));
    node.setConstant(await checkpoint.read(key ?? candidates.find(Boolean) ?? node.name));
  }
}

/**
 * @param {GraphBuilder} builder
 * @param {string | undefined} restoreName name of the restore operation
 * @returns {Map<string, string>} checkpoint keys by variable's name
 */
export function restoredKeys(builder, restoreName) {
  const call = builder.definition(restoreName?.split(':')[0] ?? '');
  const body = builder.functions.get(call?.attr?.get('f')?.func?.name ?? '');
  if (call && body) {
    const inputs = call.input ?? [];
    const variableOf = new Map(
      (body.signature.inputArg ?? []).map(({ name }, i) => [name, inputs[i]?.split(':')[0]]),
    );
    return assignedKeys(body.nodeDef ?? [], variableOf);
  }
  return assignedKeys(builder.definitions, new Map());
}

/**
 * @param {Iterable<NodeDef>} defs
 * @param {Map<string, string | undefined>} variableOf variables by argument name
 */
function assignedKeys(defs, variableOf) {
  const byName = new Map(Array.from(defs, (def) => [def.name, def]));
  /** @type {Map<string, string[]>} */
  const keysOf = new Map();
  /** @type {Map<string, string>} */
  const assigned = new Map();
  for (const { op, input = [] } of byName.values()) {
    if (!ASSIGNMENTS.has(op) || input.length < 2) continue;
    const [restore, index] = skipIdentities(byName, input[1]);
    if (restore?.op !== 'RestoreV2') continue;
    if (!keysOf.has(restore.name)) keysOf.set(restore.name, keysReadBy(byName, restore));
    const variable = input[0].split(':')[0];
    const key = keysOf.get(restore.name)?.[index];
    if (key !== undefined) assigned.set(variableOf.get(variable) ?? variable, key);
  }
  return assigned;
}

/**
 * @param {Map<string, NodeDef>} byName
 * @param {string} input
 * @returns {[NodeDef | undefined, number]}
 */
function skipIdentities(byName, input) {
  for (let hops = 0; hops < 100; hops++) {
    const [name, ...where] = input.split(':');
    const def = byName.get(name);
    if (def?.op !== 'Identity' || !def.input?.length) return [def, Number(where.at(-1) ?? 0)];
    [input] = def.input;
  }
  return [undefined, 0];
}

/**
 * The checkpoint keys that a restore operation reads.
 * @param {Map<string, NodeDef>} byName
 * @param {NodeDef} restore
 */
function keysReadBy(byName, { input = [] }) {
  const [names] = skipIdentities(byName, input[1] ?? '');
  const proto = names?.attr?.get('value')?.tensor;
  return proto ? (tensorFromProto(proto).strings ?? []).map((bytes) => decoder.decode(bytes)) : [];
}

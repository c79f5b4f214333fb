// Finds the names of the classes: in the lookup tables behind a detector's outputs, or in a label map or label file
// next to the graph.
import { safeJson } from '../shared/text.js';
import { convertFailure } from './errors.js';

/**
 * @typedef {import('./graph/graph.js').Node} Node
 * @typedef {import('./graph/graph.js').Ref} Ref
 * @typedef {import('./graph/facts.js').Facts} Facts
 * @typedef {import('./source/saved_model.js').Model} Model
 * @typedef {{names?: string[], mids?: string[]}} Labels by class id, without background; mids: Knowledge Graph ids
 */

const IS_MID = /^\/[mg]\//;
/** Operators between a detector's class ids and its lookup table that do not change the ids. */
const TRANSPARENT = new Set([
  'Cast',
  'Squeeze',
  'ExpandDims',
  'Reshape',
  'StridedSlice',
  'Slice',
  'GatherV2',
  'Gather',
  'Pack',
  'Unpack',
  'PadV2',
  'Pad',
  'Select',
  'SelectV2',
  'Identity',
]);
const MAX_HOPS = 200;

/**
 * @param {Model} model
 * @param {Facts} facts
 * @param {number} numClasses
 * @returns {Promise<Labels>}
 */
export async function readLabels(model, facts, numClasses) {
  /** @type {Labels} */
  const labels = {};
  for (const { ref } of model.outputs) {
    const table = ref.node.op.startsWith('LookupTableFind')
      ? await model.readTable(ref.node.inputs[0].node)
      : undefined;
    if (!table) continue;
    const first = firstKey(ref.node.inputs[1], facts, table, numClasses);
    const texts = Array.from({ length: numClasses }, (_, i) => table.get(first + i) ?? '');
    const isMids = texts.every((text) => IS_MID.test(text));
    labels[isMids ? 'mids' : 'names'] = isMids ? texts : toNames(texts);
  }
  if (labels.names || labels.mids) return labels;
  return readLabelFiles(model, numClasses);
}

/**
 * Returns the table's key of class 0. Follows the graph back from the table's input and sums the constants that it
 * adds.
 * @param {Ref} keys
 * @param {Facts} facts
 * @param {Map<number, string>} table
 * @param {number} numClasses
 */
function firstKey(keys, facts, table, numClasses) {
  let offset = 0;
  let ref = keys;
  for (let hops = 0; hops < MAX_HOPS; hops++) {
    const { op, inputs } = ref.node;
    const constant = inputs.map((input) => facts.value(input)).find((value) => value?.data.length === 1);
    if ((op === 'Add' || op === 'AddV2') && constant) offset += constant.data[0];
    else if (op === 'Sub' && constant) offset -= constant.data[0];
    else if (!TRANSPARENT.has(op)) break;
    const next = inputs.find((input) => !facts.value(input));
    if (!next) break;
    ref = next;
  }
  const coversAllClasses = (/** @type {number} */ first) =>
    table.has(first) && table.has(first + numClasses - 1);
  return coversAllClasses(offset) ? offset : coversAllClasses(1) ? 1 : 0;
}

/**
 * @param {Model} model
 * @param {number} numClasses
 * @returns {Promise<Labels>}
 */
async function readLabelFiles({ files }, numClasses) {
  for (const name of files?.names ?? []) {
    if (!/label[^/]*\.(txt|pbtxt)$/i.test(name) || !files) continue;
    const text = new TextDecoder().decode(await files.read(name));
    const labels = name.endsWith('.pbtxt') ? parseLabelMap(text, numClasses) : parseLines(text, numClasses);
    if (labels) return labels;
  }
  return {};
}

/**
 * Reads the labels of a classifier from a label file or Teachable Machine's metadata.json.
 * @param {import('./source/files.js').Files | undefined} files
 * @param {number} numClasses
 * @returns {Promise<string[] | undefined>}
 */
export async function classifierLabels(files, numClasses) {
  for (const name of files?.names ?? []) {
    if (!files || !isNames(name)) continue;
    const labels = await readNames(files, name);
    if (labels?.length === numClasses) return toNames(labels);
  }
  return undefined;
}

/**
 * Which files of names are left out, because the model has another number of classes.
 * @param {import('./source/files.js').Files | undefined} files
 * @param {number} numClasses
 * @returns {Promise<string[]>} notes
 */
export async function describeMisfits(files, numClasses) {
  const notes = [];
  for (const name of files?.names ?? []) {
    if (!files || !isNames(name)) continue;
    const labels = await readNames(files, name);
    if (labels && labels.length !== numClasses)
      notes.push(`names in ${name}: ${labels.length}, but the model has ${numClasses} classes; left out`);
  }
  return notes;
}

const isNames = (/** @type {string} */ file) => /label[^/]*\.txt$/i.test(file) || file === 'metadata.json';

/** @param {import('./source/files.js').Files} files @param {string} name @returns {Promise<string[] | undefined>} */
async function readNames(files, name) {
  const text = new TextDecoder().decode(await files.read(name));
  return name === 'metadata.json' ? parseJsonLabels(text) : text.trimEnd().split(/\r?\n/);
}

/** @param {string} text @returns {string[] | undefined} */
function parseJsonLabels(text) {
  try {
    const { labels } = JSON.parse(text);
    return Array.isArray(labels) ? labels.map(String) : undefined;
  } catch {
    return undefined;
  }
}

/** One label per line; the first line may be the background. @param {string} text @param {number} numClasses */
function parseLines(text, numClasses) {
  const lines = text
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => line.trim());
  if (lines.length === numClasses + 1) lines.shift();
  return lines.length === numClasses ? { names: toNames(lines) } : undefined;
}

/**
 * Parses the Object Detection API's label map: item { id: 1 name: "..." display_name: "..." }, with ids from 1.
 * @param {string} text
 * @param {number} numClasses
 * @returns {Labels | undefined}
 */
function parseLabelMap(text, numClasses) {
  const items = [...text.matchAll(/item\s*\{([^}]*)\}/g)].map(([, body]) => ({
    id: Number(/\bid\s*:\s*(\d+)/.exec(body)?.[1]),
    name: quoted(body, 'name'),
    displayName: quoted(body, 'display_name'),
  }));
  const byId = new Map(items.map((item) => [item.id, item]));
  if (items.length === 0 || items.some(({ id }) => !(id >= 0 && id <= numClasses))) return undefined;
  const ordered = Array.from({ length: numClasses }, (_, i) => byId.get(i + 1));
  const names = ordered.map((item) => item?.displayName ?? item?.name ?? '');
  const mids = ordered.map((item) => item?.name ?? '');
  return { names: toNames(names), ...(mids.every((mid) => IS_MID.test(mid)) && { mids }) };
}

const MAX_LENGTH = 1000;

/**
 * Names that survive in a file with one name a line.
 * @param {string[]} texts
 */
function toNames(texts) {
  return texts.map((text, i) => {
    const name = text.trim();
    if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(name))
      throw convertFailure(
        'SOURCE_DAMAGED',
        `the class ${safeJson(name.slice(0, 100))} has a control character`,
      );
    if (name.length > MAX_LENGTH)
      throw convertFailure('SOURCE_DAMAGED', `class ${i} has a name of ${name.length} characters`);
    return name === '' ? `class ${i}` : name;
  });
}

/** @param {string} body @param {string} key */
function quoted(body, key) {
  return new RegExp(`(?:^|[\\s{])${key}\\s*:\\s*["']([^"']*)["']`).exec(body)?.[1];
}

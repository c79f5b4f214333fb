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
 * @typedef {import('../tflite/network.js').Value} Value
 * @typedef {{name: string, value: Value, numClasses: number}} Output of probabilities
 */

/**
 * Reads the names of the classes of each output, from label files or Teachable Machine's metadata.json. Of several outputs
 * with as many classes as a file has names, the file belongs to the one that is part of the file's name.
 * @param {import('./source/files.js').Files | undefined} files
 * @param {Output[]} outputs
 * @returns {Promise<{labels: Map<Value, string[]>, notes: string[]}>} notes: which files are left out
 */
export async function outputLabels(files, outputs) {
  /** @type {Map<Value, string[]>} */
  const labels = new Map();
  const notes = [];
  const lists = await readLists(files);
  for (const { file, names } of lists) {
    const fitting = outputs.filter(({ numClasses }) => numClasses === names.length);
    const isOne = new Set(fitting.map(({ value }) => value)).size === 1;
    const owner = isOne ? fitting[0] : namedIn(file, fitting);
    if (owner && !labels.has(owner.value)) labels.set(owner.value, toNames(names));
    if (fitting.length > 0 && !owner) notes.push(describeRivals(file, fitting));
  }
  const misfits = lists.filter(({ names }) => outputs.every(({ numClasses }) => numClasses !== names.length));
  if (outputs.length > 0 && labels.size === 0)
    notes.push(...misfits.map((list) => describeMisfit(list, outputs[0].numClasses)));
  return { labels, notes };
}

/**
 * The output whose name is part of the file's path, in words of its own, if there is only one; age_group is not age.
 * @param {string} file
 * @param {Output[]} outputs
 */
function namedIn(file, outputs) {
  const wordsOf = (/** @type {string} */ text) => `_${text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '_')}_`;
  const named = outputs
    .filter(({ name }) => wordsOf(file).includes(wordsOf(name)))
    .sort((a, b) => b.name.length - a.name.length);
  const isOne = named.every(({ name }) => wordsOf(named[0].name).includes(wordsOf(name)));
  return isOne ? named[0] : undefined;
}

/** @param {string} file @param {Output[]} outputs */
function describeRivals(file, outputs) {
  const names = outputs.map(({ name }) => `'${name}'`).join(', ');
  return `names in ${file}: they fit the outputs ${names}, and its name does not say which; left out`;
}

/**
 * Which files of names are left out, because the model has another number of classes.
 * @param {import('./source/files.js').Files | undefined} files
 * @param {number} numClasses
 * @returns {Promise<string[]>} notes
 */
export async function describeMisfits(files, numClasses) {
  const misfits = (await readLists(files)).filter(({ names }) => names.length !== numClasses);
  return misfits.map((list) => describeMisfit(list, numClasses));
}

/** @param {{file: string, names: string[]}} list @param {number} numClasses */
const describeMisfit = ({ file, names }, numClasses) =>
  `names in ${file}: ${names.length}, but the model has ${numClasses} classes; left out`;

/** @param {import('./source/files.js').Files | undefined} files */
async function readLists(files) {
  const lists = [];
  for (const file of files?.names ?? []) {
    const names = files && isNames(file) ? await readNames(files, file) : undefined;
    if (names) lists.push({ file, names });
  }
  return lists;
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
  const items = readItems(text);
  const byId = new Map(items.map((item) => [Number(item.get('id')), item]));
  const isId = (/** @type {number} */ id) => id >= 0 && id <= numClasses;
  if (items.length === 0 || ![...byId.keys()].every(isId)) return undefined;
  const ordered = Array.from({ length: numClasses }, (_, i) => byId.get(i + 1));
  const names = ordered.map((item) => item?.get('display_name') ?? item?.get('name') ?? '');
  const mids = ordered.map((item) => item?.get('name') ?? '');
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

// Protobuf's text format. A string ends at the quote that it begins with, or with the line.
const STRING = /"((?:\\.|[^"\\\n])*)"?|'((?:\\.|[^'\\\n])*)'?/g;
const ESCAPE =
  /\\([0-7]{1,3})|\\[xX]([\da-fA-F]{1,2})|((?:\\u[\da-fA-F]{4})+)|\\U([\da-fA-F]{8})|\\(.)|[^\\]+/g;
const COMMENT = new RegExp(`(${STRING.source})|#.*`, 'g');
const FIELD = new RegExp(
  String.raw`\b(?<key>\w+)\s*:\s*(?<value>(?:(?:${STRING.source})\s*)+|[\w.+-]+)|(?<begin>[{<])|(?<end>[}>])|${STRING.source}`,
  'g',
);
/** The letters of escapes that stand for control characters. */
const CONTROLS = /** @type {Record<string, string>} */ ({
  ...{ a: '\u0007', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' },
});

/**
 * The fields of a label map's items, without those of messages inside.
 * @param {string} text
 */
function readItems(text) {
  /** @type {Map<string, string>[]} */
  const items = [];
  let depth = 0;
  for (const { groups = {} } of text.replace(COMMENT, '$1').matchAll(FIELD)) {
    const { key, value, begin, end } = groups;
    if (begin && depth++ === 0) items.push(new Map());
    else if (end) depth--;
    else if (key && depth === 1) items.at(-1)?.set(key, /^["']/.test(value) ? unquote(value) : value);
  }
  return items;
}

/** @param {string} value strings, which are joined */
function unquote(value) {
  const parts = Array.from(value.matchAll(STRING), ([, a, b]) => a ?? b);
  return new TextDecoder().decode(Uint8Array.from(parts.flatMap(unescapeBytes)));
}

/** @param {string} text @returns {number[]} in UTF-8 */
function unescapeBytes(text) {
  const encoder = new TextEncoder();
  return Array.from(text.matchAll(ESCAPE), ([plain, octal, hex, units, point, letter]) => {
    if (octal ?? hex) return [Number.parseInt(octal ?? hex, octal ? 8 : 16) & 255];
    if (units) return encoder.encode(JSON.parse(`"${units}"`));
    if (point) return encoder.encode(String.fromCodePoint(Number.parseInt(point, 16)));
    return encoder.encode(letter ? (CONTROLS[letter] ?? letter) : plain);
  }).flatMap((bytes) => [...bytes]);
}

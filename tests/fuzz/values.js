// JSON values with one field of another type: every field in turn, every hostile value in its place.

/** Values that a careless reader trusts. @type {unknown[]} */
const HOSTILE = [
  ...[null, true, -1, 0.5, 1e300, '', 'x', [], [null], {}, { toString: 0, valueOf: 0 }, { length: 1e9 }],
  ...[[[[[]]]], { __proto__: null, constructor: 1 }],
];

/**
 * @param {any} value
 * @returns {Generator<{path: string, value: unknown}>}
 */
export function* withHostileFields(value) {
  for (const path of pathsOf(value)) {
    for (const hostile of HOSTILE)
      yield { path: `${path.join('.')} = ${JSON.stringify(hostile)}`, value: replace(value, path, hostile) };
    if (path.length > 0) yield { path: `${path.join('.')} is missing`, value: remove(value, path) };
  }
}

/** @param {any} value @returns {Generator<string[]>} */
function* pathsOf(value) {
  yield [];
  if (typeof value !== 'object' || value === null) return;
  for (const [key, each] of Object.entries(value)) for (const path of pathsOf(each)) yield [key, ...path];
}

/** @param {any} value @param {string[]} path @param {unknown} hostile @returns {any} */
function replace(value, [key, ...rest], hostile) {
  if (key === undefined) return hostile;
  const copy = Array.isArray(value) ? [...value] : { ...value };
  copy[key] = replace(value[key], rest, hostile);
  return copy;
}

/** @param {any} value @param {string[]} path @returns {any} */
function remove(value, [key, ...rest]) {
  if (key === undefined) return undefined;
  const copy = Array.isArray(value) ? [...value] : { ...value };
  if (rest.length > 0) copy[key] = remove(value[key], rest);
  else if (Array.isArray(copy)) copy.splice(Number(key), 1);
  else delete copy[key];
  return copy;
}

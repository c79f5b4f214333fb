// What platforms provide.

/**
 * An instance of a class of the platform (`URL`, `AbortSignal` …), or `never` if the user's TypeScript project has no
 * types of it: a project without DOM types must be able to read ocelli's types.
 * @template {string} Name
 * @typedef {typeof globalThis extends {[name in Name]: {prototype: infer T}} ? T : never} Global
 */

/**
 * The class name of a built-in object. `instanceof` does not work: an <iframe>, jsdom and Jest have their own classes.
 * @param {any} value
 * @returns {string | undefined}
 */
export function tagOf(value) {
  return value?.[Symbol.toStringTag];
}

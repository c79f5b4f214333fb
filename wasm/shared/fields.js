// Checks values that come from a file, field by field, after a table. A check returns what is wrong with a value, or
// undefined.

/** @typedef {(value: unknown, name: string) => string | undefined} Check */

/** @param {{min?: number, max?: number, integer?: boolean}} range @returns {Check} */
export const number =
  ({ min = -Number.MAX_VALUE, max = Number.MAX_VALUE, integer = false } = {}) =>
  (value, name) => {
    const fits =
      typeof value === 'number' && value >= min && value <= max && (!integer || Number.isInteger(value));
    if (fits) return undefined;
    const range = min === -Number.MAX_VALUE ? '' : ` from ${min} to ${max}`;
    return `${name} must be ${integer ? 'a whole number' : 'a number'}${range}`;
  };

/** @param {readonly unknown[]} choices @returns {Check} */
export const choice = (choices) => (value, name) =>
  choices.includes(value) ? undefined : `${name} must be ${choices.map((each) => `'${each}'`).join(' or ')}`;

/** @type {Check} */
export const boolean = (value, name) =>
  typeof value === 'boolean' ? undefined : `${name} must be true or false`;

/** @param {number} max characters @returns {Check} */
export const text = (max) => (value, name) => {
  if (typeof value !== 'string') return `${name} must be a text`;
  return value.length > max ? `${name} has ${value.length} characters; the limit is ${max}` : undefined;
};

/** @param {Check} check of each item @param {{min?: number, max: number}} length @returns {Check} */
export const list =
  (check, { min = 0, max }) =>
  (value, name) => {
    if (!Array.isArray(value)) return `${name} must be a list`;
    if (value.length < min || value.length > max)
      return `${name} has ${value.length} items instead of ${min} to ${max}`;
    for (let i = 0; i < value.length; i++) {
      const fault = check(value[i], `${name}[${i}]`);
      if (fault) return fault;
    }
    return undefined;
  };

/**
 * An object. Fields may be missing; fields that are not in the table are not looked at.
 * @param {Record<string, Check>} fields
 * @param {readonly string[]} [needed]
 * @returns {Check}
 */
export const record =
  (fields, needed = []) =>
  (value, name) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return `${name} must be an object`;
    const present = new Map(Object.entries(value).filter(([, each]) => each !== undefined));
    const prefix = name === '' ? '' : `${name}.`;
    for (const [key, check] of Object.entries(fields)) {
      if (!present.has(key)) {
        if (needed.includes(key)) return `${prefix}${key} is missing`;
        continue;
      }
      const fault = check(present.get(key), prefix + key);
      if (fault) return fault;
    }
    return undefined;
  };

/** A value that one of two checks accepts. @param {Check} first @param {Check} second @returns {Check} */
export const either = (first, second) => (value, name) => {
  const fault = first(value, name);
  return fault && second(value, name) && fault;
};

/** @param {Check} check @returns {Check} also null */
export const nullable = (check) => (value, name) => (value === null ? undefined : check(value, name));

// Stands for node:assert/strict, as far as those tests use it.

/** @param {unknown} value @param {unknown} [message] */
function ok(value, message) {
  if (!value) throw new Error(String(message ?? 'not true'));
}

/** @param {unknown} actual @param {unknown} expected */
const equal = (actual, expected) => ok(Object.is(actual, expected), `${actual} is not ${expected}`);

/** @param {unknown} actual @param {unknown} expected */
const deepEqual = (actual, expected) => equal(JSON.stringify(actual), JSON.stringify(expected));

/** @param {string} message */
const fail = (message) => ok(false, message);

export default { ok, equal, deepEqual, fail };

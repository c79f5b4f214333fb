// Functions that give the same bits on every engine: built from +, -, * and / alone. (Math.exp may differ in the last
// bit between engines.) And random signs that are the same everywhere.

const LN2_HIGH = 0.693147180369123816;
const LN2_LOW = 1.90821492927058770002e-10;

/** e^x to about 1e-15 of its value; 0 below -700, and x above 700 counts as 700. @param {number} x */
export function exp(x) {
  if (!(x > -700)) return 0;
  const power = Math.round(Math.min(x, 700) * Math.LOG2E);
  const rest = Math.min(x, 700) - power * LN2_HIGH - power * LN2_LOW;
  let sum = 1;
  for (let n = 13; n > 0; n--) sum = 1 + (sum * rest) / n;
  return sum * 2 ** power;
}

/** @param {number} x */
export function sigmoid(x) {
  return 1 / (1 + exp(-x));
}

/** The next state of a xorshift generator. @param {number} state not 0 */
function shift(state) {
  let next = state;
  next ^= next << 13;
  next ^= next >>> 17;
  next ^= next << 5;
  return next;
}

/** @param {number} seed @returns {() => 1 | -1} random signs */
export function randomSigns(seed) {
  let state = Math.imul(seed + 1, 0x9e3779b1) | 1;
  return () => {
    state = shift(state);
    return state < 0 ? -1 : 1;
  };
}

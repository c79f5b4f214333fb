// Seeded random numbers in integer arithmetic: the same on every engine.

/**
 * A sequence of whole numbers below 2^32 (splitmix32).
 * @param {number} seed
 */
function sequence(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
}

/**
 * The numbers below `count` in an order that `seed` and `stream` decide, whatever was drawn before.
 * @param {number} count
 * @param {number} seed
 * @param {number} stream
 */
export function shuffled(count, seed, stream) {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  const next = sequence(sequence(seed)() ^ Math.imul(stream + 1, 0x85ebca6b));
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor((next() * (i + 1)) / 2 ** 32);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/**
 * Keras' default kernel: uniform within sqrt(6 / (rows + columns)).
 * @param {number} rows
 * @param {number} columns
 * @param {number} seed
 */
export function glorotUniform(rows, columns, seed) {
  const limit = Math.sqrt(6 / (rows + columns));
  const next = sequence(seed);
  return Float32Array.from({ length: rows * columns }, () => (next() / 2 ** 31 - 1) * limit);
}

// Seeded random numbers. Integer arithmetic makes them the same on every JavaScript engine.

/**
 * splitmix32: returns a function that gives the next integer, 0 to 2^32 - 1.
 * @param {number} seed
 */
function splitmix32(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
}

/**
 * A random permutation of 0 to count - 1. It depends only on the arguments.
 * @param {number} count
 * @param {number} seed
 * @param {number} stream
 */
export function shuffled(count, seed, stream) {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  const next = splitmix32(splitmix32(seed)() ^ Math.imul(stream + 1, 0x85ebca6b));
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor((next() * (i + 1)) / 2 ** 32);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/**
 * A function that gives the next number of [0, 1).
 * @param {number} seed
 * @param {number} [stream] one of several independent sequences of a seed
 */
export function uniforms(seed, stream = 0) {
  const next = splitmix32(splitmix32(seed)() ^ Math.imul(stream + 1, 0x85ebca6b));
  return () => next() / 2 ** 32;
}

/**
 * Keras' default kernel initializer: uniform in ±sqrt(6 / (rows + columns)).
 * @param {number} rows
 * @param {number} columns
 * @param {number} seed
 */
export function glorotUniform(rows, columns, seed) {
  const limit = Math.sqrt(6 / (rows + columns));
  const next = splitmix32(seed);
  return Float32Array.from({ length: rows * columns }, () => (next() / 2 ** 31 - 1) * limit);
}

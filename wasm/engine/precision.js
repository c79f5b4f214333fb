// Decides whether the int8 model is worth using in this engine.

/** int8 loses some accuracy, so its matrix kernel must do at least this many times the multiply-adds of float's. */
const MIN_SPEEDUP = 1.15;
const PROBE_MS = 100;

/** @type {boolean | undefined} */
let isFast;

/** What was measured; undefined: nothing yet. */
export const fastInt8 = () => isFast;

/**
 * Takes what another thread has measured, so that all choose the same precision.
 * @param {boolean | undefined} wasFast
 */
export function assumeFastInt8(wasFast) {
  isFast ??= wasFast;
}

/**
 * Whether the engine runs the 8-bit kernels much faster than those of floats, which only a measurement can tell: they are made
 * of dot products of bytes, or of pairs, and each engine compiles these to other instructions. If the clock does not
 * advance (edge workers), the answer is false.
 * @param {Pick<import('./engine.js').Engine, 'timeProducts'>} engine
 */
export function hasFastInt8(engine) {
  if (isFast !== undefined) return isFast;
  let float = Infinity;
  let int8 = Infinity;
  const end = performance.now() + PROBE_MS;
  for (let tries = PROBE_MS; tries > 0 && performance.now() < end; tries--) {
    const times = engine.timeProducts();
    float = Math.min(float, times[0]);
    int8 = Math.min(int8, times[1]);
  }
  return (isFast = int8 > 0 && float >= MIN_SPEEDUP * int8);
}

// Decides whether the int8 model is worth using in this engine.

/**
 * int8 loses some accuracy, so its products must do at least this many times the multiply-adds of float. Relaxed dot products
 * that an engine replaces by three instructions do up to two times as many, and gain nothing: the kernels are made for
 * one. Those of plain SIMD are made for pairs: up to twice as many.
 */
const MIN_SPEEDUP = { relaxed: 3, plain: 1.5 };
const PROBE_MS = 100;

/** @type {boolean | undefined} */
let isFast;

/** What was measured; undefined: nothing yet. */
export const fastDots = () => isFast;

/**
 * Takes what another thread has measured, so that all choose the same precision.
 * @param {boolean | undefined} areFast
 */
export function assumeFastDots(areFast) {
  isFast ??= areFast;
}

/**
 * Whether the engine compiles products of bytes to fast instructions, which only a measurement can tell. If the clock does
 * not advance (edge workers), the answer is false.
 * @param {import('./engine.js').Engine} engine
 * @param {import('./variant.js').Variant} variant of that engine
 */
export function hasFastDots(engine, variant) {
  if (isFast !== undefined) return isFast;
  let float = Infinity;
  let dot = Infinity;
  const end = performance.now() + PROBE_MS;
  for (let tries = PROBE_MS; tries > 0 && performance.now() < end; tries--) {
    const times = engine.timeProducts();
    float = Math.min(float, times[0]);
    dot = Math.min(dot, times[1]);
  }
  const speedup = MIN_SPEEDUP[variant.startsWith('relaxed') ? 'relaxed' : 'plain'];
  return (isFast = dot > 0 && 4 * float >= speedup * dot);
}

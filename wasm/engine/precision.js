// Decides whether the int8 model is worth using in this engine.

/** int8 loses some accuracy, so its dot products must do at least this many times the multiply-adds of float. */
const MIN_SPEEDUP = 3;
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
 * Whether the engine compiles dot products to fast instructions, which only a measurement can tell. If the clock does
 * not advance (edge workers), the answer is false.
 * @param {import('./engine.js').Engine} engine
 */
export function hasFastDots(engine) {
  if (isFast !== undefined) return isFast;
  let float = Infinity;
  let dot = Infinity;
  const end = performance.now() + PROBE_MS;
  for (let tries = PROBE_MS; tries > 0 && performance.now() < end; tries--) {
    const times = engine.timeProducts();
    float = Math.min(float, times[0]);
    dot = Math.min(dot, times[1]);
  }
  // A dot product does four multiply-adds per lane.
  return (isFast = dot > 0 && 4 * float >= MIN_SPEEDUP * dot);
}

// Whether 8 bits are worth it here.

/** Dot products must do so many times the multiply-adds that floats do, for 8 bits to be worth what they lose. */
const WORTHWHILE = 3;
const PROBE_MS = 100;

/** @type {boolean | undefined} */
let isFast;

/**
 * Nothing but time tells how an engine lowers dot products. Where its clock stands still, they are not fast.
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
  // Four times as many products in each
  return (isFast = dot > 0 && 4 * float >= WORTHWHILE * dot);
}

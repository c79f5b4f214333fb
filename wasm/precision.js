// Which of two twins of a network runs, the float one or the one that computes in 8 bits, where that is to be measured.
/** Dot products must do so many times the multiply-adds that floats do, for 8 bits to be worth what they lose. */
const WORTHWHILE = 3;
const PROBE_MS = 40;
const MAX_TRIES = 40;

/** @type {boolean | undefined} */
let isFast;

/**
 * Nothing but time tells how an engine lowers dot products. Where its clock stands still, they are not fast.
 * @param {import('./engine.js').Engine} engine
 */
export function hasFastDots(engine) {
  if (isFast !== undefined) return isFast;
  let [float, dot] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const start = performance.now();
  for (let i = 0; i < MAX_TRIES && performance.now() - start < PROBE_MS; i++) {
    const times = engine.timeProducts();
    [float, dot] = [Math.min(float, times[0]), Math.min(dot, times[1])];
    if (dot === Number.POSITIVE_INFINITY) break;
  }
  isFast = dot > 0 && 4 * float >= WORTHWHILE * dot;
  return isFast;
}

// Which of two twins of a network runs: the float one, or the one that computes in 8 bits.
import { failure } from './errors.js';
import { checkChoice } from './options.js';

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
function hasFastDots(engine) {
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

/**
 * @param {import('./prepare.js').SessionOptions} options
 * @param {Promise<import('./engine.js').Engine>} creating
 * @returns {Promise<'float' | 'int8'>}
 */
export async function choosePrecision({ precision = 'float', model, int8Model }, creating) {
  const hasChoice = model === undefined || int8Model !== undefined;
  if (precision !== 'auto' || !hasChoice) return precision === 'int8' ? 'int8' : 'float';
  return hasFastDots(await creating) ? 'int8' : 'float';
}

/** @param {import('./types.js').ModelOptions} options */
export function checkPrecision({ precision, deterministic }) {
  if (precision === undefined) return;
  checkChoice('precision', precision, /** @type {const} */ (['float', 'int8', 'auto']));
  if (deterministic && precision !== 'float')
    throw failure('INVALID_OPTION', `precision '${precision}' is not deterministic`);
}

/**
 * What most of the work is done in.
 * @param {import('./engine.js').Engine} engine
 * @returns {'float' | 'int8'}
 */
export function precisionOf({ operators }) {
  const [{ dtype }] = operators.sort((a, b) => b.multiplyAdds - a.multiplyAdds);
  return dtype.endsWith('int8') ? 'int8' : 'float';
}

// The end that a caller sets to one call: an AbortSignal, a time, or both.
import { failure } from '../shared/errors.js';

/**
 * @typedef {object} CallOptions
 * @property {AbortSignal} [signal] rejects the call with the signal's reason. A call that waits for its turn is then never
 *   run
 * @property {number} [timeoutMs] rejects the call with TIMEOUT when it has taken this long
 */

export const LIMITS = /** @type {const} */ (['signal', 'timeoutMs']);
/** Timers take no longer time; 25 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * What to call when a signal is aborted. Each signal has one listener for all of its calls, because Node 20 warns of more
 * than ten.
 * @type {WeakMap<AbortSignal, Set<() => void>>}
 */
const callbacks = new WeakMap();

/**
 * @param {AbortSignal | undefined} signal
 * @param {() => void} callback
 * @returns {() => void} stops listening
 */
export function onAbort(signal, callback) {
  if (!signal) return () => {};
  const present = callbacks.get(signal) ?? new Set();
  if (present.size === 0) {
    callbacks.set(signal, present);
    signal.addEventListener('abort', callAll);
  }
  present.add(callback);
  return () => {
    present.delete(callback);
    if (present.size === 0) signal.removeEventListener('abort', callAll);
  };
}

/** @param {Event} event */
function callAll({ currentTarget }) {
  for (const callback of callbacks.get(/** @type {AbortSignal} */ (currentTarget)) ?? []) callback();
}

/** @param {unknown} signal */
export function checkSignal(signal) {
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw failure('INVALID_OPTION', 'signal must be an AbortSignal');
}

/** @param {unknown} timeoutMs */
function checkTimeout(timeoutMs) {
  const fits = typeof timeoutMs === 'number' && timeoutMs > 0 && timeoutMs < Infinity;
  if (timeoutMs !== undefined && !fits)
    throw failure('INVALID_OPTION', 'timeoutMs must be a finite number above 0');
}

/** When a call must end. `withLimit` creates it. */
export class CallLimit {
  #timeoutMs;
  #end;

  /** @param {CallOptions} options */
  constructor({ signal, timeoutMs }) {
    this.signal = signal;
    this.#timeoutMs = timeoutMs;
    this.#end = timeoutMs === undefined ? Infinity : performance.now() + timeoutMs;
  }

  /** Throws if the call must end now. The clock is asked too, because no timer fires while a network runs. */
  check() {
    this.signal?.throwIfAborted();
    if (performance.now() >= this.#end) throw timeout(this.#timeoutMs);
  }

  /** Like `check`, but lets the event loop turn first, so that an abort can arrive. */
  async checkAfterTurn() {
    if (this.signal) await new Promise((resolve) => setTimeout(resolve));
    this.check();
  }
}

/**
 * Makes one call within its limits. Rejects as soon as they are reached, whatever `call` still does; it removes its
 * listener and its timer.
 * @template T
 * @param {CallOptions} options
 * @param {(limit: CallLimit) => Promise<T>} call
 * @returns {Promise<T>}
 */
export async function withLimit({ signal, timeoutMs }, call) {
  checkSignal(signal);
  checkTimeout(timeoutMs);
  signal?.throwIfAborted();
  if (timeoutMs !== undefined) return withTimer(signal, timeoutMs, call);
  return untilAborted(new CallLimit({ signal }), call);
}

/**
 * @template T
 * @param {AbortSignal | undefined} outer the caller's
 * @param {number} timeoutMs
 * @param {(limit: CallLimit) => Promise<T>} call
 */
async function withTimer(outer, timeoutMs, call) {
  // AbortSignal.any would do this, but Node 20 keeps its signals as long as the caller's.
  const controller = new AbortController();
  const expire = () => controller.abort(timeout(timeoutMs));
  const timer = setTimeout(expire, Math.min(timeoutMs, MAX_TIMER_MS));
  const stopListening = onAbort(outer, () => controller.abort(outer?.reason));
  try {
    return await untilAborted(new CallLimit({ signal: controller.signal, timeoutMs }), call);
  } finally {
    clearTimeout(timer);
    stopListening();
  }
}

/**
 * Rejects as soon as the limit's signal is aborted, whatever `call` still does.
 * @template T
 * @param {CallLimit} limit
 * @param {(limit: CallLimit) => Promise<T>} call
 * @returns {Promise<T>}
 */
export async function untilAborted(limit, call) {
  const { signal } = limit;
  if (!signal) return call(limit);
  let stopListening = () => {};
  const aborted = new Promise((_, reject) => {
    stopListening = onAbort(signal, () => reject(signal.reason));
  });
  try {
    const result = /** @type {T} */ (await Promise.race([call(limit), aborted]));
    limit.check();
    return result;
  } finally {
    stopListening();
  }
}

/** @param {number | undefined} timeoutMs */
const timeout = (timeoutMs) => failure('TIMEOUT', `${timeoutMs} ms`);

// The end that a caller sets to one call: an AbortSignal, a time, or both.
import { failure } from '../shared/errors.js';
import { checkSignal } from '../shared/options.js';

/**
 * @typedef {object} CallOptions
 * @property {AbortSignal | undefined} [signal] rejects the call with the signal's reason. A call that waits for its turn is then never
 *   run
 * @property {number | undefined} [timeoutMs] rejects the call with TIMEOUT when it has taken this long
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

/** @param {unknown} timeoutMs */
function checkTimeout(timeoutMs) {
  const fits = typeof timeoutMs === 'number' && timeoutMs > 0 && timeoutMs < Infinity;
  if (timeoutMs !== undefined && !fits)
    throw failure('INVALID_OPTION', 'timeoutMs must be a finite number above 0');
}

/** The calls of an object that is not closed; `close` ends them. */
export class Calls {
  /** @type {Set<CallLimit>} */ #limits = new Set();

  /** @param {CallLimit} limit */
  add(limit) {
    this.#limits.add(limit);
    return () => this.#limits.delete(limit);
  }

  close() {
    for (const limit of this.#limits) limit.end(failure('CLOSED'));
  }
}

/** When a call must end. `withLimit` creates it. */
export class CallLimit {
  #timeoutMs;
  #deadline;
  /** @type {Set<(reason: unknown) => void>} */ #listeners = new Set();
  /** @type {{reason: unknown} | undefined} */ #end;
  /** @type {AbortController | undefined} */ #controller;

  /** @param {number} [timeoutMs] */
  constructor(timeoutMs) {
    this.#timeoutMs = timeoutMs;
    this.#deadline = timeoutMs === undefined ? Infinity : performance.now() + timeoutMs;
  }

  /** @param {unknown} reason what the call throws */
  end(reason) {
    if (this.#end) return;
    this.#end = { reason };
    for (const listener of this.#listeners) listener(reason);
    this.#controller?.abort(reason);
  }

  /** Ends the call with TIMEOUT. */
  expire() {
    this.end(failure('TIMEOUT', `${this.#timeoutMs} ms`));
  }

  /**
   * @param {(reason: unknown) => void} listener
   * @returns {() => void} stops listening
   */
  onEnd(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** For what takes a signal. Created on demand: edge workers allow no AbortController while they start. */
  get signal() {
    this.#controller ??= new AbortController();
    if (this.#end) this.#controller.abort(this.#end.reason);
    return this.#controller.signal;
  }

  /** Throws if the call must end now. The clock is asked too, because no timer fires while a network runs. */
  check() {
    if (performance.now() >= this.#deadline) this.expire();
    if (this.#end) throw this.#end.reason;
  }
}

/**
 * Makes one call within its limits. Rejects as soon as they are reached, whatever `call` still does. When the call is
 * over, its limit has ended, so that nothing goes on reading for it.
 * @template T
 * @param {CallOptions} options
 * @param {(limit: CallLimit) => Promise<T>} call
 * @param {Calls} [calls] of the object that makes the call
 * @returns {Promise<T>}
 */
export async function withLimit({ signal, timeoutMs }, call, calls) {
  checkSignal(signal);
  checkTimeout(timeoutMs);
  signal?.throwIfAborted();
  const limit = new CallLimit(timeoutMs);
  const isTimed = timeoutMs !== undefined;
  const timer = isTimed ? setTimeout(() => limit.expire(), Math.min(timeoutMs, MAX_TIMER_MS)) : undefined;
  // AbortSignal.any would join signals, but Node 20 keeps its signals as long as the caller's.
  const stopListening = onAbort(signal, () => limit.end(signal?.reason));
  const leave = calls?.add(limit);
  try {
    const ended = new Promise((_, reject) => limit.onEnd(reject));
    const result = /** @type {T} */ (await Promise.race([call(limit), ended]));
    limit.check();
    return result;
  } finally {
    if (isTimed) clearTimeout(timer);
    stopListening();
    leave?.();
    limit.end(undefined);
  }
}

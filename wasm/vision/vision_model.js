// The base class of detector, feature extractor and classifier: checks options, starts the session, sends requests to
// it.
import { failure, OcelliError } from '../shared/errors.js';
import { host } from '../engine/host.js';
import { checkWeights } from './spec/forms.js';
import { detach, keepSource } from './input.js';
import { Calls, LIMITS, withLimit } from './limits.js';
import { tagOf } from '../shared/platform.js';
import { notice } from '../shared/notice.js';
import {
  checkBoolean,
  checkCallbacks,
  checkChoice,
  checkKeys,
  checkNumber,
  checkSignal,
  checkText,
  pick,
} from '../shared/options.js';
import { DECODES, READING, resolveReading } from './reading.js';
import { LocalSession } from './session.js';

/**
 * @typedef {import('./types.js').ModelOptions} ModelOptions
 * @typedef {import('./types.js').Request} Request
 * @typedef {import('../engine/engine.js').Roi} Roi
 * @typedef {import('./types.js').RunResult} RunResult
 * @typedef {import('./types.js').Session} Session
 * @typedef {import('./prepare.js').GivenOptions} GivenOptions
 * @typedef {import('./prepare.js').SessionOptions} SessionOptions
 * @typedef {import('./types.js').ViewOptions} ViewOptions
 */

export const THREADS = { min: 1, max: 64, integer: true };
export const PRECISIONS = /** @type {const} */ (['float', 'int8', 'auto']);
/** The most instances behind one object. */
export const POOL = { min: 1, max: 64, integer: true };
export const MAX_QUEUE = { min: 0, max: 1e6, integer: true };
/** Options of every call that runs the network. */
export const VIEW = /** @type {const} */ (['roi', 'rotation', 'exact', 'decode', ...LIMITS]);
export const LOADING = [
  'model',
  'int8Model',
  'precision',
  'weights',
  'signature',
  'input',
  'threads',
  'deterministic',
  'exact',
  'worker',
  'pool',
  'maxQueue',
  'assetsUrl',
  ...READING,
  'signal',
  'onProgress',
];

/** Options of a call, given to create. */
const OF_CALLS = ['roi', 'rotation', 'timeoutMs'];

/** What to do with an option of a call that create is given. @param {string} call @param {string[]} [more] */
export const forCall = (call, more = []) => ({ [`pass it to ${call}`]: [...OF_CALLS, ...more] });

export class VisionModel {
  /** @type {Session | undefined} */ #session;
  #exact;
  /** @type {import('./reading.js').ReadingOptions} */ #reading;
  #work = { multiplyAdds: 0, seconds: 0, images: 0 };
  /**
   * The classes that a detector reports; undefined: all.
   * @protected
   * @type {import('./types.js').ClassSelection | undefined}
   */
  classes;
  /**
   * Settles when all changes of options so far have been made.
   * @protected
   * @type {Promise<void> | undefined}
   */
  changing;
  /** @protected */
  calls = new Calls();

  /**
   * @param {Session} session
   * @param {ModelOptions} options
   * @param {string} name of the class; bundlers shorten that of the code
   */
  constructor(session, options, name) {
    if (!session?.facts)
      throw failure(
        'INVALID_OPTION',
        `new loads no model: use create, as in \`await ${name}.create(options)\``,
      );
    const { exact, deterministic = false, assetsUrl, pool = 1 } = options;
    this.#session = session;
    /** How many images run at the same time. @protected */
    this.instances = pool;
    /** @protected */
    this.assetsUrl = resolveAssets(assetsUrl);
    this.#exact = exact ?? deterministic;
    this.#reading = pick(options, READING);
    /** @protected */
    this.facts = session.facts;
  }

  /** The WebAssembly variant that runs, and its number of threads. */
  get variant() {
    return { ...this.session.facts.variant };
  }

  /** The precision that the network computes in: what `precision: 'auto'` chose. */
  get precision() {
    return this.session.facts.precision;
  }

  /**
   * Bytes of the module's memory, and bytes allocated in it. In a worker: as of the last call; of a pool: the sum over all
   * instances.
   */
  get memoryUse() {
    return this.session.memoryUse;
  }

  /**
   * Runs the network once and returns the time and multiply-adds of each operator.
   * @param {import('./types.js').Input} input an image, or `{tensor}`: the values of the network's input
   * @param {ViewOptions} [options]
   * @returns {Promise<import('./types.js').ProfileResult>}
   */
  async profile(input, options = {}) {
    const { result, run } = await this.run('profile', [input], options);
    return { operators: result, ...this.describe(run) };
  }

  /**
   * Energy and emissions of all runs so far. Each figure says whether it was measured or estimated, and from what.
   * @param {import('../report/energy/estimate.js').EnergyOptions} [options]
   */
  async report(options) {
    if (this.isClosed) throw failure('CLOSED');
    const work = { ...this.#work };
    const { estimateEnergy, loadMachine } = await import('../report/energy/estimate.js');
    const { describeMachine } = await loadMachine();
    return estimateEnergy(work, await describeMachine(), options);
  }

  /** Frees the module's memory and stops its threads. After that, every call but `close` throws CLOSED. */
  close() {
    this.calls.close();
    this.#session?.close();
    this.#session = undefined;
  }

  [Symbol.dispose]() {
    this.close();
  }

  /** @protected */
  get isClosed() {
    return this.#session === undefined;
  }

  /** @protected */
  get session() {
    if (!this.#session) throw failure('CLOSED');
    return this.#session;
  }

  /**
   * The options and inputs are those at the time of the call.
   * @protected
   * @param {Request['kind']} kind
   * @param {Request['inputs']} inputs
   * @param {ViewOptions} options
   * @param {() => Partial<Request>} [complete] called when the changes of options before this call are made
   * @param {import('./limits.js').CallLimit} [outer] of the call that this one is a part of
   */
  async run(kind, inputs, options, complete, outer) {
    checkKeys('options', options, VIEW);
    checkView(options);
    const { session } = this;
    const { roi, rotation = 0, exact = this.#exact } = options;
    const request = {
      kind,
      inputs: [...inputs],
      roi: roi === undefined ? undefined : checkRoi(roi),
      turns: quarterTurns(rotation),
      exact,
      reading: this.readingOf(options),
    };
    const send = (/** @type {import('./limits.js').CallLimit} */ limit) =>
      this.#send(session, request, limit, complete);
    const answer = await (outer ? send(outer) : withLimit(options, send, this.calls));
    this.#work.images += inputs.length;
    this.#work.multiplyAdds += inputs.length * this.facts.multiplyAdds;
    this.#work.seconds += Object.values(answer.run.ms).reduce((sum, ms) => sum + ms / 1000, 0);
    return answer;
  }

  /**
   * How a call reads image files.
   * @protected
   * @param {ViewOptions} options
   */
  readingOf({ exact = this.#exact, decode = this.#reading.decode }) {
    return resolveReading({ ...this.#reading, decode }, exact);
  }

  /**
   * @param {Session} session
   * @param {Request} request
   * @param {import('./limits.js').CallLimit} limit
   * @param {() => Partial<Request>} [complete]
   */
  async #send(session, request, limit, complete) {
    let { inputs } = request;
    if (this.changing) {
      inputs = inputs.map(detach);
      await this.changing;
      limit.check();
    }
    return session.run({ ...request, inputs, classes: this.classes, ...complete?.() }, limit);
  }

  /**
   * What a result says about its run.
   * @protected
   * @param {import('./types.js').Answer['run']} run
   * @returns {RunResult}
   */
  describe(run) {
    const { variant, precision } = this.facts;
    return { ...run, variant: { ...variant }, precision };
  }
}

/**
 * Loads a model in this thread or, if the options or the threads need it, in workers.
 * @param {GivenOptions} given
 * @returns {Promise<Session>}
 */
export async function startSession(given) {
  checkLoading(given);
  return withLimit({ signal: given.signal }, async (limit) => {
    const session = await start(given);
    try {
      limit.check();
      return session;
    } catch (error) {
      session.close(); // nobody waits for it any more
      throw error;
    }
  });
}

/**
 * @param {GivenOptions} given
 * @returns {Promise<Session>}
 */
async function start(given) {
  const options = await keepSources(given);
  /** @type {import('../engine/host.js').Host & import('./types.js').WorkerHost} */
  const { threads: threadSupport, startWorker } = host();
  let { threads = 1 } = options;
  if (threads > 1 && threadSupport === 'none') {
    notice(
      'threads need a cross-origin isolated page; in Firefox they do not work inside your own worker; using one thread',
    );
    threads = 1;
  }
  const needsWorker = threads > 1 && threadSupport === 'worker';
  const hasPool = options.pool !== undefined;
  if (options.worker || hasPool || needsWorker) {
    try {
      if (!startWorker) throw failure('WORKER_UNAVAILABLE', hasPool ? 'pool needs workers' : undefined);
      return await startWorker({ ...options, threads });
    } catch (error) {
      if (hasPool || !(error instanceof OcelliError && error.code === 'WORKER_UNAVAILABLE')) throw error;
      notice(`${error.message}; the network runs in this thread`);
      if (needsWorker) threads = 1;
    }
  }
  return LocalSession.create({ ...options, threads });
}

/**
 * The options as they are now, with sources that can be read more than once, from every thread.
 * @param {GivenOptions} given
 * @returns {Promise<SessionOptions>}
 */
async function keepSources({ labels, assetsUrl, ...options }) {
  const { model, int8Model, precision = 'float', input, ssd } = options;
  const isPlace = typeof labels === 'string' || tagOf(labels) === 'URL';
  if (labels === null) throw failure('INVALID_OPTION', 'labels must be a list, a path or a URL');
  if (typeof labels === 'string' && /[\r\n]/.test(labels))
    throw failure(
      'INVALID_OPTION',
      "labels is a text of several lines: pass a list, such as text.split('\\n')",
    );
  const { toUrl } = host();
  const held = copyOf({
    ...{ input, ssd, assetsUrl: resolveAssets(assetsUrl) },
    labels: isPlace
      ? toUrl(/** @type {string | URL} */ (labels), 'LABELS_NOT_FOUND').href
      : /** @type {SessionOptions['labels']} */ (labels),
  });
  const second = precision === 'float' ? undefined : /** @type {typeof int8Model} */ (detach(int8Model));
  return {
    ...options,
    ...held,
    model: await keepSource(model, options),
    int8Model: await keepSource(second, options),
  };
}

/**
 * @template T
 * @param {T} options
 * @returns {T} a copy; the options themselves if they cannot be cloned, as Vue's proxies or what the checks refuse
 */
function copyOf(options) {
  try {
    return structuredClone(options);
  } catch {
    return options;
  }
}

/** @param {ModelOptions} options */
function checkLoading(options) {
  const {
    threads = 1,
    deterministic = false,
    precision = 'float',
    signature,
    exact,
    worker,
    pool,
    maxQueue,
    signal,
    onProgress,
    int8Model,
  } = options;
  if (int8Model === null)
    throw failure('INVALID_OPTION', 'int8Model must be a path, a URL, bytes, a Blob, a Response or a stream');
  checkNumber('threads', threads, THREADS);
  checkBoolean('deterministic', deterministic);
  checkChoice('precision', precision, PRECISIONS);
  checkWeights(options);
  if (signature !== undefined) checkText('signature', signature);
  if (deterministic && precision !== 'float')
    throw failure('INVALID_OPTION', "deterministic needs precision 'float'");
  if (exact !== undefined) checkBoolean('exact', exact);
  if (worker !== undefined) checkBoolean('worker', worker);
  if (pool !== undefined) checkNumber('pool', pool, POOL);
  if (pool !== undefined && worker === false)
    throw failure('INVALID_OPTION', 'pool runs in workers: leave out worker: false');
  if (maxQueue !== undefined) checkNumber('maxQueue', maxQueue, MAX_QUEUE);
  if (maxQueue !== undefined && pool === undefined) throw failure('INVALID_OPTION', 'maxQueue needs pool');
  resolveReading(options);
  checkSignal(signal);
  checkCallbacks({ onProgress });
}

/**
 * @param {ModelOptions['assetsUrl']} assetsUrl
 * @returns {string | undefined} the absolute URL
 */
export function resolveAssets(assetsUrl) {
  if (assetsUrl === undefined) return undefined;
  const isText = typeof assetsUrl === 'string' && assetsUrl !== '';
  if (!isText && tagOf(assetsUrl) !== 'URL')
    throw failure('INVALID_OPTION', 'assetsUrl must be a URL or, in Node, a path');
  return host().toUrl(assetsUrl, 'INVALID_OPTION').href;
}

/**
 * The options after a change.
 * @template {object} Options
 * @param {Options} options that were given
 * @param {{[Key in keyof Options]: Options[Key] | null}} changes `undefined` leaves an option as it is, `null` removes it
 * @returns {Options}
 */
export function change(options, changes) {
  const given = pick(changes, /** @type {(keyof Options)[]} */ (Object.keys(changes)));
  const kept = Object.entries({ ...options, ...given });
  return /** @type {Options} */ (Object.fromEntries(kept.filter(([, value]) => value !== null)));
}

/**
 * Refuses values that are no values of a call's options; run() checks what else they need.
 * @param {ViewOptions} options
 */
export function checkView({ exact, rotation, decode }) {
  if (exact !== undefined) checkBoolean('exact', exact);
  if (rotation !== undefined) quarterTurns(rotation);
  if (decode !== undefined) checkChoice('decode', decode, DECODES);
}

/** @param {unknown} degrees */
function quarterTurns(degrees) {
  if (degrees === 0 || degrees === 90 || degrees === 180 || degrees === 270) return degrees / 90;
  throw failure('INVALID_OPTION', 'rotation must be 0, 90, 180 or 270');
}

/**
 * @param {Roi} roi
 * @returns {Roi} the whole pixels that it touches, so that a detection's box is a region
 */
function checkRoi(roi) {
  checkKeys('roi', roi, ['x', 'y', 'width', 'height']);
  const { x, y, width, height } = roi;
  for (const [key, value] of Object.entries({ x, y, width, height }))
    checkNumber(`roi.${key}`, value, { min: 0, max: 2 ** 31 - 1 });
  const [left, top] = [Math.floor(x), Math.floor(y)];
  // Boxes are numbers of 32 bits: a sum of 64 may lie a trace beyond the pixel.
  const [right, bottom] = [Math.ceil(Math.fround(x + width)), Math.ceil(Math.fround(y + height))];
  return { x: left, y: top, width: width > 0 ? right - left : 0, height: height > 0 ? bottom - top : 0 };
}

// What a page does while a session's worker starts: it compiles the module, and downloads and inflates the model, of
// which the worker takes what is there. The model has two sides: EarlyModel is the page's, takeEarly the worker's.
import { host } from '../../engine/host.js';
import { unpack } from '../../engine/receive.js';
import { chooseVariant } from '../../engine/variant.js';
import { tagOf } from '../../shared/platform.js';
import { formOf } from '../../vision/spec/forms.js';

/**
 * @typedef {import('../../vision/prepare.js').SessionOptions} SessionOptions
 * @typedef {import('../../engine/host.js').Host} Host
 */

/** Inflating does not let the event loop turn by itself, and Chromium keeps a starting worker's messages until it turns. */
const PARTS_PER_TURN = 8;

/**
 * Compiles the module, for which the worker asks then. If that fails, the worker tries itself and says why.
 * @param {SessionOptions} options
 */
export function compileEarly({ threads = 1, deterministic = false, assetsUrl }) {
  const { trustsRelaxed, loadModule } = host();
  const compile = async () => loadModule(chooseVariant({ threads, deterministic, trustsRelaxed }), assetsUrl);
  compile().catch(() => {});
}

/** A download that has begun. Its owner cancels it if the session does not come about. */
export class EarlyModel {
  #ending = new AbortController();
  #opening;
  #isTaken = false;
  #isOver = false;
  /** @type {Uint8Array<ArrayBuffer>[]} */ #parts = [];
  #onPart = () => {};
  #reading;

  /**
   * @param {SessionOptions} options
   * @returns {EarlyModel | undefined} undefined: the model is in memory, or the worker has to say which one it is
   */
  static open(options) {
    const place = placeOf(options);
    return place === undefined ? undefined : new EarlyModel(place, options);
  }

  /**
   * @param {string | URL} place
   * @param {SessionOptions} options
   */
  constructor(place, { onProgress }) {
    const { signal } = this.#ending;
    this.#opening = host()
      .open(place, signal, 'MODEL_NOT_FOUND')
      .then((source) => unpack(source, { signal, onProgress }));
    this.#reading = this.#read();
    this.#reading.catch(() => {}).then(() => (this.#isOver = true)); // readEarly throws its error
  }

  async #read() {
    const { isGzip, chunks } = await this.#opening;
    let count = 0;
    for await (const chunk of /** @type {AsyncIterable<Uint8Array<ArrayBuffer>>} */ (chunks)) {
      this.#ending.signal.throwIfAborted();
      this.#parts.push(isGzip ? chunk : chunk.slice()); // a download uses its buffer again
      this.#onPart();
      if (++count % PARTS_PER_TURN === 0) await host().turn?.();
    }
  }

  #nextPart() {
    return new Promise((/** @type {(nothing: void) => void} */ resolve) => (this.#onPart = resolve));
  }

  /** What the worker may call; see takeEarly. */
  get answers() {
    return {
      openEarly: async () => {
        if (this.#isTaken) return {};
        this.#isTaken = true;
        const { sizeBytes } = await this.#opening;
        return { result: { sizeBytes } };
      },
      readEarly: async () => {
        if (this.#parts.length === 0) await Promise.race([this.#reading, this.#nextPart()]);
        await host().turn?.(); // what comes meanwhile, more parts or the end, needs no message of its own
        const parts = this.#parts.splice(0);
        if (this.#isOver) await this.#reading; // it may have failed
        return { result: { parts, isLast: this.#isOver }, transfer: parts.map(({ buffer }) => buffer) };
      },
    };
  }

  /** Ends the download. */
  cancel() {
    this.#ending.abort();
  }
}

/**
 * Where the model is, if the page can open it.
 * @param {SessionOptions} options
 */
function placeOf({ precision = 'float', assetsUrl, model, weights }) {
  if (precision !== 'float') return undefined;
  try {
    const source = model ?? host().locateModel(assetsUrl, formOf({ weights }));
    return typeof source === 'string' || tagOf(source) === 'URL'
      ? /** @type {string | URL} */ (source)
      : undefined;
  } catch {
    return undefined; // the worker says why
  }
}

/**
 * @param {import('./link.js').Link} link to the page
 * @param {Host} own
 * @returns {Host} a host that takes a session's first file, which is its model, from the page, if that has opened it
 */
export function takeEarly(link, own) {
  return {
    ...own,
    async open(source, signal, code) {
      /** @type {{sizeBytes?: number} | undefined} */ const early = await link.call('openEarly', undefined);
      if (!early) return own.open(source, signal, code);
      return { ...early, chunks: takeParts(link) };
    },
  };
}

/** @param {import('./link.js').Link} link */
async function* takeParts(link) {
  for (let isLast = false; !isLast;) {
    /** @type {{parts: Uint8Array[], isLast: boolean}} */ const read = await link.call(
      'readEarly',
      undefined,
    );
    yield* read.parts;
    isLast = read.isLast;
  }
}

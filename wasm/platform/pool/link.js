// Calls between two threads: each side calls the other's functions by name. remote.js and serve.js are the two sides.
import { reviveError, toPlainError } from '../../shared/errors.js';

/**
 * @typedef {object} Port A worker, seen from the thread that started it.
 * @property {(message: unknown, transfer?: Transferable[]) => void} post
 * @property {(listener: (message: any) => void) => void} onMessage
 * @property {(listener: (error: Error) => void) => void} onEnd the worker failed, or ended by itself
 * @property {() => void} terminate
 * @property {() => void} hold the worker keeps the process alive
 * @property {() => void} release the worker does not keep the process alive
 *
 * @typedef {object} Message A call has a name, an answer has none. A call without an id wants no answer.
 * @property {number} [id]
 * @property {string} [name]
 * @property {any} [argument]
 * @property {any} [result]
 * @property {unknown} [error]
 *
 * @typedef {{result?: any, transfer?: Transferable[]}} Reply
 * @typedef {Record<string, (argument: any) => Promise<Reply | void> | void>} Functions
 */

export class Link {
  #post;
  #functions;
  #lastId = 0;
  /** @type {Map<number, {resolve: (result: any) => void, reject: (error: unknown) => void}>} */
  #waiting = new Map();
  /** @type {{error: unknown} | undefined} */ #end;

  /**
   * @param {(message: Message, transfer: Transferable[]) => void} post
   * @param {Functions} functions that the other side may call
   */
  constructor(post, functions) {
    this.#post = post;
    this.#functions = functions;
  }

  /**
   * Calls a function of the other side.
   * @param {string} name
   * @param {unknown} argument
   * @param {Transferable[]} [transfer]
   * @returns {Promise<any>}
   */
  async call(name, argument, transfer = []) {
    if (this.#end) throw this.#end.error;
    const id = ++this.#lastId;
    this.#post({ id, name, argument }, transfer);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  /**
   * Calls a function of the other side and does not wait for it.
   * @param {string} name
   * @param {unknown} argument
   */
  tell(name, argument) {
    this.#post({ name, argument }, []);
  }

  /** @param {Message} message from the other side */
  receive(message) {
    const { id = 0, name, argument, result } = message;
    if (name !== undefined) return void this.#answer(id, name, argument);
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if ('error' in message) waiting?.reject(reviveError(message.error));
    else waiting?.resolve(result);
  }

  /**
   * Rejects the calls under way, and all later ones.
   * @param {unknown} error
   */
  end(error) {
    this.#end ??= { error };
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  /**
   * @param {number} id
   * @param {string} name
   * @param {unknown} argument
   */
  async #answer(id, name, argument) {
    try {
      const { result, transfer = [] } = (await this.#functions[name](argument)) ?? {};
      if (id) this.#post({ id, result }, transfer);
    } catch (error) {
      if (id) this.#post({ id, error: toPlainError(error) }, []);
    }
  }
}

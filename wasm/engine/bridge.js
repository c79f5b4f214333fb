// An instance of a .wasm: its exports and its memory. Turns the statuses that exports return into OcelliErrors.
import { ABI } from '../../dist/layout.js';
import { failure, OcelliError } from '../shared/errors.js';
import { Memory } from './memory.js';

/** @typedef {Record<string, (...args: number[]) => number>} Exports */

export class Bridge {
  /** True after a trap, which leaves the memory in an unknown state: do not use the instance again. */
  isBroken = false;
  /** True once the module's session is gone. */
  isClosed = false;

  /**
   * @param {Exports} exports
   * @param {WebAssembly.Memory} memory
   */
  constructor(exports, memory) {
    this.exports = exports;
    this.memory = new Memory(memory, {
      alloc: (n) => exports.ocl_alloc(n),
      free: (a) => exports.ocl_free(a),
    });
    if (exports.ocl_abi?.() !== ABI)
      throw failure(
        'MODULE_NOT_FOUND',
        'the .wasm is from another version of this package; serve the one of this version',
      );
  }

  /** Sizes of the whole memory and of the allocations in it. */
  get memoryUse() {
    return { totalBytes: this.memory.sizeBytes, liveBytes: this.exports.ocl_live_bytes() };
  }

  /**
   * Calls `use`, which calls exports. Throws MODULE_TRAPPED if one of them traps, CLOSED after the module was stopped.
   * @template T
   * @param {(put: import('./memory.js').Put) => T} use
   * @returns {T}
   */
  guard(use) {
    if (this.isClosed) throw failure('CLOSED');
    try {
      return this.memory.withArguments(use);
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      this.isBroken = true;
      throw failure('MODULE_TRAPPED', error.message, error);
    }
  }

  /**
   * Calls an export that returns a status. Throws if it fails.
   * @param {(put: import('./memory.js').Put) => number} use
   */
  call(use) {
    this.check(this.guard(use));
  }

  /**
   * Calls an export that returns a status and writes a struct. Returns the struct, or throws.
   * @template {import('./memory.js').Layout} L
   * @param {L} layout
   * @param {(out: number, put: import('./memory.js').Put) => number} use `out`: the struct's address
   */
  fill(layout, use) {
    return this.guard((put) => {
      const out = put.space(layout.size);
      this.check(use(out, put));
      return this.memory.readStruct(out, layout);
    });
  }

  /** @param {number} status */
  check(status) {
    if (status === 0) return;
    const { ocl_status_code, ocl_status_text, ocl_detail_text } = this.exports;
    const message = this.memory.string(ocl_status_text(status));
    const detail = this.memory.string(ocl_detail_text?.() ?? 0);
    throw new OcelliError(
      /** @type {import('../shared/errors.js').StatusCode} */ (this.memory.string(ocl_status_code(status))),
      detail ? `${message}: ${detail}` : message,
    );
  }
}

// Where a file's structure is: what its reader follows, counts and decides by, as opposed to weights and pixels.
// A region is a list of places of one kind, so that the few places of a rare kind are hit as often as the many.

/** @typedef {{at: number, size: 1 | 2 | 4}} Place */
/** @typedef {Record<string, Place[]>} Regions */

// The part of TFLite's schema that is read: by table and field id, a scalar's size, 'bytes', 'words' (a vector of
// 4-byte numbers), 'longs', the name of a table, or [the name of a table] for a vector of them.
/** @type {Record<string, Record<number, 1 | 4 | string | string[]>>} */
const SCHEMA = {
  model: { 0: 4, 1: ['code'], 2: ['subgraph'], 4: ['buffer'], 6: ['metadata'] },
  code: { 0: 1, 1: 'bytes', 2: 4, 3: 4 },
  subgraph: { 0: ['tensor'], 1: 'words', 2: 'words', 3: ['operator'] },
  tensor: { 0: 'words', 1: 1, 2: 4, 3: 'bytes', 4: 'quantization', 5: 1, 7: 'words' },
  quantization: { 2: 'words', 3: 'longs', 4: 1, 6: 4 },
  operator: { 0: 4, 1: 'words', 2: 'words', 3: 1, 4: 'options', 5: 'bytes' },
  options: Object.fromEntries(Array.from({ length: 8 }, (_, id) => [id, 4])),
  buffer: { 0: 'bytes' },
  metadata: { 0: 'bytes', 1: 4 },
};
const SMALL_CONSTANT_BYTES = 512;

/** Walks one sound .tflite. */
class Walk {
  /** @type {Regions} */ regions = {};
  #view;

  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#offset('model', 0);
  }

  /** @param {string} region @param {number} at @param {1 | 2 | 4} size */
  #note(region, at, size) {
    (this.regions[region] ??= []).push({ at, size });
  }

  /** @param {string} region @param {number} from @param {number} to */
  #noteWords(region, from, to) {
    for (let at = from; at + 4 <= to; at += 4) this.#note(region, at, 4);
  }

  /** @param {string | string[]} type @param {number} at */
  #offset(type, at) {
    this.#note('offsets', at, 4);
    const target = at + this.#view.getUint32(at, true);
    if (typeof type === 'string' && type in SCHEMA) this.#table(type, target);
    else this.#vector(type, target);
  }

  /** @param {string} type @param {number} at */
  #table(type, at) {
    const vtable = at - this.#view.getInt32(at, true);
    this.#note('offsets', at, 4);
    const entries = this.#view.getUint16(vtable, true) / 2;
    for (let entry = 0; entry < entries; entry++) this.#note('vtables', vtable + 2 * entry, 2);
    for (const [id, field] of Object.entries(SCHEMA[type])) {
      const entry = 2 + Number(id);
      const offset = entry < entries ? this.#view.getUint16(vtable + 2 * entry, true) : 0;
      if (offset === 0) continue;
      if (typeof field === 'number') this.#note(type, at + offset, field);
      else this.#offset(field, at + offset);
    }
  }

  /** @param {string | string[]} type @param {number} at */
  #vector(type, at) {
    const count = this.#view.getUint32(at, true);
    this.#note('counts', at, 4);
    if (Array.isArray(type)) for (let i = 0; i < count; i++) this.#offset(type[0], at + 4 + 4 * i);
    else if (type === 'bytes') this.#content(at + 4, count);
    else this.#noteWords('elements', at + 4, at + 4 + count * (type === 'longs' ? 8 : 4));
  }

  /** A buffer's: shapes, axes and paddings are small, metadata is a FlatBuffer of its own. */
  /** @param {number} at @param {number} size */
  #content(at, size) {
    const isMetadata = size > 8 && this.#view.getUint32(at + 4, false) === 0x4d303031;
    if (isMetadata) this.#noteWords('metadata content', at, at + size);
    else if (size <= SMALL_CONSTANT_BYTES) this.#noteWords('constants', at, at + size);
  }
}

/** @param {Uint8Array} bytes @returns {Regions} */
function findZip(bytes) {
  /** @type {Place[]} */
  const zip = [];
  for (let at = Math.max(0, bytes.length - 65536); at + 4 < bytes.length; at++) {
    if (bytes[at] !== 0x50 || bytes[at + 1] !== 0x4b || bytes[at + 2] > 6) continue;
    for (let i = 0; i < 46 && at + i < bytes.length; i++) zip.push({ at: at + i, size: 1 });
  }
  return zip.length > 0 ? { zip } : {};
}

/** @param {Uint8Array} bytes @returns {Regions} */
export const modelRegions = (bytes) => ({ ...new Walk(bytes).regions, ...findZip(bytes) });

/** @param {number} from @param {number} to @returns {Place[]} */
const everyByte = (from, to) => Array.from({ length: to - from }, (_, i) => ({ at: from + i, size: 1 }));

/**
 * Sizes stand in the first bytes of every format, tables in the next.
 * @param {Uint8Array} bytes
 * @returns {Regions}
 */
export const imageRegions = ({ length }) => ({
  header: everyByte(0, Math.min(length, 64)),
  tables: everyByte(0, Math.min(length, 1024)),
  content: everyByte(0, length),
});

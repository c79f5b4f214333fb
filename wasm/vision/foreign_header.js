// WebP, AVIF and HEIC file -> what a decoder of others does not tell: the size before it decodes, and the orientation.
// Layouts: WebP container specification (RIFF); ISO/IEC 14496-12 and 23008-12 (boxes).

/**
 * @typedef {object} ForeignFacts
 * @property {number} width 0: not found
 * @property {number} height
 * @property {number} orientation as in EXIF, 1 to 8
 * @property {boolean} isMirrored a mirroring is asked for that `orientation` does not include
 */

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {import('./foreign.js').ForeignFormat} format
 * @returns {ForeignFacts}
 */
export function readFacts(bytes, format) {
  const facts = { width: 0, height: 0, orientation: 1, isMirrored: false };
  try {
    (format === 'webp' ? readWebp : readHeif)(new Reader(bytes), facts);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // the file is cut short: its decoder says so
  }
  return facts;
}

class Reader {
  /** @param {Uint8Array<ArrayBuffer>} bytes */
  constructor(bytes) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.end = bytes.length;
  }

  /** @param {number} at */
  tag(at) {
    return String.fromCharCode(...[0, 1, 2, 3].map((i) => this.view.getUint8(at + i)));
  }
}

/** @param {Reader} file @param {ForeignFacts} facts */
function readWebp(file, facts) {
  const { view } = file;
  for (let at = 12; at + 8 <= file.end;) {
    const size = view.getUint32(at + 4, true);
    const data = at + 8;
    const tag = file.tag(at);
    if (tag === 'EXIF') facts.orientation = readTiff(view, data, Math.min(data + size, file.end));
    else if (facts.width === 0) Object.assign(facts, sizeOfChunk(view, tag, data));
    at = data + size + (size % 2);
  }
}

/** @param {DataView} view @param {string} tag @param {number} data */
function sizeOfChunk(view, tag, data) {
  const u24 = (/** @type {number} */ at) => view.getUint32(at, true) & 0xffffff;
  if (tag === 'VP8X') return { width: u24(data + 4) + 1, height: (view.getUint32(data + 6, true) >>> 8) + 1 };
  if (tag === 'VP8 ')
    return {
      width: view.getUint16(data + 6, true) & 0x3fff,
      height: view.getUint16(data + 8, true) & 0x3fff,
    };
  if (tag !== 'VP8L') return {};
  const bits = view.getUint32(data + 1, true);
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
}

/**
 * @param {DataView} view
 * @param {number} start
 * @param {number} end
 */
function readTiff(view, start, end) {
  const base = view.getUint32(start) === 0x45786966 ? start + 6 : start; // "Exif"
  const isLittle = view.getUint16(base) === 0x4949;
  const directory = base + view.getUint32(base + 4, isLittle);
  const count = view.getUint16(directory, isLittle);
  for (let i = 0, at = directory + 2; i < count && at + 12 <= end; i++, at += 12) {
    if (view.getUint16(at, isLittle) !== 0x0112) continue;
    const value = view.getUint16(at + 8, isLittle);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

/** Boxes that contain boxes, and how many bytes come before these. @type {Record<string, number>} */
const CONTAINERS = { meta: 4, iprp: 0, ipco: 0 };
/** By quarter turns anticlockwise. */
const ORIENTATIONS = [1, 8, 3, 6];

/**
 * @param {Reader} file
 * @param {ForeignFacts} facts
 * @param {number} [start]
 * @param {number} [end]
 */
function readHeif(file, facts, start = 0, end = file.end) {
  const { view } = file;
  for (let at = start; at + 8 <= end;) {
    const size = view.getUint32(at);
    const tag = file.tag(at + 4);
    const data = at + 8;
    const next = size < 8 ? end : Math.min(at + size, end);
    if (tag in CONTAINERS) readHeif(file, facts, data + CONTAINERS[tag], next);
    // The largest is the picture's; others are those of its tiles and thumbnail.
    if (tag === 'ispe' && view.getUint32(data + 4) * view.getUint32(data + 8) > facts.width * facts.height)
      Object.assign(facts, { width: view.getUint32(data + 4), height: view.getUint32(data + 8) });
    if (tag === 'irot') facts.orientation = ORIENTATIONS[view.getUint8(data) & 3];
    if (tag === 'imir') facts.isMirrored = true;
    at = next;
  }
}

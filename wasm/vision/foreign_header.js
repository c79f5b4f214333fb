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
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  try {
    (format === 'webp' ? readWebp : readHeif)(view, facts);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // the file is cut short: its decoder says so
  }
  return facts;
}

/** @param {DataView} view @param {number} at */
const tagAt = (view, at) => String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)));

/** @param {DataView} view @param {ForeignFacts} facts */
function readWebp(view, facts) {
  Object.assign(facts, sizeOfWebp(view));
  for (let at = 12; at + 8 <= view.byteLength;) {
    const size = view.getUint32(at + 4, true);
    const end = at + 8 + size;
    if (tagAt(view, at) === 'EXIF')
      facts.orientation = readTiff(view, at + 8, Math.min(end, view.byteLength));
    at = end + (size % 2);
  }
}

/**
 * By the first chunk. If that is another one, libwebp takes it for a picture, and does not look at those that follow.
 * @param {DataView} view
 */
function sizeOfWebp(view) {
  const tag = tagAt(view, 12);
  const bits = view.getUint32(21, true);
  if (tag === 'VP8L') return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  if (tag === 'VP8X')
    return {
      width: (view.getUint32(24, true) & 0xffffff) + 1,
      height: (view.getUint32(26, true) >>> 8) + 1,
    };
  return (
    tag === 'VP8 ' && {
      width: view.getUint16(26, true) & 0x3fff,
      height: view.getUint16(28, true) & 0x3fff,
    }
  );
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
 * @param {DataView} view
 * @param {ForeignFacts} facts
 * @param {number} [start]
 * @param {number} [end]
 * @param {number} [depth] of the containers in each other
 */
function readHeif(view, facts, start = 0, end = view.byteLength, depth = 3) {
  for (let at = start; at + 8 <= end;) {
    const tag = tagAt(view, at + 4);
    let size = view.getUint32(at);
    let data = at + 8;
    if (size === 1) {
      size = Number(view.getBigUint64(data));
      data += 8;
    }
    const next = size < 8 ? end : Math.min(at + size, end);
    if (depth > 0 && tag in CONTAINERS) readHeif(view, facts, data + CONTAINERS[tag], next, depth - 1);
    if (tag === 'ispe') {
      const [width, height] = [view.getUint32(data + 4), view.getUint32(data + 8)];
      // The largest is the picture's; others are those of its tiles and thumbnail.
      if (width * height > facts.width * facts.height) Object.assign(facts, { width, height });
    }
    if (tag === 'irot') facts.orientation = ORIENTATIONS[view.getUint8(data) & 3];
    if (tag === 'imir') facts.isMirrored = true;
    at = next;
  }
}

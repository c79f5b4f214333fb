// Cyclic redundancy checks of 32 bits, eight bytes at a time.

/**
 * @param {number} polynomial with its bits reversed
 * @returns {(bytes: Uint8Array, before?: number) => number} `before`: the check of the bytes that come before
 */
export function crcBy(polynomial) {
  const tables = tablesOf(polynomial);
  return (bytes, before = 0) => checkBy(tables, bytes, before);
}

/** The check of ZIP, gzip and PNG. */
export const crc32 = crcBy(0xedb88320);

/**
 * tables[k][b]: the contribution of byte b after k more bytes.
 * @param {number} polynomial
 */
function tablesOf(polynomial) {
  const tables = Array.from({ length: 8 }, () => new Uint32Array(256));
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    tables[0][byte] = crc;
  }
  for (let k = 1; k < 8; k++) {
    for (let byte = 0; byte < 256; byte++) {
      const crc = tables[k - 1][byte];
      tables[k][byte] = (crc >>> 8) ^ tables[0][crc & 255];
    }
  }
  return tables;
}

/**
 * @param {Uint32Array[]} tables
 * @param {Uint8Array} bytes
 * @param {number} before
 */
function checkBy([t0, t1, t2, t3, t4, t5, t6, t7], bytes, before) {
  const end = bytes.length - (bytes.length % 8);
  let crc = ~before;
  let i = 0;
  for (; i < end; i += 8) {
    crc ^= bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    crc =
      t7[crc & 255] ^
      t6[(crc >>> 8) & 255] ^
      t5[(crc >>> 16) & 255] ^
      t4[crc >>> 24] ^
      t3[bytes[i + 4]] ^
      t2[bytes[i + 5]] ^
      t1[bytes[i + 6]] ^
      t0[bytes[i + 7]];
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ t0[(crc ^ bytes[i]) & 255];
  return ~crc >>> 0;
}

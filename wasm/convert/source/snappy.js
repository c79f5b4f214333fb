// Decompresses Snappy's raw format: https://github.com/google/snappy/blob/main/format_description.txt
import { convertFailure } from '../errors.js';

const MAX_BYTES = 1 << 26;

/** @param {Uint8Array} input */
export function uncompress(input) {
  let at = 0;
  const next = (/** @type {number} */ count) => {
    let value = 0;
    for (let i = 0; i < count; i++) value += input[at + i] * 256 ** i;
    at += count;
    if (at > input.length) throw convertFailure('CHECKPOINT_DAMAGED', 'unexpected end of a compressed block');
    return value;
  };
  let size = 0;
  for (let shift = 0, byte = 128; byte >= 128 && shift < 35; shift += 7) {
    byte = next(1);
    size += (byte & 127) * 2 ** shift;
  }
  if (size > MAX_BYTES)
    throw convertFailure(
      'CHECKPOINT_DAMAGED',
      `a compressed block claims ${size} bytes, the limit is ${MAX_BYTES}`,
    );
  const output = new Uint8Array(size);
  let written = 0;
  while (at < input.length) {
    const tag = next(1);
    const kind = tag & 3;
    if (kind === 0) {
      const code = tag >>> 2;
      const length = (code < 60 ? code : next(code - 59)) + 1;
      if (at + length > input.length || written + length > size)
        throw convertFailure('CHECKPOINT_DAMAGED', 'a compressed block has an invalid literal');
      output.set(input.subarray(at, at + length), written);
      at += length;
      written += length;
      continue;
    }
    const length = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
    const distance = kind === 1 ? (tag >>> 5) * 256 + next(1) : next(kind === 2 ? 2 : 4);
    if (distance === 0 || distance > written || written + length > size)
      throw convertFailure('CHECKPOINT_DAMAGED', 'a compressed block has an invalid copy');
    for (let i = 0; i < length; i++, written++) output[written] = output[written - distance];
  }
  if (written !== size) throw convertFailure('CHECKPOINT_DAMAGED', 'unexpected end of a compressed block');
  return output;
}

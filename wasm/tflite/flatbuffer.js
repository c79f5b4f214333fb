// Writes FlatBuffers tables that are described as lists of fields. Write a table's children before the table.
import { Builder } from 'flatbuffers';

/**
 * @typedef {number} Offset
 * @typedef {['i8' | 'i32' | 'u32' | 'f32' | 'bool' | 'ref', number, number | boolean | undefined]} Field
 *   type, id, value; undefined or the reference 0: the field is absent
 */

/**
 * @param {Builder} builder
 * @param {Field[]} fields
 * @returns {Offset}
 */
export function table(builder, fields) {
  builder.startObject(fields.reduce((count, [, id]) => Math.max(count, id + 1), 0));
  for (const [type, id, value] of fields) {
    if (value === undefined) continue;
    const number = Number(value);
    if (type === 'i8') builder.addFieldInt8(id, number, 0);
    else if (type === 'bool') builder.addFieldInt8(id, number, 0);
    else if (type === 'f32') builder.addFieldFloat32(id, number, 0);
    else if (type === 'ref') builder.addFieldOffset(id, number, 0);
    else builder.addFieldInt32(id, type === 'u32' ? number | 0 : number, 0);
  }
  return builder.endObject();
}

const OPTION_TYPES = /** @type {const} */ ({ b: 'i8', i: 'i32', f: 'f32', v: 'ref' });

/**
 * Writes an options table.
 * @param {Builder} builder
 * @param {[string, 'b' | 'i' | 'f' | 'v', number?][]} fields name and type, by id
 * @param {(number | number[] | undefined)[]} values by id; undefined: absent
 */
export function writeOptions(builder, fields, values) {
  return table(
    builder,
    fields.map(([, type], id) => {
      const value = values[id];
      return [OPTION_TYPES[type], id, Array.isArray(value) ? int32s(builder, value) : value];
    }),
  );
}

/** @param {Builder} builder @param {readonly Offset[]} offsets */
export function offsets(builder, offsets) {
  builder.startVector(4, offsets.length, 4);
  for (const offset of offsets.toReversed()) builder.addOffset(offset);
  return builder.endVector();
}

/** @param {Builder} builder @param {readonly number[]} numbers */
export function int32s(builder, numbers) {
  builder.startVector(4, numbers.length, 4);
  for (const number of numbers.toReversed()) builder.addInt32(number);
  return builder.endVector();
}

/** @param {Builder} builder @param {ArrayLike<number>} numbers */
export function float32s(builder, numbers) {
  builder.startVector(4, numbers.length, 4);
  for (let i = numbers.length - 1; i >= 0; i--) builder.addFloat32(numbers[i]);
  return builder.endVector();
}

/** @param {Builder} builder @param {ArrayLike<number>} numbers */
export function int64s(builder, numbers) {
  builder.startVector(8, numbers.length, 8);
  for (let i = numbers.length - 1; i >= 0; i--) builder.addInt64(BigInt(numbers[i]));
  return builder.endVector();
}

/** A vector of bytes, aligned to 16. @param {Builder} builder @param {Uint8Array} bytes */
export function blob(builder, bytes) {
  builder.startVector(1, bytes.length, 16);
  // Like createByteVector(), which aligns to 1 only.
  const inner = /** @type {{space: number, bb: {bytes(): Uint8Array}}} */ (/** @type {unknown} */ (builder));
  inner.space -= bytes.length;
  inner.bb.bytes().set(bytes, inner.space);
  return builder.endVector();
}

export { Builder };

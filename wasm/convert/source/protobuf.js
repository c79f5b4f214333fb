// Decodes Protocol Buffers to plain objects. Reads only the fields that a Message describes, and skips others.
import { BinaryReader } from '@bufbuild/protobuf/wire';

/**
 * @typedef {'string' | 'bytes' | 'int' | 'bool' | 'float' | 'double' | 'fixed32'} Scalar
 * @typedef {object} Field
 * @property {string} name
 * @property {Scalar | (() => Message)} type
 * @property {'one' | 'many' | 'map'} count many: a repeated field; map: with string keys
 *
 * @typedef {Record<number, Field>} Message by field number
 */

const MAX_DEPTH = 64;
const LENGTH_DELIMITED = 2;

/**
 * @param {Message} message
 * @param {Uint8Array} bytes
 * @returns {any}
 */
export function decode(message, bytes) {
  return decodeFields(message, new BinaryReader(bytes), 0);
}

/**
 * Decodes fields up to the reader's end.
 * @param {Message} message
 * @param {BinaryReader} reader
 * @param {number} depth
 */
function decodeFields(message, reader, depth) {
  if (depth > MAX_DEPTH) throw new Error('nested too deeply');
  /** @type {Record<string, any>} */
  const object = {};
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const field = message[number];
    if (field === undefined) reader.skip(wireType, number);
    else readField(object, field, reader, wireType, depth);
  }
  if (reader.pos > reader.len) throw new RangeError('premature end');
  return object;
}

/**
 * @param {Record<string, any>} object
 * @param {Field} field
 * @param {BinaryReader} reader
 * @param {number} wireType
 * @param {number} depth
 */
function readField(object, { name, type, count }, reader, wireType, depth) {
  if (count === 'map') {
    const value = /** @type {() => Message} */ (type);
    const entry = decodeFields(entryOf(value), nested(reader), depth + 1);
    (object[name] ??= new Map()).set(entry.key ?? '', entry.value ?? {});
  } else if (count === 'one') {
    object[name] = readValue(type, reader, depth);
  } else if (wireType === LENGTH_DELIMITED && isPackable(type)) {
    const values = (object[name] ??= []);
    const packed = nested(reader);
    while (packed.pos < packed.len) values.push(readValue(type, packed, depth));
  } else {
    (object[name] ??= []).push(readValue(type, reader, depth));
  }
}

/** @param {Field['type']} type */
function isPackable(type) {
  return typeof type === 'string' && type !== 'string' && type !== 'bytes';
}

/** @param {BinaryReader} reader */
function nested(reader) {
  return new BinaryReader(reader.bytes());
}

/**
 * @param {Field['type']} type
 * @param {BinaryReader} reader
 * @param {number} depth
 */
function readValue(type, reader, depth) {
  if (typeof type === 'function') return decodeFields(type(), nested(reader), depth + 1);
  if (type === 'int') return Number(reader.int64());
  return reader[type]();
}

/** @type {Map<() => Message, Message>} */
const entries = new Map();

/** The message of a map's entries. @param {() => Message} value */
function entryOf(value) {
  let message = entries.get(value);
  if (message === undefined) {
    message = {
      1: { name: 'key', type: 'string', count: 'one' },
      2: { name: 'value', type: value, count: 'one' },
    };
    entries.set(value, message);
  }
  return message;
}

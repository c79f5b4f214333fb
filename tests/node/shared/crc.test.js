// Cyclic redundancy checks: known values, and parts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from '../../../wasm/shared/crc.js';

const encoder = new TextEncoder();

test('CRC-32 of known texts', () => {
  // The first is the check value that catalogues of CRCs give.
  assert.equal(crc32(encoder.encode('123456789')), 0xcbf43926);
  assert.equal(crc32(encoder.encode('The quick brown fox jumps over the lazy dog')), 0x414fa339);
  assert.equal(crc32(new Uint8Array(0)), 0);
});

test('CRC-32 of parts is that of the whole', () => {
  const bytes = Uint8Array.from({ length: 100 }, (_, i) => i * 37);
  const whole = crc32(bytes);
  for (let i = 0; i <= bytes.length; i++)
    assert.equal(crc32(bytes.subarray(i), crc32(bytes.subarray(0, i))), whole);
});

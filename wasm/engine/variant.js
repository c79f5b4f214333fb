import { failure } from '../shared/errors.js';

/** @typedef {'simd' | 'relaxed' | 'simd-threads' | 'relaxed-threads'} Variant */
/** @typedef {'train-simd' | 'train-relaxed'} TrainVariant variants of the separate training module */

// A module of one function whose body is `i32.const 0; i8x16.splat; …; drop; end`.
/** @param {number[]} body */
const probe = (...body) =>
  new Uint8Array([
    ...[0, 97, 115, 109, 1, 0, 0, 0], // magic, version
    ...[1, 4, 1, 0x60, 0, 0], // one type: [] -> []
    ...[3, 2, 1, 0], // one function of it
    ...[10, body.length + 4, 1, body.length + 2, 0, ...body, 0x0b],
  ]);
const SPLAT = [0x41, 0, 0xfd, 0x0f];
const SIMD = probe(...SPLAT, 0x1a);
const RELAXED = probe(...SPLAT, ...SPLAT, ...SPLAT, 0xfd, 0x85, 0x02, 0x1a); // f32x4.relaxed_madd

/**
 * The best variant that this JavaScript engine supports. An engine without relaxed SIMD rejects every module that
 * contains a relaxed opcode, so a tiny module is validated to find out.
 * @param {{threads: number, deterministic: boolean, trustsRelaxed: boolean}} wish
 * @returns {Variant}
 */
export function chooseVariant({ threads, deterministic, trustsRelaxed }) {
  if (!WebAssembly.validate(SIMD)) throw failure('NO_WASM_SIMD');
  const relaxed = !deterministic && trustsRelaxed && WebAssembly.validate(RELAXED);
  return `${relaxed ? 'relaxed' : 'simd'}${threads > 1 ? '-threads' : ''}`;
}

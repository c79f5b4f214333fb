// The package's files as modules of JavaScript, which every tool bundles: tools/make-inline.js writes them. Each is
// imported on demand, so that a program loads one variant only, if its bundler splits code.
import { carry, decode } from '../platform/carried.js';

/** @type {Record<import('../platform/carried.js').CarriedName, () => Promise<{default: string}>>} */
const FILES = {
  simd: () => import('../../dist/inline/simd.js'),
  relaxed: () => import('../../dist/inline/relaxed.js'),
  'simd-threads': () => import('../../dist/inline/simd-threads.js'),
  'relaxed-threads': () => import('../../dist/inline/relaxed-threads.js'),
  'train-simd': () => import('../../dist/inline/train-simd.js'),
  'train-relaxed': () => import('../../dist/inline/train-relaxed.js'),
  model: () => import('../../dist/inline/model.js'),
};

/** @param {() => Promise<{default: string}>} importScript the text of the workers' script */
export function carryFiles(importScript) {
  carry({
    read: async (name) => decode((await FILES[name]()).default),
    readScript: async () => (await importScript()).default,
  });
}

// Where the modules and models lie, seen from this code. Each URL is written out, because bundlers copy only the files
// that they find in this form. They are computed on demand, because some bundlers leave `import.meta.url` undefined: that
// must not fail before a file is needed. (The tracer of Nuxt and Vercel finds none in arrow functions.)
/** @type {import('./files.js').Urls} */
export function urls() {
  return {
    simd: new URL('../../dist/ocelli-simd.wasm', import.meta.url),
    relaxed: new URL('../../dist/ocelli-relaxed.wasm', import.meta.url),
    'simd-threads': new URL('../../dist/ocelli-simd-threads.wasm', import.meta.url),
    'relaxed-threads': new URL('../../dist/ocelli-relaxed-threads.wasm', import.meta.url),
    'train-simd': new URL('../../dist/ocelli-train-simd.wasm', import.meta.url),
    'train-relaxed': new URL('../../dist/ocelli-train-relaxed.wasm', import.meta.url),
    compressed: new URL('../../dist/models/ssd_mobilenet_v2_oidv4.gz', import.meta.url),
    full: new URL('../../dist/models/ssd_mobilenet_v2_oidv4.bin', import.meta.url),
    int8: new URL('../../dist/models/ssd_mobilenet_v2_oidv4-int8.gz', import.meta.url),
  };
}

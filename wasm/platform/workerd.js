// The package's entry in Cloudflare's workerd: modules and model are part of the upload. package.json says which file the
// model is: by its name here, wrangler takes it as data without being told.
import model from '#models/default.bin';
import relaxed from '../../dist/ocelli-relaxed.wasm';
import simd from '../../dist/ocelli-simd.wasm';
import { gunzipSync } from 'fflate';
import { sourceOf } from '../engine/gather.js';
import { installEdge } from './edge.js';

installEdge({
  modules: { simd, relaxed },
  // At the top level of a Worker, where detectors are created, its DecompressionStream does not work.
  openModel: async () => sourceOf(gunzipSync(new Uint8Array(model))),
});

export * from '../vision/index.js';

// The package's entry in Vercel's edge runtime and Next.js' edge routes, which import modules by the suffix `?module`. The
// upload has no model: most plans allow less than its size. `ocelli/inline` carries it.
import relaxed from '../../dist/ocelli-relaxed.wasm?module';
import simd from '../../dist/ocelli-simd.wasm?module';
import { failure } from '../shared/errors.js';
import { carried, openCarried } from './carried.js';
import { installEdge } from './edge.js';
import { gunzip } from './gunzip.js';

installEdge({
  modules: { simd, relaxed },
  gunzip,
  async openModel() {
    const parts = carried();
    if (parts) return openCarried(parts);
    throw failure(
      'MODEL_NOT_FOUND',
      "in the edge runtime the package's model is not part of the upload: pass the model's URL as `model`, or import from 'ocelli/inline'",
    );
  },
});

export * from '../vision/index.js';

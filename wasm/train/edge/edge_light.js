// Entry point of ocelli/train in Vercel's edge runtime and Next.js' edge routes.
import relaxed from '../../../dist/ocelli-train-relaxed.wasm?module';
import simd from '../../../dist/ocelli-train-simd.wasm?module';
import '../../platform/edge_light.js';
import { addModules } from '../../platform/edge.js';

addModules({ 'train-simd': simd, 'train-relaxed': relaxed });

export * from '../index.js';

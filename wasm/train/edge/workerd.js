// Entry point of ocelli/train in edge workers (workerd). The training modules are part of the upload, because workerd
// compiles no WebAssembly from bytes.
import relaxed from '../../../dist/ocelli-train-relaxed.wasm';
import simd from '../../../dist/ocelli-train-simd.wasm';
import '../../platform/workerd.js';
import { addModules } from '../../platform/edge.js';

addModules({ 'train-simd': simd, 'train-relaxed': relaxed });

export * from '../index.js';

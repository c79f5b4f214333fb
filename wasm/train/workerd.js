// Entry point of ocelli/train in edge workers (workerd). The training modules are bundled, since workerd cannot compile
// WebAssembly at run time.
import relaxed from '../../dist/ocelli-train-relaxed.wasm';
import simd from '../../dist/ocelli-train-simd.wasm';
import '../platform/workerd.js';
import { host, installHost } from '../engine/host.js';

/** @type {Record<string, WebAssembly.Module>} */
const MODULES = { 'train-simd': simd, 'train-relaxed': relaxed };
const { loadModule, ...rest } = host();

installHost({
  ...rest,
  loadModule: async (variant, assetsUrl) => MODULES[variant] ?? loadModule(variant, assetsUrl),
});

export * from './index.js';

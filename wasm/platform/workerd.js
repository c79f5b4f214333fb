// The package's entry in edge workers (Cloudflare's workerd, Vercel's edge). The modules and the model are part of the
// upload, because an edge worker may not compile WebAssembly from bytes.
import model from '../../dist/models/ssd_mobilenet_v2_oidv4.bin';
import relaxed from '../../dist/ocelli-relaxed.wasm';
import simd from '../../dist/ocelli-simd.wasm';
import { failure } from '../shared/errors.js';
import { installHost } from '../engine/host.js';
import { openUrl, parseUrl } from './fetch.js';

const MODULES = { simd, relaxed };
/** Stands for the model above; not a URL to fetch. */
const MODEL = 'ocelli:model';

/** @type {import('../engine/host.js').Host & import('../vision/types.js').TilesHost} */
const edge = {
  loadTiles: () => import('../tiles/index.js'),
  trustsRelaxed: true,
  hasInt8: false,
  threads: 'none',
  maxPixels: 1 << 24, // a worker has 128 MB
  async loadModule(variant, assetsUrl) {
    if (assetsUrl)
      throw failure('INVALID_OPTION', 'assetsUrl: in edge workers module and model are part of the upload');
    if (variant === 'simd' || variant === 'relaxed') return MODULES[variant];
    throw failure('MODULE_NOT_FOUND', `${variant} does not run in edge workers`);
  },
  locateModel(_, precision) {
    if (precision === 'int8')
      throw failure('INVALID_OPTION', "precision 'int8': the upload has no 8-bit model; pass int8Model");
    return MODEL;
  },
  async open(source, signal, code) {
    if (source === MODEL) return packaged();
    if (code === 'IMAGE_NOT_FOUND' && typeof source === 'string')
      throw failure('INVALID_INPUT', 'in edge workers a string is no image: pass `await fetch(url)`');
    return openUrl(source, signal, code);
  },
  toUrl: (place, code) => parseUrl(place, code),
  // A worker's upload has only what the worker's own code imports.
  decodeFile: async (_, format) => `pass a decoder for it to useDecoder('${format}', decode)`,
};
installHost(edge);

function packaged() {
  return {
    sizeBytes: model.byteLength,
    chunks: (async function* () {
      yield new Uint8Array(model);
    })(),
  };
}

export * from '../vision/index.js';

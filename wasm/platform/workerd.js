// Edge workers (Cloudflare's workerd, Vercel's edge): modules and the model are part of the upload, as nothing may be
// compiled from bytes there.
import model from '../../dist/models/ssd_mobilenet_v2_oidv4.bin';
import relaxed from '../../dist/ocelli-relaxed.wasm';
import simd from '../../dist/ocelli-simd.wasm';
import { failure } from '../shared/errors.js';
import { installHost } from '../engine/host.js';
import { openUrl } from './fetch.js';

const MODULES = { simd, relaxed };
/** A name, not to be fetched, of the model above. */
const MODEL = 'ocelli:model';

installHost({
  trustsRelaxed: true,
  hasInt8: false,
  threads: 'none',
  async loadModule(variant) {
    if (variant === 'simd' || variant === 'relaxed') return MODULES[variant];
    throw failure('MODULE_NOT_FOUND', `${variant} is not for edge workers`);
  },
  locateModel(_, precision) {
    if (precision === 'int8')
      throw failure('INVALID_OPTION', 'precision: the upload has no 8-bit model; int8Model names one');
    return MODEL;
  },
  open: async (source, signal) => (source === MODEL ? packaged() : openUrl(source, signal)),
});

function packaged() {
  return {
    sizeBytes: model.byteLength,
    chunks: (async function* () {
      yield new Uint8Array(model);
    })(),
  };
}

export * from '../vision/index.js';

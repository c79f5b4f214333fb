// ocelli in edge workers (Cloudflare's workerd, Vercel's edge). The modules are part of the upload, because an edge worker
// may not compile WebAssembly from bytes.
import { failure } from '../shared/errors.js';
import { installHost } from '../engine/host.js';
import { CARRIED_MODEL } from './carried.js';
import { openUrl, parseUrl } from './fetch.js';

/**
 * @typedef {import('../engine/host.js').Host} Host
 * @typedef {import('../engine/host.js').ByteSource} ByteSource
 *
 * @typedef {object} Upload What is uploaded with the worker.
 * @property {Partial<Record<import('./files.js').AnyVariant, WebAssembly.Module>>} modules
 * @property {() => Promise<ByteSource>} openModel
 * @property {Host['gunzip']} [gunzip]
 */

/** @type {Upload['modules']} */
const modules = {};

/**
 * For bundlers that know a .wasm only as bytes, where the runtime compiles them. By another name, because the build of
 * Next.js refuses code that names the function.
 * @type {(bytes: Uint8Array<ArrayBuffer>) => Promise<WebAssembly.Module>}
 */
const compile = (bytes) => Reflect.get(WebAssembly, 'compile')(bytes);

/** @param {Upload['modules']} more */
export function addModules(more) {
  Object.assign(modules, more);
}

/** @param {Upload} upload */
export function installEdge({ modules: first, openModel, gunzip }) {
  addModules(first);
  /** @type {import('../engine/host.js').Host & import('../vision/types.js').TilesHost & import('../report/energy/estimate.js').MachineHost} */
  const edge = {
    gunzip,
    loadTiles: () => import('../tiles/index.js'),
    loadIntensities: () => import('@tgwf/co2/data'),
    trustsRelaxed: true,
    hasInt8: false,
    threads: 'none',
    maxPixels: 1 << 24, // a worker has 128 MB
    async loadModule(variant, assetsUrl) {
      if (assetsUrl)
        throw failure('INVALID_OPTION', 'assetsUrl: in edge workers module and model are part of the upload');
      const module = modules[variant];
      if (module instanceof Uint8Array) return compile(new Uint8Array(module));
      if (module) return module;
      throw failure('MODULE_NOT_FOUND', `${variant} does not run in edge workers`);
    },
    locateModel(_, form) {
      if (form === 'int8')
        throw failure('INVALID_OPTION', "precision 'int8': the upload has no 8-bit model; pass int8Model");
      if (form === 'full')
        throw failure(
          'INVALID_OPTION',
          "weights 'full': the upload has only the compressed model; import ocelli/models/ssd_mobilenet_v2_oidv4.bin and pass it as model",
        );
      return CARRIED_MODEL;
    },
    async open(source, signal, code) {
      if (source === CARRIED_MODEL) return openModel();
      if (code === 'IMAGE_NOT_FOUND' && typeof source === 'string')
        throw failure('INVALID_INPUT', 'in edge workers a string is not an image: pass `await fetch(url)`');
      return openUrl(source, signal, code);
    },
    toUrl: (place, code) => parseUrl(place, code),
    // A worker's upload has only what the worker's own code imports.
    decodeFile: async (_, format) => `pass a decoder for it to useDecoder('${format}', decode)`,
  };
  installHost(edge);
}

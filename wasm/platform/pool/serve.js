// The worker's side of a session: answers the calls of remote.js.
import { host, installHost } from '../../engine/host.js';
import { fastInt8 } from '../../engine/precision.js';
import { decoders } from '../../vision/foreign.js';
import { LocalSession } from '../../vision/session.js';
import { carry } from '../carried.js';
import { Link } from './link.js';
import { keepLoads, reuseLoads } from './loads.js';

/**
 * @typedef {import('../../vision/types.js').Answer} Answer
 * @typedef {import('../../vision/types.js').Facts} Facts
 * @typedef {import('./loads.js').Loads} Loads
 * @typedef {import('../../vision/types.js').Request} Request
 * @typedef {Request & {decoded: import('../../vision/foreign.js').ForeignFormat[]}} PostedRequest `decoded`: formats that
 *   the other side has decoders for
 * @typedef {import('../../vision/prepare.js').SessionOptions} SessionOptions
 *
 * @typedef {object} Creation What remote.js sends to create the session.
 * @property {SessionOptions} options
 * @property {Loads} [loads] what another worker has loaded
 * @property {boolean} keepsLoads whether to return what this worker loads
 * @property {boolean} isCarried whether the other side has the package's files, and reads them for this one
 *
 * @typedef {object} Created
 * @property {Facts} facts
 * @property {Answer['memoryUse']} memoryUse
 * @property {Loads} [loads]
 */

/**
 * @param {(message: unknown, transfer: Transferable[]) => void} post
 * @param {(link: Link, host: import('../../engine/host.js').Host) => import('../../engine/host.js').Host} extend
 *   what the platform has the other side do beside
 * @returns {(message: import('./link.js').Message) => void} receives the messages of remote.js
 */
export function serve(post, extend = (_, host) => host) {
  /** @type {LocalSession} */
  let session;
  const link = new Link(post, {
    async create({ options, loads, keepsLoads, isCarried }) {
      if (isCarried) carry({ read: (name) => link.call('readCarried', name) });
      const onProgress = (/** @type {object} */ progress) => link.tell('progress', progress);
      const kept = await loadWith({ loads, keepsLoads }, async () => {
        session = await LocalSession.create({ ...options, onProgress });
      });
      return { result: { facts: session.facts, memoryUse: session.memoryUse, loads: kept } };
    },
    async run(/** @type {PostedRequest} */ request) {
      for (const format of request.decoded)
        decoders.set(format, (buffer) => link.call('decode', { buffer, format }, [buffer]));
      try {
        const answer = await session.run(request);
        const { result } = answer;
        return { result: answer, transfer: result instanceof Float32Array ? [result.buffer] : [] };
      } finally {
        // A captured frame belongs to this worker. Close it: a browser allows few open frames.
        for (const input of request.inputs) if (typeof input === 'object' && 'close' in input) input.close();
      }
    },
  });
  const own = host();
  installHost(
    extend(link, {
      ...own,
      startThread: (start) => link.call('startThread', start),
      // The other side may not be allowed to compile (Content-Security-Policy).
      loadModule: (variant, assetsUrl) =>
        link.call('loadModule', { variant, assetsUrl }).catch(() => own.loadModule(variant, assetsUrl)),
    }),
  );
  return (message) => link.receive(message);
}

/**
 * Installs a host that takes or keeps loads, during `load` only: a session that loads its model again is on its own.
 * @param {Pick<Creation, 'loads' | 'keepsLoads'>} creation
 * @param {() => Promise<void>} load
 * @returns {Promise<Loads | undefined>} what was loaded, if it is to be kept
 */
async function loadWith({ loads, keepsLoads }, load) {
  const own = host();
  const keeping = keepsLoads ? keepLoads(own) : undefined;
  installHost(loads ? reuseLoads(own, loads) : (keeping?.host ?? own));
  try {
    await load();
    return keeping && { ...keeping.loads, fastInt8: fastInt8() };
  } finally {
    installHost(own);
  }
}

// The worker's side of a session: receives requests and posts answers. remote.js is the page's side.
import { toPlainError } from '../shared/errors.js';
import { LocalSession } from '../vision/session.js';

/** @typedef {{postMessage: (message: unknown, transfer?: Transferable[]) => void}} Port */

/** @type {LocalSession} */
let session;

/**
 * @param {Port} port
 * @param {import('../vision/prepare.js').SessionOptions} options
 */
export async function createSession(port, options) {
  try {
    const onProgress = (/** @type {object} */ progress) => port.postMessage({ progress });
    session = await LocalSession.create({ ...options, onProgress });
    port.postMessage({ ready: session.facts, memoryUse: session.memoryUse });
  } catch (error) {
    port.postMessage({ error: toPlainError(error) });
  }
}

/**
 * @param {Port} port
 * @param {number} id
 * @param {import('../vision/types.js').Request} request
 */
export async function answer(port, id, request) {
  try {
    const answer = await session.run(request);
    const { result } = answer;
    port.postMessage({ id, answer }, result instanceof Float32Array ? [result.buffer] : []);
  } catch (error) {
    port.postMessage({ id, error: toPlainError(error) });
  } finally {
    // A captured frame belongs to this worker. Close it: a browser allows few open frames.
    for (const input of request.inputs) if (typeof input === 'object' && 'close' in input) input.close();
  }
}

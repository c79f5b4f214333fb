import { ObjectDetector } from 'ocelli';

/** @type {import('./measure.js').Create} */
export async function create({ model, threads = 1 }) {
  // The page's bundle has moved the code away from the worker's script.
  const assetsUrl = threads > 1 ? new URL('/dist/', globalThis.location.href).href : undefined;
  const detector = await ObjectDetector.create({ model, threads, assetsUrl });
  if (detector.variant.threads !== threads) throw new Error(`ocelli has ${detector.variant.threads} threads`);
  return async (tensor) =>
    (await detector.heads({ tensor })).heads.map(({ data }) => /** @type {Float32Array} */ (data));
}

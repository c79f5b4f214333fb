import { ObjectDetector } from 'ocelli';

/** @type {import('./measure.js').Create} */
export async function create({ model }) {
  const detector = await ObjectDetector.create({ model });
  return async (tensor) =>
    (await detector.heads({ tensor })).heads.map(({ data }) => /** @type {Float32Array} */ (data));
}

// One thread of the pool: image bytes -> detections. Each thread creates its own detector once.
import { ObjectDetector } from 'ocelli';
import { workerData } from 'node:worker_threads';
import { detectIn } from '../service/annotate.js';

const { maxPixels } = workerData;
const detector = await ObjectDetector.create({ maxPixels });

/** @param {{image: Uint8Array<ArrayBuffer>, wanted: import('../service/app.js').Wanted}} task */
export default async function run({ image, wanted }) {
  try {
    return { found: await detectIn(detector, image, wanted, maxPixels) };
  } catch (error) {
    // Posting an error between threads drops its `code`, so return code and message as values.
    const { code, message } = /** @type {{code?: string, message: string}} */ (error);
    if (code === undefined) throw error;
    return { code, message };
  }
}

// A pool of detectors behind one. If its worker ends during a detection, the detection runs again.
import { ObjectDetector } from 'ocelli';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { detectIn } from '../annotate.js';
import { ServiceError } from '../errors.js';

const MAX_TRIES = 3;

/**
 * @param {object} options
 * @param {number} options.threads
 * @param {number} options.maxQueue the most images that may wait
 * @param {number} options.maxPixels
 * @param {string} [options.model] path or URL of a detector's file; default: ocelli's own
 */
export async function createPool({ threads, maxQueue, maxPixels, model }) {
  const detector = await ObjectDetector.create({ pool: threads, maxQueue, maxPixels, model });
  let running = 0;

  /** @type {import('../app.js').Parts['detect']} */
  async function detect(image, wanted) {
    running++;
    try {
      const found = await tryDetect(image, { ...wanted, annotate: false });
      return wanted.annotate ? { ...found, picture: await draw(image, found.detections) } : found;
    } finally {
      running--;
    }
  }

  /** @type {import('../app.js').Parts['detect']} */
  async function tryDetect(image, wanted) {
    for (let tries = 1; ; tries++) {
      try {
        return await detectIn(detector, image, wanted, maxPixels);
      } catch (error) {
        const { code } = /** @type {{code?: string}} */ (error);
        if (code === 'QUEUE_FULL') throw new ServiceError('BUSY', 'the queue is full; try again later');
        if (code !== 'WORKER_LOST' || tries === MAX_TRIES) throw error;
      }
    }
  }

  /**
   * Draws in a thread of its own, because compressing a picture takes long.
   * @param {Uint8Array} image
   * @param {import('ocelli').Detection[]} detections
   */
  async function draw(image, detections) {
    const workerData = { image, detections, maxPixels };
    const [picture] = await once(
      new Worker(new URL('draw-worker.js', import.meta.url), { workerData }),
      'message',
    );
    return picture;
  }

  return { detect, queueLength: () => Math.max(0, running - threads), close: () => detector.close() };
}

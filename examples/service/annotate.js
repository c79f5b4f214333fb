// An image's bytes -> detections and, if requested, the annotated picture as PNG.
import { decodeImage } from 'ocelli';
import { drawDetections } from 'ocelli/draw';
import { encodePng } from 'ocelli/png';

/**
 * @param {import('ocelli').ObjectDetector} detector
 * @param {Uint8Array<ArrayBuffer>} image
 * @param {import('./app.js').Wanted} wanted
 * @param {number} maxPixels
 * @returns {Promise<import('./app.js').Found>}
 */
export async function detectIn(detector, image, { threshold, max, annotate }, maxPixels) {
  const detections = await detector.detect(image, { scoreThreshold: threshold, maxResults: max });
  const { width, height } = detector.lastRun;
  if (!annotate) return { width, height, detections };
  const pixels = await decodeImage(image, { maxPixels });
  drawDetections(pixels, detections);
  return { width, height, detections, picture: /** @type {Uint8Array<ArrayBuffer>} */ (encodePng(pixels)) };
}

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
export async function detectIn(detector, image, { threshold, max, annotate: wantsPicture }, maxPixels) {
  const { detections, size } = await detector.detect(image, { scoreThreshold: threshold, maxResults: max });
  const { width, height } = size;
  if (!wantsPicture) return { width, height, detections };
  return { width, height, detections, picture: await annotate(image, detections, maxPixels) };
}

/**
 * @param {Uint8Array<ArrayBuffer>} image
 * @param {import('ocelli').Detection[]} detections
 * @param {number} maxPixels
 * @returns {Promise<Uint8Array<ArrayBuffer>>} a PNG file
 */
export async function annotate(image, detections, maxPixels) {
  const pixels = await decodeImage(image, { maxPixels });
  drawDetections(pixels, detections);
  return /** @type {Uint8Array<ArrayBuffer>} */ (encodePng(pixels));
}

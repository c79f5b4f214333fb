// What each row of docs/bundlers.md must find: the bits of the package in Node.
import { ObjectDetector } from '../../wasm/platform/node.js';
import { packagePhoto } from '../node/shared.js';

export const PHOTO = packagePhoto('chelsea.png');

/** The detections in the photo. */
export const expected = ObjectDetector.create({ deterministic: true }).then(async (detector) => {
  const { detections } = await detector.detect(PHOTO);
  detector.close();
  return detections;
});

import { ObjectDetector } from 'ocelli/inline';
import { detect } from '../detect.js';

export async function POST(request) {
  return detect(await ObjectDetector.create({ deterministic: true, worker: true }), request);
}

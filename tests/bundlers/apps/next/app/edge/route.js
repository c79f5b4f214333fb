import { ObjectDetector } from 'ocelli/inline';
import { detect } from '../detect.js';

export const runtime = 'edge';

export async function POST(request) {
  return detect(await ObjectDetector.create({ deterministic: true }), request);
}

import { ObjectDetector } from 'ocelli';
import { detect } from '../detect.js';

export const runtime = 'edge';

export async function POST(request) {
  const model = new URL('/model.bin', request.url);
  return detect(await ObjectDetector.create({ deterministic: true, model }), request);
}

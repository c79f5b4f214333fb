import { ObjectDetector } from 'ocelli';

export async function POST({ request }) {
  const detector = await ObjectDetector.create({ deterministic: true, worker: true });
  const { detections } = await detector.detect(new Uint8Array(await request.arrayBuffer()));
  detector.close();
  return Response.json(detections);
}

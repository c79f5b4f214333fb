import { ObjectDetector } from 'ocelli';

export default defineEventHandler(async (event) => {
  const detector = await ObjectDetector.create({ deterministic: true, worker: true });
  const { detections } = await detector.detect(new Uint8Array(await readRawBody(event, false)));
  detector.close();
  return detections;
});

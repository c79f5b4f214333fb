// curl --data-binary @photo.jpg localhost:8000
import { ObjectDetector, OcelliError } from 'ocelli';

const detector = await ObjectDetector.create({ pool: 2 });

Deno.serve({ port: Number(Deno.env.get('PORT') ?? 8000) }, async (request) => {
  try {
    const { detections } = await detector.detect(request, { timeoutMs: 10_000 });
    return Response.json(detections);
  } catch (error) {
    if (!(error instanceof OcelliError)) throw error;
    return Response.json({ code: error.code, message: error.message }, { status: 400 });
  }
});

import { ObjectDetector } from 'ocelli/inline';
import * as train from 'ocelli/train';

const detecting = ObjectDetector.create({ deterministic: true });

addEventListener('fetch', (event) => event.respondWith(answer(event.request)));

async function answer(request) {
  try {
    if (request.method === 'GET') return Response.json(await globalThis.run(train));
    const detector = await detecting;
    return Response.json((await detector.detect(new Uint8Array(await request.arrayBuffer()))).detections);
  } catch ({ name, code, message, stack }) {
    return new Response(`${name} ${code} ${message} ${stack}`, { status: 500 });
  }
}

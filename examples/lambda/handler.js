// A function behind an API or a function URL: a photo in the body, detections out. One file, dist/index.cjs, is uploaded.
import { ObjectDetector } from 'ocelli/inline';

// Once for each instance of the function, while it starts.
const creating = ObjectDetector.create();

export async function handler({ body = '', isBase64Encoded }) {
  try {
    const detector = await creating;
    const { detections } = await detector.detect(Buffer.from(body, isBase64Encoded ? 'base64' : 'latin1'));
    return answer(200, detections);
  } catch ({ code, message }) {
    return answer(400, { code, message });
  }
}

const answer = (statusCode, value) => ({
  statusCode,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});

// ocelli, as its user imports it: a photo's bytes -> boxes.
import { ObjectDetector } from 'ocelli';

const [detector, photo] = await Promise.all([
  ObjectDetector.create({ scoreThreshold: 0.3 }),
  fetch('/photo').then((response) => response.arrayBuffer()),
]);
const found = await detector.detect(photo);
globalThis.report = { ms: performance.now(), result: found.map(({ label }) => label).join() };

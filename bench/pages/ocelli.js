// ocelli, imported as a user imports it: a photo's bytes -> detections.
import { ObjectDetector } from 'ocelli';
import { report } from './report.js';

const [detector, photo] = await Promise.all([
  ObjectDetector.create({ scoreThreshold: 0.3, wasmUrl: 'dist/' }),
  fetch('/photo').then((response) => response.arrayBuffer()),
]);
const found = await detector.detect(photo);
report(performance.now(), found.map(({ label }) => label).join());

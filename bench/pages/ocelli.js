// ocelli, imported as a user imports it: a photo's bytes -> detections.
import { ObjectDetector } from 'ocelli';
import { report } from './report.js';

const [detector, photo] = await Promise.all([
  ObjectDetector.create({ scoreThreshold: 0.3, assetsUrl: 'dist/' }),
  fetch('/photo').then((response) => response.arrayBuffer()),
]);
const { detections } = await detector.detect(photo);
report(performance.now(), detections.map(({ label }) => label).join());

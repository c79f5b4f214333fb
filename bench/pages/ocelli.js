// ocelli, imported as a user imports it: a photo's bytes -> detections. `?threads=2` gives it two threads.
import { ObjectDetector } from 'ocelli';
import { report } from './report.js';

const threads = Number(new URLSearchParams(location.search).get('threads') ?? 1);
const [detector, photo] = await Promise.all([
  ObjectDetector.create({ scoreThreshold: 0.3, threads, assetsUrl: 'dist/' }),
  fetch('/photo').then((response) => response.arrayBuffer()),
]);
const { detections } = await detector.detect(photo);
report(performance.now(), detections.map(({ label }) => label).join());

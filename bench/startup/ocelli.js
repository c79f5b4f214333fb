// ocelli in a fresh process: time from import to the first detections in a photo's bytes, as one JSON line.
import { readFile } from 'node:fs/promises';

const photo = process.argv[2];
const start = performance.now();
const { ObjectDetector } = await import('../../wasm/platform/node.js');
const detector = await ObjectDetector.create();
const { detections } = await detector.detect(await readFile(photo));
const ms = performance.now() - start;
console.log(
  JSON.stringify({
    ms,
    memoryBytes: detector.memoryUse.totalBytes,
    result: detections.map(({ label }) => label),
  }),
);
detector.close();

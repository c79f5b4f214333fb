// Image and detections -> the annotated picture.
import { parentPort, workerData } from 'node:worker_threads';
import { annotate } from '../annotate.js';

const { image, detections, maxPixels } = workerData;
const picture = await annotate(image, detections, maxPixels);
parentPort?.postMessage(picture, [picture.buffer]);

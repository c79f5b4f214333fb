// A module worker of the user's own; import maps do not reach workers.
import { ObjectDetector } from './ocelli/dist/web/browser.js';

onmessage = async ({ data: { photo, options } }) => {
  const detector = await ObjectDetector.create(options);
  const found = (await detector.detect(await (await fetch(photo)).blob())).detections;
  postMessage({ labels: found.map(({ label }) => label), variant: detector.variant });
  detector.close();
};

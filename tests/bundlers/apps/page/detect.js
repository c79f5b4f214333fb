/** Detects in this thread and in a worker; the page's title is what was found. */
export async function show(ObjectDetector) {
  const photo = new Uint8Array(await (await fetch('photo.png')).arrayBuffer());
  const found = [];
  for (const worker of [false, true]) {
    const detector = await ObjectDetector.create({ deterministic: true, worker });
    found.push((await detector.detect(photo)).detections);
    detector.close();
  }
  return found;
}

export function report(promise) {
  promise.then(
    (found) => (document.title = JSON.stringify(found)),
    ({ name, code, message }) => (document.title = `${name} ${code} ${message}`),
  );
}

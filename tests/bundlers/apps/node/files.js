import { ObjectDetector } from 'ocelli';
import { readFileSync } from 'node:fs';

async function main() {
  const detector = await ObjectDetector.create({ deterministic: true });
  console.log(JSON.stringify((await detector.detect(readFileSync(process.argv[2]))).detections));
}

main().catch(({ name, code, message }) => console.log(`${name} ${code} ${message}`));

import { ObjectDetector } from 'ocelli/inline';
import { readFileSync } from 'node:fs';

async function main() {
  const photo = readFileSync(process.argv[2]);
  for (const options of [{}, { pool: 2 }, { threads: 2 }]) {
    const detector = await ObjectDetector.create({ deterministic: true, ...options });
    console.log(JSON.stringify((await detector.detect(photo)).detections));
    detector.close();
  }
}

main().catch(({ name, code, message }) => console.log(`${name} ${code} ${message}`));

// Writes what the fuzz targets start from, a folder for each (tests/fuzz/README.md):  node write_seeds.js OUT
// The targets that decide everything by the fuzzer's bytes get random bytes.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { encode } from 'flatbuffers/js/flexbuffers.js';
import { zipSync } from 'fflate';
import { appendLabels, writeMetadata } from '../../wasm/tflite/metadata.js';
import { REFUSED } from './hostile_networks.js';
import { makeRandom } from './mutate.js';
import { imageSeeds, networkSeeds } from './seeds.js';
import { tinyDetector, writeModel } from './tiny_models.js';

/** The bytes of an input before the file. */
const HEAD_BYTES = { image: 12, model: 1, mutated: 8 };
const MAX_BYTES = 24000;
const NUM_RANDOM = 200;
const out = process.argv[2];

/** @param {keyof typeof HEAD_BYTES} target @param {string} name @param {Uint8Array} file @param {number[]} [head] */
function write(target, name, file, head = []) {
  const bytes = new Uint8Array(HEAD_BYTES[target] + file.length);
  bytes.set(head);
  bytes.set(file, HEAD_BYTES[target]);
  writeFileSync(`${out}/${target}/${name.replaceAll(/[^\w.]+/g, '_')}`, bytes);
}

const metadata = writeMetadata({
  name: 'a',
  description: 'b',
  image: { name: 'image', mean: [127.5], std: [127.5] },
  outputs: [
    { name: 'boxes', role: 'location' },
    { name: 'scores', role: 'score', labels: ['cat', 'dog'] },
  ],
  detector: {
    anchors: new Float32Array(64).fill(0.5),
    boxCoder: [10, 10, 5, 5],
    numClasses: 2,
    isSigmoid: true,
  },
  own: { resize: 'legacy' },
});
const options = encode({ max_detections: 10, nms_iou_threshold: 0.5, y_scale: 10, use_regular_nms: false });
const labels = new TextEncoder().encode('cat\ndog\n');
const detector = appendLabels(tinyDetector(metadata), ['cat', 'dog']);

for (const target of ['image', 'resize', 'model', 'detect', 'train', 'session', 'mutated', 'generated'])
  mkdirSync(`${out}/${target}`, { recursive: true });
const images = new URL('../data/images/', import.meta.url);
for (const { name, bytes } of imageSeeds()) if (bytes.length <= MAX_BYTES) write('image', name, bytes);
for (const name of readdirSync(fileURLToPath(images)).filter((name) => name.endsWith('.jpg')))
  write('image', name, readFileSync(new URL(name, images)));
write('model', 'detector', detector);
write('model', 'metadata', metadata, [1]);
write('model', 'zip', zipSync({ 'labels.txt': labels }, { level: 0 }), [2]);
write('model', 'zip.deflated', zipSync({ 'other.txt': labels, 'labels.txt': labels }), [2]);
write('model', 'flexbuffer', options, [3]);
write('mutated', 'detector', detector);
for (const { name, bytes } of networkSeeds()) {
  if (bytes.length > MAX_BYTES) continue;
  write('model', name, bytes);
  write('mutated', name, bytes);
}
for (const [i, [, network]] of Object.values(REFUSED).entries()) {
  const bytes = writeModel(network);
  if (bytes.length <= MAX_BYTES) write('mutated', `hostile${i}`, bytes);
}
const random = makeRandom(1);
for (const target of ['resize', 'detect', 'train', 'session', 'generated'])
  for (let i = 0; i < NUM_RANDOM; i++)
    writeFileSync(
      `${out}/${target}/random${i}`,
      Uint8Array.from({ length: 60 + Math.floor(random() * 400) }, () => random() * 256),
    );

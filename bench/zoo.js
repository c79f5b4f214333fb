// Size, accuracy and time of the networks that a checkout can run: the default detector in its forms, and the published
// files of ../shared/data. Times are of the network alone, one thread, in turns, as multiples of the default detector's.
// AP is that of the labelled photos of tests/data/boxes, for the classes that a detector shares with them.
//   node bench/zoo.js [--rounds N] [--times] [--write] [MODEL.tflite …]
// --write puts the table into docs/models.md, --times leaves AP out. Files that are given are timed too.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import '../wasm/platform/node.js';
import { Engine } from '../wasm/engine/engine.js';
import { sourceOf } from '../wasm/engine/gather.js';
import { host } from '../wasm/engine/host.js';
import { chooseVariant } from '../wasm/engine/variant.js';
import { formatBytes, plural } from '../wasm/shared/text.js';
import { min, ratio, SHARED, shuffle, time } from './measure.js';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const OUT = `${ROOT}build/bench/zoo`;
const PAGE = `${ROOT}docs/models.md`;
const MARKERS = ['<!-- zoo: written by bench/zoo.js -->', '<!-- zoo: end -->'];
const WARM_UP_RUNS = 3;
/** As for the figures of models/README.md. */
const DRAWS = 1000;
const run = promisify(execFile);

/**
 * @typedef {object} Network
 * @property {string} name
 * @property {string} file the published one, below ../shared/data, or a file of the package
 * @property {string} task
 * @property {string[]} [evaluate] the arguments of `ocelli evaluate` but for the data set, if it has classes of the labelled
 *   photos
 */

const MODELS = `${ROOT}dist/models/ssd_mobilenet_v2_oidv4`;
/** The first is what times are compared with. @type {Network[]} */
const NETWORKS = [
  {
    name: 'default detector, compressed',
    file: `${MODELS}.gz`,
    task: 'detector, 23 classes',
    evaluate: ['--weights', 'compressed'],
  },
  {
    name: 'default detector, full',
    file: `${MODELS}.bin`,
    task: 'detector, 23 classes',
    evaluate: ['--weights', 'full'],
  },
  {
    name: 'default detector, 8-bit',
    file: `${MODELS}-int8.gz`,
    task: 'detector, 23 classes',
    evaluate: ['--precision', 'int8'],
  },
  {
    name: 'Open Images V4 SSD-MobileNetV2, hub module, rebuilt with the published weights of 23 classes',
    file: 'convert/openimages_v4/openimages-v4-ssd-mobilenet-v2.tar.gz',
    task: 'detector, 601 classes',
    evaluate: [],
  },
  {
    name: 'SSD-MobileNetV1, 8-bit, with metadata',
    file: 'models/ssd_mobilenet_v1_300_coco_metadata.uint8.tflite',
    task: 'detector, 80 classes',
    evaluate: [],
  },
  {
    name: 'SSDLite-MobileNetV2, frozen graph',
    file: 'convert/frozen_ssdlite_mobilenet_v2_300_person/frozen_inference_graph.pb',
    task: 'detector, persons',
    evaluate: ['--labels', `${OUT}/person.txt`],
  },
  {
    name: 'SSD-MobileNetV2 FPNLite 320 of handtrack, TensorFlow.js',
    file: 'convert/tfjs_ssd_mobilenet_v2_320_fpnlite_hands_uint8',
    task: 'detector, hands',
  },
  {
    name: 'SSD-MobileNetV2 FPNLite 256, 8-bit',
    file: 'models/ssd_mobilenet_v2_fpnlite_256_coco80.int8.tflite',
    task: 'detector, 80 classes',
  },
  {
    name: 'Mobile Object Localizer V1, 8-bit',
    file: 'models/mobile_object_localizer_v1.uint8.tflite',
    task: 'detector, one class',
  },
  {
    name: 'MobileNetV1 0.25, 128 px, 8-bit',
    file: 'models/mobilenet_v1_0.25_128_quant.tflite',
    task: 'classifier, 1001 classes',
  },
  {
    name: 'MobileNetV2 1.0, 224 px, 8-bit',
    file: 'models/mobilenet_v2_1.0_224_quant.tflite',
    task: 'classifier, 1001 classes',
  },
  {
    name: 'MobileNetV2 1.0, 224 px, 8-bit of TensorFlow 2',
    file: 'models/tf2_mobilenet_v2_1.0_224_ptq.tflite',
    task: 'classifier, 1000 classes',
  },
  {
    name: 'MobileNetV2 1.3, 224 px, hub archive, rebuilt with random weights',
    file: 'convert/hub_mobilenet_v2_130_224_feature_vector.tar.gz',
    task: 'features, 1664 numbers',
  },
];

/** The .tflite file that runs: sources of other formats are converted. @param {Network} network @param {number} number */
async function prepare({ file }, number) {
  const path = existsSync(file) ? file : `${SHARED}/${file}`;
  if (/\.(tflite|bin)$/.test(path)) return path;
  const out = `${OUT}/${number}.tflite`;
  if (path.startsWith(MODELS)) writeFileSync(out, gunzipSync(readFileSync(path)));
  else await ocelli('convert', path, out, '--force');
  return out;
}

/** @param {string[]} args */
async function ocelli(...args) {
  const { stdout } = await run(process.execPath, [`${ROOT}bin/ocelli.js`, ...args], { maxBuffer: 2 ** 28 });
  return stdout;
}

/** @param {string} path of a file or a folder @returns {number} bytes */
function sizeOf(path) {
  if (!statSync(path).isDirectory()) return statSync(path).size;
  return readdirSync(path)
    .filter((name) => /^(model\.json|.*\.bin|.*\.pb)$/.test(name))
    .reduce((sum, name) => sum + statSync(`${path}/${name}`).size, 0);
}

/** One thread, the best variant, noise as input. @param {string} file */
async function open(file) {
  const { trustsRelaxed } = host();
  const variant = chooseVariant({ threads: 1, deterministic: false, trustsRelaxed });
  const model = new Uint8Array(readFileSync(file));
  const engine = await Engine.create({ variant, threads: 1 });
  await engine.receiveModel(sourceOf(model));
  engine.openModel();
  engine.buildModel();
  engine.inputs.forEach(({ dtype, shape }, i) => engine.writeInput(i, noise(dtype, shape)));
  return engine;
}

/** @param {string} dtype @param {readonly number[]} shape */
function noise(dtype, shape) {
  const length = shape.reduce((a, b) => a * b);
  const values = Array.from({ length }, (_, i) => (i * 7919) % 255);
  if (dtype === 'uint8') return Uint8Array.from(values);
  if (dtype === 'int8') return Int8Array.from(values, (value) => value - 127);
  return Float32Array.from(values, (value) => value / 127.5 - 1);
}

/** @param {string} file @param {string[]} options @param {string} data */
async function evaluate(file, options, data) {
  const isOwn = options.some((option) => /^--(weights|precision)$/.test(option));
  const args = [
    ...(isOwn ? [] : [file]),
    data,
    ...options,
    '--decode',
    'full',
    '--bootstrap',
    String(DRAWS),
    '--json',
  ];
  const { coco, intervals, classes } = JSON.parse(await ocelli('evaluate', ...args));
  const [low, high] = intervals.AP;
  return `${coco.AP.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)}), ${plural(classes.length, 'class', 'classes')}`;
}

/**
 * The least time of each: other work on the machine makes a run longer, never shorter. They run in turns, in a new order
 * each time.
 * @param {Engine[]} engines
 * @param {number} rounds
 */
function takeTurns(engines, rounds) {
  const contenders = engines.map((engine) => ({ engine, times: /** @type {number[]} */ ([]) }));
  for (let round = -WARM_UP_RUNS; round < rounds; round++)
    for (const { engine, times } of shuffle(contenders)) {
      const took = time(() => engine.run());
      if (round >= 0) times.push(took);
    }
  return contenders.map(({ times }) => min(times));
}

const { values, positionals } = parseArgs({
  options: {
    rounds: { type: 'string', default: '30' },
    times: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const known = NETWORKS.filter(({ file }) => existsSync(file) || existsSync(`${SHARED}/${file}`));
const given = positionals.map((file) => ({ name: basename(file), file, task: '' }));
/** @type {Network[]} */
const networks = [...known, ...given];
mkdirSync(OUT, { recursive: true });
writeFileSync(`${OUT}/person.txt`, 'person\n');
const files = [];
for (const [i, network] of networks.entries()) files.push(await prepare(network, i));
const [loadBefore] = loadavg();
const times = takeTurns(await Promise.all(files.map(open)), Number(values.rounds));
const loadAfter = loadavg()[0];
const data = (await run(process.execPath, [`${ROOT}tools/boxes.js`])).stdout.trim();
const rows = [];
for (const [i, { name, file, task, evaluate: options }] of networks.entries()) {
  const AP = options && !values.times ? await evaluate(files[i], options, data) : '';
  const size = formatBytes(sizeOf(existsSync(file) ? file : `${SHARED}/${file}`));
  rows.push(`| ${name} | ${task} | ${size} | ${AP} | ${ratio(times[i] / times[0])} |`);
}
const markdown = [
  `${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model ?? 'unknown'}, Node ${process.versions.node}, one thread. The least of ${values.rounds} runs in turns; load average ${loadBefore.toFixed(1)} before and ${loadAfter.toFixed(1)} after, of which the benchmark causes 1.`,
  '',
  '| network | task | published file | AP (95 %) | time / default detector |',
  '| --- | --- | --- | --- | --- |',
  ...rows,
].join('\n');
console.log(markdown);
if (values.write) {
  const [before, after] = [0, 1].map((side) => readFileSync(PAGE, 'utf8').split(MARKERS[side])[side]);
  writeFileSync(PAGE, `${before}${MARKERS[0]}\n\n${markdown}\n\n${MARKERS[1]}${after}`);
}

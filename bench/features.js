// Measures the time that an allowlist saves with 601 classes, the time that pooling adds, a batch compared with single
// images, and the time and memory of converting the 601-class module.
//   node bench/features.js [--rounds N] [--json]
import { execFileSync } from 'node:child_process';
import { convert } from '../wasm/convert/index.js';
import { FeatureExtractor, ObjectDetector } from '../wasm/platform/node.js';
import {
  median,
  min,
  ms,
  percent,
  print,
  ratio,
  readArguments,
  readShared,
  SHARED,
  shuffle,
} from './measure.js';

const SOURCE = 'convert/openimages_v4/openimages-v4-ssd-mobilenet-v2.tar.gz';
const HUB = 'convert/hub_mobilenet_v2_130_224_feature_vector.tar.gz';
const TEN = ['Dog', 'Cat', 'Person', 'Car', 'Chair', 'Book', 'Bottle', 'Tortoise', 'Zebra', 'Hot dog'];
const OPTIONS = { scoreThreshold: 0.3 };
const BATCH = 8;
const SIZE = 224;
const TARGETS = { allowed: 0.6, pooling: 0.01, batch: 1, seconds: 10, megabytes: 600 };
const WARM_UP_RUNS = 5;

/**
 * Runs all contenders once per round, in random order.
 * @template {string} K
 * @param {Record<K, () => Promise<number>>} contenders each runs once and returns its time in ms
 * @param {number} rounds
 * @returns {Promise<Record<K, number[]>>} times in ms
 */
async function interleave(contenders, rounds) {
  const names = /** @type {K[]} */ (Object.keys(contenders));
  /** @type {Record<string, number[]>} */
  const times = Object.fromEntries(names.map((name) => [name, []]));
  for (let i = -WARM_UP_RUNS; i < rounds; i++) {
    for (const name of shuffle(names)) {
      const took = await contenders[name]();
      if (i >= 0) times[name].push(took);
    }
  }
  return /** @type {Record<K, number[]>} */ (times);
}

/** @param {Uint8Array} model @param {Uint8Array} photo @param {number} rounds */
async function measureClasses(model, photo, rounds) {
  const [all, ten] = [
    await ObjectDetector.create({ model }),
    await ObjectDetector.create({ model, classes: { allow: TEN } }),
  ];
  const network = (/** @type {ObjectDetector} */ detector) => async () =>
    (await detector.detect(photo)).ms.network;
  const times = await interleave({ all: network(all), ten: network(ten) }, rounds);
  all.close();
  ten.close();
  return times;
}

/**
 * Post-processing times without features, with the image's features, and with those of the boxes too.
 * @param {Uint8Array} photo
 * @param {number} rounds
 */
async function measurePooling(photo, rounds) {
  const [plain, pooling] = [await ObjectDetector.create(OPTIONS), await ObjectDetector.create(OPTIONS)];
  /** @type {number[]} */
  const network = [];
  const times = await interleave(
    {
      plain: async () => {
        const { ms } = await plain.detect(photo);
        network.push(ms.network);
        return ms.postprocess;
      },
      image: async () => (await pooling.detect(photo, { features: 'image' })).ms.postprocess,
      both: async () => (await pooling.detect(photo, { features: 'both' })).ms.postprocess,
    },
    rounds,
  );
  plain.close();
  pooling.close();
  return { ...times, network };
}

/** @param {Uint8Array} model @param {number} rounds */
async function measureBatch(model, rounds) {
  const extractors = [await FeatureExtractor.create({ model }), await FeatureExtractor.create({ model })];
  const image = Float32Array.from({ length: SIZE * SIZE * 3 }, (_, i) => (Math.sin(i) + 1) / 2);
  const perImage = (/** @type {FeatureExtractor} */ extractor, /** @type {number} */ count) => {
    const images = new Float32Array(count * image.length);
    for (let i = 0; i < count; i++) images.set(image, i * image.length);
    return async () => {
      const start = performance.now();
      await extractor.extractBatch(images);
      return (performance.now() - start) / count;
    };
  };
  const times = await interleave(
    { one: perImage(extractors[0], 1), eight: perImage(extractors[1], BATCH) },
    rounds,
  );
  for (const extractor of extractors) extractor.close();
  return times;
}

/** Converts the module in a process of its own: seconds, and the process's peak memory. */
function measureConversion() {
  const code = `import { readFile } from 'node:fs/promises';
    import '${new URL('../wasm/platform/node.js', import.meta.url)}';
    import { convert } from '${new URL('../wasm/convert/index.js', import.meta.url)}';
    const start = performance.now();
    await convert(await readFile(process.argv[1]));
    console.log(JSON.stringify([(performance.now() - start) / 1000, process.resourceUsage().maxRSS / 1024]));`;
  const args = ['--input-type=module', '--eval', code, `${SHARED}/${SOURCE}`];
  const [seconds, megabytes] = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
  return { seconds, megabytes };
}

const { json, counts } = readArguments({ rounds: 20 });
const [source, hub, photo] = await Promise.all([SOURCE, HUB, 'photos/pets.jpg'].map(readShared));
if (!source || !hub || !photo) {
  console.log('## Features and classes\n\n- not measured: the reference data is missing\n');
  process.exit();
}
const conversion = measureConversion();
const classes = await measureClasses((await convert(source)).model, photo, counts.rounds);
const pooling = await measurePooling(photo, counts.rounds);
const batch = await measureBatch((await convert(hub)).model, Math.ceil(counts.rounds / 2));

/** Ratios a / b of two contenders' times. @param {number[]} a @param {number[]} b */
const compare = (a, b) => ({ median: median(a) / median(b), min: min(a) / min(b) });
const added = (/** @type {number[]} */ times) => ({
  median: (median(times) - median(pooling.plain)) / median(pooling.network),
  min: (min(times) - min(pooling.plain)) / min(pooling.network),
});
const ratios = {
  allowed: compare(classes.ten, classes.all),
  poolingImage: added(pooling.image),
  poolingBoth: added(pooling.both),
  batch: compare(batch.eight, batch.one),
};
/** @param {string} name @param {{median: number, min: number}} values @param {(value: number) => string} format @param {string} more */
const row = (name, values, format, more) => [name, format(values.median), format(values.min), more];
print(json, {
  title: 'Features and classes, one thread',
  columns: ['', 'ratio of medians', 'ratio of minima', 'medians, ms'],
  rows: [
    row(
      '**network: ten of 601 classes allowed / all**',
      ratios.allowed,
      ratio,
      `${ms(median(classes.ten))} / ${ms(median(classes.all))}`,
    ),
    row(
      '**pooling the image / network**',
      ratios.poolingImage,
      percent,
      ms(median(pooling.image) - median(pooling.plain)),
    ),
    row(
      'pooling the image and its boxes / network',
      ratios.poolingBoth,
      percent,
      ms(median(pooling.both) - median(pooling.plain)),
    ),
    row(
      `**time per image: batch ${BATCH} / batch 1**`,
      ratios.batch,
      ratio,
      `${ms(median(batch.eight))} / ${ms(median(batch.one))}`,
    ),
    [
      '**converting the 601-class module**',
      `${conversion.seconds.toFixed(1)} s`,
      '',
      `${conversion.megabytes.toFixed(0)} MB`,
    ],
  ],
  notes: [
    `targets: at most ${TARGETS.allowed}, ${percent(TARGETS.pooling)} (image), ${TARGETS.batch}, ${TARGETS.seconds} s and ${TARGETS.megabytes} MB`,
  ],
  data: { ratios, conversion, classes, pooling, batch },
});

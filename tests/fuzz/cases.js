// One damaged file, handed to the API as a user would. What must come back: a result, or an OcelliError; in time; and
// the same object works on afterwards, with the memory that it had before.
import { ObjectDetector, OcelliError } from '../../wasm/platform/node.js';
import { Engine } from '../../wasm/engine.js';
import { loadModel } from '../node/shared.js';
import { makeRandom, mutate } from './mutate.js';
import { detectorSeeds, imageSeeds, networkSeeds } from './seeds.js';

const HANG_MS = 20000;
const PIXELS = { data: new Uint8Array(32 * 32 * 3).fill(100), width: 32, height: 32 };

/**
 * @typedef {object} Kind
 * @property {(number: number) => Promise<string>} run the case of that number: 'OK' or the error's code; throws what
 *   must not be
 * @property {() => void} close
 */

/**
 * @param {() => unknown} call
 * @returns {Promise<string>}
 */
async function outcome(call) {
  const start = performance.now();
  let code = 'OK';
  try {
    await call();
  } catch (error) {
    if (!(error instanceof OcelliError) || error.code === 'MODULE_TRAPPED') throw error;
    code = error.code;
  }
  const ms = performance.now() - start;
  if (ms > HANG_MS) throw new Error(`took ${(ms / 1000).toFixed(0)} s`);
  return code;
}

/**
 * @param {() => {totalBytes: number, liveBytes: number}} measure
 * @param {number} before
 */
function checkLeak(measure, before) {
  const leaked = measure().liveBytes - before;
  if (leaked !== 0) throw new Error(`${leaked} bytes more than before`);
}

/**
 * @param {{name: string, bytes: Uint8Array, structure: number[]}[]} seeds
 * @param {number} number
 */
function damaged(seeds, number) {
  const random = makeRandom(number);
  return mutate(seeds[Math.floor(random() * seeds.length)], random);
}

/** @returns {Promise<Kind>} images to a detector that stays */
async function images() {
  const seeds = imageSeeds();
  const detector = await ObjectDetector.create({ maxPixels: 1 << 20 });
  await detector.detect(PIXELS);
  const expected = JSON.stringify(await detector.detect(seeds[0].bytes, { scoreThreshold: 0.01 }));
  const before = detector.memoryUse.liveBytes;
  return {
    async run(number) {
      // The network's answer to a damaged image is no news: the stages before it are what is tested, most of the time.
      const options = number % 50 === 0 ? {} : { roi: { x: 0, y: 0, width: 1e6, height: 1 } };
      const code = await outcome(() => detector.detect(damaged(seeds, number), options));
      checkLeak(() => detector.memoryUse, before);
      if (number % 50 === 0) {
        const again = JSON.stringify(await detector.detect(seeds[0].bytes, { scoreThreshold: 0.01 }));
        if (again !== expected) throw new Error('a sound image has another answer than before');
      }
      return code;
    },
    close: () => detector.close(),
  };
}

/** @returns {Promise<Kind>} models to ObjectDetector.create */
async function detectors() {
  const seeds = detectorSeeds();
  /** @type {import('../../wasm/detector.js').DetectorOptions} */
  const options = {
    input: { scale: 1 / 127.5, offset: -1, resize: 'legacy' },
    ssd: {
      anchorGenerator: {
        type: 'ssd',
        numLayers: 6,
        minScale: 0.2,
        maxScale: 0.95,
        aspectRatios: [1, 2, 0.5, 3, 0.3333],
      },
      boxCoder: [10, 10, 5, 5],
      scores: 'sigmoid',
      background: true,
    },
  };
  return {
    run: (number) =>
      outcome(async () => {
        const detector = await ObjectDetector.create({ ...options, model: damaged(seeds, number) });
        try {
          await detector.detect(PIXELS);
        } finally {
          detector.close();
        }
      }),
    close() {},
  };
}

/** @returns {Promise<Kind>} small networks, one after the other, to one instance of the module */
async function networks() {
  const seeds = networkSeeds();
  const engine = await Engine.create({ variant: 'simd', threads: 1 });
  const sound = seeds[0].bytes;
  await loadModel(engine, sound);
  const before = engine.memoryUse.liveBytes;
  return {
    async run(number) {
      const code = await outcome(async () => {
        await loadModel(engine, damaged(seeds, number));
        engine.run();
        for (const [index] of engine.outputs.entries()) engine.readOutput(index);
      });
      await loadModel(engine, sound);
      checkLeak(() => engine.memoryUse, before);
      return code;
    },
    close: () => engine.close(),
  };
}

export const KINDS = { images, detectors, networks };
/** Without reference data there are no small networks. */
export const availableKinds = () =>
  /** @type {(keyof typeof KINDS)[]} */ (Object.keys(KINDS)).filter(
    (kind) => kind !== 'networks' || networkSeeds().length > 0,
  );

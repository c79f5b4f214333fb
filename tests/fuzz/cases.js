// One damaged file, handed to the API as a user would. What must come back: a result, or an OcelliError; in time; and
// the same object works on afterwards, with the memory that it had before.
import { decodeImage, ObjectDetector, OcelliError } from '../../wasm/platform/node.js';
import { Engine } from '../../wasm/engine/engine.js';
import { loadModel } from '../node/shared.js';
import { makeRandom, mutate } from './mutate.js';
import { detectorSeeds, imageSeeds, networkSeeds, tinyDetectorSeed } from './seeds.js';
import { TINY_ANCHORS } from './tiny_models.js';

const HANG_MS = 10000;
const PIXELS = { data: new Uint8Array(32 * 32 * 3).fill(100), width: 32, height: 32 };

/** What must not be. `fault`: trapped, threw, hung, leaked or changed. */
export class Fault extends Error {
  /** @param {string} fault @param {string} message */
  constructor(fault, message) {
    super(message);
    this.fault = fault;
  }
}

/**
 * @typedef {object} Kind
 * @property {(number: number) => Promise<string>} run the case of that number: 'OK' or the error's code; throws Faults
 * @property {() => void} close
 */

/** Time of this process's own, so that a busy machine makes nothing hang. */
export function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * @param {() => unknown} call
 * @returns {Promise<string>}
 */
async function outcome(call) {
  const start = cpuMs();
  let code = 'OK';
  try {
    await call();
  } catch (error) {
    const { message, stack } = /** @type {Error} */ (error);
    if (!(error instanceof OcelliError)) throw new Fault('threw', stack ?? message);
    if (error.code === 'MODULE_TRAPPED') throw new Fault('trapped', message);
    code = error.code;
  }
  const ms = cpuMs() - start;
  if (ms > HANG_MS) throw new Fault('hung', `${code} after ${(ms / 1000).toFixed(0)} s`);
  return code;
}

/**
 * Runs a case; if it left more memory in use, runs it again: what is kept to be used again grows once, a leak twice.
 * @param {() => Promise<string>} call
 * @param {() => number} liveBytes
 */
async function checkLeaks(call, liveBytes) {
  const before = liveBytes();
  const code = await call();
  const after = liveBytes();
  if (after === before) return code;
  await call();
  const leaked = liveBytes() - after;
  if (leaked !== 0) throw new Fault('leaked', `${leaked} bytes, ${code}`);
  return code;
}

/**
 * @param {import('./mutate.js').Seed[]} seeds
 * @param {number} number
 */
function damaged(seeds, number) {
  const random = makeRandom(number);
  return mutate(seeds[Math.floor(random() * seeds.length)], random);
}

/** @returns {Promise<Kind>} images to a detector that stays */
async function images() {
  const seeds = imageSeeds();
  const maxPixels = 1 << 20;
  const detector = await ObjectDetector.create({ maxPixels });
  const answer = async () =>
    JSON.stringify((await detector.detect(seeds[0].bytes, { scoreThreshold: 0.01 })).detections);
  const expected = await answer();
  return {
    async run(number) {
      const image = damaged(seeds, number);
      if (number % 20 === 0) return outcome(() => decodeImage(image, { maxPixels }));
      // The network's answer to a damaged image is no news: most of the time the stages before it are all that is run.
      const options = number % 50 === 1 ? {} : { roi: { x: 0, y: 0, width: 1e6, height: 1 } };
      const code = await checkLeaks(
        () => outcome(() => detector.detect(image, options)),
        () => detector.memoryUse.liveBytes,
      );
      if (number % 50 === 1 && (await answer()) !== expected)
        throw new Fault('changed', 'a sound image has another answer than before');
      return code;
    },
    close: () => detector.close(),
  };
}

/**
 * @param {Partial<import('../../wasm/engine/types.js').SsdSpec>} anchors
 * @returns {import('../../wasm/vision/types.js').DetectorOptions}
 */
const optionsFor = (anchors) => ({
  input: { scale: 1 / 127.5, offset: -1, resize: 'legacy' },
  ssd: { ...anchors, boxCoder: [10, 10, 5, 5], scores: 'sigmoid', background: true },
});

/** @returns {Promise<Kind>} models to ObjectDetector.create: most of them tiny, one in twenty whole */
async function detectors() {
  const tiny = [tinyDetectorSeed()];
  const whole = detectorSeeds();
  const tinyOptions = optionsFor({ anchors: TINY_ANCHORS });
  const wholeOptions = optionsFor({
    anchorGenerator: {
      type: 'ssd',
      numLayers: 6,
      minScale: 0.2,
      maxScale: 0.95,
      aspectRatios: [1, 2, 0.5, 3, 0.3333],
    },
  });
  return {
    run(number) {
      const isTiny = number % 20 !== 0;
      const model = damaged(isTiny ? tiny : whole, number);
      return outcome(async () => {
        const detector = await ObjectDetector.create({ ...(isTiny ? tinyOptions : wholeOptions), model });
        try {
          await detector.detect(PIXELS);
        } finally {
          detector.close();
        }
      });
    },
    close() {},
  };
}

/**
 * Bytes of every value: as floats, some are NaN or infinite.
 * @param {Engine} engine
 */
function fillInputs(engine) {
  for (const [index, { shape, dtype }] of engine.inputs.entries()) {
    const count = shape.reduce((product, size) => product * size, 1);
    const bytes = Uint8Array.from({ length: Math.min(count, 1 << 16) }, (_, i) => (i * 37) >> 3);
    if (dtype === 'float32')
      engine.writeInput(
        index,
        Float32Array.from({ length: count }, (_, i) => bytes[i & 0xffff] / 32 - 4),
      );
    if (dtype === 'int8') engine.writeInput(index, new Int8Array(count).fill(-100));
    if (dtype === 'uint8') engine.writeInput(index, new Uint8Array(count).fill(200));
  }
}

/** @returns {Promise<Kind>} networks of a few operators, one after the other, to one instance of the module */
async function networks() {
  const seeds = networkSeeds();
  const engine = await Engine.create({ variant: 'simd', threads: 1 });
  const sound = seeds[0].bytes;
  await loadModel(engine, sound);
  /** @param {Uint8Array} model */
  const use = async (model) => {
    await loadModel(engine, model);
    fillInputs(engine);
    engine.run();
    for (const [index] of engine.outputs.entries()) engine.readOutput(index);
  };
  return {
    async run(number) {
      const model = damaged(seeds, number);
      return checkLeaks(
        async () => {
          const code = await outcome(() => use(model));
          await loadModel(engine, sound);
          return code;
        },
        () => engine.memoryUse.liveBytes,
      );
    },
    close: () => engine.close(),
  };
}

export const KINDS = { images, detectors, networks };

// One training of a head, and one of a backbone's last block with it, that must end in the same weights on every engine:
// the test of each host runs it and compares the digests.

/** SHA-256 of the weights. */
export const DIGESTS = {
  head: '5caf9f0366306e60e281370bc8ac2fabfa540040fa9163724a6dc848481d0a04',
  backbone: 'abf8e988f8f4d80dddca386bc59f9867507a7e2d1aadefb83e80cc8b9dbc4541',
};

const LENGTH = 24;
const CLASSES = ['ant', 'bee', 'cat'];
const SIDE = 40;
const FIT = /** @type {const} */ ({ epochs: 4, batchSize: 7, validationSplit: 0.2, seed: 5 });

/**
 * Numbers in [0, 1) that are always the same.
 * @param {number} i
 */
const noise = (i) => (Math.imul(i + 1, 0x9e3779b1) >>> 8) / 2 ** 24;

/** A class is where the largest of its eight numbers is, plus noise that a hash makes. */
function makeExamples(count = 60) {
  const features = Float32Array.from({ length: count * LENGTH }, (_, i) => {
    const isOfClass = Math.floor((i % LENGTH) / 8) === Math.floor(i / LENGTH) % 3;
    return noise(i) * 2 + (isOfClass ? 0.7 : 0);
  });
  return { features, labels: Array.from({ length: count }, (_, i) => CLASSES[i % 3]) };
}

/** @param {number} i */
function makeImage(i) {
  const data = Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, at) =>
    at % 3 === i % 2 ? 200 + 50 * noise(at + i) : 60 * noise(at * (i + 1)),
  );
  return { data, width: SIDE, height: SIDE, channels: /** @type {const} */ (3) };
}

/** @param {import('../../../wasm/train/learner.js').TransferLearner} learner */
async function digest(learner) {
  const parts = Object.values(learner.getWeights()).map(({ data }) => new Uint8Array(data.slice().buffer));
  const bytes = await new Blob(parts).arrayBuffer();
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * @param {Pick<typeof import('../../../wasm/train/index.js'), 'Backbone' | 'TransferLearner'>} train
 * @param {{worker?: boolean}} [options]
 */
export async function run({ Backbone, TransferLearner }, { worker } = {}) {
  const deterministic = true;
  const head = await TransferLearner.create({ deterministic });
  const { features, labels } = makeExamples();
  head.addFeatures(features, labels);
  const schedule = { type: /** @type {const} */ ('cosine'), rate: 0.01, decaySteps: 20, warmupSteps: 3 };
  await head.fit({ ...FIT, optimizer: { type: 'adam', learningRate: schedule } });

  const extractor = await Backbone.create({ deterministic, unfreeze: 1, worker });
  const whole = await TransferLearner.create({ deterministic, extractor });
  await whole.addExamples(
    Array.from({ length: 6 }, (_, i) => makeImage(i)),
    Array.from({ length: 6 }, (_, i) => CLASSES[i % 2]),
  );
  await whole.fit({ epochs: 2, batchSize: 4, seed: 5, optimizer: { type: 'sgd', learningRate: 0.001 } });
  const digests = { head: await digest(head), backbone: await digest(whole) };
  for (const each of [head, whole, extractor]) each.close();
  return digests;
}

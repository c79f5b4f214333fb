// Features of many images, by an extractor whose rows are the images' own bytes: every pattern of images that cannot be read, in
// batches of every size.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OcelliError } from '../../../wasm/shared/errors.js';
import { extractFeatures, TransferLearner } from '../../../wasm/train/node.js';

const any = (/** @type {unknown} */ value) => /** @type {any} */ (value);
const DAMAGED = 99;

/** A row of two numbers of each image; a batch with a damaged one fails. */
function makeExtractor() {
  /** @type {number[]} */ const batches = [];
  const extractBatch = async (/** @type {Uint8Array[]} */ images) => {
    batches.push(images.length);
    if (images.some((image) => image[1] === DAMAGED)) throw new OcelliError('IMAGE_CORRUPT', 'it is damaged');
    return { data: Float32Array.from(images.flatMap(([first]) => [first, -first])) };
  };
  return { batches, extractor: any({ extractBatch }) };
}

/** @param {string} kinds a letter for each image: ok, x: damaged, m: missing */
const sourcesOf = (kinds) =>
  Array.from(kinds, (kind, i) => ({
    name: `image ${i}`,
    read: () => {
      if (kind === 'm') throw new OcelliError('IMAGE_NOT_FOUND', 'it is missing');
      return Uint8Array.of(i + 1, kind === 'x' ? DAMAGED : 0);
    },
  }));

/** All texts of so many letters. @param {number} length @returns {string[]} */
const patterns = (length) =>
  length === 0 ? [''] : patterns(length - 1).flatMap((text) => [...'oxm'].map((letter) => text + letter));
const PATTERNS = [0, 1, 2, 3, 4].flatMap(patterns);
const CODES = /** @type {Record<string, string>} */ ({ x: 'IMAGE_CORRUPT', m: 'IMAGE_NOT_FOUND' });
const BATCH_SIZES = [1, 2, 3, 4, 5];

/** @param {number} count @param {number} batchSize */
const progressOf = (count, batchSize) =>
  Array.from({ length: Math.ceil(count / batchSize) }, (_, i) => ({
    ...{ done: Math.min((i + 1) * batchSize, count), total: count },
  }));

describe('features of images', () => {
  test('those that cannot be read are told and left out', async () => {
    for (const kinds of PATTERNS)
      for (const batchSize of BATCH_SIZES) {
        /** @type {[string, number][]} */ const told = [];
        /** @type {object[]} */ const progress = [];
        const features = await extractFeatures(makeExtractor().extractor, sourcesOf(kinds), {
          batchSize,
          onUnreadable: (error, i) => void told.push([any(error).code, i]),
          onProgress: (each) => void progress.push(each),
        });
        const all = Array.from(kinds, (kind, i) => ({ kind, i }));
        assert.deepEqual(
          [...features],
          all.flatMap(({ kind, i }) => (kind === 'o' ? [i + 1, -i - 1] : [])),
          `${kinds} by ${batchSize}`,
        );
        assert.deepEqual(
          told.toSorted((a, b) => a[1] - b[1]),
          all.flatMap(({ kind, i }) => (kind === 'o' ? [] : [[CODES[kind], i]])),
        );
        assert.deepEqual(progress, progressOf(kinds.length, batchSize));
      }
  });

  test('or the first one of its batch is named', async () => {
    for (const kinds of PATTERNS.filter((each) => /[xm]/.test(each)))
      for (const batchSize of BATCH_SIZES) {
        const first = Math.floor(kinds.search(/[xm]/) / batchSize) * batchSize;
        const batch = kinds.slice(first, first + batchSize);
        const at = batch.includes('m') ? batch.indexOf('m') : batch.indexOf('x');
        await assert.rejects(extractFeatures(makeExtractor().extractor, sourcesOf(kinds), { batchSize }), {
          code: CODES[batch[at]],
          message: new RegExp(`^image ${first + at}: it is `),
        });
      }
  });

  test('16 at a time, or as many as are wanted', async () => {
    const { batches, extractor } = makeExtractor();
    await extractFeatures(extractor, sourcesOf('o'.repeat(33)));
    await extractFeatures(extractor, sourcesOf('o'.repeat(5)), { batchSize: 1024 });
    assert.deepEqual(batches, [16, 16, 1, 5]);
    for (const batchSize of [0, 1025, 1.5])
      await assert.rejects(extractFeatures(extractor, [], { batchSize }), { code: 'INVALID_OPTION' });
  });

  test('until the signal says so', async () => {
    const { batches, extractor } = makeExtractor();
    const ending = new AbortController();
    const onProgress = (/** @type {{done: number}} */ { done }) =>
      done === 4 && ending.abort(new Error('enough'));
    const extracting = extractFeatures(extractor, sourcesOf('o'.repeat(9)), {
      ...{ batchSize: 2, onProgress, signal: ending.signal },
    });
    await assert.rejects(extracting, /enough/);
    assert.deepEqual(batches, [2, 2]);
  });

  test('other errors are passed on as they are', async () => {
    const fault = new TypeError('a bug');
    const throwing = any({
      extractBatch: async () => {
        throw fault;
      },
    });
    const reading = [{ name: 'a', read: () => { throw fault; } }]; // prettier-ignore
    for (const onUnreadable of [undefined, () => {}])
      for (const [extractor, sources] of [
        [throwing, sourcesOf('oo')],
        [makeExtractor().extractor, reading],
      ])
        await assert.rejects(extractFeatures(extractor, sources, { onUnreadable }), fault);
  });
});

describe('a learner', () => {
  /** The weights of a training on what was added. @param {(learner: TransferLearner) => unknown} add */
  const weightsOf = async (add) => {
    const learner = await TransferLearner.create({ extractor: makeExtractor().extractor });
    await add(learner);
    await learner.fit({ epochs: 2 });
    const weights = Object.values(learner.getWeights()).map(({ data }) => [...data]);
    const { examples } = learner;
    learner.close();
    return { weights, examples };
  };
  const read = (/** @type {string} */ kinds) =>
    Promise.all(sourcesOf(kinds.replaceAll('m', 'x')).map((source) => source.read()));

  test('leaves the labels of images that cannot be read out with their rows', async () => {
    const kinds = 'oxooxxoooo';
    const labels = Array.from('abaabbabba');
    const rows = [...kinds].flatMap((kind, i) => (kind === 'o' ? [i + 1, -i - 1] : []));
    const expected = await weightsOf((learner) =>
      learner.addFeatures(
        Float32Array.from(rows),
        labels.filter((_, i) => kinds[i] === 'o'),
      ),
    );
    for (const batchSize of BATCH_SIZES) {
      /** @type {number[]} */ const told = [];
      const found = await weightsOf(async (learner) =>
        learner.addExamples(await read(kinds), labels, {
          batchSize,
          onUnreadable: (_, i) => void told.push(i),
        }),
      );
      assert.deepEqual(found, expected);
      assert.deepEqual(told, [1, 4, 5]);
    }
  });

  test('adds nothing if none of the images can be read', async () => {
    const learner = await TransferLearner.create({ extractor: makeExtractor().extractor });
    await learner.addExamples(await read('xx'), ['a', 'b'], { onUnreadable: () => {} });
    assert.deepEqual(learner.examples, { count: 0, classes: [] });
    learner.close();
  });

  test('takes no features of another length than its extractor’s', async () => {
    const { extractor } = makeExtractor();
    const learner = await TransferLearner.create({ extractor: { ...extractor, length: 4 } });
    assert.throws(() => learner.addFeatures(new Float32Array(6), ['a', 'b']), { code: 'INVALID_FEATURES' });
    learner.addFeatures(new Float32Array(8), ['a', 'b']);
    learner.close();
  });
});

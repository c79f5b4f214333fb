// Whose word counts: the option, the file's metadata or the manifest, for every setting that more than one of them has.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  findManifestEntry,
  ownMetadata,
  resolveInput,
  resolveLabels,
  resolveLimits,
} from '../../../wasm/vision/model_spec.js';
import manifest from '../../../dist/models/manifest.js';
import { findHeads, makeAnchors, resolveSsd } from '../../../wasm/vision/spec/ssd.js';

/**
 * @typedef {import('../../../wasm/engine/engine.js').Metadata} Metadata
 * @typedef {import('../../../wasm/engine/engine.js').TensorInfo} TensorInfo
 * @typedef {import('../../../wasm/vision/model_spec.js').ManifestEntry} ManifestEntry
 */

const metadataOf = (/** @type {object} */ fields) =>
  /** @type {Metadata} */ (/** @type {unknown} */ (fields));
const own = (/** @type {object} */ fields) => ({ own: JSON.stringify(fields) });
const NOTHING = metadataOf({});
const FLOAT = /** @type {TensorInfo} */ ({ dtype: 'float32', shape: [1, 4, 4, 3] });
const entry = /** @type {ManifestEntry} */ (
  /** @type {unknown} */ ({
    input: { scale: 2, offset: -1, resize: 'legacy' },
    labels: ['of the manifest'],
    ssd: {
      ...{ boxCoder: [10, 10, 5, 5], scores: 'softmax', background: true, boxSizes: 'exponential' },
      anchorGenerator: { type: 'ssd', aspectRatios: [1] },
    },
  })
);

describe('input', () => {
  const normalized = { normalization: { mean: [10, 20, 30], std: [2, 4, 5] } };
  /** @type {[string, any, object, boolean, {scale: number[], offset: number[], resize: string, fit?: string}][]} option, metadata, whether the manifest knows the file, result */
  const cases = [
    ['the manifest alone', undefined, {}, true, { scale: [2, 2, 2], offset: [-1, -1, -1], resize: 'legacy' }],
    [
      'metadata before the manifest',
      undefined,
      normalized,
      true,
      { scale: [1 / 2, 1 / 4, 1 / 5], offset: [-5, -5, -6], resize: 'half-pixel' },
    ],
    [
      'its own resize and fit',
      undefined,
      { ...normalized, ...own({ resize: 'legacy', fit: 'contain' }) },
      false,
      { scale: [1 / 2, 1 / 4, 1 / 5], offset: [-5, -5, -6], resize: 'legacy', fit: 'contain' },
    ],
    [
      'a fit without a normalization, beside the manifest',
      undefined,
      own({ fit: 'contain' }),
      true,
      { scale: [2, 2, 2], offset: [-1, -1, -1], resize: 'legacy', fit: 'contain' },
    ],
    [
      'an option before both, field by field',
      { offset: 7 },
      normalized,
      true,
      { scale: [1 / 2, 1 / 4, 1 / 5], offset: [7, 7, 7], resize: 'half-pixel' },
    ],
    [
      'a name before both: half-pixel, not the resize of the manifest',
      '[0,1]',
      {},
      true,
      { scale: Array(3).fill(1 / 255), offset: [0, 0, 0], resize: 'half-pixel' },
    ],
    [
      'a name, with the resize of the metadata',
      '[0,255]',
      own({ resize: 'legacy' }),
      false,
      { scale: [1, 1, 1], offset: [0, 0, 0], resize: 'legacy' },
    ],
  ];
  for (const [name, option, metadata, isKnown, expected] of cases)
    test(name, () => {
      const spec = resolveInput(option, metadataOf(metadata), isKnown ? entry : undefined, FLOAT);
      const { scale, offset, resize, fit = 'stretch' } = expected;
      const near = (/** @type {number[]} */ a, /** @type {number[]} */ b) =>
        a.every((value, i) => Math.abs(value - b[i]) < 1e-12);
      assert.ok(
        near(/** @type {number[]} */ (spec.scale), scale) &&
          near(/** @type {number[]} */ (spec.offset), offset),
        JSON.stringify(spec),
      );
      assert.deepEqual([spec.resize, spec.fit], [resize, fit]);
    });

  test('what is undefined is not said', () => {
    const unsaid = { scale: undefined, offset: undefined, resize: undefined, fit: undefined };
    const metadata = metadataOf({ ...normalized, ...own({ fit: 'crop' }) });
    for (const known of [entry, undefined])
      assert.deepEqual(
        resolveInput(unsaid, metadata, known, FLOAT),
        resolveInput(undefined, metadata, known, FLOAT),
      );
  });

  test('of 8 bits: in steps of the tensor; bytes stay bytes', () => {
    const tensor = /** @type {TensorInfo} */ ({
      ...FLOAT,
      dtype: 'int8',
      quantization: { scale: 0.5, zeroPoint: -3 },
    });
    const spec = resolveInput(
      { scale: 0.25, offset: [1, 2, 3], resize: 'legacy' },
      NOTHING,
      undefined,
      tensor,
    );
    assert.deepEqual(
      [spec.scale, spec.offset],
      [
        [0.5, 0.5, 0.5],
        [-1, 1, 3],
      ],
    );
    // Bytes that the network itself casts to floats have no quantization.
    for (const quantization of [{ scale: 0.5, zeroPoint: 9 }, null]) {
      const bytes = /** @type {TensorInfo} */ ({ ...FLOAT, dtype: 'uint8', quantization });
      for (const fit of [{}, { fit: 'contain' }]) {
        const kept = resolveInput(undefined, metadataOf({ ...normalized, ...own(fit) }), undefined, bytes);
        const expected = [Array(3).fill(1), Array(3).fill(0)];
        assert.deepEqual([kept.scale, kept.offset], expected);
        assert.equal(kept.fit, fit.fit ?? 'stretch');
      }
    }
  });

  test('what none of them says is named', () => {
    const missing = { code: 'MODEL_INPUT_UNKNOWN', message: /gives input\.offset, input\.resize\./ };
    assert.throws(() => resolveInput({ scale: 1 }, NOTHING, undefined, FLOAT), missing);
    assert.throws(() => resolveInput('[0,2]', NOTHING, undefined, FLOAT), { code: 'INVALID_OPTION' });
  });
});

describe('labels', () => {
  const names = (/** @type {any} */ option, /** @type {object} */ metadata, /** @type {any} */ known) =>
    resolveLabels(option, metadataOf(metadata), known).map(({ name, mid }) =>
      mid ? `${name} ${mid}` : name,
    );
  test('option, then metadata, then the manifest', () => {
    assert.deepEqual(names(['mine'], { labels: 'theirs' }, entry), ['mine']);
    assert.deepEqual(names(undefined, { labels: 'a\nb' }, entry), ['a', 'b']);
    assert.deepEqual(names(undefined, {}, entry), ['of the manifest']);
    assert.deepEqual(names(undefined, {}, undefined), []);
  });
  test('ids of the metadata belong to its labels', () => {
    const withMids = { labels: 'a\nb', ...own({ mids: ['/m/1', '/m/2'] }) };
    assert.deepEqual(names(undefined, withMids, undefined), ['a /m/1', 'b /m/2']);
    const short = { labels: 'a\nb', ...own({ mids: ['/m/1'] }) };
    assert.throws(() => names(undefined, short, undefined), {
      code: 'BAD_METADATA',
      message: /1 items.*2 labels/,
    });
  });
});

describe('limits of the metadata', () => {
  const MOST = 10000;
  test('are as the file says, as far as they can be', () => {
    const all = {
      scoreThreshold: 0.1,
      iouThreshold: 0.2,
      maxPerClass: 3,
      maxResults: 2 ** 31,
      classAgnostic: true,
    };
    assert.deepEqual(resolveLimits(metadataOf({ ...own({ suppression: all }), scoreThreshold: 0.25 })), {
      ...all,
      ...{ maxResults: MOST, ownThreshold: 0.25 },
    });
    assert.deepEqual(resolveLimits(NOTHING), {});
    // What it does not say must not replace a default.
    for (const part of [{ iouThreshold: 0.5 }, { iouThreshold: 0, classAgnostic: false }])
      assert.deepEqual(resolveLimits(metadataOf(own({ suppression: { ...part, other: 1 } }))), part);
    for (const [scoreThreshold, expected] of [
      [0, { ownThreshold: 0 }],
      [1, { ownThreshold: 1 }],
      [1.01, {}],
      [-0.01, {}],
    ])
      assert.deepEqual(resolveLimits(metadataOf({ scoreThreshold })), expected);
  });
  for (const [suppression, fault] of /** @type {[object, RegExp][]} */ ([
    [{}, /iouThreshold/],
    [{ iouThreshold: 1.5 }, /iouThreshold/],
    [{ iouThreshold: 0.5, maxPerClass: 0 }, /maxPerClass/],
    [{ iouThreshold: 0.5, maxResults: 2.5 }, /maxResults/],
    [{ iouThreshold: 0.5, classAgnostic: 1 }, /classAgnostic/],
  ]))
    test(JSON.stringify(suppression), () =>
      assert.throws(() => ownMetadata(metadataOf(own({ suppression }))), {
        code: 'BAD_METADATA',
        message: fault,
      }),
    );
  test('no JSON', () =>
    assert.throws(() => ownMetadata(metadataOf({ own: '{' })), {
      code: 'BAD_METADATA',
      message: /not JSON/,
    }));
});

describe('heads', () => {
  const ANCHORS = Float32Array.of(0.5, 0.5, 1, 1, 0.25, 0.25, 0.5, 0.5);
  const resolve = (
    /** @type {any} */ option,
    /** @type {object} */ metadata,
    /** @type {ManifestEntry | undefined} */ known,
  ) => resolveSsd(option, metadataOf(metadata), known);
  const detector = { anchors: ANCHORS, boxCoder: [1, 2, 3, 4], boxSizes: 'linear', isSigmoid: true };

  test('metadata before the manifest', () => {
    const spec = resolve(undefined, { detector }, entry);
    assert.deepEqual([spec.boxCoder, spec.scores, spec.background], [[1, 2, 3, 4], 'sigmoid', false]);
    assert.deepEqual([spec.anchors, spec.boxSizes], [ANCHORS, 'linear']);
    const plain = resolve(undefined, { detector: { ...detector, isSigmoid: false } }, entry);
    assert.equal(plain.scores, 'none');
    const said = resolve(undefined, { detector, ...own({ scores: 'softmax' }) }, undefined);
    assert.equal(said.scores, 'softmax');
  });

  test('an option before both', () => {
    const option = /** @type {const} */ ({ scores: 'none', background: true, boxCoder: 3, boxOrder: 'xy' });
    const spec = resolve(option, { detector }, entry);
    assert.deepEqual([spec.scores, spec.background, spec.boxCoder], ['none', true, [3, 3, 3, 3]]);
    assert.deepEqual([spec.anchors, spec.boxOrder], [ANCHORS, 'xy']);
  });

  test('what is undefined is not said', () => {
    const unsaid = Object.fromEntries(
      ['anchors', 'anchorGenerator', 'boxCoder', 'boxSizes', 'boxOrder', 'scores', 'background'].map(
        (key) => [...[key, undefined]],
      ),
    );
    for (const [metadata, known] of /** @type {const} */ ([
      [{ detector }, undefined],
      [{ detector: { ...detector, boxSizes: undefined } }, entry],
      [{}, entry],
    ]))
      assert.deepEqual(resolve(unsaid, metadata, known), resolve(undefined, metadata, known));
    assert.equal(
      resolve(undefined, { detector: { ...detector, boxSizes: undefined } }, entry).boxSizes,
      'exponential',
    );
  });

  test('a generator that is given takes the place of anchors that the file has, unless anchors are given, too', () => {
    const anchorGenerator = /** @type {const} */ ({ type: 'ssd', aspectRatios: [2] });
    const made = resolve({ anchorGenerator }, { detector }, undefined);
    assert.deepEqual([made.anchors, made.anchorGenerator], [undefined, anchorGenerator]);
    const both = resolve({ anchorGenerator, anchors: [1, 2, 3, 4] }, { detector }, undefined);
    assert.deepEqual(both.anchors, [1, 2, 3, 4]);
    assert.equal(resolve({ boxCoder: 1 }, { detector }, entry).anchors, ANCHORS);
  });

  test('what none of them says is named', () => {
    const unknown = (/** @type {RegExp} */ message) => ({ code: 'SSD_UNKNOWN', message });
    const all = /ssd\.anchors \(or ssd\.anchorGenerator\), ssd\.boxCoder, ssd\.scores, ssd\.background$/;
    assert.throws(() => resolve(undefined, {}, undefined), unknown(all));
    assert.throws(
      () => resolve({ anchors: [1, 2, 3, 4], boxCoder: 1 }, {}, undefined),
      unknown(/gives ssd\.scores, ssd\.background$/),
    );
    for (const boxCoder of [0, -1, 2e6])
      assert.throws(() => resolve({ ...entry.ssd, boxCoder }, {}, undefined), {
        code: 'INVALID_OPTION',
      });
  });

  test('anchors in rows or in one list; their number is a multiple of four', async () => {
    const engine = /** @type {any} */ ({ inputs: [{ shape: [1, 8, 16, 3] }] });
    const made = (/** @type {any} */ anchors) =>
      makeAnchors({ .../** @type {any} */ (entry.ssd), anchors }, engine);
    assert.deepEqual(
      await made([
        [1, 2, 3, 4],
        [5, 6, 7, 8],
      ]),
      Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    );
    assert.deepEqual(await made(ANCHORS), ANCHORS);
    for (const anchors of [[], [1, 2, 3], new Float32Array(5)])
      await assert.rejects(made(anchors), { code: 'INVALID_OPTION', message: /\[N, 4\]/ });
    /** @type {any[]} */
    const asked = [];
    engine.heads = { generateAnchors: (/** @type {any[]} */ ...given) => (asked.push(given), ANCHORS) };
    const { anchors: _, ...ssd } = /** @type {any} */ (entry.ssd);
    assert.equal(await makeAnchors(ssd, engine), ANCHORS);
    assert.deepEqual(asked, [[ssd.anchorGenerator, { height: 8, width: 16 }]]);
  });

  const output = (/** @type {string} */ name, /** @type {number[]} */ shape, isConstant = false) =>
    /** @type {any} */ ({ name, shape, isConstant });
  /** @type {[string, any[], {boxes: number, scores: number} | undefined][]} */
  const outputs = [
    ['boxes, then scores', [output('a', [1, 9, 4]), output('b', [1, 9, 7])], { boxes: 0, scores: 1 }],
    ['scores, then boxes', [output('a', [1, 9, 7]), output('b', [1, 9, 4])], { boxes: 1, scores: 0 }],
    ['four classes, by name', [output('class', [9, 4]), output('boxes', [9, 4])], { boxes: 1, scores: 0 }],
    ['four classes, no names', [output('a', [9, 4]), output('b', [9, 4])], undefined],
    [
      'constant anchors',
      [output('k', [9, 4], true), output('a', [9, 4]), output('b', [9, 2])],
      { boxes: 1, scores: 2 },
    ],
    ['boxes with keypoints', [output('scores', [1, 9, 1]), output('a', [1, 9, 16])], { boxes: 1, scores: 0 }],
    [
      'keypoints and many classes',
      [output('score', [9, 20]), output('box', [9, 18])],
      { boxes: 1, scores: 0 },
    ],
    ['another number of rows', [output('a', [1, 8, 4]), output('b', [1, 9, 7])], undefined],
    ['two of scores', [output('a', [9, 4]), output('b', [9, 7]), output('c', [9, 8])], undefined],
    ['boxes alone', [output('a', [9, 4])], undefined],
  ];
  for (const [name, tensors, expected] of outputs)
    test(`among the outputs: ${name}`, () => {
      if (expected) assert.deepEqual(findHeads(tensors, 9), expected);
      else
        assert.throws(() => findHeads(tensors, 9), { code: 'MODEL_IS_NOT_A_DETECTOR', message: /9 anchors/ });
    });
});

describe("the manifest's entry", () => {
  const [first] = manifest.models;
  const never = () => assert.fail('was hashed');
  test('of a file that was made from one of its models', async () => {
    const model = { sizeBytes: 5, readAll: never };
    const like = (/** @type {object} */ fields) => findManifestEntry(model, metadataOf(own(fields)));
    assert.equal(await like({ like: first.id, sha256: first.sha256 }), first);
    assert.equal(await like({ like: first.id, sha256: first.sha256.replace(/^./, 'z') }), undefined);
    assert.equal(await like({ like: 'unknown', sha256: first.sha256 }), undefined);
  });
  test('only of the same bytes; others of its size are hashed, others not', async () => {
    assert.equal(await findManifestEntry({ sizeBytes: 1, readAll: never }, NOTHING), undefined);
    const zeros = { sizeBytes: first.size_bytes, readAll: () => new Uint8Array(first.size_bytes) };
    assert.equal(await findManifestEntry(zeros, NOTHING), undefined);
  });
});

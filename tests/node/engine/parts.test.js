// The parts of the engine, each alone: memory, calls, streams, what a host lacks, and defaults of anchors.
import assert from 'node:assert/strict';
import { createGunzip, gzipSync } from 'node:zlib';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { MAXIMUM_PAGES } from '../../../dist/build.js';
import { ABI } from '../../../dist/layout.js';
import '../../../wasm/platform/node.js';
import { Bridge } from '../../../wasm/engine/bridge.js';
import { Engine } from '../../../wasm/engine/engine.js';
import { gather, MAX_BYTES, sourceOf } from '../../../wasm/engine/gather.js';
import { host, installHost } from '../../../wasm/engine/host.js';
import { inflate, inflateWhole } from '../../../wasm/engine/inflate.js';
import { Memory } from '../../../wasm/engine/memory.js';
import { readStream } from '../../../wasm/engine/stream.js';
import { chooseVariant } from '../../../wasm/engine/variant.js';
import { writeModel } from '../../fuzz/tiny_models.js';
import { withEngine } from '../open_engines.js';

/** @typedef {import('../../../wasm/engine/host.js').Host} Host */
/** @typedef {import('../../../wasm/engine/types.js').SsdAnchorGenerator} SsdAnchorGenerator */

/**
 * Runs `use` on a host that differs from this one.
 * @template T
 * @param {Partial<Host>} changes
 * @param {() => Promise<T>} use
 */
async function onHost(changes, use) {
  const before = host();
  installHost({ ...before, ...changes });
  try {
    return await use();
  } finally {
    installHost(before);
  }
}

/** @template T @param {Iterable<T>} values */
async function* later(values) {
  yield* values;
}

/** @param {AsyncIterable<Uint8Array>} chunks */
async function all(chunks) {
  const parts = [];
  for await (const chunk of chunks) parts.push(...chunk);
  return parts;
}

describe('a host', () => {
  test('that starts no threads', () =>
    onHost({ startThread: undefined }, () =>
      assert.rejects(Engine.create({ variant: 'simd-threads', threads: 2 }), { code: 'THREADS_UNAVAILABLE' }),
    ));

  test('that has a gunzip of its own', async () => {
    const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i * i);
    const zipped = new Uint8Array(gzipSync(bytes));
    const gunzip = (/** @type {AsyncIterable<Uint8Array>} */ chunks) =>
      Readable.from(chunks).pipe(createGunzip());
    await onHost({ gunzip }, async () => {
      assert.deepEqual(await all(inflate(later([zipped]))), [...bytes]);
      await assert.rejects(all(inflate(later([zipped.slice(0, -9)]))), { code: 'MODEL_NOT_TFLITE' });
    });
    const failed = new Error('the download ended');
    const broken = async function* () {
      yield zipped;
      throw failed;
    };
    const passing = async function* (/** @type {AsyncIterable<Uint8Array>} */ chunks) {
      yield* chunks;
    };
    await onHost({ gunzip: passing }, () => assert.rejects(all(inflate(broken())), failed));
    await assert.rejects(all(inflate(broken())), failed);
  });

  test('that chooses a variant', () => {
    /** @type {[validates: boolean[], wish: [number, boolean, boolean], expected: string | undefined][]} */
    const cases = [
      [[true, true], [1, false, true], 'relaxed'],
      [[true, true], [2, false, true], 'relaxed-threads'],
      [[true, true], [1, true, true], 'simd'],
      [[true, true], [1, false, false], 'simd'],
      [[true, false], [1, false, true], 'simd'],
      [[true, false], [2, false, true], 'simd-threads'],
      [[false, true], [1, false, true], undefined],
    ];
    const { validate } = WebAssembly;
    for (const [answers, [threads, deterministic, trustsRelaxed], expected] of cases) {
      const left = [...answers];
      WebAssembly.validate = () => Boolean(left.shift());
      try {
        const choose = () => chooseVariant({ threads, deterministic, trustsRelaxed });
        if (expected) assert.equal(choose(), expected);
        else assert.throws(choose, { code: 'NO_WASM_SIMD' });
      } finally {
        WebAssembly.validate = validate;
      }
    }
  });
});

test('whole files, as they are and inflated', async () => {
  const bytes = Uint8Array.of(0x1f, 0x8a, 3, 4);
  assert.equal(await inflateWhole(bytes), bytes);
  assert.deepEqual(await inflateWhole(new Uint8Array(gzipSync(bytes))), bytes);
  for (const short of [new Uint8Array(0), Uint8Array.of(0x1f)])
    assert.deepEqual(await inflateWhole(short), short);
});

describe('chunks that are gathered', () => {
  const chunks = () => later([Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3)]);

  test('come again, whole and with their size', async () => {
    /** @type {unknown[]} */
    const seen = [];
    const onProgress = (/** @type {unknown} */ progress) => void seen.push(progress);
    const gathered = await gather(chunks(), { limit: 3, total: 3, onProgress });
    assert.equal(gathered.sizeBytes, 3);
    assert.deepEqual(gathered.join(), Uint8Array.of(1, 2, 3));
    assert.deepEqual(await all(gathered.chunks), [1, 2, 3]);
    assert.deepEqual(seen, [
      { loaded: 2, total: 3 },
      { loaded: 2, total: 3 },
      { loaded: 3, total: 3 },
    ]);
    seen.length = 0;
    await gather(later([Uint8Array.of(9)]), { onProgress });
    assert.deepEqual(seen, [{ loaded: 1 }]);
    assert.deepEqual((await gather(later([]), {})).join(), new Uint8Array(0));
    assert.deepEqual((await gather(sourceOf(Uint8Array.of(7)).chunks, {})).join(), Uint8Array.of(7));
  });

  test('are no more than the limit', async () => {
    await assert.rejects(gather(chunks(), { limit: 2 }), { code: 'INPUT_TOO_LARGE', message: /2 bytes/ });
    await assert.rejects(gather(chunks(), { limit: 3, total: 4 }), { code: 'INPUT_TOO_LARGE' });
    await assert.rejects(gather(later([]), { total: MAX_BYTES + 1 }), { code: 'INPUT_TOO_LARGE' });
    assert.equal((await gather(later([]), { total: MAX_BYTES })).sizeBytes, 0);
    const page = new WebAssembly.Memory({ initial: 1 }).buffer.byteLength;
    assert.equal(MAX_BYTES, MAXIMUM_PAGES * page);
  });

  test('end by a signal, at the first chunk and behind the last', async () => {
    const reason = new Error('enough');
    await assert.rejects(gather(chunks(), { signal: AbortSignal.abort(reason) }), reason);
    const controller = new AbortController();
    const ending = async function* () {
      yield Uint8Array.of(1);
      controller.abort(reason);
    };
    await assert.rejects(gather(ending(), { signal: controller.signal }), reason);
  });
});

describe('a stream', () => {
  const explain = (/** @type {unknown} */ error) => new Error(`explained: ${error}`);

  for (const type of /** @type {const} */ (['bytes', undefined])) {
    /** @param {(controller: any) => void} pull @param {() => void} [cancel] */
    const stream = (pull, cancel) =>
      /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */ (
        new ReadableStream(/** @type {any} */ ({ type, pull, cancel }))
      );

    test(`of ${type ?? 'chunks'} is read to its end`, async () => {
      let left = 3;
      const read = readStream(
        stream((controller) => {
          if (left > 0) return controller.enqueue(Uint8Array.of(left--, 9));
          controller.close();
          controller.byobRequest?.respond(0);
        }),
        explain,
      );
      assert.deepEqual(await all(read), [3, 9, 2, 9, 1, 9]);
    });

    test(`of ${type ?? 'chunks'} that fails says why`, () =>
      assert.rejects(
        all(
          readStream(
            stream((controller) => controller.error('broken')),
            explain,
          ),
        ),
        /explained: broken/,
      ));

    // node:test fails a test that leaves an unhandled rejection.
    test(`of ${type ?? 'chunks'} may fail behind what its reader wants`, async () => {
      let asked = 0;
      const failing = stream((controller) =>
        asked++ === 0 ? controller.enqueue(Uint8Array.of(7)) : controller.error('broken'),
      );
      for await (const part of readStream(failing, explain)) {
        assert.equal(part[0], 7);
        await new Promise(setImmediate);
        break;
      }
      await new Promise(setImmediate);
      assert.equal(asked, 2);
    });

    test(`of ${type ?? 'chunks'} is cancelled by its reader, and by a signal`, async () => {
      let cancelled = 0;
      const endless = () =>
        stream(
          (controller) => controller.enqueue(Uint8Array.of(5)),
          () => void cancelled++,
        );
      for await (const part of readStream(endless(), explain)) {
        assert.deepEqual([...part], [5]);
        break;
      }
      assert.equal(cancelled, 1);
      const controller = new AbortController();
      let count = 0;
      for await (const part of readStream(endless(), explain, controller.signal)) {
        assert.equal(part[0], 5);
        if (++count === 2) controller.abort();
      }
      assert.equal(cancelled, 2);
    });
  }
});

describe('8 bits are fast', () => {
  /** @param {[number, number][]} times of one run after the other; the last one is repeated */
  const measure = async (...times) => {
    const name = `../../../wasm/engine/precision.js?${JSON.stringify(times)}`;
    const { assumeFastInt8, fastInt8, hasFastInt8 } = await import(name);
    assert.equal(fastInt8(), undefined);
    let calls = 0;
    const engine = { timeProducts: () => times[Math.min(calls++, times.length - 1)] };
    const isFast = hasFastInt8(engine);
    const before = calls;
    assert.equal(hasFastInt8(engine), isFast);
    assumeFastInt8(!isFast);
    assert.deepEqual([fastInt8(), calls], [isFast, before]);
    return isFast;
  };

  test('if floats take 1.15 times their time', async () => {
    assert.equal(await measure([2.3, 2]), true);
    assert.equal(await measure([2.29, 2]), false);
    assert.equal(await measure([2.3, 2.01]), false);
    assert.equal(await measure([0, 0]), false);
  });

  test('by the best of each', async () => {
    assert.equal(await measure([9, 40], [30, 6]), true);
    assert.equal(await measure([30, 8], [9, 40]), false);
  });

  test('may be assumed before', async () => {
    const name = '../../../wasm/engine/precision.js?assumed';
    const { assumeFastInt8, hasFastInt8 } = await import(name);
    assumeFastInt8(undefined);
    assumeFastInt8(true);
    assert.equal(hasFastInt8({ timeProducts: () => assert.fail('it is measured') }), true);
  });
});

describe('memory', () => {
  const layout = /** @type {const} */ ({
    size: 24,
    fields: {
      flag: ['Bool', 0],
      small: ['Int8', 1],
      list: ['Uint16', 2, 3, 2],
      spread: ['Float32', 8, 2, 8],
    },
  });
  const withText = /** @type {const} */ ({ ...layout, fields: { ...layout.fields, name: ['Text', 20] } });
  const make = () => {
    const wasm = new WebAssembly.Memory({ initial: 1 });
    /** @type {number[]} */
    const freed = [];
    let next = 64;
    const alloc = (/** @type {number} */ size) => (next += size + 8) - size;
    return { wasm, freed, alloc, memory: new Memory(wasm, { alloc, free: (a) => void freed.push(a) }) };
  };

  test('structs are written and read by their layout', () => {
    const { memory } = make();
    const values = { flag: true, small: -3, list: [1, 65535, 3], spread: [0.5, -2] };
    memory.withArguments((put) => {
      memory.write(500, new TextEncoder().encode('grüß\0not'));
      const address = put.structs(layout, values, { ...values, flag: false, small: 7 });
      assert.deepEqual(memory.readStruct(address, layout), values);
      memory.write(address + 24 + 20, Uint32Array.of(500));
      const named = { ...values, flag: false, small: 7, name: 'grüß' };
      assert.deepEqual(memory.readStruct(address + 24, withText), named);
      assert.equal(memory.string(0), '');
    });
  });

  test('arguments are freed, also those of a call that fails', () => {
    const { memory, freed } = make();
    const addresses = memory.withArguments((put) => [put.space(0), put.data(Uint16Array.of(1, 2))]);
    assert.deepEqual(freed, addresses);
    assert.equal(addresses[1] - addresses[0], 1 + 8);
    assert.deepEqual([...memory.read(addresses[1], 4)], [1, 0, 2, 0]);
    assert.throws(() =>
      memory.withArguments((put) => {
        put.space(3);
        throw new Error('no');
      }),
    );
    assert.equal(freed.length, 3);
  });

  test('views follow a memory that grows', () => {
    const { memory, wasm } = make();
    const { bytes } = memory;
    assert.equal(memory.bytes, bytes);
    assert.equal(memory.sizeBytes, 65536);
    wasm.grow(1);
    memory.write(70000, Float32Array.of(1.5));
    assert.deepEqual([...memory.readFloats(70000, 1)], [1.5]);
    assert.equal(memory.sizeBytes, 131072);
  });

  test('what does not fit is refused', () => {
    const { memory } = make();
    const none = { code: 'OUT_OF_MEMORY', message: /not enough memory for 5 bytes/ };
    assert.throws(() => memory.reserve(5, () => 0), none);
    const limit = MAXIMUM_PAGES * 65536;
    assert.equal(
      memory.reserve(limit - 1, () => 7),
      7,
    );
    assert.throws(() => memory.reserve(limit, () => assert.fail('it is asked for')), {
      code: 'OUT_OF_MEMORY',
    });
  });
});

describe('calls', () => {
  const make = (/** @type {any} */ exports = {}) => {
    const wasm = new WebAssembly.Memory({ initial: 1 });
    const put = (/** @type {number} */ at, /** @type {string} */ text) => {
      new Uint8Array(wasm.buffer).set(new TextEncoder().encode(`${text}\0`), at);
      return at;
    };
    return new Bridge(
      {
        ...{ ocl_abi: () => ABI, ocl_alloc: () => 64, ocl_free: () => 0 },
        ocl_status_code: (/** @type {number} */ status) => put(100, `CODE_${status}`),
        ocl_status_text: () => put(200, 'it failed'),
        ...exports,
      },
      wasm,
    );
  };

  test('a status is the code and the text of an error', () => {
    make().call(() => 0);
    assert.throws(() => make().call(() => 3), { code: 'CODE_3', message: 'it failed' });
    const bridge = make({
      ocl_detail_text: () => {
        new Uint8Array(bridge.memory.bytes.buffer).set([65, 66, 0], 300);
        return 300;
      },
    });
    assert.throws(() => bridge.check(4), { code: 'CODE_4', message: 'it failed: AB' });
  });

  test('a trap breaks, another error does not', () => {
    const bridge = make();
    const own = new TypeError('ours');
    const fail = (/** @type {Error} */ error) => () => {
      throw error;
    };
    assert.throws(() => bridge.guard(fail(own)), own);
    assert.equal(bridge.isBroken, false);
    assert.throws(() => bridge.guard(fail(new WebAssembly.RuntimeError('unreachable'))), {
      code: 'MODULE_TRAPPED',
      message: /unreachable/,
    });
    assert.equal(bridge.isBroken, true);
  });

  test('a closed module, and one of another version', () => {
    const bridge = make();
    bridge.isClosed = true;
    assert.throws(() => bridge.guard(() => 1), { code: 'CLOSED' });
    for (const ocl_abi of [() => ABI + 1, undefined])
      assert.throws(() => make({ ocl_abi }), { code: 'MODULE_NOT_FOUND', message: /another version/ });
  });
});

test('anchors have the defaults of their generators', () =>
  withEngine(({ heads }) => {
    const image = { width: 64, height: 32 };
    const maps = [
      [4, 8],
      [2, 4],
    ];
    const given = { type: 'ssd', aspectRatios: [1, 2], featureMaps: maps };
    const make = (/** @type {object} */ more) =>
      heads.generateAnchors(/** @type {SsdAnchorGenerator} */ ({ ...given, ...more }), image);
    const scales = { minScale: 0.25, maxScale: 0.75 };
    /** @type {[object, object, object][]} left out, as it is then, and as it is not */
    const cases = [
      [scales, { ...scales, numLayers: 2 }, { ...scales, minScale: 0.5 }],
      [
        scales,
        { ...scales, interpolatedScaleAspectRatio: 1 },
        { ...scales, interpolatedScaleAspectRatio: 0 },
      ],
      [scales, { ...scales, reduceBoxesInLowestLayer: true }, { ...scales, reduceBoxesInLowestLayer: false }],
      [{ scales: [0.25, 0.75] }, { ...scales }, { scales: [0.25, 0.5] }],
    ];
    for (const [absent, same, other] of cases) {
      assert.deepEqual(make(absent), make(same), JSON.stringify(absent));
      assert.notDeepEqual(make(absent), make(other), JSON.stringify(other));
    }
    for (const scale of [{ minScale: 1 }, { maxScale: 1 }, {}])
      assert.throws(() => make(scale), { code: 'INVALID_ARGUMENT' });
    // Two of the first layer's scale, then two and the interpolated one: centre y, centre x, height, width.
    const anchors = make(scales);
    assert.equal(anchors.length, 4 * (3 * 32 + 3 * 8));
    assert.deepEqual([...anchors.slice(0, 2)], [0.125, 0.0625]);
  }));

describe('an image as numbers', () => {
  const shape = /** @type {const} */ ({ shape: [4], dtype: 'int32', data: [2, 1, 1, 3] });
  const reshape = (/** @type {any} */ tensor) =>
    writeModel({
      tensors: [{ shape: [2, 1, 1, 3], ...tensor }, shape, { shape: [2, 1, 1, 3], ...tensor }],
      operators: [{ code: 22, inputs: [0, 1], outputs: [2] }],
      inputs: [0],
      outputs: [2],
    });
  const open = (/** @type {any} */ tensor, /** @type {(engine: Engine) => unknown} */ use) =>
    withEngine(async (engine) => {
      await engine.receiveModel(sourceOf(reshape(tensor)));
      engine.openModel();
      engine.buildModel({ keepFile: true });
      assert.throws(() => engine.readOutput(0), { code: 'INVALID_ARGUMENT', message: /closeModel/ });
      engine.closeModel();
      return use(engine);
    });
  const values = [-200, -128.5, -0.5, 0.5, 1.5, 127.5];
  /** @type {[object, number[]][]} rounded to even, and within the type */
  const cases = [
    [{}, values],
    [{ dtype: 'int8', scale: 1 }, [-128, -128, 0, 0, 2, 127]],
    [{ dtype: 'uint8', scale: 1 }, [0, 0, 0, 0, 2, 128]],
  ];
  for (const [tensor, expected] of cases)
    test(JSON.stringify(tensor), () =>
      open(tensor, (engine) => {
        engine.writeImage(Float32Array.from(values.slice(3)), 1);
        engine.writeImage(Float32Array.from(values.slice(0, 3)), 0);
        engine.run();
        assert.deepEqual(Array.from(engine.readOutput(0).data, Number), expected);
        for (const batchIndex of [-1, 2, 0.5, NaN])
          assert.throws(() => engine.writeImage(new Float32Array(3), batchIndex), { code: 'INVALID_INPUT' });
        for (const length of [2, 4])
          assert.throws(() => engine.writeImage(new Float32Array(length), 0), { code: 'INVALID_INPUT' });
        const [input] = engine.inputs;
        assert.deepEqual(input.shape, [2, 1, 1, 3]);
        assert.deepEqual(input.quantization, 'scale' in tensor ? { scale: 1, zeroPoint: 0 } : null);
      }),
    );
});

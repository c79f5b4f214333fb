// Drawables of a page, with objects of the test in place of the browser's: sizes, which way pixels are read, and what is
// said of images from elsewhere.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { capture, drawing, readable } from '../../../wasm/platform/canvas.js';

/** @type {any} */
const page = globalThis;
/** An object of a browser's class. @param {string} name @param {object} more */
const drawable = (name, more) => ({ [Symbol.toStringTag]: name, ...more });

test('sizes', () => {
  /** @type {[string, object, [number, number]][]} */
  const cases = [
    ['HTMLVideoElement', { readyState: 2, videoWidth: 30, videoHeight: 20 }, [30, 20]],
    ['HTMLVideoElement', { readyState: 1, videoWidth: 30, videoHeight: 20 }, [0, 0]],
    ['HTMLImageElement', { complete: true, naturalWidth: 30, naturalHeight: 20 }, [30, 20]],
    ['HTMLImageElement', { complete: false, naturalWidth: 30, naturalHeight: 20 }, [0, 0]],
    ['HTMLCanvasElement', { width: 30, height: 20 }, [30, 20]],
    ['OffscreenCanvas', { width: 30, height: 20 }, [30, 20]],
    ['ImageBitmap', { width: 30, height: 20 }, [30, 20]],
    ['VideoFrame', { displayWidth: 30, displayHeight: 20 }, [30, 20]],
  ];
  for (const [name, more, [width, height]] of cases)
    assert.deepEqual(drawing.measure(drawable(name, more)), { width, height }, name);
  for (const other of [drawable('ImageData', { width: 3, height: 3 }), {}, null, 7, new Uint8Array(3)])
    assert.equal(drawing.measure(other), undefined);
});

describe('by frames', () => {
  /**
   * @param {{rect?: {width: number, height: number} | null, fails?: boolean, converts?: boolean}} how
   * @param {() => unknown} run
   */
  const withFrames = async (
    { rect = { width: 2, height: 1 }, fails = false, converts = true, ...more },
    run,
  ) => {
    /** @type {any[]} */
    const made = [];
    page.VideoFrame = class {
      visibleRect = rect;
      isClosed = false;
      /** @param {any} source @param {any} options */
      constructor(source, options) {
        if (source.error) throw source.error;
        Object.assign(this, more, { source, options });
        if (!(source instanceof Uint8Array)) made.push(this);
      }
      /** A browser that reads it converts frames. @param {any} options */
      allocationSize(options) {
        return converts ? options.format.length : 4;
      }
      /** @param {Uint8Array} data @param {any} options */
      async copyTo(data, options) {
        if (fails) throw new Error('no RGBA');
        this.format = options.format;
        data.fill(9);
      }
      close() {
        this.isClosed = true;
      }
    };
    try {
      await run();
    } finally {
      delete page.VideoFrame;
    }
    return made;
  };
  const canvas = drawable('OffscreenCanvas', { width: 2, height: 1 });
  const size = { width: 2, height: 1 };

  test('pixels are copied as they are, and their memory is used again', async () => {
    /** @type {any[]} */
    const copies = [];
    const made = await withFrames({}, async () => {
      const first = await drawing.copy(canvas, size);
      copies.push(first?.data);
      first?.release?.();
      const second = await drawing.copy(canvas, size);
      copies.push(second?.data);
      copies.push((await drawing.copy(canvas, size))?.data);
      second?.release?.();
    });
    assert.deepEqual([...copies[0]], new Array(8).fill(9));
    assert.equal(copies[1], copies[0]);
    assert.notEqual(copies[2], copies[0]);
    assert.ok(
      made.every(({ isClosed, format, options }) => isClosed && format === 'RGBA' && options.timestamp === 0),
    );
    await withFrames({ rect: { width: 3, height: 1 } }, async () => {
      const larger = await drawing.copy(canvas, { width: 3, height: 1 });
      assert.equal(larger?.data.length, 12);
    });
  });
  for (const [name, how] of /** @type {[string, object][]} */ ([
    ['another width', { rect: { width: 4, height: 1 } }],
    ['another height', { rect: { width: 2, height: 2 } }],
    ['no size', { rect: null }],
    ['turned', { rotation: 90 }],
    ['mirrored', { flip: true }],
  ]))
    test(`not of a frame that is ${name}`, async () => {
      const made = await withFrames(how, () => assert.equal(drawing.copy(canvas, size), undefined));
      assert.ok(made[0].isClosed);
    });
  test('not where a frame cannot be converted, and not of images', async () => {
    const made = await withFrames({ fails: true }, async () =>
      assert.equal(await drawing.copy(canvas, size), undefined),
    );
    assert.ok(made[0].isClosed);
    const none = await withFrames({}, () =>
      assert.equal(drawing.copy(drawable('HTMLImageElement', {}), size), undefined),
    );
    assert.equal(none.length, 0);
  });
  /** The module as a browser loads it, which knows nothing of the browsers of other tests. @param {string} name */
  const loadFor = (name) => import(`../../../wasm/platform/canvas.js?${name}`);
  test('not without frames, and not where frames are copied as they are stored', async () => {
    const without = await loadFor('without');
    assert.equal(without.drawing.copy(canvas, size), undefined);
    page.createImageBitmap = async (/** @type {unknown} */ source) => ({ bitmapOf: source });
    assert.deepEqual(await without.capture(canvas), { bitmapOf: canvas });
    const stored = await loadFor('stored');
    const made = await withFrames({ converts: false }, async () => {
      assert.equal(stored.drawing.copy(canvas, size), undefined);
      assert.deepEqual(await stored.capture(canvas), { bitmapOf: canvas });
      await stored.capture(drawable('VideoFrame', {}));
    });
    assert.equal(made.length, 1, 'of a frame itself');
    delete page.createImageBitmap;
  });
  test('a picture for a worker is a frame, or an ImageBitmap', async () => {
    const [frame] = await withFrames({}, async () => void (await capture(canvas)));
    assert.equal(frame.source, canvas);
    page.createImageBitmap = async (/** @type {unknown} */ source) => ({ bitmapOf: source });
    const image = drawable('HTMLImageElement', {});
    await withFrames({}, async () => assert.deepEqual(await capture(image), { bitmapOf: image }));
    delete page.createImageBitmap;
  });
  test('a picture from elsewhere', async () => {
    const foreign = { ...canvas, error: new DOMException('no', 'SecurityError') };
    await withFrames({}, async () => {
      await assert.rejects(capture(foreign), { code: 'INVALID_INPUT', message: /comes from another origin/ });
      assert.throws(() => drawing.copy(foreign, size), { code: 'INVALID_INPUT', message: /CORS/ });
    });
  });
});

test('what is not shared, and other failures', () => {
  const refused = (/** @type {unknown} */ error) => () => {
    throw error;
  };
  for (const name of ['SecurityError', 'DataCloneError'])
    assert.throws(() => readable(refused(new DOMException('no', name))), {
      code: 'INVALID_INPUT',
      message: /another origin/,
    });
  assert.throws(() => readable(refused(new DOMException('too large', 'IndexSizeError'))), {
    code: 'INVALID_INPUT',
    message: /too large/,
  });
  const other = new TypeError('a fault');
  assert.throws(() => readable(refused(other)), other);
  assert.equal(
    readable(() => 7),
    7,
  );
});

test('one canvas is drawn on for all sizes', () => {
  /** @type {any[]} */
  const drawn = [];
  /** @type {any[]} */
  const canvases = [];
  page.OffscreenCanvas = class {
    /** @param {number} width @param {number} height */
    constructor(width, height) {
      Object.assign(this, { width, height });
      canvases.push(this);
    }
    /** @param {string} kind @param {object} options */
    getContext(kind, options) {
      return {
        ...{ canvas: this, kind, options },
        drawImage(/** @type {any[]} */ ...given) {
          assert.equal(/** @type {any} */ (this).globalCompositeOperation, 'copy');
          drawn.push(given);
        },
        getImageData: (/** @type {any[]} */ ...given) => ({ data: given }),
      };
    }
  };
  const source = {};
  assert.deepEqual(
    drawing.read(source, { x: 1, y: 2, width: 30, height: 40 }, { width: 5, height: 6 }),
    /** @type {any} */ ([0, 0, 5, 6]),
  );
  assert.deepEqual(drawn[0], [source, 1, 2, 30, 40, 0, 0, 5, 6]);
  drawing.read(source, { x: 0, y: 0, width: 3, height: 4 }, { width: 7, height: 6 });
  drawing.read(source, { x: 0, y: 0, width: 3, height: 4 }, { width: 7, height: 8 });
  assert.equal(canvases.length, 1);
  assert.deepEqual([canvases[0].width, canvases[0].height], [7, 8]);
  delete page.OffscreenCanvas;
});

test('a file that the browser decodes, as it is, or does not', async () => {
  /** @type {any[]} */
  const given = [];
  page.createImageBitmap = async (/** @type {Blob} */ blob, /** @type {object} */ options) => {
    given.push((await blob.bytes?.()) ?? new Uint8Array(await blob.arrayBuffer()), options);
    return 'bitmap';
  };
  assert.equal(await drawing.decode(Uint8Array.of(1, 2)), 'bitmap');
  assert.deepEqual(given, [
    Uint8Array.of(1, 2),
    { imageOrientation: 'from-image', colorSpaceConversion: 'none' },
  ]);
  page.createImageBitmap = () => Promise.reject(new Error('unknown'));
  assert.equal(await drawing.decode(Uint8Array.of(1)), undefined);
  delete page.createImageBitmap;
});

test('a WebP file that is shorter than it says is not decoded', async () => {
  page.createImageBitmap = async () => 'bitmap';
  const decode = (/** @type {number} */ length, /** @type {string} */ tag, /** @type {number} */ said) => {
    const file = Buffer.alloc(length + 1);
    file.write('RIFF', 1, 'latin1');
    file.writeUInt32LE(said, 5);
    file.write(tag, 9, 'latin1');
    return drawing.decode(new Uint8Array(file.buffer, file.byteOffset + 1, length));
  };
  assert.equal(await decode(20, 'WEBP', 12), 'bitmap');
  assert.equal(await decode(13, 'WEBP', 5), 'bitmap');
  for (const [length, said] of [
    [20, 13],
    [13, 6],
    [20, 2 ** 24],
  ])
    // prettier-ignore
    assert.equal(await decode(length, 'WEBP', said), undefined);
  assert.equal(await decode(20, 'WAVE', 13), 'bitmap');
  assert.equal(await drawing.decode(new Uint8Array(0)), 'bitmap');
  delete page.createImageBitmap;
});

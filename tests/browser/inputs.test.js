// Whatever a browser has for a picture is seen as the picture's file is.
import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { after, before, suite, test } from 'node:test';
import sharp from 'sharp';
import { decodeImage, ObjectDetector } from '../../wasm/platform/node.js';
import { launch, needsBrowser, photos, ROOT, serve } from './shared.js';

/** @typedef {{boxes: number[], scores: number[], names: string[]}} Found */

const PHOTO = 'photos/chelsea.png';
const FILES = `${ROOT}build/inputs`;
const LIVE = ['ImageBitmap', 'HTMLImageElement', 'HTMLCanvasElement', 'OffscreenCanvas', 'VideoFrame'];

/** @param {Record<string, unknown>} view */
async function detectInNode(view = {}) {
  const detector = await ObjectDetector.create({ scoreThreshold: 0.3, deterministic: true });
  const found = await detector.detectTensors(await readFile(`${photos()}/chelsea.png`), view);
  detector.close();
  const { detection_boxes, detection_scores, detection_class_entities } = found;
  return { boxes: [...detection_boxes], scores: [...detection_scores], names: detection_class_entities };
}

/**
 * @param {Found} a
 * @param {Found} b
 */
function maxDifferences(a, b) {
  assert.deepEqual(a.names, b.names);
  const most = (/** @type {number[]} */ x, /** @type {number[]} */ y) =>
    Math.max(...x.map((value, i) => Math.abs(value - y[i])));
  return { box: most(a.boxes, b.boxes), score: most(a.scores, b.scores) };
}

/** JPEG files with a changed byte in their data, which ocelli refuses. */
async function damagedJpegs() {
  const sound = await readFile(new URL('../data/images/baseline.jpg', import.meta.url));
  const files = [];
  for (let at = 800; at < sound.length - 20; at += 60) {
    const file = Buffer.from(sound);
    file[at] ^= 0x55;
    const code = await decodeImage(file).then(
      () => 'OK',
      (error) => error.code,
    );
    if (code === 'IMAGE_CORRUPT') files.push(file);
  }
  return files;
}

suite('inputs', needsBrowser, () => {
  /** @type {import('playwright-core').Browser} */ let browser;
  /** @type {Awaited<ReturnType<typeof serve>>} */ let server;
  /** @type {import('playwright-core').Page} */ let page;
  before(async () => {
    await mkdir(FILES, { recursive: true });
    await sharp(`${photos()}/chelsea.png`).webp({ quality: 95 }).toFile(`${FILES}/chelsea.webp`);
    browser = await launch();
    server = await serve({ roots: { '/files/': FILES } });
  });
  after(async () => {
    await browser?.close();
    server?.close();
  });

  /**
   * What a page finds in each kind of input.
   * @param {{options: Record<string, unknown>, view?: Record<string, unknown>, kinds?: string[], isOld?: boolean}} wish
   *   `isOld`: a browser that cannot copy frames
   * @returns {Promise<Record<string, Found>>}
   */
  async function detectAll(wish) {
    page = await browser.newPage();
    await page.goto(`${server.url}/blank.html`);
    const found = await page.evaluate(async ([photo, { options, view, kinds, isOld }]) => {
      // @ts-expect-error the page's
      const { makeInputs, ObjectDetector } = await import('/inputs.js');
      const inputs = await makeInputs(photo);
      if (isOld) Reflect.deleteProperty(globalThis, 'VideoFrame');
      const detector = await ObjectDetector.create(options);
      /** @type {Record<string, Found>} */
      const found = {};
      for (const kind of kinds ?? Object.keys(inputs)) {
        // Twice: the input is not used up
        await detector.detect(inputs[kind], view);
        const tensors = await detector.detectTensors(inputs[kind], view);
        found[kind] = {
          boxes: [...tensors.detection_boxes],
          scores: [...tensors.detection_scores],
          names: tensors.detection_class_entities,
        };
      }
      detector.close();
      return found;
    }, /** @type {const} */ ([PHOTO, wish]));
    await page.close();
    return found;
  }

  for (const worker of [false, true]) {
    const where = worker ? 'in a worker' : 'on the page';
    test(`each kind is seen as the file is, bit for bit, ${where}`, async () => {
      const expected = await detectInNode();
      const found = await detectAll({ options: { scoreThreshold: 0.3, deterministic: true, worker } });
      assert.equal(Object.keys(found).length, 10);
      for (const [kind, result] of Object.entries(found)) assert.deepEqual(result, expected, kind);
    });

    test(`a region, turned, too, ${where}`, async () => {
      const view = { roi: { x: 20, y: 0, width: 400, height: 290 }, rotation: 270 };
      const options = { scoreThreshold: 0.3, deterministic: true, worker };
      const expected = await detectInNode(view);
      for (const [kind, result] of Object.entries(await detectAll({ options, view, kinds: LIVE })))
        assert.deepEqual(result, expected, kind);
    });

    test(`where a canvas scales them, the difference is small, ${where}`, async () => {
      const options = { scoreThreshold: 0.3, worker };
      for (const view of [{}, { roi: { x: 20, y: 0, width: 400, height: 290 } }]) {
        const expected = await detectInNode(view);
        const found = await detectAll({ options, view, kinds: LIVE.slice(0, 4), isOld: !worker });
        for (const [kind, result] of Object.entries(found)) {
          const { box, score } = maxDifferences(result, expected);
          assert.ok(box < 0.02 && score < 0.05, `${kind}: ${box}, ${score}`);
        }
      }
    });
  }

  test('frames whose pixels are stored as YUV, or without alpha', async () => {
    const { scores, boxes } = await detectInNode();
    page = await browser.newPage();
    await page.goto(`${server.url}/blank.html`);
    const results = await page.evaluate(async (photo) => {
      // @ts-expect-error the page's
      const { makeInputs, makeYuvFrame, ObjectDetector } = await import('/inputs.js');
      const { HTMLCanvasElement: canvas } = await makeInputs(photo);
      const frames = [new VideoFrame(canvas, { timestamp: 0, alpha: 'discard' }), makeYuvFrame(canvas)];
      const results = [];
      for (const worker of [false, true]) {
        const detector = await ObjectDetector.create({ worker });
        for (const frame of frames) results.push(await detector.detect(frame));
        detector.close();
      }
      return results;
    }, PHOTO);
    assert.equal(results.length, 4);
    for (const { detections: found, size } of results) {
      assert.ok(size.height === 300 && found[0].label === 'Cat');
      assert.ok(Math.abs(found[0].score - scores[0]) < 0.05);
      assert.ok(Math.abs(found[0].box.x / size.width - boxes[1]) < 0.02);
    }
    await page.close();
  });

  test('damaged files that only the browser reads', async () => {
    page = await browser.newPage();
    await page.goto(`${server.url}/blank.html`);
    const files = (await damagedJpegs()).map((file) => file.toString('base64'));
    const answers = await page.evaluate(async (texts) => {
      // @ts-expect-error the page's
      const { decodeImage } = await import('/ocelli/dist/web/browser.js');
      return Promise.all(
        texts.map(async (text) => {
          const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
          const found = await decodeImage(bytes).catch((/** @type {any} */ { code }) => code);
          const shown = await createImageBitmap(new Blob([bytes]), { colorSpaceConversion: 'none' }).catch(
            () => undefined,
          );
          if (!shown || typeof found === 'string')
            return { code: found, isShown: Boolean(shown), difference: 0 };
          const context = /** @type {OffscreenCanvasRenderingContext2D} */ (
            new OffscreenCanvas(shown.width, shown.height).getContext('2d')
          );
          context.drawImage(shown, 0, 0);
          const { data } = context.getImageData(0, 0, shown.width, shown.height);
          const rgb = data.filter((_, i) => i % 4 < 3);
          const difference = Math.max(...rgb.map((value, i) => Math.abs(value - found.data[i])));
          return { code: 'OK', isShown: true, difference };
        }),
      );
    }, files);
    for (const { code, isShown, difference } of answers) {
      assert.equal(code, isShown ? 'OK' : 'IMAGE_CORRUPT');
      assert.ok(difference <= 1, String(difference));
    }
    assert.ok(answers.some(({ isShown }) => isShown));
    await page.close();
  });

  test('formats that only the browser reads', async () => {
    page = await browser.newPage();
    await page.goto(`${server.url}/blank.html`);
    const { results, decoded, codes } = await page.evaluate(async () => {
      // @ts-expect-error the page's
      const { decodeImage, ObjectDetector } = await import('/ocelli/dist/web/browser.js');
      const webp = await (await fetch('/files/chelsea.webp')).blob();
      const avif = Uint8Array.from('\0\0\0\x18ftypavif\0\0\0\0avifmif1', (letter) => letter.charCodeAt(0));
      const results = [];
      const codes = [];
      for (const worker of [false, true]) {
        const detector = await ObjectDetector.create({ worker });
        for (const bytes of [avif, webp.slice(0, 200)]) {
          const error = await detector.detect(bytes).catch((/** @type {any} */ e) => e);
          codes.push(`${error.code} ${error.message}`);
        }
        results.push(await detector.detect(webp));
        detector.close();
        const small = await ObjectDetector.create({ worker, maxPixels: 1000 });
        codes.push((await small.detect(webp).catch((/** @type {any} */ e) => e)).code);
        small.close();
      }
      const { width, height, channels } = await decodeImage(webp);
      return { results, decoded: { width, height, channels }, codes };
    });
    const { boxes, scores } = await detectInNode();
    for (const { detections: found, size } of results) {
      assert.deepEqual([found[0].label, size.width, size.height], ['Cat', 451, 300]);
      assert.ok(
        Math.abs(found[0].score - scores[0]) < 0.05 && Math.abs(found[0].box.x / 451 - boxes[1]) < 0.02,
      );
    }
    assert.deepEqual(decoded, { width: 451, height: 300, channels: 3 });
    for (const half of [codes.slice(0, 3), codes.slice(3)]) {
      assert.match(half[0], /^UNSUPPORTED_IMAGE_FORMAT .*AVIF/);
      assert.match(half[1], /^UNSUPPORTED_IMAGE_FORMAT .*WebP/);
      assert.equal(half[2], 'IMAGE_TOO_LARGE');
    }
    await page.close();
  });

  test('a photo that was stored turned is seen as it is shown', async () => {
    page = await browser.newPage();
    await page.goto(`${server.url}/blank.html`);
    const results = await page.evaluate(async (photo) => {
      // @ts-expect-error the page's
      const { makeInputs, makeTurnedJpeg, ObjectDetector } = await import('/inputs.js');
      const jpeg = await makeTurnedJpeg((await makeInputs(photo)).ImageBitmap);
      const image = new Image();
      image.src = URL.createObjectURL(jpeg);
      await image.decode();
      const results = [];
      for (const worker of [false, true]) {
        const detector = await ObjectDetector.create({ worker });
        for (const input of [jpeg, image]) {
          results.push(await detector.detect(input));
        }
        detector.close();
      }
      return results;
    }, PHOTO);
    const { boxes, scores } = await detectInNode();
    for (const { detections: found, size } of results) {
      assert.deepEqual([found[0].label, size.width, size.height], ['Cat', 451, 300]);
      assert.ok(
        Math.abs(found[0].score - scores[0]) < 0.05 && Math.abs(found[0].box.x / 451 - boxes[1]) < 0.02,
      );
    }
    await page.close();
  });

  test('responses, requests, streams and URLs', async () => {
    page = await browser.newPage();
    await page.goto(`${server.url}/blank.html`);
    const labels = await page.evaluate(async (photo) => {
      // @ts-expect-error the page's
      const { ObjectDetector } = await import('/inputs.js');
      const bytes = new Uint8Array(await (await fetch(photo)).arrayBuffer());
      const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
      const post = { method: 'POST', body: bytes };
      const make = () => [
        ...[fetch(photo), new Response(bytes), new Response(bytes).body, new Request('/posted', post)],
        ...[photo, `/${photo}`, new URL(photo, document.baseURI)],
        ...[`data:image/png;base64,${btoa(text)}`, URL.createObjectURL(new Blob([bytes]))],
        new ReadableStream({
          start(controller) {
            controller.enqueue(bytes.slice(0, 100));
            controller.enqueue(bytes.slice(100));
            controller.close();
          },
        }),
      ];
      const labels = [];
      for (const worker of [false, true]) {
        const detector = await ObjectDetector.create({ worker });
        for (const input of make()) labels.push((await detector.detect(await input)).detections[0].label);
        detector.close();
      }
      return labels;
    }, PHOTO);
    assert.deepEqual(labels, Array(20).fill('Cat'));
    await page.close();
  });

  test('what is refused says what would work', async () => {
    page = await browser.newPage();
    await page.goto(`${server.url}/blank.html`);
    const halves = await page.evaluate(async (photo) => {
      // @ts-expect-error the page's
      const { ObjectDetector } = await import('/inputs.js');
      const make = async () => {
        const used = await fetch(photo);
        await used.blob();
        const input = Object.assign(document.createElement('input'), { type: 'file' });
        const context = document.createElement('canvas').getContext('2d');
        const promise = Object.assign(() => {}, { promise: fetch(photo) });
        const failing = new ReadableStream({ pull: () => Promise.reject(new Error('cable')) });
        return [
          ...[used, await fetch('/nowhere'), '/nowhere', 'blank.html', new Request(photo)],
          ...[document.createElement('div'), input, input.files, context, promise, failing],
          ...[btoa('x'.repeat(300)), `/9j/${'A'.repeat(400)}`],
        ];
      };
      const halves = [];
      for (const worker of [false, true]) {
        const detector = await ObjectDetector.create({ worker });
        const answers = [];
        for (const made of /** @type {any[]} */ (await make())) {
          const error = await detector.detect(made?.promise ?? made).catch((/** @type {any} */ e) => e);
          answers.push(`${error.code}: ${error.message}`);
        }
        answers.push((await detector.detect(photo)).detections[0].label);
        detector.close();
        halves.push(answers);
      }
      return halves;
    }, PHOTO);
    const expected = [
      /^BODY_USED: .*clone\(\) of the Response/,
      /^IMAGE_NOT_FOUND: .*\/nowhere: status 404/,
      /^IMAGE_NOT_FOUND: .*\/nowhere: status 404/,
      /^IMAGE_NOT_FOUND: .*blank\.html: the server answered with a web page/,
      /^INVALID_INPUT: .*await fetch\(request\)/,
      /^INVALID_INPUT: .*a HTMLDivElement; .*<img>/,
      /^INVALID_INPUT: .*input\.files\[0\]/,
      /^INVALID_INPUT: .*files\[0\]/,
      /^INVALID_INPUT: .*pass its canvas/,
      /^INVALID_INPUT: .*a Promise; await it first/,
      /^READ_FAILED: .*cable/,
      /^IMAGE_NOT_FOUND: /,
      /^INVALID_INPUT: .*base64/,
      /^Cat$/,
    ];
    for (const answers of halves) {
      assert.equal(answers.length, expected.length);
      for (const [i, pattern] of expected.entries()) assert.match(answers[i], pattern);
    }
    await page.close();
  });

  test('options of a running detector, as those of create', async () => {
    page = await browser.newPage();
    await page.goto(`${server.url}/blank.html`);
    const results = await page.evaluate(async (photo) => {
      // @ts-expect-error the page's
      const { ObjectDetector } = await import('/inputs.js');
      const results = [];
      const low = { scoreThreshold: 0.01, deterministic: true };
      for (const worker of [false, true]) {
        const detector = await ObjectDetector.create({ ...low, worker, classes: { allow: ['Dog'] } });
        for (const classes of [{ allow: ['Cat', 'Person'] }, { deny: ['Cat'] }, null, { allow: [] }]) {
          await detector.setOptions({ classes });
          const changed = await detector.detect(photo);
          const other = await ObjectDetector.create({ ...low, worker, ...(classes && { classes }) });
          results.push([changed.detections, (await other.detect(photo)).detections]);
          other.close();
        }
        await detector.setOptions({ classes: null, maxResults: 2 });
        const wrong = [{ classes: { allow: ['Dgo'] } }, { maxResults: 0 }, { worker: true }];
        const codes = [];
        for (const options of wrong)
          codes.push(await detector.setOptions(options).catch((/** @type {any} */ { code }) => code));
        codes.push((await detector.detect(photo)).detections.length);
        results.push([codes, ['UNKNOWN_CLASS', 'INVALID_OPTION', 'INVALID_OPTION', 2]]);
        const result = await detector.detect(photo, { features: 'both' });
        results.push([JSON.parse(JSON.stringify(result)), structuredClone(result)]);
        detector.close();
        const failure = detector.setOptions({ classes: null });
        results.push([await failure.catch((/** @type {any} */ { code }) => code), 'CLOSED']);
      }
      return results;
    }, PHOTO);
    assert.equal(results.length, 14);
    for (const [actual, expected] of results) assert.deepEqual(actual, expected);
    assert.ok(results[0][0].length > 0 && results[1][0].length > 0);
    await page.close();
  });

  test('what was made in an <iframe>', async () => {
    page = await browser.newPage();
    await page.goto(`${server.url}/blank.html`);
    const labels = await page.evaluate(async (photo) => {
      // @ts-expect-error the page's
      const { makeInputs, ObjectDetector } = await import('/inputs.js');
      const { Uint8Array: bytes, ImageBitmap: bitmap } = await makeInputs(photo);
      const frame = document.createElement('iframe');
      document.body.append(frame);
      const other = /** @type {any} */ (frame.contentWindow);
      const { width, height } = bitmap;
      const canvas = Object.assign(other.document.createElement('canvas'), { width, height });
      canvas.getContext('2d').drawImage(bitmap, 0, 0);
      const imageData = canvas.getContext('2d').getImageData(0, 0, width, height);
      const inputs = [canvas, imageData, new other.Blob([bytes]), other.Uint8Array.from(bytes)];
      const labels = [];
      for (const worker of [false, true]) {
        const detector = await ObjectDetector.create({ worker });
        for (const input of inputs) labels.push((await detector.detect(input)).detections[0].label);
        detector.close();
      }
      return labels;
    }, PHOTO);
    assert.deepEqual(labels, Array(8).fill('Cat'));
    await page.close();
  });

  test('what cannot be seen is refused, and the detector works on', async () => {
    page = await browser.newPage();
    await page.goto(`${server.url}/blank.html`);
    const answers = await page.evaluate(async ([photo, other]) => {
      // @ts-expect-error the page's
      const { makeInputs, ObjectDetector } = await import('/inputs.js');
      const { ImageBitmap, HTMLCanvasElement, HTMLImageElement } = await makeInputs(photo);
      const foreign = new Image();
      foreign.src = `${other}/${photo}`;
      await foreign.decode();
      const closed = await createImageBitmap(ImageBitmap);
      closed.close();
      const sent = new Uint8Array(8);
      structuredClone(sent, { transfer: [sent.buffer] });
      const inputs = [document.createElement('video'), new Image(), closed, foreign, document.body, null];
      const answers = [];
      for (const worker of [false, true]) {
        const detector = await ObjectDetector.create({ worker });
        for (const input of [...inputs, sent]) {
          answers.push((await detector.detect(input).catch((/** @type {any} */ e) => e)).code);
        }
        // Whether these have a picture, browsers do not agree.
        const formless = new Image();
        formless.src = 'data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg"/>';
        await formless.decode();
        for (const input of [new OffscreenCanvas(300, 200), formless]) {
          const answer = await detector.detect(input).catch((/** @type {any} */ e) => e);
          if (answer.detections?.length !== 0 && answer.code !== 'INVALID_INPUT')
            answers.push(String(answer));
        }
        const roi = { x: 400, y: 0, width: 100, height: 10 };
        answers.push(
          (await detector.detect(HTMLCanvasElement, { roi }).catch((/** @type {any} */ e) => e)).code,
        );
        for (const input of [HTMLCanvasElement, HTMLImageElement])
          answers.push((await detector.detect(input)).detections[0].label);
        detector.close();
      }
      return answers;
    }, /** @type {const} */ ([PHOTO, server.otherUrl]));
    const expected = [...Array(6).fill('INVALID_INPUT'), 'IMAGE_EMPTY', 'INVALID_ROI', 'Cat', 'Cat'];
    assert.deepEqual(answers, [...expected, ...expected]);
    await page.close();
  });
});

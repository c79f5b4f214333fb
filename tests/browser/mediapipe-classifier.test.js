// An exported classifier, of a head alone and fine-tuned, in MediaPipe: the same top label, from the file alone.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { encodePng } from '../../wasm/png.js';
import { Backbone, TransferLearner } from '../../wasm/train/node.js';
import { launch, needsBrowser, openPage, ROOT, serve } from './shared.js';

const MEDIAPIPE = `${ROOT}node_modules/@mediapipe/tasks-vision`;
const SIDE = 120;
const CLASSES = ['across', 'along'];
const IMAGES = Array.from({ length: 16 }, (_, seed) => encodePng(makeStripes(seed)));
const LABELS = IMAGES.map((_, i) => CLASSES[i % 2]);

/** Stripes, across or along, in colours that differ. @param {number} seed */
function makeStripes(seed) {
  const data = Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, i) => {
    const [pixel, channel] = [Math.floor(i / 3), i % 3];
    const along = seed % 2 === 0 ? Math.floor(pixel / SIDE) : pixel % SIDE;
    return 128 + 100 * Math.sin((along * (3 + (seed % 5))) / 16 + channel + seed);
  });
  return { data, width: SIDE, height: SIDE, channels: /** @type {const} */ (3) };
}

suite('MediaPipe’s ImageClassifier', needsBrowser, () => {
  /** @type {import('playwright-core').Browser} */ let browser;
  /** @type {Awaited<ReturnType<typeof serve>>} */ let server;
  const files = mkdtempSync(join(tmpdir(), 'ocelli-classifier-'));
  before(async () => {
    IMAGES.forEach((image, i) => writeFileSync(join(files, `${i}.png`), image));
    browser = await launch();
    server = await serve({ roots: { '/mediapipe/': MEDIAPIPE, '/files/': files } });
  });
  after(async () => {
    await browser?.close();
    server?.close();
    rmSync(files, { recursive: true });
  });

  /** @param {string} model @returns {Promise<{label: string, score: number}[]>} of each image, the best */
  async function classifyAll(model) {
    const { page } = await openPage(browser, `${server.url}/blank.html`);
    return page.evaluate(async ([model, count]) => {
      // @ts-expect-error the page's
      const { FilesetResolver, ImageClassifier } = await import('/mediapipe/vision_bundle.mjs');
      const classifier = await ImageClassifier.createFromOptions(
        await FilesetResolver.forVisionTasks('/mediapipe/wasm'),
        { baseOptions: { modelAssetPath: `/files/${model}`, delegate: 'CPU' }, maxResults: 1 },
      );
      const found = [];
      for (let i = 0; i < count; i++) {
        const image = new Image();
        image.src = `/files/${i}.png`;
        await image.decode();
        const [{ categoryName: label, score }] = classifier.classify(image).classifications[0].categories;
        found.push({ label, score });
      }
      classifier.close();
      return found;
    }, /** @type {const} */ ([model, IMAGES.length]));
  }

  for (const unfreeze of [0, 1]) {
    test(`${unfreeze} blocks trained: the same top labels`, async () => {
      const extractor = await Backbone.create({ unfreeze });
      const learner = await TransferLearner.create({ extractor });
      await learner.addExamples(IMAGES, LABELS);
      const optimizer = unfreeze ? { type: /** @type {const} */ ('sgd'), learningRate: 0.001 } : 'adam';
      await learner.fit({ epochs: 12, batchSize: 8, optimizer: /** @type {any} */ (optimizer) });
      const model = `${unfreeze}.tflite`;
      writeFileSync(join(files, model), learner.export());
      const theirs = await classifyAll(model);
      for (const [i, image] of IMAGES.entries()) {
        const [best] = await learner.predict(image);
        assert.equal(theirs[i].label, best.label, `image ${i}: ${best.score}, ${theirs[i].score}`);
        assert.ok(Math.abs(theirs[i].score - best.score) < 0.02, `${best.score}, ${theirs[i].score}`);
      }
      assert.deepEqual(new Set(theirs.map(({ label }) => label)), new Set(CLASSES));
      learner.close();
      extractor.close();
    });
  }
});

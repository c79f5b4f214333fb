// A classifier of digits, of a head alone and fine-tuned, in MediaPipe: the same top label, from the file alone.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { Backbone, TransferLearner } from '../../wasm/train/node.js';
import { readDigits, toPhoto } from '../node/train/digits.js';
import { launch, needsBrowser, openPage, ROOT, serve } from './shared.js';

const MEDIAPIPE = `${ROOT}node_modules/@mediapipe/tasks-vision`;
const DIGITS = readDigits().slice(0, 24);
const IMAGES = DIGITS.map(toPhoto);
const LABELS = DIGITS.map(({ label }) => label);

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
      const optimizer = { type: /** @type {const} */ ('adam'), learningRate: unfreeze ? 0.001 : 0.01 };
      await learner.fit({ epochs: unfreeze ? 10 : 60, batchSize: 8, optimizer });
      const model = `${unfreeze}.tflite`;
      writeFileSync(join(files, model), learner.export());
      const theirs = await classifyAll(model);
      for (const [i, image] of IMAGES.entries()) {
        const [best] = await learner.predict(image);
        assert.equal(theirs[i].label, best.label, `image ${i}: ${best.score}, ${theirs[i].score}`);
        assert.ok(Math.abs(theirs[i].score - best.score) < 0.02, `${best.score}, ${theirs[i].score}`);
      }
      const hits = theirs.filter(({ label }, i) => label === LABELS[i]);
      assert.ok(hits.length > 0.8 * LABELS.length, `${hits.length} learned`);
      learner.close();
      extractor.close();
    });
  }
});

// ocelli/evaluate in a page and in a worker of the page: the same figures as in Node.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { build as bundle } from 'esbuild';
import { after, before, suite, test } from 'node:test';
import { evaluateDetections } from '../../wasm/evaluate/index.js';
import { launch, needsBrowser, openPage, ROOT, serve } from './shared.js';

const OUT = `${ROOT}build/browser-evaluate`;
const CASE = new URL('../data/evaluate/5.json.gz', import.meta.url);
const { truth, detections } = JSON.parse(gunzipSync(readFileSync(CASE)).toString());

suite('ocelli/evaluate in a page', needsBrowser, () => {
  /** @type {import('playwright-core').Browser} */ let browser;
  /** @type {Awaited<ReturnType<typeof serve>>} */ let server;
  before(async () => {
    const entryPoints = [`${ROOT}build/package/wasm/evaluate/index.js`];
    await bundle({ entryPoints, bundle: true, splitting: true, format: 'esm', outdir: OUT });
    server = await serve({ roots: { '/bundle/': OUT } });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    server?.close();
  });

  test('reads a data set and gives the figures of Node, also in a worker', async () => {
    const expected = JSON.parse(JSON.stringify(evaluateDetections(truth, detections, { bootstrap: 20 })));
    const { page } = await openPage(browser, `${server.url}/blank.html`);
    const given = { text: JSON.stringify(truth), results: JSON.stringify(detections) };
    const inPage = await page.evaluate(async ({ text, results }) => {
      const path = '/bundle/index.js';
      const { evaluateDetections, readDataset, readDetections } = await import(path);
      const { groundTruth } = await readDataset([new File([text], 'gt.json')]);
      const { detections } = readDetections(results, 'dt.json', groundTruth);
      return evaluateDetections(groundTruth, detections, { bootstrap: 20 });
    }, given);
    assert.deepEqual(inPage, expected);
    const inWorker = await page.evaluate(({ text, results }) => {
      const code = `import { evaluateDetections } from '${location.origin}/bundle/index.js';
        onmessage = ({ data: [truth, found] }) => postMessage(evaluateDetections(truth, found, { bootstrap: 20 }));`;
      const worker = new Worker(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })), {
        type: 'module',
      });
      worker.postMessage([JSON.parse(text), JSON.parse(results)]);
      return new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = reject;
      });
    }, given);
    assert.deepEqual(inWorker, expected);
  });

  test('reads XML and YAML', async () => {
    const { page } = await openPage(browser, `${server.url}/blank.html`);
    const xml =
      '<annotation><object><name>cat</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>5</xmax><ymax>8</ymax></bndbox></object></annotation>';
    const found = await page.evaluate(async (text) => {
      const path = '/bundle/index.js';
      const { readDataset } = await import(path);
      const { groundTruth } = await readDataset([new File([text], 'a.xml')]);
      const files = [new File(['val: images\nnames: {0: a, 2: b}'], 'data.yaml')];
      const error = await readDataset(files).catch((/** @type {any} */ reason) => reason.code);
      return [groundTruth.annotations[0].bbox, error];
    }, xml);
    assert.deepEqual(found, [[1, 2, 4, 6], 'DATASET_DAMAGED']);
  });
});

// ocelli/evaluate in real workerd: the figures of Node, a data set as a zip archive, the detector on its pictures, a report.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { evaluateDetections } from '../../wasm/evaluate/index.js';
import { packagePhoto } from '../node/shared.js';
import { bundle, start } from './app.js';

const CASE = new URL('../data/evaluate/5.json.gz', import.meta.url);
const { truth, detections } = JSON.parse(gunzipSync(readFileSync(CASE)).toString());
const OPTIONS = { bootstrap: 20 };

const APP = `
import { ObjectDetector } from 'ocelli';
import { evaluateDetections, makeEvaluationReport, readDataset, readDetections, runDetector } from 'ocelli/evaluate';

const routes = {
  async '/judge'(request) {
    const { truth, results } = await request.json();
    const { groundTruth } = await readDataset([new File([truth], 'gt.json')]);
    const { detections } = readDetections(results, 'dt.json', groundTruth);
    return evaluateDetections(groundTruth, detections, ${JSON.stringify(OPTIONS)});
  },
  async '/run'(request) {
    const dataset = await readDataset(new Uint8Array(await request.arrayBuffer()));
    using detector = await ObjectDetector.create();
    const ran = await runDetector(detector, dataset);
    const evaluation = evaluateDetections(ran.dataset.groundTruth, ran.detections);
    const files = makeEvaluationReport([{ name: 'default', evaluation }], { dataset: 'zip', date: new Date(0) });
    return { AP50: evaluation.coco.AP50, files: Object.keys(files) };
  },
  async '/bad'(request) {
    const { truth, results } = await request.json();
    const { groundTruth } = await readDataset([new File([truth], 'gt.json')]);
    const { detections, locate } = readDetections(results, 'dt.json', groundTruth);
    return evaluateDetections(groundTruth, detections, {
      locate: (list, i) => (list === 'detections' ? locate(i) : undefined),
    });
  },
};

export default {
  async fetch(request) {
    try {
      return Response.json(await routes[new URL(request.url).pathname](request));
    } catch (error) {
      return Response.json({ code: error.code, message: error.message }, { status: 400 });
    }
  },
};
`;

describe('ocelli/evaluate in workerd', () => {
  /** @type {import('miniflare').Miniflare} */
  let worker;
  before(async () => {
    worker = start((await bundle('evaluate', APP)).out);
    await worker.ready;
  });
  after(() => worker?.dispose());

  /** @param {string} path @param {string | Uint8Array} body */
  const ask = async (path, body) => {
    const response = await worker.dispatchFetch(`http://edge${path}`, { method: 'POST', body });
    return /** @type {any} */ (await response.json());
  };

  test('gives the figures of Node', async () => {
    const found = await ask(
      '/judge',
      JSON.stringify({ truth: JSON.stringify(truth), results: JSON.stringify(detections) }),
    );
    assert.deepEqual(found, JSON.parse(JSON.stringify(evaluateDetections(truth, detections, OPTIONS))));
  });

  test('runs the detector on a zip archive and makes a report', async () => {
    const boxes = {
      images: [{ id: 1, file_name: 'chelsea.png' }],
      categories: [{ id: 1, name: 'Cat' }],
      annotations: [{ id: 1, image_id: 1, category_id: 1, bbox: [110, 0, 330, 290] }],
    };
    const zip = zipSync({
      'boxes.json': new TextEncoder().encode(JSON.stringify(boxes)),
      'chelsea.png': [new Uint8Array(packagePhoto('chelsea.png')), { level: 0 }],
    });
    const { AP50, files } = await ask('/run', zip);
    assert.ok(AP50 > 0.999, String(AP50));
    assert.ok(files.includes('report.html') && files.includes('precision-recall.svg'), files.join());
  });

  test('names what is wrong by file and line', async () => {
    const results = JSON.stringify([{ ...detections[0], score: 12345 }], null, 1).replace('12345', '"high"');
    const { code, message } = await ask('/bad', JSON.stringify({ truth: JSON.stringify(truth), results }));
    assert.equal(code, 'INVALID_SCORE');
    assert.match(message, /dt\.json:2: detections\[0\] has the score "high"/);
  });
});

// Measures the engine that this page is bundled with, and posts the times to the page's server (see report.js).
import { create } from 'engine';
import { measure } from '../peers/measure.js';

/** @param {string} path */
const read = async (path) => (await fetch(path)).arrayBuffer();

/** @returns {Promise<string>} */
async function run() {
  const [model, input, boxes, scores] = await Promise.all(
    ['/model', '/input', '/boxes', '/scores'].map(read),
  );
  const [warmUpRuns, threads] = location.search.slice(1).split(',').map(Number);
  const times = await measure(create, {
    model: new Uint8Array(model),
    input: new Float32Array(input),
    ...{ warmUpRuns, threads },
    heads: [boxes, scores].map((head) => new Float32Array(head)),
    wasm: `${location.origin}/wasm${location.pathname.replace(/[^/]*$/, '')}`,
  });
  return JSON.stringify(times);
}

run().then(
  (times) => fetch(`/report/${times}`, { method: 'POST' }),
  (error) =>
    fetch(`/report/${encodeURIComponent(JSON.stringify(String(error.stack ?? error)))}`, { method: 'POST' }),
);

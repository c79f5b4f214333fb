// ocelli/inline: its entries carry the package's files, and its workers' scripts serve. Each in a process of its own,
// because what is carried is there for the whole process.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { gunzipSync } from 'node:zlib';

const url = (/** @type {string} */ path) => new URL(`../../../wasm/${path}`, import.meta.url);

/** What a program prints, as JSON. @param {string} program */
const run = (program) =>
  JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' }),
  );

/** @param {string} entry @param {string} expression of what is carried, and of the entry's exports */
const show = (entry, expression) =>
  run(`
    const entry = await import('${url(entry)}');
    const { carried } = await import('${url('platform/carried.js')}');
    const { host } = await import('${url('engine/host.js')}');
    const sizeOf = async (name) => (await carried().read(name)).length;
    console.log(JSON.stringify(${expression}));
  `);

const sizeOf = (/** @type {string} */ name) => readFileSync(url(`../dist/${name}`)).length;
const DETECTOR = 'typeof entry.ObjectDetector.create';

test('in Node', () => {
  const variants = ['simd', 'relaxed', 'simd-threads', 'relaxed-threads', 'train-simd', 'train-relaxed'];
  const names = JSON.stringify(variants);
  const sizes = `await Promise.all(${names}.map(sizeOf))`;
  const script = '(await carried().readScript()).length > 1000';
  const expected = variants.map((name) => sizeOf(`ocelli-${name}.wasm`));
  assert.deepEqual(show('inline/node.js', `[${DETECTOR}, host().threads, ${script}, ${sizes}]`), [
    ...['function', 'here', true, expected],
  ]);
});

test('in Node, behind another platform', () => {
  const program = `
    const { installHost, host } = await import('${url('engine/host.js')}');
    installHost({ mark: 7 });
    await import('${url('inline/node.js')}');
    const first = host().mark;
    await import('${url('inline/browser.js')}');
    console.log(JSON.stringify([first, host().mark]));`;
  assert.deepEqual(run(program), [7, 7]);
});

test('in a page', () => {
  const script = '(await carried().readScript()).length > 1000';
  assert.deepEqual(show('inline/browser.js', `[${DETECTOR}, ${script}, typeof host().open]`), [
    ...['function', true, 'function'],
  ]);
});

test('in an edge runtime, whose modules Vercel compiles: the model', () => {
  // `.wasm?module` is the compiled module there.
  const hooks = `export const load = (url, context, next) => url.endsWith('.wasm?module')
    ? { format: 'module', source: 'export default 0', shortCircuit: true } : next(url, context);`;
  const program = `
    const { register } = await import('node:module');
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hooks)}));
    const entry = await import('${url('inline/edge_light.js')}');
    const { carried } = await import('${url('platform/carried.js')}');
    console.log(JSON.stringify([${DETECTOR}, (await carried().read()).length]));`;
  const model = gunzipSync(readFileSync(url('../dist/models/ssd_mobilenet_v2_oidv4.gz')));
  assert.deepEqual(run(program), ['function', model.length]);
});

test("a page's worker waits for messages", () => {
  const program = `
    const posted = [];
    globalThis.postMessage = (message) => posted.push(message);
    await import('${url('inline/worker.browser.js')}');
    globalThis.onmessage({ data: { id: 5, name: 'absent' } });
    await new Promise(setImmediate);
    console.log(JSON.stringify(posted.map(({ id, error }) => [id, error !== undefined])));`;
  assert.deepEqual(run(program), [[5, true]]);
});

test("a worker of Node serves calls, or is a pool's thread", async () => {
  /** @param {unknown} workerData */
  const start = async (workerData) => {
    const worker = new Worker(url('inline/worker.node.js'), { workerData });
    try {
      return await new Promise((resolve) => {
        worker.on('message', ({ id, error }) => resolve([id, error !== undefined]));
        worker.on('error', (error) => resolve(error.name));
        worker.on('exit', () => resolve('ended without a word'));
        worker.postMessage({ id: 5, name: 'absent' });
      });
    } finally {
      await worker.terminate();
    }
  };
  assert.deepEqual(await start(undefined), [5, true]);
  assert.deepEqual(await start({}), [5, true]);
  assert.equal(await start({ module: 'none' }), 'TypeError');
});

// The entry of the Worker example in Node: its bindings are in memory, and its detector answers as told. The package is this
// checkout. What only workerd can show is in tests/edge/service.test.js.
import assert from 'node:assert/strict';
import { register } from 'node:module';
import { beforeEach, describe, mock, test } from 'node:test';
import { drawDetections } from '../../wasm/draw/draw.js';
import { encodePng } from '../../wasm/draw/png.js';
import { ObjectDetector } from '../../wasm/platform/node.js';
import { created, makeEnvironment, messageOf } from './bindings.js';
import { openapi, readAnswer } from './contract.js';

const any = (/** @type {unknown} */ value) => /** @type {any} */ (value);
const urlOf = (/** @type {string} */ path) => new URL(`../../wasm/${path}`, import.meta.url).href;
const MODULES = {
  ocelli: urlOf('platform/node.js'),
  'ocelli/draw': urlOf('draw/draw.js'),
  'ocelli/png': urlOf('draw/png.js'),
  'cloudflare:workers': 'data:text/javascript,export const env = globalThis.bindings',
};
const HOOKS = `
const modules = ${JSON.stringify(MODULES)};
export const resolve = (name, context, next) =>
  Object.hasOwn(modules, name) ? { url: modules[name], shortCircuit: true } : next(name, context);`;
register(`data:text/javascript,${encodeURIComponent(HOOKS)}`);

const { env, rows, sent, dead } = makeEnvironment({ a: 9, broken: 8 });
/** @type {any[]} */ const admitted = [];
const BUSY = '192.0.2.7';
const LIMITER = {
  async limit(/** @type {any} */ asked) {
    admitted.push(asked);
    return { success: asked.key !== BUSY };
  },
};
Object.assign(globalThis, { bindings: { ...env, LIMITER, MAX_BODY_BYTES: '1000', MAX_PIXELS: '70' } });

const CAT = any({ label: 'Cat', labelId: 1, score: 0.8, box: { x: 1, y: 1, width: 6, height: 5 } });
const SIZE = { width: 9, height: 7 };
const FOUND = { ...SIZE, detections: [CAT] };
/** @type {any[]} */ const calls = [];
/** @type {() => Promise<any>} */ let answer;
const detector = {
  variant: { name: 'one of them' },
  detect: (/** @type {any} */ image, /** @type {any} */ how) => (calls.push([image.length, how]), answer()),
};
const create = mock.method(ObjectDetector, 'create', async () => any(detector));
const lines = mock.method(console, 'log', () => {});
// TypeScript, which has no hooks, does not follow this path.
const { default: worker } = await import(`../../examples/service/${'cloudflare/index.js'}`);
const optionsOfDetector = create.mock.calls.map((call) => call.arguments);

beforeEach(() => {
  calls.length = 0;
  lines.mock.resetCalls();
  answer = async () => ({ detections: [CAT], size: SIZE });
});
/** @param {string} path @param {RequestInit} [init] */
const ask = async (path, init) => worker.fetch(new Request(`http://edge${path}`, init));
const post = (/** @type {string} */ path, /** @type {any} */ body, headers = {}) =>
  ask(path, { method: 'POST', body, headers });
const logged = () => lines.mock.calls.map((call) => JSON.parse(any(call).arguments[0]));

async function settle() {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => void setImmediate(resolve));
}

test('one detector, with the limit for pixels', async () => {
  assert.deepEqual(optionsOfDetector, [[{ maxPixels: 70 }]]);
  const health = await readAnswer('GET /healthz', await ask('/healthz'));
  assert.deepEqual(health, { status: 'ok', variant: 'one of them' });
  assert.deepEqual(await readAnswer('GET /openapi.json', await ask('/openapi.json')), openapi);
});

test('an image’s detections, and a line in the log', async () => {
  const response = await post('/detect?threshold=0.25&max=3', new Uint8Array(12));
  assert.deepEqual(await readAnswer('POST /detect', response), FOUND);
  assert.deepEqual(calls, [[12, { scoreThreshold: 0.25, maxResults: 3 }]]);
  const [{ ms, ...entry }, ...others] = logged();
  assert.ok(ms >= 0);
  assert.deepEqual([entry, others], [{ method: 'POST', path: '/detect', status: 200 }, []]);
});

describe('the annotated picture', () => {
  const picture = (/** @type {number} */ width, /** @type {number} */ height) => ({
    data: Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 37) % 251),
    ...{ width, height, channels: /** @type {const} */ (3) },
  });
  const accept = { accept: 'image/png' };

  test('is the image with the boxes', async () => {
    const expected = picture(SIZE.width, SIZE.height);
    const response = await post('/detect', encodePng(expected), accept);
    drawDetections(expected, [CAT]);
    assert.deepEqual(await readAnswer('POST /detect', response), encodePng(expected));
  });

  test('has at most the limit’s pixels', async () => {
    assert.equal((await post('/detect', encodePng(picture(10, 7)), accept)).status, 200);
    const { code } = await readAnswer(
      'POST /detect',
      await post('/detect', encodePng(picture(71, 1)), accept),
    );
    assert.equal(code, 'IMAGE_TOO_LARGE');
  });
});

test('detections run one at a time, in order, whatever becomes of those before', async () => {
  /** @type {{resolve: (value: any) => void, reject: (reason: any) => void}[]} */ const waiting = [];
  answer = () => new Promise((resolve, reject) => void waiting.push({ resolve, reject }));
  const answers = [1, 2, 3].map((length) => post('/detect', new Uint8Array(length)));
  await settle();
  assert.deepEqual(calls.map(([length]) => length), [1]); // prettier-ignore
  waiting[0].reject(
    Object.assign(new Error('it is damaged'), { name: 'OcelliError', code: 'IMAGE_CORRUPT' }),
  );
  await settle();
  assert.deepEqual(calls.map(([length]) => length), [1, 2]); // prettier-ignore
  waiting[1].resolve({ detections: [], size: SIZE });
  await settle();
  waiting[2].resolve({ detections: [CAT], size: SIZE });
  const [damaged, ...found] = await Promise.all(
    answers.map(async (each) => readAnswer('POST /detect', await each)),
  );
  assert.equal(damaged.code, 'IMAGE_CORRUPT');
  assert.deepEqual(found, [{ ...SIZE, detections: [] }, FOUND]);
});

test('a client that asks too often is told so, and no other', async () => {
  admitted.length = 0;
  const clients = [BUSY, '192.0.2.8'];
  const statuses = await Promise.all(
    clients.map(
      async (client) => (await post('/detect', new Uint8Array(1), { 'cf-connecting-ip': client })).status,
    ),
  );
  assert.deepEqual(statuses, [429, 200]);
  assert.deepEqual(admitted, clients.map((key) => ({ key }))); // prettier-ignore
});

test('a posted object: into the queue, through the detector, into the table, to who asks', async () => {
  const response = await post('/bulk', JSON.stringify({ keys: ['a', 'none'] }));
  assert.deepEqual(await readAnswer('POST /bulk', response), { queued: 1, missing: ['none'] });
  const [[{ body }]] = sent;
  assert.deepEqual(body, created('a'));
  const message = messageOf(body);
  await worker.queue({ messages: [message] });
  assert.deepEqual(message.ends, ['ack']);
  assert.deepEqual(calls, [[9, { scoreThreshold: 0.3, maxResults: 100 }]]);
  assert.deepEqual([...rows.keys()], ['a,a-1']);
  assert.deepEqual(logged().at(-1), { queue: 'photos', key: 'a', note: 'done' });
  const result = await readAnswer('GET /results/{key}', await ask('/results/a'));
  assert.deepEqual(result, { key: 'a', version: 'a-1', ...FOUND });
});

test('an object that the detector refuses is a dead letter', async () => {
  answer = async () => {
    throw Object.assign(new Error('it is damaged'), { name: 'OcelliError', code: 'IMAGE_CORRUPT' });
  };
  const message = messageOf(created('broken'));
  await worker.queue({ messages: [message] });
  assert.deepEqual(
    [message.ends, dead.map((/** @type {any} */ { code }) => code)],
    [['ack'], ['IMAGE_CORRUPT']],
  );
});

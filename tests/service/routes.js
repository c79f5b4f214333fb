// What both services answer: run by the tests of each.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { decodeImage, DEFAULT_THRESHOLDS } from '../../wasm/platform/node.js';
import { PATIENCE_MS } from '../patience.js';
import { packagePhoto, samplePath } from '../node/shared.js';
import { openapi, readAnswer } from './contract.js';
import { readFileSync } from 'node:fs';

const CLI = fileURLToPath(new URL('../../bin/ocelli.js', import.meta.url));
const PHOTO = packagePhoto('chelsea.png');
/** Of the services that are tested. */
export const LIMITS = {
  ...{ API_TOKEN: 'open sesame', ALLOWED_ORIGINS: 'https://pages.example', URL_HOSTS: 'photos.invalid' },
  ...{ MAX_BODY_BYTES: '1000000', MAX_PIXELS: '2000000', TIMEOUT_MS: String(PATIENCE_MS) },
};
const AUTHORIZATION = { authorization: `Bearer ${LIMITS.API_TOKEN}` };

/**
 * @typedef {(path: string, init?: RequestInit) => Promise<Response>} Ask of a path of the service
 * @param {() => Ask} service
 * @param {string} node whose command line runs the same variant
 */
export function testRoutes(service, node) {
  /** @param {BodyInit | undefined} body @param {{path?: string, headers?: Record<string, string>}} [more] */
  const detect = async (body, { path = '/detect', headers } = {}) => {
    const init = { method: 'POST', body, headers: { ...AUTHORIZATION, ...headers } };
    return service()(path, /** @type {RequestInit} */ (init));
  };
  /** @param {BodyInit | undefined} body @param {Parameters<typeof detect>[1]} [more] @returns {Promise<[number, string]>} */
  const refusal = async (body, more) => {
    const response = await detect(body, more);
    const { code } = await readAnswer('POST /detect', response);
    return [response.status, code];
  };

  test('a JPEG of several objects: what the command line says, to the last bit', async () => {
    const path = samplePath('photos/data_messi5.jpg');
    const stdout = execFileSync(node, [CLI, 'detect', '--json', '--score', '0.3', path]);
    const { width, height, detections } = JSON.parse(String(stdout));
    const headers = { 'content-type': 'image/jpeg' };
    const response = await detect(readFileSync(path), { path: '/detect?threshold=0.3', headers });
    const found = await readAnswer('POST /detect', response);
    assert.deepEqual(found, { width, height, detections });
    const labels = found.detections.map((/** @type {{label: string}} */ { label }) => label);
    assert.ok(labels.length > 2 && labels.includes('Person'), String(labels));
  });

  test('without a threshold: that of the library', async () => {
    const parameters = openapi.paths['/detect'].post.parameters;
    const { schema } = parameters.find((/** @type {{name: string}} */ { name }) => name === 'threshold');
    assert.equal(schema.default, DEFAULT_THRESHOLDS.scoreThreshold);
    const found = await readAnswer('POST /detect', await detect(PHOTO));
    const path = `/detect?threshold=${schema.default}`;
    assert.deepEqual(await readAnswer('POST /detect', await detect(PHOTO, { path })), found);
  });

  test('bytes, a form, thresholds, the annotated picture', async () => {
    const found = await readAnswer('POST /detect', await detect(PHOTO));
    assert.equal(found.detections[0].label, 'Cat');
    const form = new FormData();
    form.set('image', new Blob([PHOTO]), 'cat.png');
    assert.deepEqual(await readAnswer('POST /detect', await detect(form)), found);
    const none = await readAnswer('POST /detect', await detect(PHOTO, { path: '/detect?threshold=0.999' }));
    assert.deepEqual(none.detections, []);
    const one = await readAnswer('POST /detect', await detect(PHOTO, { path: '/detect?threshold=0&max=1' }));
    assert.equal(one.detections.length, 1);
    const picture = await readAnswer(
      'POST /detect',
      await detect(PHOTO, { headers: { accept: 'image/png' } }),
    );
    const [before, after] = await Promise.all([PHOTO, picture].map((png) => decodeImage(png)));
    assert.deepEqual([after.width, after.height], [before.width, before.height]);
    assert.notDeepEqual(after.data, before.data);
  });

  test('what is wrong is named, and the next request is answered', async () => {
    const headers = (/** @type {string} */ type) => ({ headers: { 'content-type': type } });
    const wide = new Uint8Array(PHOTO);
    const view = new DataView(wide.buffer);
    view.setUint32(16, 60000); // IHDR's width
    view.setUint32(29, crc32(wide.subarray(12, 29)));
    /** @type {[[BodyInit | undefined, Parameters<typeof detect>[1]?], number, string][]} */
    const cases = [
      [[undefined], 400, 'BAD_REQUEST'],
      [[PHOTO, { path: '/detect?threshold=2' }], 400, 'BAD_REQUEST'],
      [[PHOTO, { path: '/detect?max=many' }], 400, 'BAD_REQUEST'],
      [['--x\r\nnothing', headers('multipart/form-data; boundary=x')], 400, 'BAD_REQUEST'],
      [['nothing', headers('multipart/form-data')], 400, 'BAD_REQUEST'],
      [[PHOTO, { headers: { authorization: 'Bearer open sesam' } }], 401, 'UNAUTHORIZED'],
      [[PHOTO, { headers: { authorization: '' } }], 401, 'UNAUTHORIZED'],
      [[undefined, { path: '/detect?url=https://elsewhere.invalid/a.png' }], 403, 'URL_NOT_ALLOWED'],
      [[undefined, { path: '/detect?url=http://photos.invalid/a.png' }], 403, 'URL_NOT_ALLOWED'],
      [[undefined, { path: '/detect?url=photos.invalid' }], 403, 'URL_NOT_ALLOWED'],
      [[undefined, { path: '/detect?url=https://photos.invalid/a.png' }], 502, 'URL_FAILED'],
      [[new Uint8Array(1000001)], 413, 'BODY_TOO_LARGE'],
      [[wide], 413, 'IMAGE_TOO_LARGE'],
      [['<p>', headers('text/html')], 415, 'UNSUPPORTED_MEDIA_TYPE'],
      [[new Uint8Array(99).fill(7)], 415, 'UNSUPPORTED_IMAGE_FORMAT'],
      [[PHOTO.subarray(0, 5000)], 422, 'IMAGE_CORRUPT'],
    ];
    for (const [given, status, code] of cases) {
      // workerd may close the connection before a body that it refuses is sent, so that the answer is lost.
      const again = () => refusal(...given);
      assert.deepEqual(await again().catch(again).catch(again), [status, code]);
    }
    assert.equal((await detect(PHOTO)).status, 200);
  });

  test('the scheme of the token in any case', async () => {
    for (const scheme of ['bearer', 'BEARER', 'Bearer ']) {
      const headers = { authorization: `${scheme} ${LIMITS.API_TOKEN}` };
      assert.deepEqual(await refusal(undefined, { headers }), [400, 'BAD_REQUEST'], scheme);
    }
    const headers = { authorization: `Basic ${LIMITS.API_TOKEN}` };
    assert.deepEqual(await refusal(undefined, { headers }), [401, 'UNAUTHORIZED']);
  });

  test('a body of exactly the limit is read', async () => {
    assert.deepEqual(await refusal(new Uint8Array(1000000)), [415, 'UNSUPPORTED_IMAGE_FORMAT']);
  });

  test('a body of unknown length, in small pieces, several at once', async () => {
    const found = await readAnswer('POST /detect', await detect(PHOTO));
    const pieces = () =>
      new ReadableStream({
        start(controller) {
          for (let at = 0; at < PHOTO.length; at += 7001) controller.enqueue(PHOTO.slice(at, at + 7001));
          controller.close();
        },
      });
    const send = () =>
      service()('/detect', {
        ...{ method: 'POST', body: pieces(), headers: AUTHORIZATION },
        .../** @type {object} */ ({ duplex: 'half' }),
      });
    for (const answer of await Promise.all(Array.from({ length: 5 }, send)))
      assert.deepEqual(await readAnswer('POST /detect', answer), found);
  });

  test('health, the document, other routes, other origins', async () => {
    const ask = service();
    assert.equal((await readAnswer('GET /healthz', await ask('/healthz'))).status, 'ok');
    assert.deepEqual(await readAnswer('GET /openapi.json', await ask('/openapi.json')), openapi);
    assert.equal((await ask('/nowhere', { headers: AUTHORIZATION })).status, 404);
    const preflight = (/** @type {string} */ origin) =>
      ask('/detect', { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } });
    const allowed = (/** @type {Response} */ response) => response.headers.get('access-control-allow-origin');
    assert.equal(allowed(await preflight('https://pages.example')), 'https://pages.example');
    assert.equal(allowed(await preflight('https://other.example')), null);
  });
}

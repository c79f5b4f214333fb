// How the example servers end: requests under way are answered, and nothing else is waited for.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { prepareShutdown } from '../../examples/service/node/shutdown.js';
import { PATIENCE_MS, until } from '../patience.js';

const REQUEST = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';
const PART = REQUEST.slice(0, -4);

/** A server that answers when the test says so. @param {import('node:test').TestContext} t */
async function startServer(t) {
  /** @type {import('node:http').ServerResponse[]} */
  const asked = [];
  const server = createServer((_, response) => void asked.push(response));
  // Node would close connections that are idle for so long.
  server.keepAliveTimeout = 0;
  const shutDown = prepareShutdown(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.closeAllConnections());
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  /** A connection on which the server has received this. @param {string} sent */
  async function open(sent) {
    const connected = once(server, 'connection');
    const socket = connect(port, '127.0.0.1').on('error', () => {}); // What is closed with a part of a request is reset.
    const [accepted] = await connected;
    socket.write(sent);
    await until(() => accepted.bytesRead === sent.length, 5);
    return socket;
  }
  return { asked, shutDown, open };
}

test('connections without a whole request are closed at once', { timeout: 60_000 }, async (t) => {
  const { asked, shutDown, open } = await startServer(t);
  const sockets = [await open(''), await open(PART), await open(REQUEST), await open(REQUEST + PART)];
  for (const response of asked) await new Promise((resolve) => response.end(resolve));
  const closed = sockets.map((socket) => once(socket.resume(), 'close'));
  await shutDown(PATIENCE_MS);
  await Promise.all(closed);
});

test('requests under way are answered, then their connections are closed', { timeout: 60_000 }, async (t) => {
  const { asked, shutDown, open } = await startServer(t);
  const sockets = [await open(REQUEST), await open(REQUEST + REQUEST), await open(REQUEST)];
  asked[3].write('begun, ');
  const texts = sockets.map((socket) => socket.setEncoding('utf8').toArray());
  const closed = shutDown(PATIENCE_MS);
  for (const [i, response] of asked.entries()) response.end(`answer ${i}`);
  await closed;
  const [one, two, begun] = (await Promise.all(texts)).map((parts) => parts.join(''));
  assert.match(one, /^connection: close$[^]*answer 0$/im);
  assert.match(two, /answer 1[^]*^connection: close$[^]*answer 2$/im);
  assert.match(begun, /begun, [^]*answer 3/);
});

/** More than what the system takes for a client that does not read. */
const LONG = Buffer.alloc(2 ** 26);

test('an answer that is still being sent is sent to its end', { timeout: 60_000 }, async (t) => {
  const { asked, shutDown, open } = await startServer(t);
  const socket = await open(REQUEST);
  asked[0].end(LONG);
  const closed = shutDown(PATIENCE_MS);
  let size = 0;
  for await (const chunk of socket) size += chunk.length;
  assert.ok(size > LONG.length, String(size));
  await closed;
});

test(
  'an answer that its client does not read is given up after the limit',
  { timeout: 60_000 },
  async (t) => {
    const { asked, shutDown, open } = await startServer(t);
    const socket = await open(REQUEST);
    asked[0].end(LONG);
    await shutDown(1);
    assert.ok(!asked[0].writableFinished);
    socket.destroy();
  },
);

test('both examples end by the same code', () => {
  const [one, other] = ['service/node', 'queue-worker'].map((folder) =>
    readFileSync(new URL(`../../examples/${folder}/shutdown.js`, import.meta.url), 'utf8'),
  );
  assert.equal(one, other);
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { startServer } from '../../../tools/serve.js';

/**
 * The status of an answer to a path that `fetch` would not send.
 * @param {number} port
 * @param {string} path
 */
async function ask(port, path) {
  const socket = connect(port, '127.0.0.1');
  socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
  const [answer] = await once(socket, 'data');
  socket.destroy();
  return Number(/^HTTP\/1.1 (\d+)/.exec(String(answer))?.[1]);
}

test('paths that are not paths are refused, and the server goes on', async () => {
  const server = await startServer({ roots: { '/': import.meta.dirname } });
  const port = Number(new URL(server.url).port);
  try {
    for (const path of ['/%', '/%ff', '//', '/%E0%A4']) assert.equal(await ask(port, path), 400, path);
    for (const path of ['/%00', '/../serve.js', '/..%2f..%2f..%2fpackage.json'])
      assert.equal(await ask(port, path), 404, path);
    assert.equal(await ask(port, '/serve.test.js'), 200);
  } finally {
    server.close();
  }
});

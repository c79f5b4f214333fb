// A web server for the demo pages, tests and benchmarks; it serves directories:
//   node tools/serve.js PATH=DIR … [--port N] [--isolate]    or startServer()
// --isolate makes the pages cross-origin isolated, which threads need.
import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** @type {Record<string, string>} */
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.md': 'text/plain; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.webm': 'video/webm',
  '.wasm': 'application/wasm',
};

export const ISOLATION = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

/**
 * @typedef {object} ServerOptions
 * @property {Record<string, string>} roots directories by URL path; the longest matching path wins
 * @property {number} [port] default 0: any free port
 * @property {Record<string, string>} [headers] added to every answer
 * @property {Record<string, string>} [types] MIME types by extension that override the defaults
 * @property {(path: string) => void} [onRequest]
 * @property {boolean | 'everything'} [compresses] send texts and wasm gzipped, as hosts do
 * @property {boolean} [keeps] keep requested files in memory, so that benchmarks do not measure the disk
 */

/**
 * The decoded path of a request; undefined if it is not one, such as `/%`.
 * @param {string} url
 */
function toPath(url) {
  try {
    return normalize(decodeURIComponent(new URL(url, 'http://host').pathname));
  } catch {
    return undefined;
  }
}

/** @param {string} file */
const readCompressed = async (file) => promisify(gzip)(await readFile(file));

/** @param {ServerOptions} options */
export async function startServer({
  roots,
  port = 0,
  headers = {},
  types = {},
  onRequest,
  compresses,
  keeps = false,
}) {
  const mounts = Object.entries(roots).sort(([a], [b]) => b.length - a.length);
  /** @type {Map<string, Buffer>} */
  const kept = new Map();
  const server = createServer(async (request, response) => {
    const path = toPath(request.url ?? '/');
    if (path === undefined) {
      response.writeHead(400, headers).end('not a path');
      return;
    }
    onRequest?.(path);
    const mount = mounts.find(([prefix]) => path.startsWith(prefix));
    const name = path.endsWith('/') ? `${path}index.html` : path;
    const file = mount ? join(resolve(mount[1]), name.slice(mount[0].length)) : '';
    const found = await stat(file).catch(() => undefined);
    if (!found?.isFile()) {
      response.writeHead(404, headers).end('not found');
      return;
    }
    const type = { ...TYPES, ...types }[extname(file)] ?? 'application/octet-stream';
    const isCompressed = compresses === 'everything' || (compresses && /^text|json|svg|wasm/.test(type));
    const bytes = kept.get(file) ?? (await (isCompressed ? readCompressed(file) : readFile(file)));
    if (keeps) kept.set(file, bytes);
    response.writeHead(200, {
      'content-type': type,
      'content-length': bytes.length,
      ...(isCompressed && { 'content-encoding': 'gzip' }),
      'cache-control': 'no-store',
      ...headers,
    });
    response.end(bytes);
  });
  await new Promise((done, fail) =>
    server.once('error', fail).listen(port, '127.0.0.1', () => done(undefined)),
  );
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://localhost:${address.port}`,
    /** The same files under another origin. */
    otherUrl: `http://127.0.0.1:${address.port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

if (process.argv[1] === import.meta.filename) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      port: { type: 'string', default: '8080' },
      isolate: { type: 'boolean', default: false },
    },
  });
  const server = await startServer({
    roots: Object.fromEntries(positionals.map((mount) => mount.split('='))),
    port: Number(values.port),
    headers: values.isolate ? ISOLATION : {},
  }).catch((error) => {
    if (error.code !== 'EADDRINUSE') throw error;
    console.error(`  port ${values.port} is in use: choose another one, as in: make serve PORT=8081`);
    process.exit(1);
  });
  console.log(`  serving ${server.url}`);
}

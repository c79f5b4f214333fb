// Runs examples/service/cloudflare in workerd on this machine, with a local bucket, queue and database:
//   npm run edge [-- DIR]    DIR: photos to store in the bucket and to queue, as R2's events would
// Its functions also serve the tests and bench/cold-start.js.
import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { Miniflare } from 'miniflare';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const WRANGLER = join(ROOT, 'node_modules/wrangler/bin/wrangler.js');
const EXAMPLE = join(ROOT, 'examples/service');
const SCHEMA = join(EXAMPLE, 'cloudflare/schema.sql');
export const COMPATIBILITY_DATE = '2026-07-01';
/** The queue's settings: as in wrangler.jsonc, with shorter delays. */
const CONSUMER = { maxBatchSize: 10, maxBatchTimeout: 1, maxRetries: 5, retryDelay: 1 };

/**
 * Builds what wrangler would upload for a project.
 * @param {string} project its folder
 * @returns {Promise<{out: string, stdout: string}>} `out`: the folder with the upload
 */
export async function dryRun(project) {
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: '1' };
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, [WRANGLER, 'deploy', '--dry-run', '--outdir', 'out'], {
    cwd: project,
    env,
  });
  return { out: join(project, 'out'), stdout };
}

/** @param {string} out the folder that dryRun wrote @returns the modules for Miniflare, the entry first */
export function readModules(out) {
  /** @type {Record<string, 'ESModule' | 'CompiledWasm' | 'Data'>} */
  const types = { '.js': 'ESModule', '.wasm': 'CompiledWasm', '.bin': 'Data' };
  return readdirSync(out)
    .map((path) => ({ path, type: types[path.slice(path.lastIndexOf('.'))] }))
    .filter(({ type }) => type)
    .sort((a, b) => Number(b.path === 'index.js') - Number(a.path === 'index.js'))
    .map(({ path, type }) => ({ type, path, contents: readFileSync(join(out, path)) }));
}

/**
 * Bundles the Worker example with the package as npm packs it.
 * @param {string} name of the build folder
 * @param {string} [wrapper] source of an entry that replaces index.js and imports the Worker as './service.js'
 */
export async function bundleService(name, wrapper) {
  const folder = join(ROOT, 'build/edge', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  cpSync(EXAMPLE, folder, { recursive: true });
  symlinkSync(join(ROOT, 'build/package'), join(folder, 'node_modules/ocelli'));
  symlinkSync(join(ROOT, 'node_modules/hono'), join(folder, 'node_modules/hono'));
  if (wrapper) {
    const sources = join(folder, 'cloudflare');
    renameSync(join(sources, 'index.js'), join(sources, 'service.js'));
    writeFileSync(join(sources, 'index.js'), wrapper);
  }
  return dryRun(join(folder, 'cloudflare'));
}

/**
 * @param {string} out folder of the bundle
 * @param {object} [options]
 * @param {string} [options.persist] folder for bucket and database; default: in memory
 * @param {Record<string, string>} [options.vars] the Worker's variables
 * @param {number} [options.port]
 * @param {number} [options.inspectorPort]
 * @param {ConstructorParameters<typeof Miniflare>[0][]} [options.others] further Workers
 */
export async function startService(out, { persist, vars = {}, port = 0, inspectorPort, others = [] } = {}) {
  const worker = new Miniflare({
    ...(persist && { r2Persist: join(persist, 'r2'), d1Persist: join(persist, 'd1') }),
    ...{ port, inspectorPort },
    workers: [
      {
        name: 'service',
        modules: readModules(out),
        compatibilityDate: COMPATIBILITY_DATE,
        bindings: { MAX_BODY_BYTES: '10000000', MAX_PIXELS: '8000000', ...vars },
        ratelimits: {
          LIMITER: { namespace_id: '1001', simple: { limit: Number(vars.RATE_LIMIT ?? 100000), period: 60 } },
        },
        r2Buckets: { BUCKET: 'photos' },
        d1Databases: { RESULTS: 'ocelli-results' },
        queueProducers: { PHOTOS: 'photos', DEAD_LETTERS: 'photos-dead-letters' },
        queueConsumers: { photos: { ...CONSUMER, deadLetterQueue: 'photos-dead-letters' } },
      },
      .../** @type {any[]} */ (others),
    ],
  });
  await worker.ready;
  const database = await worker.getD1Database('RESULTS', 'service');
  const schema = readFileSync(SCHEMA, 'utf8')
    .replace(/^--.*$/gm, '')
    .replace(/\s+/g, ' ');
  await database.exec(schema.trim());
  return worker;
}

/**
 * Stores objects and sends the event messages that R2 would send.
 * @param {Miniflare} worker
 * @param {[key: string, bytes: Uint8Array][]} objects
 */
export async function produce(worker, objects) {
  const bucket = /** @type {any} */ (await worker.getR2Bucket('BUCKET', 'service'));
  const queue = await worker.getQueueProducer('PHOTOS', 'service');
  const stored = [];
  for (const [key, bytes] of objects) {
    const { size, etag } = await bucket.put(key, bytes);
    const object = { key, size, eTag: etag };
    const eventTime = new Date().toISOString();
    stored.push({ account: 'local', action: 'PutObject', bucket: 'photos', object, eventTime });
  }
  for (let i = 0; i < stored.length; i += 100)
    await queue.sendBatch(stored.slice(i, i + 100).map((body) => ({ body })));
  return stored;
}

if (process.argv[1] === import.meta.filename) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { port: { type: 'string', default: '8787' } },
  });
  console.log('  bundling examples/service/cloudflare');
  const { out } = await bundleService('local');
  const persist = join(ROOT, 'build/edge/local/state');
  const worker = await startService(out, { persist, port: Number(values.port) });
  const url = String(await worker.ready).replace(/\/$/, '');
  console.log(
    `  serving ${url}\n  curl --data-binary @photo.jpg -H 'content-type: image/jpeg' ${url}/detect`,
  );
  for (const directory of positionals) {
    const names = readdirSync(directory).filter((name) => /\.(png|jpe?g|gif|bmp)$/i.test(name));
    await produce(
      worker,
      names.map((name) => [name, readFileSync(join(directory, name))]),
    );
    console.log(`  queued ${names.length} photos of ${directory}: curl ${url}/results/NAME`);
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => worker.dispose());
}

// The package as npm packs it: what is in it, whether tools can read it, and the README's snippets on it, as they stand
// there. `node tests/package/package.test.js --renew` takes the present list of files.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { ObjectDetector } from '../../wasm/platform/node.js';
import { COMPATIBILITY_DATE, dryRun } from '../../tools/edge.js';
import { startServer } from '../../tools/serve.js';
import { launch, needsBrowser } from '../browser/shared.js';
import { start } from '../edge/app.js';
import { packagePhoto } from '../node/shared.js';
import { install, PROJECT, ROOT, run, snippet } from './installed.js';

const NODE_20 = join(ROOT, 'node_modules/node-20/bin/node');
const NODE_24 = join(ROOT, 'node_modules/node-24/bin/node');
const LIST = new URL('files.txt', import.meta.url);
const PHOTO = packagePhoto('chelsea.png');

/** @returns {string} a path on each line */
function listFiles() {
  const [{ files }] = JSON.parse(run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], ROOT));
  return files.map((/** @type {{path: string}} */ { path }) => `${path}\n`).join('');
}

if (process.argv.includes('--renew')) {
  writeFileSync(LIST, listFiles());
  process.exit();
}

describe('the tarball', () => {
  /** @type {string} */ let tarball;
  before(() => {
    tarball = install();
  });

  test('what is in it', () => {
    assert.equal(
      listFiles(),
      readFileSync(LIST, 'utf8'),
      'if that is meant: node tests/package/package.test.js --renew',
    );
  });

  test('publint has nothing to say', () => {
    const output = run(
      NODE_24,
      [join(ROOT, 'node_modules/.bin/publint'), '--strict', join(PROJECT, 'node_modules/ocelli')],
      ROOT,
    );
    assert.match(output, /All good!/);
  });

  test('types are found wherever modules are', () => {
    const attw = join(ROOT, 'node_modules/.bin/attw');
    run(NODE_24, [attw, '--profile', 'esm-only', '--no-emoji', tarball], ROOT);
  });

  test('a bundler keeps what sets up Node', () => {
    const source = `import { TransferLearner } from 'ocelli/train';
      const learner = new TransferLearner({});
      await learner.addDirectory('no such directory').catch((error) => console.log(error.code));`;
    writeFileSync(join(PROJECT, 'learner.mjs'), source);
    const flags = [
      '--bundle',
      '--platform=node',
      '--format=esm',
      '--external:@tgwf/co2',
      '--outfile=bundle.mjs',
    ];
    run(join(ROOT, 'node_modules/.bin/esbuild'), ['learner.mjs', ...flags, '--log-level=error'], PROJECT);
    assert.equal(run(NODE_24, ['bundle.mjs'], PROJECT), 'ENOENT\n');
  });

  test('licences of what is compiled in, and Open Images', () => {
    const notice = readFileSync(join(PROJECT, 'node_modules/ocelli/NOTICE'), 'utf8');
    for (const name of [
      'XNNPACK',
      'pthreadpool',
      'FP16',
      'FXdiv',
      'stb_image',
      'Emscripten',
      'DejaVu',
      'CC BY 4.0',
    ])
      assert.ok(notice.includes(name), name);
  });
});

describe('the README’s snippets, in an empty project', () => {
  test('Node', () => {
    writeFileSync(join(PROJECT, 'photo.jpg'), PHOTO); // formats are told by content
    writeFileSync(join(PROJECT, 'snippet.mjs'), snippet('node'));
    for (const node of [NODE_20, NODE_24])
      assert.match(run(node, ['snippet.mjs'], PROJECT), /^Cat 0\.\d+ \{\s+x:/);
  });

  test('Node, in workers: of standard input, of a CommonJS file, with threads', () => {
    const script = (/** @type {string} */ options) => `
      import('ocelli').then(async ({ ObjectDetector }) => {
        const detector = await ObjectDetector.create(${options});
        const { readFileSync } = await import('node:fs');
        const calls = [1, 2, 3].map(() => detector.detect(readFileSync('photo.jpg')));
        console.log((await Promise.all(calls)).map(([{ label }]) => label).join());
      });`;
    writeFileSync(join(PROJECT, 'photo.jpg'), PHOTO);
    writeFileSync(join(PROJECT, 'pool.cjs'), script('{ pool: 2, threads: 2 }'));
    for (const node of [NODE_20, NODE_24]) {
      const flags = ['--input-type=module', '--eval', script('{ worker: true }')];
      assert.equal(run(node, flags, PROJECT), 'Cat,Cat,Cat\n');
      assert.equal(run(node, ['pool.cjs'], PROJECT), 'Cat,Cat,Cat\n');
    }
  });

  test('browser', needsBrowser, async (t) => {
    writeFileSync(join(PROJECT, 'photo.png'), PHOTO);
    writeFileSync(join(PROJECT, 'index.html'), `<!doctype html><img src="photo.png">${snippet('browser')}`);
    const server = await startServer({ roots: { '/': PROJECT } });
    const browser = await launch();
    t.after(() => Promise.all([browser.close(), server.close()]));
    const page = await browser.newPage();
    const said = page.waitForEvent('console', (message) => message.type() === 'log');
    await page.goto(server.url);
    const [found] = await Promise.all((await said).args().map((value) => value.jsonValue()));
    assert.equal(found[0].label, 'Cat');
  });

  test('Worker', async (t) => {
    writeFileSync(join(PROJECT, 'index.js'), snippet('worker'));
    const config = { name: 'snippet', main: 'index.js', compatibility_date: COMPATIBILITY_DATE };
    writeFileSync(join(PROJECT, 'wrangler.json'), JSON.stringify(config));
    const { out, stdout } = await dryRun(PROJECT);
    t.diagnostic(/** @type {string} */ (stdout.match(/Total Upload.*/)?.[0]));
    const worker = start(out);
    t.after(() => worker.dispose());
    const response = await worker.dispatchFetch('http://edge/', { method: 'POST', body: PHOTO });
    const found = await response.json();
    const detector = await ObjectDetector.create();
    assert.deepEqual(found, JSON.parse(JSON.stringify(await detector.detect(PHOTO))));
    detector.close();
  });
});

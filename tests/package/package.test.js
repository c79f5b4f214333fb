// The package as npm packs it: what is in it, whether tools can read it, and the README's snippets on it, as they stand
// there. `node tests/package/package.test.js --renew` takes the present list of files.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
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

  /** @type {Record<string, string[]>} */
  const libraries = {
    'the oldest library': ['es2020'],
    'no types of a platform': ['es2022'],
    'web workers': ['es2022', 'webworker'],
    pages: ['es2022', 'dom'],
    'pages, with `using`': ['esnext', 'esnext.disposable', 'dom', 'dom.iterable', 'dom.asynciterable'],
  };
  const projects = [
    ...Object.keys(libraries).map((name) => ({ name, module: 'esnext', moduleResolution: 'bundler' })),
    { name: 'the oldest library', module: 'nodenext', moduleResolution: 'nodenext' },
    { name: 'pages', module: 'esnext', moduleResolution: 'node10' },
  ];
  for (const { name, module, moduleResolution } of projects)
    test(`types in a strict project: ${name}, ${moduleResolution}`, () => {
      const files = ['project.ts', ...(libraries[name].includes('dom') ? ['element.ts'] : [])];
      for (const file of files) copyFileSync(new URL(`types/${file}`, import.meta.url), join(PROJECT, file));
      const compilerOptions = {
        ...{ declaration: true, emitDeclarationOnly: true, outDir: 'declared' },
        ...{ strict: true, skipLibCheck: false, exactOptionalPropertyTypes: true },
        ...{ target: 'es2022', module, moduleResolution, types: [], lib: libraries[name] },
      };
      const config = { compilerOptions, files };
      writeFileSync(join(PROJECT, 'tsconfig.json'), JSON.stringify(config));
      const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
      const { stdout, status } = spawnSync(NODE_24, [tsc, '-p', '.'], { cwd: PROJECT, encoding: 'utf8' });
      assert.equal(stdout, '');
      assert.equal(status, 0);
      // node10 knows no `exports`: every file of the package is found by its path.
      if (moduleResolution === 'node10') return;
      assert.doesNotMatch(readFileSync(join(PROJECT, 'declared/project.d.ts'), 'utf8'), /ocelli\/dist/);
    });

  test("types of React's TSX", () => {
    const types = join(PROJECT, 'node_modules/@types');
    mkdirSync(types, { recursive: true });
    symlinkSync(join(ROOT, 'node_modules/@types/react'), join(types, 'react'));
    copyFileSync(new URL('types/react.tsx', import.meta.url), join(PROJECT, 'react.tsx'));
    const compilerOptions = {
      ...{ noEmit: true, strict: true, exactOptionalPropertyTypes: true, jsx: 'react-jsx', types: [] },
      ...{ target: 'es2022', module: 'esnext', moduleResolution: 'bundler' },
    };
    writeFileSync(join(PROJECT, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['react.tsx'] }));
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    assert.equal(run(NODE_24, [tsc, '-p', '.'], PROJECT), '');
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
    assert.equal(run(NODE_24, ['bundle.mjs'], PROJECT), 'NO_EXAMPLES\n');
  });

  for (const [format, extension] of [
    ['cjs', 'cjs'],
    ['esm', 'mjs'],
  ])
    test(`one file of ocelli/inline, away from the package: ${format}`, () => {
      for (const name of ['files', 'inline'])
        copyFileSync(join(ROOT, `tests/bundlers/apps/node/${name}.js`), join(PROJECT, `${name}.js`));
      const away = mkdtempSync(join(tmpdir(), 'ocelli-away-'));
      const flags = [
        '--bundle',
        '--platform=node',
        `--format=${format}`,
        `--out-extension:.js=.${extension}`,
      ];
      const esbuild = join(ROOT, 'node_modules/.bin/esbuild');
      run(esbuild, ['files.js', 'inline.js', ...flags, `--outdir=${away}`, '--log-level=error'], PROJECT);
      writeFileSync(join(away, 'photo'), PHOTO);
      for (const node of [NODE_20, NODE_24]) {
        const lines = run(node, [`inline.${extension}`, 'photo'], away)
          .trim()
          .split('\n');
        assert.equal(lines.length, 3); // in this thread, in a pool, with threads
        assert.equal(new Set(lines).size, 1);
        assert.match(lines[0], /"Cat"/);
        assert.match(
          run(node, [`files.${extension}`, 'photo'], away),
          /^OcelliError MODULE_NOT_FOUND .*'ocelli\/inline'.*--external:ocelli/,
        );
      }
      rmSync(away, { recursive: true });
    });

  test('licences of what is compiled in, and Open Images', () => {
    const notice = readFileSync(join(PROJECT, 'node_modules/ocelli/NOTICE'), 'utf8');
    for (const name of ['XNNPACK', 'pthreadpool', 'FP16', 'FXdiv', 'Emscripten', 'DejaVu', 'CC BY 4.0'])
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
        console.log((await Promise.all(calls)).map(({ detections: [{ label }] }) => label).join());
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
    const { detections, size } = /** @type {any} */ (await response.json());
    const detector = await ObjectDetector.create();
    const expected = await detector.detect(PHOTO);
    assert.deepEqual({ detections, size }, { detections: expected.detections, size: expected.size });
    detector.close();
  });
});

describe('docs/migrate.md, in the same project', () => {
  const file = 'docs/migrate.md';
  const ours = (/** @type {string} */ name) => snippet(name, { file, mark: 'ours' });
  const countLines = (/** @type {string} */ text) => text.trim().split('\n').length;

  test('no program is longer than its counterpart', () => {
    for (const name of ['video', 'page', 'node']) {
      const theirs = countLines(snippet(name, { file, mark: 'theirs' }));
      assert.ok(theirs <= 16 && countLines(ours(name)) <= theirs, name);
    }
  });

  test('Node', () => {
    writeFileSync(join(PROJECT, 'photo.jpg'), PHOTO);
    writeFileSync(join(PROJECT, 'migrate.mjs'), ours('node'));
    for (const node of [NODE_20, NODE_24])
      assert.match(run(node, ['migrate.mjs'], PROJECT), /^Cat 0\.\d+( \d+(\.\d+)?){4}\n$/);
  });

  /** What the page has before it loads the program: a photo, a video of it, and `show`. */
  const PAGE = `<!doctype html><img src="photo.png">
    <script type="importmap">{ "imports": { "ocelli": "/node_modules/ocelli/dist/web/browser.js" } }</script>
    <script type="module">
      const image = document.querySelector('img');
      await image.decode();
      const canvas = Object.assign(document.createElement('canvas'), { width: 451, height: 300 });
      const context = canvas.getContext('2d');
      setInterval(() => context.drawImage(image, 0, 0), 30);
      globalThis.video = Object.assign(document.createElement('video'), { srcObject: canvas.captureStream(30), muted: true });
      globalThis.show = (label, score, box) => console.log(label, score, box);
      await video.play();
      await import('/program.js');
    </script>`;
  for (const name of ['video', 'page'])
    test(`page: ${name}`, needsBrowser, async (t) => {
      writeFileSync(join(PROJECT, 'photo.png'), PHOTO);
      writeFileSync(join(PROJECT, 'index.html'), PAGE);
      writeFileSync(join(PROJECT, 'program.js'), ours(name));
      const server = await startServer({ roots: { '/': PROJECT } });
      const browser = await launch();
      t.after(() => Promise.all([browser.close(), server.close()]));
      const page = await browser.newPage();
      const said = page.waitForEvent('console', (message) => message.type() === 'log');
      const failed = page.waitForEvent('pageerror').then((error) => Promise.reject(error));
      failed.catch(() => {});
      await page.goto(server.url);
      const message = await Promise.race([said, failed]);
      const [label, score, box] = await Promise.all(message.args().map((value) => value.jsonValue()));
      assert.equal(label, 'Cat');
      assert.ok(score > 0.5 && box.width > 100 && box.x + box.width < 452);
    });
});

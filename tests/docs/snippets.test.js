// Every snippet of README.md and docs/ runs. A comment before it says how:
//   nothing                  JavaScript in Node, shell commands
//   <!-- run: PHOTO -->      in a page with that sample photo; the site has a button for it
//   <!-- page: NAME -->      in a page, by the test of that name below
//   <!-- edge -->            in workerd
//   <!-- tested: FILE -->    by another test
//   <!-- text: REASON -->    it cannot run
//   <!-- theirs: NAME -->    another package's
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, suite, test } from 'node:test';
import { transform } from 'esbuild';
import { Miniflare } from 'miniflare';
import sharp from 'sharp';
import { readModules } from '../../tools/edge.js';
import { ISOLATION, startServer } from '../../tools/serve.js';
import { launchWithCamera, needsBrowser, PACKAGE, photos } from '../browser/shared.js';
import { writeStreetFile } from '../browser/camera.js';
import { bundle } from '../edge/app.js';
import { DEFAULT_MODEL, packagePhoto } from '../node/shared.js';
import { complete, listSnippets, makeFolder, ROOT, smallClassifier } from './snippets.js';

/** @typedef {import('./snippets.js').Snippet} Snippet */

const SNIPPETS = listSnippets();
/** Those that tests/package runs. */
const PACKAGED = ['snippet', 'ours'];
const has = (/** @type {string[]} */ ...marks) => SNIPPETS.filter(({ mark }) => marks.includes(mark ?? ''));
const unmarked = (/** @type {string} */ language) =>
  SNIPPETS.filter((snippet) => snippet.language === language && !snippet.mark);

/** Snippets by document. @param {Snippet[]} snippets */
function byDocument(snippets) {
  /** @type {Map<string, Snippet[]>} */
  const found = new Map();
  for (const snippet of snippets) found.set(snippet.file, [...(found.get(snippet.file) ?? []), snippet]);
  return found;
}

test('every snippet is run by something', () => {
  const isRun = (/** @type {Snippet} */ { mark, language, name = '' }) =>
    mark
      ? ['run', 'page', 'edge', 'theirs', 'text', ...PACKAGED].includes(mark) ||
        (mark === 'tested' && existsSync(join(ROOT, name)))
      : ['js', 'sh', 'json', 'jsx', 'css'].includes(language);
  const left = SNIPPETS.filter((snippet) => !isRun(snippet));
  assert.deepEqual(
    left.map(({ title, language, mark }) => `${title}: ${language} ${mark ?? ''}`),
    [],
  );
});

/** What follows a snippet to see that it worked, by a part of its code. */
const CHECKS = {
  'createServer(async': `
    await new Promise((done) => server.once('listening', done));
    const url = 'http://localhost:' + server.address().port;
    const post = async (body) => (await fetch(url, { method: 'POST', body })).json();
    if ((await post(readFileSync('photo.jpg'))).detections[0].label !== 'Cat') throw new Error('no cat');
    if ((await post('no image')).code !== 'UNSUPPORTED_IMAGE_FORMAT') throw new Error('no code');
    server.closeAllConnections();
    server.close();
    detector.close();`,
  'export async function handler': `
    const event = { body: readFileSync('photo.jpg').toString('base64'), isBase64Encoded: true };
    if (JSON.parse((await handler(event)).body)[0].label !== 'Cat') throw new Error('no cat');
    if ((await handler({})).statusCode !== 422) throw new Error('no error');`,
};

/** Commands that get ocelli from here, with little work; those that install or pack are left out. */
const SHELL = `set -e
ocelli() {
  local command=$1
  shift
  case $command in
    bench) set -- "$@" --runs 2;;
    train) set -- "$@" --epochs 1; [[ $* == *detect* ]] && set -- "$@" --views 1;;
  esac
  "$NODE" node_modules/ocelli/bin/ocelli.js "$command" "$@"
}
npx() { "$@"; }
esbuild() { "$ESBUILD" "$@" --log-level=error; }
npm() { :; }
zip() { :; }
`;

/**
 * How a program ends itself whose servers and cameras are still open: nobody else sends this signal. process.exit() waits for ever,
 * now and then, for a thread of Node 24 that compiles (nodejs/node#54918).
 */
const END = 'SIGALRM';

/**
 * @param {string} cwd
 * @param {string} command
 * @param {string[]} args
 * @param {string | null} [end] the signal that must end it; null: it must end with status 0
 */
function run(cwd, command, args, end = null) {
  const env = { ...process.env, NODE: process.execPath, ESBUILD: join(ROOT, 'node_modules/.bin/esbuild') };
  const { status, signal, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8' });
  assert.deepEqual({ status, signal }, { status: end ? null : 0, signal: end }, `${stdout}${stderr}`);
}

/**
 * Runs JavaScript files one after the other in one process.
 * @param {string} cwd
 * @param {string[]} files
 */
function runProgram(cwd, files) {
  const program = `for (const file of ${JSON.stringify(files)}) {
    await import('./' + file).catch((error) => {
      console.error(file);
      throw error;
    });
  }
  process.kill(process.pid, '${END}');`;
  run(cwd, process.execPath, ['--input-type=module', '--eval', program], END);
}

/**
 * Runs the snippets of a document in their order, as its reader would.
 * @param {Snippet[]} snippets
 * @param {string} cwd
 */
function runInOrder(snippets, cwd) {
  /** @type {string[]} */
  const files = [];
  const runFiles = () => files.length && runProgram(cwd, files.splice(0));
  for (const { code, language, line } of snippets) {
    if (language === 'sh') {
      runFiles();
      run(cwd, 'bash', ['-c', SHELL + code]);
      continue;
    }
    const check = Object.entries(CHECKS).find(([part]) => code.includes(part))?.[1];
    const isCommon = code.startsWith('// detect.cjs');
    const file = `line-${line}.${isCommon ? 'cjs' : 'mjs'}`;
    writeFileSync(
      join(cwd, file),
      isCommon ? code : complete(code.replace('listen(8000)', 'listen(0)'), check),
    );
    if (code.includes('function handler')) writeFileSync(join(cwd, 'index.mjs'), code);
    files.push(file);
  }
  runFiles();
}

describe('JavaScript in Node, and shell commands', () => {
  const snippets = SNIPPETS.filter(({ language, mark }) => !mark && ['js', 'sh'].includes(language));
  for (const [file, ofFile] of byDocument(snippets))
    test(file, async () => runInOrder(ofFile, await makeFolder(file)));
});

test('JSON', () => {
  for (const { code } of unmarked('json')) JSON.parse(code);
});

test('JSX', async () => {
  for (const { code } of unmarked('jsx')) {
    const cwd = await makeFolder('jsx');
    const html = `import { renderToString } from 'react-dom/server';
      const html = renderToString(<Camera stream={null} />);
      if (html !== '<video></video>') throw new Error(html);`;
    const { code: program } = await transform(
      code.replace('// …', 'return <video ref={videoRef} />;') + html,
      {
        loader: 'jsx',
        jsx: 'automatic',
      },
    );
    writeFileSync(join(cwd, 'line-1.mjs'), program);
    runProgram(cwd, ['line-1.mjs']);
  }
});

test('edge workers', async (t) => {
  const [simple, { code }] = has('edge');
  const app = `import { decodeImage } from 'ocelli';\n${code}
    export default {
      async fetch(request) {
        const { width, height } = await decodeImage(request);
        return Response.json({ width, height });
      },
    };`;
  const config = unmarked('json').find(({ file }) => file === 'docs/edge.md')?.code ?? '';
  const { compatibility_date: compatibilityDate } = JSON.parse(config);
  /**
   * @param {string} name
   * @param {string} program
   * @param {Uint8Array} body
   */
  const post = async (name, program, body) => {
    const { out } = await bundle(name, program, ['@jsquash/webp', 'wasm-feature-detect']);
    const worker = new Miniflare({ modules: readModules(out), compatibilityDate });
    t.after(() => worker.dispose());
    return (await worker.dispatchFetch('http://localhost/', { method: 'POST', body })).json();
  };
  const photo = packagePhoto('chelsea.png');
  const { detections } = /** @type {any} */ (await post('docs-simple', simple.code, photo));
  assert.equal(detections[0].label, 'Cat');
  const webp = await sharp(photo).webp().toBuffer();
  assert.deepEqual(await post('docs', app, webp), { width: 451, height: 300 });
});

suite('snippets in pages', needsBrowser, () => {
  const FILES = join(ROOT, 'build/snippets/pages');
  const CAMERA = join(FILES, 'camera.y4m');
  /** @type {import('playwright-core').Browser} */ let browser;
  /** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
  /** @type {Record<string, string>} */ const headers = {};
  before(async () => {
    rmSync(FILES, { recursive: true, force: true });
    mkdirSync(FILES, { recursive: true });
    writeStreetFile(CAMERA);
    browser = await launchWithCamera(CAMERA, ['--use-fake-ui-for-media-stream']);
    // As on the site.
    const roots = {
      '/': FILES,
      '/live/': join(ROOT, 'tools/docs/live'),
      '/demo/ocelli/': PACKAGE,
      '/demo/samples/': photos(),
    };
    server = await startServer({ roots, headers });
  });
  after(async () => {
    await browser?.close();
    server?.close();
  });

  const IMPORTS = `<script type="importmap">{ "imports": { "ocelli": "/demo/ocelli/dist/web/browser.js",
    "ocelli/draw": "/demo/ocelli/wasm/draw/draw.js", "ocelli/element": "/demo/ocelli/dist/element/index.js" } }</script>`;

  /** The snippets of the pages of this name. @param {string} name */
  const ofPage = (name) => has('page').filter((snippet) => snippet.name === name);

  /**
   * A page that threw nothing.
   * @param {import('node:test').TestContext} t
   * @param {string} path
   */
  async function open(t, path) {
    const page = await browser.newPage();
    /** @type {string[]} */
    const errors = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    t.after(() => page.close());
    await page.goto(server.url + path);
    return { page, errors };
  }

  for (const { title, code, name } of has('run'))
    test(`${title}, on ${name}`, async (t) => {
      const { page, errors } = await open(t, `/live/index.html?photo=${name}#${encodeURIComponent(code)}`);
      const lines = code.match(/console\.log/g) ?? [];
      assert.ok(lines.length > 0);
      await page.waitForFunction(() => document.getElementById('output')?.dataset.state === 'done');
      const output = await page.locator('#output').textContent();
      assert.doesNotMatch(output ?? '', /\b[A-Z]+_[A-Z_]+:|Error:/);
      assert.match(output ?? '', /\d/);
      assert.deepEqual(errors, []);
    });

  test('every page has a test', () => {
    const names = new Set(has('page').map(({ name }) => name));
    assert.deepEqual([...names].sort(), [
      'camera',
      'element',
      'isolation',
      'loop',
      'offline',
      'policy',
      'taught-classifier',
      'taught-detector',
      'video',
    ]);
  });

  test('camera', async (t) => {
    const [html, js] = ofPage('camera');
    writeFileSync(
      join(FILES, 'camera.html'),
      html.code.replace('<script', `${IMPORTS}<script`).replace('main.js', 'camera.js'),
    );
    writeFileSync(join(FILES, 'camera.js'), js.code);
    const { page, errors } = await open(t, '/camera.html');
    await page.waitForFunction(() => {
      const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector('canvas'));
      const { width, height } = canvas;
      return (
        width === 768 &&
        canvas
          .getContext('2d')
          ?.getImageData(0, 0, width, height)
          .data.some((value) => value > 0)
      );
    });
    assert.deepEqual(errors, []);
  });

  test('element, and its style', async (t) => {
    const elements = ofPage('element').map(({ code }) => code);
    const [{ code: style }] = unmarked('css');
    writeFileSync(join(FILES, 'cat.jpg'), packagePhoto('chelsea.png'));
    writeFileSync(
      join(FILES, 'element.html'),
      `<!doctype html>${IMPORTS}<style>${style}</style>${elements.join('')}`,
    );
    const { page, errors } = await open(t, '/element.html');
    const first = page.locator('ocelli-detector').first();
    assert.equal(await page.locator('ocelli-detector').count(), 3);
    await first.getByText(/Cat/).first().waitFor();
    const [weight, width] = await first.evaluate((element) => {
      const status = /** @type {Element} */ (element.shadowRoot?.querySelector('[part=status]'));
      return [getComputedStyle(status).fontWeight, getComputedStyle(element).maxWidth];
    });
    assert.deepEqual([weight, width], ['600', '640px']);
    assert.deepEqual(errors, []);
  });

  test('taught models on a camera', async (t) => {
    const [[classifier], [detector]] = ['taught-classifier', 'taught-detector'].map(ofPage);
    writeFileSync(join(FILES, 'classes.tflite'), await smallClassifier());
    copyFileSync(DEFAULT_MODEL, join(FILES, 'found.tflite'));
    for (const [name, { code }] of Object.entries({ classifier, detector }))
      writeFileSync(join(FILES, `taught-${name}.html`), code.replace('<script', `${IMPORTS}<script`));
    const { page, errors } = await open(t, '/taught-classifier.html');
    await page.getByText(/^class \d \d+ %$/).waitFor();
    await page.goto(`${server.url}/taught-detector.html`);
    await page.waitForFunction(() => document.querySelector('ocelli-detector')?.detections?.length);
    assert.deepEqual(errors, []);
  });

  /** A playing video of the camera, in the variable `video` too. */
  const VIDEO = `const stream = await navigator.mediaDevices.getUserMedia({ video: true });
    document.querySelector('video').srcObject = stream;
    await document.querySelector('video').play();`;

  test('video', async (t) => {
    const [{ code }] = ofPage('video');
    writeFileSync(join(FILES, 'video.js'), code);
    writeFileSync(
      join(FILES, 'video.html'),
      `<!doctype html><video muted></video>${IMPORTS}<script type="module">${VIDEO} await import('./video.js');</script>`,
    );
    const { page, errors } = await open(t, '/cat.jpg');
    const said = page.waitForEvent('console', (message) => message.type() === 'log');
    await page.goto(`${server.url}/video.html`);
    assert.match((await said).text(), /^\d+\.\d\d \d+ \w+ \{/);
    assert.deepEqual(errors, []);
  });

  test('loops over a video', async (t) => {
    for (const [i, { code }] of ofPage('loop').entries()) {
      const given = `import { ObjectDetector } from 'ocelli';
        const detector = await ObjectDetector.create();
        const video = document.querySelector('video');
        const draw = (detections) => (document.title = Array.isArray(detections) ? 'drawn' : 'wrong');`;
      writeFileSync(join(FILES, 'loop.js'), given + code);
      writeFileSync(
        join(FILES, 'loop.html'),
        `<!doctype html><video muted></video>${IMPORTS}<script type="module">${VIDEO} await import('./loop.js?${i}');</script>`,
      );
      const { page, errors } = await open(t, '/loop.html');
      await page.waitForFunction(() => document.title === 'drawn');
      assert.deepEqual(errors, []);
    }
  });

  /** The headers that a snippet lists. @param {string} code */
  const toHeaders = (code) =>
    Object.fromEntries(
      code
        .trim()
        .split('\n')
        .map((line) => line.toLowerCase().split(/: (.*)/)),
    );

  test('content policy', async (t) => {
    const [{ code }] = ofPage('policy');
    writeFileSync(
      join(FILES, 'policy.js'),
      `import { ObjectDetector } from '/demo/ocelli/dist/web/browser.js';
      const detector = await ObjectDetector.create({ worker: true });
      document.title = (await detector.detect('/demo/samples/chelsea.png')).detections[0].label;`,
    );
    writeFileSync(
      join(FILES, 'policy.html'),
      '<!doctype html><script type="module" src="policy.js"></script>',
    );
    const [policy] = Object.entries(toHeaders(code));
    headers[policy[0]] = policy[1];
    t.after(() => delete headers[policy[0]]);
    const { page, errors } = await open(t, '/policy.html');
    await page.waitForFunction(() => document.title === 'Cat');
    assert.deepEqual(errors, []);
  });

  test('isolation', () => {
    const [{ code }] = ofPage('isolation');
    assert.deepEqual(toHeaders(code), ISOLATION);
  });

  test('offline', async (t) => {
    const [worker, register] = ofPage('offline');
    writeFileSync(join(FILES, 'sw.js'), worker.code);
    const detect = `const { ObjectDetector } = await import('ocelli');
      const detector = await ObjectDetector.create();
      document.title = (await detector.detect('/demo/samples/chelsea.png')).detections[0].label;`;
    writeFileSync(
      join(FILES, 'offline.html'),
      `<!doctype html>${IMPORTS}<script type="module">${register.code}
        if (!navigator.serviceWorker.controller)
          await new Promise((done) => navigator.serviceWorker.addEventListener('controllerchange', done));
        ${detect}</script>`,
    );
    const context = await browser.newContext();
    t.after(() => context.close());
    const page = await context.newPage();
    await page.goto(`${server.url}/offline.html`);
    await page.waitForFunction(() => document.title === 'Cat');
    await page.reload(); // the page itself is kept, too
    await page.waitForFunction(() => document.title === 'Cat');
    server.close();
    await page.reload();
    await page.waitForFunction(() => document.title === 'Cat');
  });
});

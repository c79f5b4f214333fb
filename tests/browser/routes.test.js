// Where a page may be and what it may forbid: another origin's package, a Content-Security-Policy, a path, workers and
// service workers of the user's own, a server that knows no types.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { ISOLATION } from '../../tools/serve.js';
import { isFirefox, isWebKit, launch, needsBrowser, openPage, ROOT, serve } from './shared.js';

const CSP = "default-src 'self'; img-src 'self' data:; script-src 'self' 'wasm-unsafe-eval'";

suite('routes to the package', needsBrowser, () => {
  /** @type {import('playwright-core').Browser} */ let browser;
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());

  /**
   * Runs `use` on a page of such a server, and checks that no other server is asked.
   * @param {Parameters<typeof serve>[0]} options
   * @param {string} path
   * @param {(opened: Awaited<ReturnType<typeof openPage>>, server: Awaited<ReturnType<typeof serve>>) => Promise<void>} use
   */
  async function onPage(options, path, use) {
    const server = await serve(options);
    const opened = await openPage(browser, `${server.url}${path}`);
    try {
      await use(opened, server);
      const own = [server.url, server.otherUrl, `blob:${server.url}`, 'data:'];
      assert.deepEqual(
        opened.requests.filter((url) => !own.some((prefix) => url.startsWith(prefix))),
        [],
      );
    } finally {
      await opened.page.close();
      server.close();
    }
  }

  /**
   * What a page finds with the package at `entry`.
   * @param {import('playwright-core').Page} page
   * @param {string} entry
   * @param {{worker?: boolean, threads?: number, assetsUrl?: string}} options
   */
  const detect = (page, entry, options) =>
    page.evaluate(
      async ({ entry, options }) => {
        const { ObjectDetector } = await import(entry);
        const detector = await ObjectDetector.create(options);
        const photo = new URL('photos/chelsea.png', document.baseURI);
        const found = (await detector.detect(await (await fetch(photo)).blob())).detections;
        const { variant } = detector;
        detector.close();
        return { labels: found.map((/** @type {{label: string}} */ { label }) => label), variant };
      },
      { entry, options },
    );
  const ENTRY = '/ocelli/dist/web/browser.js';
  const NAME = isWebKit ? 'simd' : 'relaxed'; // WebKit has no relaxed SIMD.
  const ONE = { labels: ['Cat'], variant: { name: NAME, threads: 1 } };
  const TWO = { labels: ['Cat'], variant: { name: `${NAME}-threads`, threads: 2 } };

  test('from another origin, as from a CDN: the worker and its threads start too', async () => {
    const headers = {
      ...ISOLATION,
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
    };
    await onPage({ headers }, '/blank.html', async ({ page, warnings, requests }, { otherUrl, url }) => {
      assert.deepEqual(await detect(page, `${otherUrl}${ENTRY}`, {}), ONE);
      assert.deepEqual(await detect(page, `${otherUrl}${ENTRY}`, { worker: true }), ONE);
      assert.deepEqual(await detect(page, `${otherUrl}${ENTRY}`, { threads: 2 }), TWO);
      assert.deepEqual(warnings, []);
      assert.ok(!requests.some((request) => request.startsWith(`${url}/ocelli/`)));
    });
  });

  test('from another origin, where the policy forbids the worker: on the page, with one notice', async () => {
    const server = await serve({ headers: { 'access-control-allow-origin': '*' } });
    const other = server.otherUrl;
    const headers = {
      'content-security-policy': `default-src 'self' ${other}; script-src 'self' 'wasm-unsafe-eval' ${other}; worker-src 'self'`,
    };
    await onPage({ headers }, '/blank.html', async ({ page, warnings, requests }) => {
      for (let i = 0; i < 2; i++) {
        assert.deepEqual(await detect(page, `${other}${ENTRY}`, { worker: true }), ONE);
      }
      assert.equal(warnings.filter((text) => text.startsWith('ocelli:')).length, 1);
      requests.splice(0, requests.length, ...requests.filter((url) => !url.startsWith(other)));
    });
    server.close();
  });

  test('under a strict Content-Security-Policy', async () => {
    const headers = { ...ISOLATION, 'content-security-policy': CSP };
    await onPage({ headers }, '/blank.html', async ({ page, warnings }) => {
      assert.deepEqual(await detect(page, ENTRY, {}), ONE);
      assert.deepEqual(await detect(page, ENTRY, { worker: true }), ONE);
      assert.deepEqual(await detect(page, ENTRY, { threads: 2 }), TWO);
      assert.deepEqual(warnings, []);
    });
  });

  test('from a server that gives .wasm no type', async () => {
    await onPage({ types: { '.wasm': 'application/octet-stream' } }, '/blank.html', async ({ page }) => {
      assert.deepEqual(await detect(page, ENTRY, {}), ONE);
    });
  });

  test('in a module worker of the user’s own, with threads', async () => {
    await onPage({ headers: ISOLATION }, '/blank.html', async ({ page }) => {
      for (const [options, expected] of /** @type {const} */ ([
        [{}, ONE],
        [{ worker: true }, ONE],
        [{ threads: 2 }, isFirefox ? ONE : TWO],
      ])) {
        const found = await page.evaluate(async (options) => {
          const worker = new Worker('/user-worker.js', { type: 'module' });
          worker.postMessage({ photo: '/photos/chelsea.png', options });
          const { data } = await new Promise((resolve, reject) => {
            worker.onmessage = resolve;
            worker.onerror = (event) => reject(new Error(event.message));
          });
          worker.terminate();
          return data;
        }, options);
        assert.deepEqual(found, expected);
      }
    });
  });

  test('in a service worker', async () => {
    await onPage({}, '/blank.html', async ({ page }) => {
      const labels = await page.evaluate(async () => {
        await navigator.serviceWorker.register('/service-worker.js', { type: 'module' });
        await navigator.serviceWorker.ready;
        while (!navigator.serviceWorker.controller) await new Promise((resolve) => setTimeout(resolve, 20));
        return (await fetch('/labels?/photos/chelsea.png')).json();
      });
      assert.deepEqual(labels, ['Cat']);
    });
  });

  for (const threads of [1, 2])
    test(`module, model and worker from assetsUrl, threads: ${threads}`, async () => {
      await onPage(
        { headers: ISOLATION },
        '/blank.html',
        async ({ page, requests, warnings }, { url, otherUrl }) => {
          for (const folder of ['ocelli/dist', '/ocelli/dist/', `${url}/ocelli/dist`]) {
            requests.length = 0;
            const assetsUrl = folder;
            assert.deepEqual((await detect(page, ENTRY, { worker: true, threads, assetsUrl })).labels, [
              'Cat',
            ]);
            const names = requests.map((address) => address.replace(`${url}/ocelli/dist/`, ''));
            for (const name of ['web/worker.browser.js', 'models/ssd_mobilenet_v2_oidv4.gz'])
              assert.ok(names.includes(name), `${name} of ${names}`);
          }
          assert.ok(otherUrl !== url);
          assert.deepEqual(warnings, []);
        },
      );
    });

  test('a folder without a worker: the page is told, and detects by itself', async () => {
    await onPage({}, '/blank.html', async ({ page, warnings }, { url }) => {
      const code = await detect(page, ENTRY, { worker: true, assetsUrl: '/nowhere' }).catch(String);
      assert.ok(String(code).includes(`nowhere/ocelli-${NAME}.wasm`), String(code));
      assert.ok(
        warnings.some((text) => text.includes(`${url}/nowhere/web/worker.browser.js did not start`)),
        warnings.join(),
      );
    });
  });

  test('a package without the script of its worker: the warning says so', async () => {
    const roots = { '/ocelli/dist/web/worker.browser.js': `${ROOT}nowhere/` };
    await onPage({ roots }, '/blank.html', async ({ page, warnings }) => {
      await detect(page, ENTRY, { worker: true });
      assert.match(
        warnings.join(),
        /a worker cannot be started here: its script did not load\. If a bundler/,
      );
    });
  });

  test('what is missing is named', async () => {
    await onPage({}, '/blank.html', async ({ page }, { url }) => {
      const failures = await page.evaluate(async (entry) => {
        const { ObjectDetector } = await import(entry);
        const codes = [];
        for (const worker of [false, true]) {
          for (const options of [
            { assetsUrl: '/nowhere' },
            { model: '/nowhere.tflite' },
            { model: 'blank.html' },
          ]) {
            const error = await ObjectDetector.create({ ...options, worker }).catch(
              (/** @type {any} */ e) => e,
            );
            codes.push(`${error.name} ${error.code}: ${error.message}`);
          }
        }
        return codes;
      }, ENTRY);
      const expected = [
        `OcelliError MODULE_NOT_FOUND: the WebAssembly module could not be read: ${url}/nowhere/ocelli-${NAME}.wasm: status 404`,
        `OcelliError MODEL_NOT_FOUND: the model could not be read: ${url}/nowhere.tflite: status 404`,
        `OcelliError MODEL_NOT_FOUND: the model could not be read: ${url}/blank.html: the server answered with a web page`,
      ];
      assert.deepEqual(failures, [...expected, ...expected]);
    });
  });
});

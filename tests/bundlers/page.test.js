// Pages, bundled by each tool: what they find has the bits of the package in Node, in this thread and in a worker.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, suite, test } from 'node:test';
import { startServer } from '../../tools/serve.js';
import { launch, needsBrowser } from '../browser/shared.js';
import { expected, PHOTO } from './expected.js';
import { program, project, run, start } from './shared.js';

suite('pages', needsBrowser, () => {
  /** @type {import('playwright-core').Browser} */ let browser;
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());

  /**
   * @param {string} url
   * @param {string} [script] that runs before the page's own
   * @returns {Promise<{title: string, said: string[]}>} what the page shows in the end; what its console said
   */
  async function visit(url, script) {
    const page = await browser.newPage();
    /** @type {string[]} */
    const said = [];
    page.on('console', (message) => said.push(message.text()));
    page.on('pageerror', (error) => said.push(String(error)));
    if (script) await page.addInitScript(script);
    await page.goto(url);
    const shown = await page.waitForFunction(() => /^(\[|\w+Error)/.test(document.title) && document.title);
    const title = String(await shown.jsonValue());
    await page.close();
    return { title, said };
  }

  /** @param {string} url @param {string} [script] */
  async function assertDetects(url, script) {
    const { title, said } = await visit(url, script);
    assert.deepEqual(title, JSON.stringify([await expected, await expected]), `${url}: ${said.join('\n')}`);
    assert.ok(!said.some((text) => text.includes('runs in this thread')), said.join('\n'));
  }

  /** @param {string} folder @param {(url: string) => Promise<void>} use */
  async function serving(folder, use) {
    const server = await startServer({ roots: { '/some/where/': folder } });
    try {
      await use(`${server.url}/some/where`);
    } finally {
      server.close();
    }
  }

  /** @param {string} tool @param {string} [app] */
  function pages(tool, app = 'page') {
    const folder = project(tool, app);
    mkdirSync(join(folder, 'public'), { recursive: true });
    writeFileSync(join(folder, 'public/photo.png'), PHOTO);
    return folder;
  }

  for (const version of [5, 6, 7, 8])
    describe(`Vite ${version}`, () => {
      test('the built site', async () => {
        const folder = pages(`vite-${version}`);
        run(folder, program(folder, 'vite'), 'build');
        await serving(join(folder, 'dist'), async (url) => {
          await assertDetects(`${url}/files.html`);
          await assertDetects(`${url}/inline.html`);
        });
      });

      test('the development server', async () => {
        const folder = pages(`vite-${version}`);
        const { url, stop } = await start(
          folder,
          [program(folder, 'vite'), '--port', '0', '--force'],
          /Local: +(\S+)/,
        );
        try {
          await assertDetects(`${url}/files.html`);
          await assertDetects(`${url}/inline.html`);
        } finally {
          await stop();
        }
      });
    });

  test('Vite 8: the element and the hooks for React', async () => {
    const folder = pages('vite-8', 'ready');
    run(folder, program(folder, 'vite'), 'build', '--base=./');
    await serving(join(folder, 'dist'), (url) => assertDetects(`${url}/index.html`));
    const { url, stop } = await start(
      folder,
      [program(folder, 'vite'), '--port', '0', '--force'],
      /Local: +(\S+)/,
    );
    try {
      await assertDetects(url);
    } finally {
      await stop();
    }
  });

  test('Angular: assets and ocelli/inline', async () => {
    const folder = project('angular', 'angular');
    mkdirSync(join(folder, 'public'), { recursive: true });
    writeFileSync(join(folder, 'public/photo.png'), PHOTO);
    run(folder, program(folder, 'ng'), 'build', '--base-href=./');
    await serving(join(folder, 'dist/browser'), async (url) => {
      await assertDetects(`${url}/index.html?inline`);
      await assertDetects(`${url}/index.html?assets`);
      const { title } = await visit(`${url}/index.html`);
      assert.match(title, /^OcelliError MODULE_NOT_FOUND .*'ocelli\/inline'.*assetsUrl/);
    });
  });

  test('esbuild: one file for each page, in which `process` exists, too', async () => {
    const folder = pages('esbuild');
    const flags = ['--bundle', '--format=iife', '--outdir=public', '--log-level=error'];
    run(folder, program(folder, 'esbuild'), 'files.js', 'inline.js', ...flags);
    for (const name of ['files', 'inline'])
      writeFileSync(
        join(folder, `public/${name}.html`),
        `<!doctype html><title></title><script src="${name}.js"></script>`,
      );
    const electron =
      "globalThis.process = { type: 'renderer', versions: { node: '24.0.0', electron: '45.0.0' }, env: {} }";
    await serving(join(folder, 'public'), async (url) => {
      await assertDetects(`${url}/inline.html`);
      await assertDetects(`${url}/inline.html`, electron);
      const { title } = await visit(`${url}/files.html`);
      assert.match(title, /^OcelliError MODULE_NOT_FOUND .*'ocelli\/inline'.*assetsUrl/);
    });
  });
});

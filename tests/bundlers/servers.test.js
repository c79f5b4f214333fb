// Routes of servers that are bundled with ocelli: what they find has the bits of the package in Node.
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { DIGESTS } from '../node/train/reference_run.js';
import { expected, PHOTO } from './expected.js';
import { program, project, ROOT, run, start } from './shared.js';

/** @param {string} url */
async function assertFinds(url) {
  // SvelteKit refuses posts without a type, as a browser's forms may send them from elsewhere.
  const headers = { 'content-type': 'application/octet-stream' };
  const response = await fetch(url, { method: 'POST', body: PHOTO, headers });
  const text = await response.text();
  assert.equal(text.slice(0, 2000), JSON.stringify(await expected).slice(0, 2000), url);
}

/** The script of the pages of the other tools. @param {string} folder of a project */
const addPageScript = (folder) =>
  cpSync(join(ROOT, 'tests/bundlers/apps/page/detect.js'), join(folder, 'detect.js'));

for (const version of [15, 16])
  describe(`Next ${version}`, () => {
    test('route handlers in Node, with and without serverExternalPackages, and in the edge runtime', async () => {
      const folder = project(`next-${version}`, 'next');
      cpSync(join(ROOT, 'examples/next/app/page.js'), join(folder, 'app/page.js'));
      writeFileSync(
        join(folder, 'public/model.bin'),
        readFileSync(join(ROOT, 'dist/models/ssd_mobilenet_v2_oidv4.gz')),
      );
      for (const external of [['ocelli'], []]) {
        writeFileSync(
          join(folder, 'next.config.mjs'),
          `export default { serverExternalPackages: ${JSON.stringify(external)} };`,
        );
        run(folder, program(folder, 'next'), 'build');
        const { url, stop } = await start(
          folder,
          [program(folder, 'next'), 'start', '--port', '0'],
          /Local: +(\S+)[\s\S]*Ready/,
        );
        try {
          for (const route of ['node', 'inline', 'edge', 'edge-model']) await assertFinds(`${url}/${route}`);
        } finally {
          await stop();
        }
      }
    });
  });

test('SvelteKit, by its adapter for Node', async () => {
  const folder = project('sveltekit', 'sveltekit');
  addPageScript(folder);
  run(folder, program(folder, 'vite'), 'build');
  process.env.PORT = '0';
  const { url, stop } = await start(
    folder,
    [process.execPath, 'build'],
    /Listening on http:\/\/0\.0\.0\.0:(\d+)/,
  );
  try {
    for (const route of ['files', 'inline']) await assertFinds(`${url}/${route}`);
  } finally {
    await stop();
  }
});

test('Nuxt, by its server for Node', async () => {
  const folder = project('nuxt', 'nuxt');
  addPageScript(folder);
  run(folder, program(folder, 'nuxt'), 'build');
  process.env.NITRO_PORT = '0';
  const { url, stop } = await start(
    folder,
    [process.execPath, '.output/server/index.mjs'],
    /Listening on (\S+)/,
  );
  try {
    for (const route of ['files', 'inline'])
      await assertFinds(`${url.replace('[::]', 'localhost')}/api/${route}`);
  } finally {
    await stop();
  }
});

test('edge-runtime: detection and training', async () => {
  const folder = project('edge-runtime', 'edge');
  const reference = readFileSync(join(ROOT, 'tests/node/train/reference_run.js'), 'utf8').replaceAll(
    'export ',
    '',
  );
  writeFileSync(join(folder, 'reference.js'), `${reference}\nglobalThis.run = run;`);
  const flags = [
    '--bundle',
    '--format=iife',
    '--conditions=edge-light',
    '--target=es2022',
    '--outfile=out.js',
    '--log-level=error',
  ];
  run(
    folder,
    program(folder, 'esbuild'),
    'main.js',
    ...flags,
    '--inject:./reference.js',
    '--loader:.wasm=binary',
    '--external:@tgwf/co2/data',
    '--external:image-size',
  );
  const { url, stop, printed } = await start(
    folder,
    [program(folder, 'edge-runtime'), '--listen', '--port', '0', 'out.js'],
    /(http:\S+)/,
  );
  try {
    await assertFinds(url);
    assert.deepEqual(await (await fetch(url)).json(), DIGESTS, printed());
  } finally {
    await stop();
  }
});

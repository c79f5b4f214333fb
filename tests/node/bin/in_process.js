// Runs a command in this process, which takes milliseconds.
import assert from 'node:assert/strict';
import { outputsOf, readArguments } from '../../../bin/arguments.js';
import { watchInstances } from '../open_engines.js';

/** @param {string} name @param {string[]} args */
async function read(name, args) {
  /** @type {import('../../../bin/arguments.js').Command} */
  const command = (await import(`../../../bin/commands/${name}.js`)).command;
  const given = readArguments(name, command, args);
  if (!given) throw new Error('asked for help');
  return { command, ...given };
}

/**
 * Runs a command that is to refuse its arguments, with the checks of output files.
 * @param {string[]} args the command's name first
 */
export async function runRefused([name, ...args]) {
  const { command, values, positionals } = await read(name, args);
  await outputsOf(command, values, positionals);
  await command.run(values, positionals);
}

/**
 * @param {import('node:test').TestContext} t
 * @param {string} name
 * @param {string[]} args
 * @returns {Promise<{status: number, stdout: string, stderr: string}>} without the checks of output files that come before
 */
export async function runCommand(t, name, args) {
  const { command, values, positionals } = await read(name, args);
  const texts = { stdout: '', stderr: '' };
  const mocks = /** @type {const} */ (['stdout', 'stderr']).map((stream) => {
    const write = process[stream].write.bind(process[stream]);
    // The test runner itself writes bytes.
    return t.mock.method(process[stream], 'write', (/** @type {string | Uint8Array} */ data) => {
      if (typeof data !== 'string') return write(data);
      texts[stream] += data;
      return true;
    });
  });
  const before = process.exitCode;
  process.exitCode = 0;
  const liveBytes = watchInstances(t);
  try {
    await command.run(values, positionals);
    return { status: Number(process.exitCode), ...texts };
  } finally {
    process.exitCode = before;
    for (const { mock } of mocks) mock.restore();
    assert.equal(liveBytes(), 0, 'models and trainers are closed');
  }
}

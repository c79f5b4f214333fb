// How commands end early: by Ctrl-C, and when nobody reads on. And what they show meanwhile, on a terminal and elsewhere.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { PATIENCE_MS } from '../../patience.js';
import { CLI, INPUT, makeSandbox, SAVED, SMALL } from './run.js';

const OUTPUT = new URL('../../../bin/output.js', import.meta.url).href;
const FILES = new URL('../../../bin/files.js', import.meta.url).href;

const sandbox = makeSandbox('ocelli-endings-', ['a', 'b', 'c']);
const cwd = sandbox;

describe('Ctrl-C ends a command at once, without a word', () => {
  /** Each waits for the rest of standard input. @type {string[][]} */
  const commands = [
    ['detect', '-'],
    ['embed', '-'],
    ['classify', '--model', SMALL, ...INPUT, '-'],
    ['similar', '-', 'photos'],
    ['inspect', '-'],
    ['bench', '-'],
    ['convert', '-', 'never.tflite'],
    ['quantize', '-', 'never.tflite', '--images', 'photos'],
    ['train', 'photos', '--model', '-', '--out', 'never.tflite'],
    ['evaluate', '-', 'photos'],
  ];
  for (const args of commands) {
    test(args[0], async () => {
      const child = spawn(process.execPath, [CLI, ...args], { cwd, stdio: 'pipe' });
      const stderr = child.stderr.setEncoding('utf8').toArray();
      // More than a pipe holds: that all of it is taken tells that the command reads it.
      await new Promise((resolve) => child.stdin.write(new Uint8Array(1 << 20), resolve));
      child.kill('SIGINT');
      const [status, signal] = await once(child, 'exit');
      assert.deepEqual({ status, signal }, { status: null, signal: 'SIGINT' });
      assert.equal((await stderr).join(''), '');
      assert.deepEqual(readdirSync(sandbox), ['photos']);
    });
  }

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    test(`also while a file is written, which leaves the old one: ${signal}`, () => {
      const folder = mkdtempSync(join(sandbox, 'writing-'));
      const out = join(folder, 'out.tflite');
      writeFileSync(out, 'old');
      const script = `
        import { writeWhole } from ${JSON.stringify(FILES)};
        async function* parts() {
          yield 'half';
          process.kill(process.pid, '${signal}');
          await new Promise((resolve) => setTimeout(resolve, 1e6));
        }
        await writeWhole(${JSON.stringify(out)}, parts());`;
      const ended = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
      assert.deepEqual([ended.status, ended.signal, ended.stderr], [null, signal, '']);
      assert.deepEqual(readdirSync(folder), ['out.tflite']);
      assert.equal(readFileSync(out, 'utf8'), 'old');
      rmSync(folder, { recursive: true });
    });
  }
});

test('a program that exits while it writes a file leaves nothing', () => {
  const folder = mkdtempSync(join(sandbox, 'exiting-'));
  const script = `
    import { writeWhole } from ${JSON.stringify(FILES)};
    async function* parts() {
      yield 'half';
      process.exit(3);
    }
    await writeWhole(${JSON.stringify(join(folder, 'out.png'))}, parts());`;
  assert.equal(spawnSync(process.execPath, ['--input-type=module', '-e', script]).status, 3);
  assert.deepEqual(readdirSync(folder), []);
  rmSync(folder, { recursive: true });
});

describe('a command ends quietly when nobody reads on', () => {
  /** What they print, each in its own way. The second would wait for standard input. @type {string[][]} */
  const commands = [['--help'], ['detect', 'photos/dark/a.png', '-'], ['convert', SAVED, '-']];
  for (const args of commands) {
    test(args[0], async () => {
      const child = spawn(process.execPath, [CLI, ...args], { cwd, timeout: PATIENCE_MS });
      child.stdout.destroy();
      const stderr = child.stderr.setEncoding('utf8').toArray();
      const [status] = await once(child, 'exit');
      assert.equal(status, 0);
      assert.doesNotMatch((await stderr).join(''), /EPIPE|\n +at /);
    });
  }

  test('or nobody reads its messages, but goes on with its results', async () => {
    const args = [CLI, 'detect', '--json', 'gone.png', 'photos/dark'];
    const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stderr.destroy();
    const stdout = (await child.stdout.setEncoding('utf8').toArray()).join('');
    assert.equal(stdout.trimEnd().split('\n').length, 3);
    assert.equal(child.exitCode ?? (await once(child, 'exit'))[0], 1);
  });
});

describe('progress', () => {
  test('of a long run is a line now and then where there is no terminal', () => {
    const script = `
      let seconds = 0;
      performance.now = () => 1000 * seconds;
      const { showProgress, printNote } = await import(${JSON.stringify(OUTPUT)});
      for (seconds = 1; seconds <= 100; seconds++) {
        if (seconds === 50) printNote('something else');
        showProgress('image', seconds, 100, 'a\\nb');
      }`;
    const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
    const lines = stderr
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/ of 100: a\ufffdb$/, ''));
    assert.deepEqual(lines, ['image 31', 'something else', 'image 81']);
  });

  /** What a shell's command shows on a terminal of its own. @param {string[]} args @param {string} rest where its results go */
  function showOnTerminal(args, rest) {
    const quoted = [process.execPath, CLI, ...args].map((arg) => `'${arg}'`).join(' ');
    const { stdout, status } = spawnSync('script', ['-qec', `${quoted} ${rest}`, '/dev/null'], {
      cwd,
      encoding: 'utf8',
    });
    assert.equal(status, 0, stdout);
    assert.ok(stdout.endsWith('\r\x1b[K'), stdout);
    return stdout.split('\r').map((line) => line.replace('\x1b[K', ''));
  }

  test('is a line on a terminal, removed at the end', () => {
    const shown = showOnTerminal(['detect', 'photos'], '> /dev/null');
    assert.ok(shown.includes('image 1 of 6: photos/dark/a.png'), shown.join('\n'));
    assert.ok(shown.some((line) => line.startsWith('image 6 of 6: ')));
    assert.ok(shown.every((line) => line.length < 80));
  });

  test('is removed when nobody reads on', () => {
    const shown = showOnTerminal(['detect', '--json', 'photos'], '| true');
    assert.ok(!shown.some((line) => line.startsWith('image 6 of 6: ')), 'it ends early');
  });
});

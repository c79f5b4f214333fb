// Parts of the command line, in this process: numbers and tables, errors, limits of files, progress with and without a terminal.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import {
  explain,
  factsOf,
  formatCount,
  formatPercent,
  layOut,
  median,
  readBytes,
  readText,
  roundMs,
  shorten,
  shortName,
  UsageError,
} from '../../../bin/common.js';
import { OcelliError } from '../../../wasm/shared/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'parts-'));
after(() => rmSync(folder, { recursive: true }));

describe('numbers', () => {
  /** @type {[(value: any) => unknown, unknown, unknown][]} */
  const cases = [
    ...[
      [0, '0'],
      [999, '999'],
      [1000, '1 k'],
      [1234, '1.23 k'],
      [999_999, '1000 k'],
      [1e6, '1 M'],
      [672_954_000, '673 M'],
      [1e9, '1 G'],
      [123_456_789_012, '123 G'],
    ].map(([count, text]) => /** @type {[any, unknown, unknown]} */ ([formatCount, count, text])),
    [formatPercent, 0.8123, '81.2 %'],
    [formatPercent, 1, '100.0 %'],
    [shorten, 0.1 + 0.2, '0.3'],
    [shorten, 1234567.8, '1234570'],
    [median, [3], 3],
    [median, [3, 1], 2],
    [median, [10, 9, 1], 9],
    [median, [4, 100, 2, 8], 6],
    [roundMs, 1.23456, 1.235],
    [roundMs, 1.2344, 1.234],
    [shortName, 'last;first', 'last'],
    [shortName, 'one', 'one'],
  ];
  for (const [f, given, expected] of cases)
    test(`${f.name} of ${JSON.stringify(given)}`, () => assert.deepEqual(f(given), expected));

  test('facts are rounded', () => {
    const facts = /** @type {any} */ ({ precision: 'float', decode: 'full', ms: { run: 1.00049 }, other: 1 });
    assert.deepEqual(factsOf(facts), { precision: 'float', decode: 'full', ms: { run: 1 } });
  });
});

test('tables: columns as wide as their widest cell, on their sides', () => {
  const rows = [
    ['a', '1', 'x'],
    ['long', '100', ''],
  ];
  assert.deepEqual(layOut(rows, 'lrl'), ['  a       1  x', '  long  100']);
  const [kept, cut, line] = layOut([['x'.repeat(400)], ['x'.repeat(401)], ['a\nb']], 'l');
  assert.equal(kept, `  ${'x'.repeat(400)}`);
  assert.equal(cut, `  ${'x'.repeat(400)}…`);
  assert.ok(!line.includes('\n'));
});

describe('errors', () => {
  const own = (/** @type {any} */ code) => new OcelliError(code, 'it failed');
  const system = (/** @type {number} */ errno, syscall = 'open') =>
    Object.assign(new Error('x'), { errno, syscall, code: 'ENOENT' });
  /** @type {[string, unknown, string | undefined][]} */
  const cases = [
    ['ours', own('IMAGE_CORRUPT'), 'IMAGE_CORRUPT: it failed'],
    ['with a hint', own('SSD_UNKNOWN'), 'SSD_UNKNOWN: it failed (pass it with --ssd)'],
    ['of the system', system(-2), 'ENOENT: no such file or directory'],
    ['of the system, unknown', system(-99999), undefined],
    ['of no system call', system(-2, ''), undefined],
    [
      'of files',
      Object.assign(new Error('too large'), { code: 'ERR_FS_FILE_TOO_LARGE' }),
      'ERR_FS_FILE_TOO_LARGE: too large',
    ],
    ['a bug', new TypeError('undefined is not a function'), undefined],
  ];
  for (const [name, error, expected] of cases) test(name, () => assert.equal(explain(error), expected));
  test('of options are mistakes of the user', () => {
    const isUsage = (/** @type {string} */ message) => (/** @type {unknown} */ error) =>
      error instanceof UsageError && error.message === message;
    assert.throws(() => explain(own('INVALID_OPTION')), isUsage('it failed'));
    assert.throws(() => explain(own('INVALID_OPTION'), 'a.png'), isUsage('a.png: it failed'));
  });
});

test('texts are at most 64 MB, files 1 GB', async () => {
  const path = join(folder, 'file');
  writeFileSync(path, 'grüß');
  assert.equal(await readText(path), 'grüß');
  assert.equal((await readBytes(path)).length, 6);
  truncateSync(path, (64 << 20) + 1);
  await assert.rejects(readText(path), { code: 'INPUT_TOO_LARGE', message: /the limit is 67108864/ });
  truncateSync(path, 2 ** 30 + 1);
  await assert.rejects(readBytes(path), { code: 'INPUT_TOO_LARGE' });
});

describe('output', () => {
  let count = 0;
  /**
   * A fresh copy of the module, with what it writes.
   * @param {import('node:test').TestContext} t
   * @param {{isTTY?: boolean, columns?: number, hasColors?: boolean}} [terminal]
   */
  async function open(t, { isTTY = false, columns, hasColors = true } = {}) {
    const clock = { ms: 0 };
    t.mock.method(performance, 'now', () => clock.ms);
    /** @type {[string, string][]} */
    const written = [];
    for (const name of /** @type {const} */ (['stdout', 'stderr'])) {
      const stream = process[name];
      const before = { isTTY: stream.isTTY, columns: stream.columns, hasColors: stream.hasColors };
      Object.assign(stream, { isTTY, columns, hasColors: () => hasColors });
      t.after(() => void Object.assign(stream, before));
    }
    const specifier = `../../../bin/output.js?${count++}`;
    /** @type {typeof import('../../../bin/output.js')} */
    const output = await import(specifier);
    /** What `use` writes. @param {() => void} use */
    const take = (use) => {
      const mocks = /** @type {const} */ (['stdout', 'stderr']).map((name) =>
        t.mock.method(process[name], 'write', (/** @type {string} */ text) => {
          written.push([name, text]);
          return true;
        }),
      );
      try {
        use();
      } finally {
        for (const { mock } of mocks) mock.restore();
      }
      return written.splice(0);
    };
    return { output, take, clock };
  }

  test('results and messages go to standard output, notes beside it', async (t) => {
    const { output, take } = await open(t);
    const written = take(() => {
      output.print('a');
      output.print('b\n');
      output.announce('c');
      output.printNote('e');
    });
    assert.deepEqual(written, [
      ['stdout', 'a\n'],
      ['stdout', 'b\n'],
      ['stdout', 'written: c\n'],
      ['stderr', 'e\n'],
    ]);
    assert.ok(!take(() => output.print('x\x1b[31my'))[0][1].includes('\x1b'));
  });

  for (const [content, expected] of /** @type {const} */ ([
    ['json', ['stdout', 'stderr']],
    ['file', ['stderr', 'stderr']],
  ]))
    test(`standard output may be kept free, for ${content}`, async (t) => {
      const { output, take } = await open(t);
      output.reserveStdout(content);
      const written = take(() => {
        output.print('a');
        output.announce('b');
      });
      assert.deepEqual(
        written.map(([name]) => name),
        expected,
      );
    });

  test('an error sets the exit status', async (t) => {
    const { output, take } = await open(t);
    const before = process.exitCode;
    assert.deepEqual(
      take(() => output.printError('it failed')),
      [['stderr', 'ocelli: it failed\n']],
    );
    assert.equal(process.exitCode, 1);
    process.exitCode = before;
  });

  test('a terminal shows progress on one line, as wide as it is', async (t) => {
    const { output, take } = await open(t, { isTTY: true, columns: 12 });
    const shown = take(() => output.showProgress('image', 3, 7, 'somewhere'));
    assert.deepEqual(shown, [['stderr', '\rimage 3 of \x1b[K']]);
    const next = take(() => output.print('a'));
    assert.deepEqual(next, [
      ['stderr', '\r\x1b[K'],
      ['stdout', 'a\n'],
    ]);
    assert.deepEqual(take(output.clearProgress), []);
  });

  test('a terminal that does not say how wide it is has 80 columns', async (t) => {
    const { output, take } = await open(t, { isTTY: true });
    const [[, text]] = take(() => output.showProgress('image', 1, 2, 'x'.repeat(100)));
    assert.equal(text, `\r${`image 1 of 2: ${'x'.repeat(100)}`.slice(0, 79)}\x1b[K`);
  });

  test('elsewhere a line is printed after half a minute without one', async (t) => {
    const { output, take, clock } = await open(t);
    const show = () => take(() => output.showProgress('image', 3, 7));
    clock.ms = 30_000;
    assert.deepEqual(show(), []);
    clock.ms = 30_001;
    assert.deepEqual(show(), [['stderr', 'image 3 of 7\n']]);
    clock.ms = 60_001;
    assert.deepEqual(show(), []);
    clock.ms = 60_002;
    assert.deepEqual(show(), [['stderr', 'image 3 of 7\n']]);
    take(() => output.print('a'));
    assert.deepEqual(take(output.clearProgress), []);
  });

  test('stages are counted, and the images of each', async (t) => {
    const { output, take } = await open(t, { isTTY: true, columns: 100 });
    const shown = output.showStages(['read', 'run'], 9);
    assert.deepEqual(
      take(() => shown({ stage: 'run' })),
      [['stderr', '\rstep 2 of 2: run\x1b[K']],
    );
    assert.deepEqual(
      take(() => shown({ stage: 'read', images: 4 })),
      [['stderr', '\rstep 1 of 2, read: image 4 of 9\x1b[K']],
    );
  });

  test('terminals with colours show bold and dim', async (t) => {
    const { output, take } = await open(t, { isTTY: true });
    assert.deepEqual([output.bold('a'), output.dim('b')], ['\x1b[1ma\x1b[22m', '\x1b[2mb\x1b[22m']);
    const line = `${output.bold('a')} b`;
    assert.deepEqual(
      take(() => output.print(line)),
      [['stdout', `${line}\n`]],
    );
    for (const terminal of [{ isTTY: true, hasColors: false }, { isTTY: false }])
      assert.equal((await open(t, terminal)).output.bold('a'), 'a');
  });
});

// Where a command may write, in this process: which names of files and directories it takes, and what it does not overwrite.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { outputsOf } from '../../../bin/arguments.js';
import { checkPlace, checkWritable } from '../../../bin/files.js';
import { checkReplaced, PNG_TEXT, VIDEO_TEXT, withRecord } from '../../../bin/written.js';
import { encodePng } from '../../../wasm/draw/png.js';

const root = mkdtempSync(join(tmpdir(), 'ocelli-places-'));
after(() => rmSync(root, { recursive: true }));
mkdirSync(join(root, 'there'));
for (const name of ['plain', 'some.tflite', 'some.mp4', 'other.tflite'])
  writeFileSync(join(root, name), 'the work of a year');
writeFileSync(join(root, 'empty.tflite'), '');
const at = (/** @type {string} */ name) => join(root, name);

describe('names of places', () => {
  /** @type {[string, any[], RegExp?][]} */
  const cases = [
    ['', ['.png'], /^--out is empty$/],
    ['-', ['directory'], /^--out takes a directory, not standard output$/],
    ['/dev/null', ['.mp4'], /: that is not a file; name a \.mp4 file$/],
    ['/dev/null', ['.png']],
    ['/dev/null', ['.png', 'directory']],
    ['/dev/null', ['directory'], /: that is not a directory; name a directory$/],
    ['there', ['.png'], /: that is a directory; name a \.png file$/],
    ['there/', ['.png'], /: that is a directory; name a \.png file$/],
    ['new/', ['.png'], /: that is a directory; name a \.png file$/],
    ['there', ['directory']],
    ['new/', ['directory', '.png']],
    ['new.png/', ['directory']],
    ['new', ['directory']],
    ['new', ['.png']],
    ['plain', ['.png']],
    ['plain', ['directory'], /: that is not a directory; name a directory$/],
    ['plain', ['.png', 'directory'], /: that is not a directory; name a directory or a \.png file$/],
    ['some.tflite', ['.tflite', 'directory']],
    ['some.tflite', ['directory'], /: that is not a directory; name a directory$/],
    ['some.mp4', ['.mp4']],
    ['new.PNG', ['.png']],
    ['new.JPG', ['.png'], /: ocelli writes \.png files, not \.jpg$/],
    ['.tflite.onnx', ['.tflite'], /: ocelli writes \.tflite files, not \.onnx$/],
    ['new.gz', ['.tflite', '.gz']],
    ['new.jpg', ['.tflite', '.gz'], /: ocelli writes \.tflite and \.gz files, not \.jpg$/],
    [
      'v1.0',
      ['directory'],
      /: this option takes a directory; for a directory with this name, write .*v1\.0\/$/,
    ],
    ['v1.0', ['.png', 'directory'], /: ocelli writes \.png files, not \.0; for a directory .*v1\.0\/$/],
  ];
  for (const [name, places, message] of cases)
    test(`${name} as ${places.join(' or ')}`, () => {
      const check = () => checkPlace('--out', /^(-|\/.*|)$/.test(name) ? name : at(name), places);
      if (message) assert.throws(check, { message });
      else check();
    });
});

describe('places that are written to', () => {
  /** @type {any[][]} */
  const fine = [
    ['-', []],
    ['new', ['directory']],
    ['some.mp4', ['.mp4']],
    ['new.png', ['.png']],
    ['there', ['directory']],
    ['far/away', ['directory']],
    ['far/away', ['directory', '.png']],
  ];
  for (const [name, places] of fine)
    test(`${name} as ${places.join(' or ')}`, () => checkWritable(name === '-' ? name : at(name), places));
  /** @type {any[][]} */
  const refused = [
    ['far/away.png', ['.png'], 'ENOENT'],
    ['far/away.PNG', ['directory', '.png'], 'ENOENT'],
    ['plain/away', ['directory'], 'ENOTDIR'],
    ['plain/away.png', ['.png'], 'ENOTDIR'],
  ];
  for (const [name, places, code] of refused)
    test(`${name} as ${places.join(' or ')}: ${code}`, () =>
      assert.rejects(async () => checkWritable(at(name), places), { code }));
});

test('a file in a directory where nothing can be replaced is refused before it is written', () => {
  const [open, closed] = ['open', 'closed'].map(at);
  chmodSync(root, 0o755);
  for (const directory of [open, closed]) {
    mkdirSync(directory);
    chmodSync(directory, 0o777);
    writeFileSync(join(directory, 'x.tflite'), '');
    chmodSync(join(directory, 'x.tflite'), 0o666);
  }
  symlinkSync(join(closed, 'x.tflite'), join(open, 'link.tflite'));
  symlinkSync(join(open, 'x.tflite'), join(closed, 'link.tflite'));
  chmodSync(closed, 0o555);
  const script = `
    import { checkWritable, writeWhole } from ${JSON.stringify(new URL('../../../bin/files.js', import.meta.url).href)};
    if (process.getuid() === 0) { // Root may write anywhere.
      process.setgroups([]);
      process.setgid(65534);
      process.setuid(65534);
    }
    const end = (promise) => promise.then(() => 'fine', ({ code, path }) => code + ' ' + path);
    const ends = [];
    for (const file of process.argv.slice(1))
      ends.push([await end(checkWritable(file, ['.tflite'])), await end(writeWhole(file, ''))]);
    console.log(JSON.stringify(ends));`;
  const files = [open, closed].flatMap((directory) =>
    ['x.tflite', 'link.tflite'].map((name) => join(directory, name)),
  );
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', script, '--', ...files],
    { encoding: 'utf8' },
  );
  const [, linkToClosed, inClosed] = files;
  const expected = ['fine', `EACCES ${linkToClosed}`, `EACCES ${inClosed}`, 'fine'];
  assert.deepEqual(
    JSON.parse(stdout || '[]'),
    expected.map((end) => [end, end]),
    stderr,
  );
});

describe('outputs', () => {
  /** @type {any} */
  const COMMAND = {
    positionals: [{ name: 'MODEL' }, { name: 'OUT', optional: true, writes: ['.tflite'] }],
    options: {
      out: { type: 'text', writes: ['.tflite'] },
      maps: { type: 'text', writes: ['.png', 'directory'] },
      report: {
        type: 'text',
        writes: ['directory'],
        report: { record: 'report.json', names: /^report\.(md|json)$/ },
      },
      input: { type: 'file' },
      classes: { type: 'names' },
    },
  };
  const outputs = (/** @type {Record<string, any>} */ values, /** @type {string[]} */ ...positionals) =>
    outputsOf(COMMAND, values, positionals);
  mkdirSync(at('report'));
  mkdirSync(at('edited'));
  const ours = withRecord({ 'report.md': '# ours', 'report.json': '{\n  "a": 1\n}\n' }, 'report.json');
  for (const [name, text] of Object.entries(ours)) {
    writeFileSync(at(`report/${name}`), text);
    writeFileSync(at(`edited/${name}`), name === 'report.md' ? '# mine' : text);
  }
  symlinkSync(at('report/report.md'), at('link.tflite'));

  test('are listed', async () => {
    assert.deepEqual(await outputs({ out: '-', report: at('new') }, 'm', at('new.tflite')), [
      { term: '--out', path: '-', places: ['.tflite'], report: undefined },
      { term: '--report', path: at('new'), places: ['directory'], report: COMMAND.options.report.report },
      { term: 'OUT', path: at('new.tflite'), places: ['.tflite'], report: undefined },
    ]);
    assert.deepEqual(await outputs({}, at('plain')), []);
  });
  test('replace what is ours or empty, or what is forced', async () => {
    for (const values of [
      { out: at('empty.tflite') },
      { report: at('report') },
      { maps: at('there') },
      { report: at('edited'), force: true },
      { out: at('other.tflite'), force: true },
    ])
      assert.equal((await outputs(values, 'm')).length, 1);
  });
  /** @type {[Record<string, any>, string[], RegExp][]} */
  const refused = [
    [{ out: '-' }, ['m', '-'], /^--out - and OUT would mix on standard output$/],
    [{ out: '-', json: true }, ['m'], /^--out - and --json would mix on standard output$/],
    [{ out: at('other.tflite') }, ['m'], /^--out: .*other\.tflite exists, and ocelli did not write it/],
    [{}, ['m', at('other.tflite')], /^OUT: .*other\.tflite exists/],
    [{ report: at('edited') }, ['m'], /^--report: .*edited\/report\.md exists/],
    [
      { out: at('some.tflite'), force: true },
      [at('some.tflite')],
      /^--out .*some\.tflite would overwrite the input .*some\.tflite$/,
    ],
    [{ out: at('some.tflite'), input: at('some.tflite'), force: true }, ['m'], /would overwrite the input/],
    [{ out: at('some.tflite'), classes: ['a', at('some.tflite')], force: true }, ['m'], /would overwrite/],
    [
      { report: at('report'), force: true },
      [at('link.tflite')],
      /report\.md would overwrite the input .*link/,
    ],
    [{ out: at('new.png') }, ['m'], /: ocelli writes \.tflite files, not \.png$/],
  ];
  for (const [values, positionals, message] of refused)
    test(`not ${message.source}`, () => assert.rejects(outputs(values, ...positionals), { message }));

  test('the record of a report may be on one line', () => {
    const { 'r.json': text } = withRecord({ 'r.json': '{"a":1}' }, 'r.json');
    assert.deepEqual(JSON.parse(String(text)), { a: 1, generator: 'ocelli', files: {} });
  });
  test('the record of a report lists the others', () => {
    const sha256 = createHash('sha256').update('# ours').digest('hex');
    assert.deepEqual(JSON.parse(String(ours['report.json'])), {
      a: 1,
      generator: 'ocelli',
      files: { 'report.md': sha256 },
    });
  });
});

describe('marks of our files', () => {
  const pixels = { data: new Uint8Array(3), width: 1, height: 1, channels: /** @type {const} */ (3) };
  /** @param {number} padding */
  const npy = (padding) =>
    Buffer.from(
      `\x93NUMPY\x01\0v\0{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }${' '.repeat(padding)}\nabcd`,
      'latin1',
    );
  /** @type {[string, Uint8Array, boolean][]} */
  const cases = [
    ['.png', encodePng(pixels, PNG_TEXT), true],
    ['.png', encodePng(pixels), false],
    ['.mp4', Buffer.from(`${VIDEO_TEXT}${'\0'.repeat(1000)}`), true],
    ['.mp4', Buffer.from(`${VIDEO_TEXT}${'\0'.repeat(1024)}`), false],
    ['.npy', npy(64), true],
    ['.npy', npy(63), false],
    ['.tflite', Buffer.from('    TFL2'), false],
    ['.tflite', Buffer.from('\0\0\0\x7fTFL3'), false],
    ['.gz', Buffer.from('no gzip'), false],
    ['.other', Buffer.from('x'), false],
  ];
  for (const [i, [kind, bytes, isOurs]] of cases.entries())
    test(`${kind} ${i}: ${isOurs}`, async () => {
      writeFileSync(at(`marked${i}`), bytes);
      const checked = checkReplaced('--out', at(`marked${i}`), /** @type {any} */ (kind));
      if (isOurs) await checked;
      else await assert.rejects(checked, { message: /exists, and ocelli did not write it/ });
    });
});

// What the command line reads and writes, in this process: images by names, folders and patterns, images that are left out,
// data sets, kept results, options in files, and files that are written whole.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, describe, test } from 'node:test';
import { attempt, UsageError } from '../../../bin/common.js';
import { hasClassFolders } from '../../../bin/evaluate/files.js';
import { evaluateDataset } from '../../../bin/evaluate/judge.js';
import { toComparison, toJson } from '../../../bin/evaluate/print.js';
import { openState } from '../../../bin/evaluate/state.js';
import {
  identify,
  inputAt,
  makeDirectory,
  onEnding,
  protect,
  saveAll,
  writeWhole,
} from '../../../bin/files.js';
import { eachImage, eachReadable, findInputs, LeftOut, readImages } from '../../../bin/inputs.js';
import { blamingLabels, readModel, readSpecs } from '../../../bin/model.js';
import { toTrackerOptions, tracking, trackingOfVideo } from '../../../bin/tracking.js';
import { failure, OcelliError } from '../../../wasm/shared/errors.js';

const root = mkdtempSync(join(tmpdir(), 'ocelli-readings-'));
after(() => rmSync(root, { recursive: true }));
const at = (/** @type {string} */ name) => join(root, name);
const any = (/** @type {unknown} */ value) => /** @type {any} */ (value);
for (const directory of ['photos/b', 'photos/out/deep', 'empty', 'classes/x', 'classes/y'])
  mkdirSync(at(directory), { recursive: true });
for (const name of [
  'a.png',
  'b/c.jpg',
  'b/note.txt',
  'out/d.png',
  'out/deep/e.png',
  '.hidden.png',
  'z[1].png',
])
  writeFileSync(at(`photos/${name}`), name);
for (const name of ['x/1.png', 'y/2.png']) writeFileSync(at(`classes/${name}`), name);

/**
 * What a call answers and what it writes on standard error.
 * @template T
 * @param {import('node:test').TestContext} t
 * @param {() => Promise<T>} use
 */
async function watch(t, use) {
  let text = '';
  const { mock } = t.mock.method(
    process.stderr,
    'write',
    (/** @type {string} */ more) => ((text += more), true),
  );
  const before = process.exitCode;
  process.exitCode = undefined;
  try {
    const answer = await use();
    return { answer, text: text.replaceAll('\r\x1b[K', ''), status: process.exitCode };
  } finally {
    mock.restore();
    process.exitCode = before;
  }
}

describe('the images that arguments name', () => {
  const find = async (
    /** @type {import('node:test').TestContext} */ t,
    /** @type {string[]} */ args,
    /** @type {string} */ out,
  ) => {
    const found = await watch(t, () =>
      findInputs(
        args.map((arg) => (/^(?:[-!]|https?:)/i.test(arg) ? arg : at(arg))),
        out && at(out),
      ),
    );
    return {
      ...found,
      answer: found.answer.map((path) => (path === '-' ? path : relative(at('photos'), path))),
    };
  };
  /** @type {[args: string[], out: string, expected: string[]][]} */
  const cases = [
    [['photos/a.png'], '', ['a.png']],
    [['photos/b/note.txt', '-'], '', ['b/note.txt', '-']],
    [['photos'], '', ['a.png', 'b/c.jpg', 'out/d.png', 'out/deep/e.png', 'z[1].png']],
    [['photos'], 'photos/out', ['a.png', 'b/c.jpg', 'z[1].png']],
    [['photos/out'], 'photos', ['out/d.png', 'out/deep/e.png']],
    [['photos/out'], 'photos/out/deep', ['out/d.png']],
    [['photos/*.png'], '', ['a.png', 'z[1].png']],
    [['photos/*/*'], '', ['b/c.jpg', 'b/note.txt', 'out/d.png']],
    [['photos/**/*.png'], '', ['a.png', 'out/d.png', 'out/deep/e.png', 'z[1].png']],
    [['photos/**/*.png'], 'photos/out', ['a.png', 'z[1].png']],
    [['photos/z[1].png'], '', ['z[1].png']],
    [['photos/{a,q}.png', 'photos/a.png'], '', ['a.png', 'a.png']],
  ];
  for (const [args, out, expected] of cases)
    test(`${args} ${out}`, async (t) => {
      const { answer, status } = await find(t, args, out);
      assert.deepEqual([answer, status], [expected, undefined]);
    });
  /** @type {[string, RegExp][]} */
  const refused = [
    ['empty', /NO_IMAGES/],
    ['photos/*.gif', /NO_MATCH/],
    ['nowhere/*.png', /NO_MATCH/],
    ['photos/a.png/*', /NO_MATCH/],
    ['nowhere.png', /ENOENT/],
    ['https://a.test/x.png', /NOT_A_FILE/],
    ['HTTP://a.test/x.png', /NOT_A_FILE/],
  ];
  for (const [arg, reason] of refused)
    test(`not ${arg}`, async (t) => {
      const { answer, text, status } = await find(t, [arg, 'photos/a.png'], '');
      assert.deepEqual([answer, status], [['a.png'], 1]);
      assert.match(text, reason);
    });
  test('not what would read its own results, or a pattern that leaves out', async (t) => {
    await assert.rejects(find(t, ['photos'], 'photos'), {
      message: /is the directory that the images come from/,
    });
    await assert.rejects(find(t, ['!*.png'], ''), {
      message: /write 'photos\/!\(\*\.jpg\)', or \.\/!\*\.png/,
    });
  });
  test('more of them in a directory than a call has arguments', () => {
    mkdirSync(at('many/all'), { recursive: true });
    for (let i = 0; i < 15_000; i++) writeFileSync(at(`many/all/${i}.png`), '');
    const from = (/** @type {string} */ path) =>
      JSON.stringify(new URL(`../../../${path}`, import.meta.url).href);
    const script = `
      import { findInputs } from ${from('bin/inputs.js')};
      import { openImageDirectory } from ${from('wasm/train/directory.node.js')};
      const [directory] = process.argv.slice(1);
      console.log((await findInputs([directory])).length, (await openImageDirectory(directory)).sources.length);`;
    // A small stack makes few of many: by default it is some 120 000.
    const args = ['--stack-size=100', '--input-type=module', '-e', script, '--', at('many')];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    assert.equal(stdout, '15000 15000\n', stderr);
  });
  test('are protected', async (t) => {
    await find(t, ['photos/a.png'], '');
    assert.equal(await inputAt(at('photos/a.png')), at('photos/a.png'));
    assert.equal(await inputAt(at('photos/b/note.txt.x')), undefined);
  });
});

describe('images that cannot be read', () => {
  const damaged = new OcelliError('IMAGE_CORRUPT', 'cut');
  const bug = new TypeError('a fault');
  test('are named, counted and left out', async (t) => {
    const leftOut = new LeftOut({ strict: false });
    const { text, answer } = await watch(t, async () => {
      leftOut.add('a.png', damaged);
      leftOut.callback((i) => `image ${i}`)?.(damaged, 3);
      assert.equal(leftOut.count, 2);
      assert.throws(() => leftOut.add('a.png', bug), bug);
      return [leftOut.report(3), leftOut.count];
    });
    assert.match(
      text,
      /^ocelli: a\.png: IMAGE_CORRUPT: .*; left out\nocelli: image 3: .*\nimages left out: 2 of 3\n$/,
    );
    assert.deepEqual(answer, [true, 2]);
  });
  test('end the command with --strict', () => {
    const leftOut = new LeftOut({ strict: true });
    assert.throws(() => leftOut.add('a.png', damaged), damaged);
    assert.equal(leftOut.callback(String), undefined);
  });
  test('all of them: an error', async (t) => {
    const leftOut = new LeftOut({ strict: false });
    const { text, answer, status } = await watch(t, async () => {
      leftOut.add('a.png', damaged);
      return leftOut.report(1);
    });
    assert.deepEqual([answer, status], [false, 1]);
    assert.match(text, /\nocelli: none of the images can be read\n$/);
  });
  test('none of them: nothing is said', async (t) => {
    const { text, answer } = await watch(t, async () => new LeftOut({ strict: false }).report(1));
    assert.deepEqual([text, answer], ['', true]);
  });

  const files = ['a.png', 'b/c.jpg', 'z[1].png'].map((name) => at(`photos/${name}`));
  const use =
    (/** @type {string[]} */ seen, /** @type {unknown} */ error) =>
    async (/** @type {string} */ file, /** @type {Uint8Array} */ bytes) => {
      if (file === files[1] && error) throw error;
      seen.push(String(bytes));
    };
  test('are left out of a loop, or stop it', async (t) => {
    /** @type {string[]} */
    const seen = [];
    const run = (/** @type {LeftOut} */ leftOut, /** @type {unknown} */ error) =>
      watch(t, () => eachReadable(files, leftOut, use(seen, error)));
    const all = await run(new LeftOut({ strict: false }), undefined);
    assert.deepEqual(
      [seen.splice(0), all.answer, all.status],
      [['a.png', 'b/c.jpg', 'z[1].png'], true, undefined],
    );
    const some = await run(new LeftOut({ strict: false }), damaged);
    assert.deepEqual([seen.splice(0), some.answer, some.status], [['a.png', 'z[1].png'], true, 1]);
    const stopped = await run(new LeftOut({ strict: true }), damaged);
    assert.deepEqual([seen.splice(0), stopped.answer, stopped.status], [['a.png'], false, 1]);
    await assert.rejects(run(new LeftOut({ strict: false }), bug), bug);
  });
  test('are named, and the others done', async (t) => {
    /** @type {string[]} */
    const seen = [];
    const { text, status } = await watch(t, () => eachImage(files, use(seen, damaged)));
    assert.deepEqual([seen, status], [['a.png', 'z[1].png'], 1]);
    assert.match(text, /^ocelli: .*c\.jpg: IMAGE_CORRUPT: [^\n]*\n$/);
  });
  test('are left out of what is read one by one', async (t) => {
    const leftOut = new LeftOut({ strict: false });
    const images = readImages([files[0], at('gone.png'), files[2]], leftOut);
    /** @type {unknown[]} */
    const seen = [images.current()];
    await watch(t, async () => {
      for await (const bytes of images.read()) seen.push(String(Buffer.from(bytes)), images.current());
    });
    assert.deepEqual(seen, [undefined, 'a.png', files[0], 'z[1].png', files[2]]);
    assert.deepEqual([images.current(), leftOut.count], [undefined, 1]);
  });
});

test('what fails is printed with the file that it is about', async (t) => {
  const system = (/** @type {object} */ more) =>
    Object.assign(new Error('x'), { errno: -2, syscall: 'open', code: 'ENOENT', ...more });
  /** @type {[any, unknown, string][]} */
  const cases = [
    ['f', new OcelliError('IMAGE_CORRUPT', 'cut'), 'f: IMAGE_CORRUPT: '],
    ['dir', system({ path: 'dir/f' }), 'dir/f: ENOENT: '],
    ['dir', system({ path: 'other/f' }), 'dir: ENOENT: '],
    [undefined, system({ path: 'other/f' }), 'other/f: ENOENT: '],
    [undefined, system({}), 'ENOENT: '],
    [() => 'late', new OcelliError('IMAGE_CORRUPT', 'cut'), 'late: IMAGE_CORRUPT: '],
    ['', new OcelliError('IMAGE_CORRUPT', 'cut'), "'': IMAGE_CORRUPT: "],
  ];
  for (const [file, error, expected] of cases) {
    const { text, status, answer } = await watch(t, () => attempt(file, () => Promise.reject(error)));
    assert.ok(text.startsWith(`ocelli: ${expected}`), text);
    assert.deepEqual([status, answer], [1, undefined]);
  }
  assert.equal(await attempt('f', () => 7), 7);
  const bug = new TypeError('a fault');
  await assert.rejects(
    attempt('f', () => Promise.reject(bug)),
    bug,
  );
});

describe('a data set', () => {
  test('of folders of images, one for each class', async () => {
    const has = async (/** @type {string[]} */ names) => {
      const directory = mkdtempSync(at('set-'));
      for (const name of names) {
        mkdirSync(join(directory, name, '..'), { recursive: true });
        writeFileSync(join(directory, name), '');
      }
      return hasClassFolders(directory);
    };
    assert.equal(await hasClassFolders(at('classes')), true);
    assert.equal(await has(['a/1.png', 'b/c/2.jpg', 'README.md']), true);
    for (const names of [
      ['a/1.png', '2.png'],
      ['a/note.txt'],
      [],
      ['a/1.png', 'b.json'],
      ['a/1.png', 'a/1.XML'],
      ['a/1.png', 'x.yaml'],
      ['a/1.png', 'x.csv'],
    ])
      // prettier-ignore
      assert.equal(await has(names), false, String(names));
    assert.equal(await hasClassFolders(at('photos/a.png')), false);
  });
});

describe('results of an interrupted run', () => {
  const result = (/** @type {number} */ image) => any({ image });
  test('go on after the last whole line', async () => {
    const file = at('state.jsonl');
    const first = await openState(file, { a: 1 }, false);
    assert.deepEqual(first.done, []);
    await first.add(result(1));
    await first.add(result(2));
    writeFileSync(file, `${readFileSync(file, 'utf8')}{"image": 3`);
    const second = await openState(file, { a: 1 }, false);
    assert.deepEqual(second.done, [{ image: 1 }, { image: 2 }]);
    await second.add(result(4));
    assert.deepEqual((await openState(file, { a: 1 }, false)).done, [
      { image: 1 },
      { image: 2 },
      { image: 4 },
    ]);
    assert.deepEqual((await openState(file, { a: 2 }, false)).done, []);
    assert.deepEqual((await openState(file, { a: 1 }, false)).done, []);
  });
  test('replace no file of another', async () => {
    const file = at('mine.jsonl');
    for (const text of ['a diary', '\n\nlater', `{"key":"${'0'.repeat(63)}"}`]) {
      writeFileSync(file, text);
      await assert.rejects(openState(file, {}, false), {
        message: /ocelli did not write .*mine\.jsonl; pass --force/,
      });
    }
    for (const text of ['', '\n\n', `{"key":"${'0'.repeat(64)}"}\n`]) {
      writeFileSync(file, text);
      assert.deepEqual((await openState(file, {}, false)).done, []);
    }
    writeFileSync(file, 'a diary');
    assert.deepEqual((await openState(file, {}, true)).done, []);
    protect([file]);
    await assert.rejects(openState(file, {}, true), { message: /would overwrite the input/ });
  });
});

describe('an evaluation', () => {
  const groundTruth = any({
    images: [{ id: 1, width: 10, height: 10 }],
    categories: [{ id: 1, name: 'a' }],
    annotations: [],
  });
  test('has the notes of the data set before those on the detections', () => {
    const dataset = any({ groundTruth, notes: [{ message: 'of the data' }] });
    const { notes } = evaluateDataset(
      dataset,
      [],
      { measures: [] },
      { notes: [any({ message: 'of the file' })] },
    );
    assert.deepEqual(notes.slice(0, 2).map(({ message }) => message), ['of the data', 'of the file']); // prettier-ignore
  });
  test('has more notes than a call has arguments', () => {
    const many = Array.from({ length: 200_000 }, () => any({ message: 'of the data' }));
    const { notes } = evaluateDataset(
      any({ groundTruth, notes: many }),
      [],
      { measures: [] },
      { notes: many },
    );
    assert.ok(notes.length >= 400_000);
  });
  test('as JSON has no curves and no images', () => {
    const classes = [{ name: 'a', precision: [1], coco: {} }];
    assert.deepEqual(toJson(any({ images: 1, classes })), { images: 1, classes: [{ name: 'a', coco: {} }] });
    const confusion = { threshold: 0.5, pairs: [1], matrix: [[1]] };
    assert.deepEqual(toJson(any({ classes: [], confusion, intervals: { draws: 5, AP: [0, 1] } })), {
      ...{ classes: [], confusion: { threshold: 0.5, pairs: [1] }, intervals: { AP: [0, 1] } },
    });
    assert.deepEqual(toJson(any({ classes: [], intervals: { draws: 0, AP: [0, 1] } })), { classes: [] });
  });
  test('beside another is a table with a column for each figure', () => {
    const coco = {
      AP: 0.5,
      AP50: 0.75,
      AP75: 0.25,
      APs: null,
      APm: null,
      APl: null,
      AR1: 0,
      AR10: 0,
      AR100: 0,
    };
    const run = (/** @type {string} */ name) => any({ name, evaluation: { coco, classes: [], notes: [] } });
    const lines = toComparison([run('one'), run('two')]);
    assert.deepEqual(lines, [
      '  model  size  time     AP  95 %   AP50  95 %  best F1  at threshold  95 %',
      '  one       –     –  0.500     –  0.750     –        –             –     –',
      '  two       –     –  0.500     –  0.750     –        –             –     –',
    ]);
  });
});

describe('what options say about a model', () => {
  const read = (/** @type {object} */ specs) => readSpecs(any(specs));
  writeFileSync(at('labels.txt'), 'a\nb\n');
  writeFileSync(at('input.json'), '{"scale": 1, "offset": 0, "resize": "legacy"}');
  writeFileSync(at('bad.json'), '{"scale": "x"}');
  const input = { scale: 1, offset: 0, resize: 'legacy' };
  test('in files, as JSON, or by name', async (t) => {
    assert.deepEqual(await read({}), {});
    assert.deepEqual(await read({ labels: at('labels.txt') }), { labels: [{ name: 'a' }, { name: 'b' }] });
    assert.deepEqual(await read({ input: at('input.json') }), { input });
    assert.deepEqual(await read({ input: ` ${JSON.stringify(input)}` }), { input });
    assert.deepEqual(await read({ input: '[0,1]' }), { input: '[0,1]' });
    assert.deepEqual(await read({ ssd: '{"scores": "sigmoid"}' }), { ssd: { scores: 'sigmoid' } });
    const { answer, text } = await watch(t, () => read({ labels: at('none.txt'), input: '[0,1]' }));
    assert.equal(answer, undefined);
    assert.match(text, /none\.txt: ENOENT/);
    assert.equal((await watch(t, () => read({ input: at('none.json') }))).answer, undefined);
  });
  /** @type {[object, RegExp][]} */
  const refused = [
    [{ input: 'imagenett' }, /^--input imagenett: neither a value that it takes nor a file; see --help$/],
    [{ input: '{' }, /^--input: /],
    [{ input: at('bad.json') }, /^--input: .*bad\.json: .*input\.scale/],
    [{ ssd: '{"scores": 1}' }, /^--ssd: .*ssd\.scores/],
  ];
  for (const [specs, message] of refused)
    test(`${message}`, () =>
      assert.rejects(read(specs), (error) => error instanceof UsageError && message.test(error.message)));
  test('wrong labels are those of the file', async () => {
    const wrong = failure('INVALID_OPTION', 'labels has 1 name, but the model has 2 classes');
    const blame = (/** @type {string | undefined} */ file, /** @type {unknown} */ error) =>
      blamingLabels(file, () => Promise.reject(error));
    await assert.rejects(blame('l.txt', wrong), {
      message: '--labels l.txt: labels has 1 name, but the model has 2 classes',
    });
    await assert.rejects(blame(undefined, wrong), wrong);
    const others = [failure('INVALID_OPTION', 'other'), new Error('x: labels has 1 name')];
    for (const other of others) await assert.rejects(blame('l.txt', other), other);
    assert.equal(await blamingLabels('l.txt', async () => 7), 7);
  });
  test('a model is named, but for standard input', async () => {
    assert.deepEqual([await readModel('a.tflite'), await readModel(undefined)], ['a.tflite', undefined]);
  });
  test('of a tracker', () => {
    assert.deepEqual(toTrackerOptions({ activation: 0.5, lost: 3, 'frame-rate': 25 }), {
      ...{ activationThreshold: 0.5, lostFrames: 3, frameRate: 25 },
      ...{ highThreshold: undefined, minIou: undefined, minFrames: undefined },
    });
    assert.deepEqual(Object.keys(tracking).filter((name) => !(name in trackingOfVideo)), ['frame-rate']); // prettier-ignore
  });
});

describe('files', () => {
  const partials = () => readdirSync(root).filter((name) => name.endsWith('.partial'));
  test('are written whole, where links lead to, with their mode', async () => {
    assert.equal(await writeWhole(at('new.txt'), 'one'), true);
    assert.equal(readFileSync(at('new.txt'), 'utf8'), 'one');
    chmodSync(at('new.txt'), 0o640);
    symlinkSync(at('new.txt'), at('link.txt'));
    await writeWhole(at('link.txt'), 'two');
    assert.deepEqual(
      [readFileSync(at('new.txt'), 'utf8'), statSync(at('new.txt')).mode & 0o777],
      ['two', 0o640],
    );
    assert.deepEqual(partials(), []);
    await writeWhole('/dev/null', 'x');
  });
  test('are not written over an input, or where nothing can be', async () => {
    writeFileSync(at('input.txt'), 'x');
    linkSync(at('input.txt'), at('same.txt'));
    protect([at('input.txt')]);
    await assert.rejects(writeWhole(at('same.txt'), 'y'), {
      message: /same\.txt would overwrite the input .*input\.txt/,
    });
    await assert.rejects(writeWhole(at('none/x.txt'), 'y'), { code: 'ENOENT', path: at('none/x.txt') });
    assert.equal(readFileSync(at('input.txt'), 'utf8'), 'x');
  });
  test('have an identity, directories none', async () => {
    assert.equal(await identify(at('input.txt')), await identify(at('same.txt')));
    assert.notEqual(await identify(at('input.txt')), await identify(at('new.txt')));
    for (const name of [root, at('nowhere'), '/dev/null']) assert.equal(await identify(name), undefined);
  });
  test('of a report go into a directory that is made', async (t) => {
    const report = { record: 'r.json', names: /x/ };
    const write = t.mock.method(process.stdout, 'write', () => true);
    await saveAll(at('made/below'), { 'r.json': '{"a": 1}', 'r.md': 'text' }, report);
    write.mock.restore();
    assert.deepEqual(readdirSync(at('made/below')).sort(), ['r.json', 'r.md']);
    const { status, text } = await watch(t, () => saveAll(at('input.txt/x'), { 'r.json': '{}' }, report));
    assert.equal(status, 1);
    assert.match(text, /ENOTDIR|EEXIST/);
  });
  test('directories are made with those that they are in', async () => {
    await makeDirectory(at('p/q/r'));
    await makeDirectory(at('p/q/r'));
    assert.ok(existsSync(at('p/q/r')));
    await assert.rejects(makeDirectory(at('input.txt')), { code: 'EEXIST' });
    await assert.rejects(makeDirectory(at('input.txt/x')), { code: 'ENOTDIR' });
  });
  test('are cleaned up at the end of the process, unless they are done', (t) => {
    const count = () => ['exit', 'SIGINT', 'SIGTERM', 'SIGHUP'].map((name) => process.listenerCount(name));
    const before = count();
    let ran = 0;
    const stop = onEnding(() => void ran++);
    assert.deepEqual(count(), before.map((number) => number + 1)); // prettier-ignore
    any(process.listeners('exit').at(-1))(0);
    stop();
    assert.deepEqual([count(), ran], [before, 1]);
    /** @type {any[]} */
    const killed = [];
    t.mock.method(process, 'kill', (/** @type {any[]} */ ...given) => killed.push(given));
    onEnding(() => void ran++);
    any(process.listeners('SIGTERM').at(-1))('SIGTERM');
    assert.deepEqual([count(), ran, killed], [before, 2, [[process.pid, 'SIGTERM']]]);
  });
});

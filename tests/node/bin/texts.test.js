// What the command line writes, in this process: numbers, tables, help, errors, and video frames as bytes. Against texts and
// numbers that are written here.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readArguments } from '../../../bin/arguments.js';
import * as common from '../../../bin/common.js';
import { toText } from '../../../bin/evaluate/print.js';
import { formatCommandHelp } from '../../../bin/help.js';
import { readFiles } from '../../../bin/video/mjpeg.js';
import { Reader } from '../../../bin/video/reader.js';
import { readFrames, readHeader, writeFrame, writeHeader } from '../../../bin/video/y4m.js';
import { failure } from '../../../wasm/shared/errors.js';
import { formatBytes } from '../../../wasm/shared/text.js';

/** A reader of bytes that arrive `step` at a time. @param {Uint8Array} bytes @param {number} [step] */
const readerOf = (bytes, step = 3) =>
  new Reader(
    (async function* () {
      for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
    })(),
  );

/**
 * @template T
 * @param {AsyncIterable<T>} values
 */
async function allOf(values) {
  const all = [];
  for await (const value of values) all.push(value);
  return all;
}

/** @param {string} fault */
const refusedInput = (fault) => ({ message: `the input cannot be used: ${fault}` });

/** @param {any} error @param {string} [file] */
function refusal(error, file) {
  try {
    return common.explain(error, file);
  } catch (usage) {
    return `usage: ${/** @type {Error} */ (usage).message}`;
  }
}

describe('numbers', () => {
  /** @type {[(value: any) => unknown, any, unknown][]} */
  const cases = [
    [common.formatCount, 999, '999'],
    [common.formatCount, 1000, '1 k'],
    [common.formatCount, 999_999, '1000 k'],
    [common.formatCount, 1_000_000, '1 M'],
    [common.formatCount, 672_954_000, '673 M'],
    [common.formatCount, 1_000_000_000, '1 G'],
    [formatBytes, 1023, '1.0 KiB'],
    [formatBytes, 2 ** 20 - 1, '1024.0 KiB'],
    [formatBytes, 2 ** 20, '1.0 MiB'],
    [formatBytes, 2.5 * 2 ** 20, '2.5 MiB'],
    [common.formatPercent, 0.8123, '81.2 %'],
    [common.shorten, 1 / 3, '0.333333'],
    [common.shorten, 2, '2'],
    [common.median, [3, 10, 1], 3],
    [common.median, [10, 3, 1, 4], 3.5],
    [common.roundMs, 1.23456, 1.235],
    [common.shortName, 'last;first', 'last'],
  ];
  for (const [format, value, text] of cases)
    test(`${format.name} of ${value} is ${text}`, () => assert.equal(format(value), text));
  test('what is said about a run', () =>
    assert.deepEqual(
      common.factsOf(
        /** @type {any} */ ({ precision: 'int8', decode: 'own', ms: { run: 1.23456 }, other: 1 }),
      ),
      { precision: 'int8', decode: 'own', ms: { run: 1.235 } },
    ));
});

test('a table', () => {
  const long = 'x'.repeat(401);
  assert.deepEqual(
    common.layOut(
      [
        ['a', '1', 'b'],
        ['ccc', '22', ''],
      ],
      'lrl',
    ),
    ['  a     1  b', '  ccc  22'],
  );
  assert.deepEqual(common.layOut([[long], [long.slice(1)]], 'l'), [
    `  ${'x'.repeat(400)}…`,
    `  ${'x'.repeat(400)}`,
  ]);
});

test('errors', () => {
  const system = (/** @type {object} */ fields) => Object.assign(new Error('no'), fields);
  const { message } = failure('INVALID_OPTION', 'no');
  assert.match(String(refusal(failure('SSD_UNKNOWN', 'no'))), /: no \(pass it with --ssd\)$/);
  assert.equal(refusal(failure('INVALID_INPUT', 'no')), 'INVALID_INPUT: the input cannot be used: no');
  assert.equal(refusal(failure('INVALID_OPTION', 'no')), `usage: ${message}`);
  assert.equal(refusal(failure('INVALID_OPTION', 'no'), 'a.json'), `usage: a.json: ${message}`);
  assert.equal(refusal(system({ code: 'ERR_FS_FILE_TOO_LARGE' })), 'ERR_FS_FILE_TOO_LARGE: no');
  assert.equal(
    refusal(system({ code: 'ENOENT', errno: -2, syscall: 'open' })),
    'ENOENT: no such file or directory',
  );
  for (const bug of [{ code: 'ENOENT', errno: -2 }, { code: 'ENOENT', syscall: 'open' }, {}])
    assert.equal(refusal(system(bug)), undefined);
});

/** @type {any} */
const COMMAND = {
  summary: 'does it',
  about: 'Does it, and says so in a text that is longer than a line of eighty characters, of words to break.',
  positionals: [
    { name: 'MODEL', what: 'a model', about: 'any' },
    { name: 'FILE', what: 'files', repeated: true },
  ],
  options: {
    classes: { type: 'classes', value: 'A,B', about: 'only these' },
    level: {
      type: 'number',
      value: 'N',
      short: 'l',
      about: 'how much',
      range: { min: 0, max: 9 },
      default: 3,
    },
    count: {
      type: 'number',
      value: 'N',
      about: 'how often',
      range: { min: 1, max: 8, integer: true },
      choices: ['auto'],
    },
    'a-very-long-option': { type: 'flag', about: 'b'.repeat(57) },
    'a-long-optio': { type: 'flag', about: `${'c'.repeat(57)} dd e` },
    out: { type: 'text', value: 'FILE', about: 'where', required: true, defaultText: 'none' },
  },
  examples: ['ocelli do it'],
};

test('the help of a command', () =>
  assert.deepEqual(formatCommandHelp('do', COMMAND).split('\n'), [
    'Usage: ocelli do --out FILE [options] MODEL FILE...',
    '',
    'Does it, and says so in a text that is longer than a line of eighty characters,',
    'of words to break.',
    '',
    'Arguments:',
    '  MODEL              a model (any)',
    '  FILE...            files',
    '',
    'Options:',
    '  --classes A,B      only these',
    '  -l, --level N      how much (0 to 9; default: 3)',
    '  --count N          how often (1 to 8 or auto)',
    '  --a-very-long-option',
    `                     ${'b'.repeat(57)}`,
    `  --a-long-optio     ${'c'.repeat(57)}`,
    '                     dd e',
    '  --out FILE         where (default: none)',
    '  -h, --help         show this text',
    '',
    'Examples:',
    '  ocelli do it',
  ]));

describe('arguments', () => {
  const read = (/** @type {string[]} */ ...args) => readArguments('do', COMMAND, ['--out=o', ...args]);
  test('values', () => {
    assert.deepEqual(read('m', 'f', 'g'), {
      values: {
        classes: undefined,
        level: 3,
        count: undefined,
        'a-very-long-option': false,
        'a-long-optio': false,
        out: 'o',
      },
      positionals: ['m', 'f', 'g'],
    });
    const given = read(
      'm',
      'f',
      '-l',
      '9',
      '--count=8',
      '--classes=a, 1,',
      '--classes',
      'b2',
      '--a-long-optio',
    );
    assert.deepEqual(
      { ...given?.values },
      {
        classes: ['a', 1, 'b2'],
        level: 9,
        count: 8,
        'a-very-long-option': false,
        'a-long-optio': true,
        out: 'o',
      },
    );
    assert.equal(read('m', 'f', '--count=auto', '--level=0.5')?.values.count, 'auto');
    assert.equal(read('--help'), undefined);
  });
  /** @type {[string[], string][]} */
  const refused = [
    [['m'], 'do needs a model and files'],
    [['m', 'f', '--level=9.5'], "--level takes a number from 0 to 9, not '9.5'"],
    [['m', 'f', '--level=-1'], "--level takes a number from 0 to 9, not '-1'"],
    [['m', 'f', '--level= '], "--level takes a number from 0 to 9, not ' '"],
    [['m', 'f', '--level=auto'], "--level takes a number from 0 to 9, not 'auto'"],
    [['m', 'f', '--count=1.5'], "--count takes a whole number from 1 to 8 or auto, not '1.5'"],
    [['m', 'f', '--classes=,'], "--classes takes names separated by commas, not ','"],
    [['m', 'f', '--level=1', '-l', '2'], '--level is given twice, but takes one value'],
    [['m', '-', '-'], 'standard input can be read only once'],
    [['m', 'f', '--levle=1'], "unknown option '--levle'; did you mean --level?"],
    [['m', 'f', '-V'], "unknown option '-V'; ocelli --version shows the version"],
  ];
  for (const [args, message] of refused)
    test(args.join(' '), () => assert.throws(() => read(...args), { name: 'Error', message }));
  test('a required option', () =>
    assert.throws(() => readArguments('do', COMMAND, ['m', 'f']), { message: 'do needs --out FILE' }));
  test('one argument too many', () =>
    assert.throws(() => readArguments('do', { ...COMMAND, positionals: [] }, ['--out=o', 'x']), {
      message: "unexpected argument 'x'",
    }));
});

describe('JPEG files one after another', () => {
  const start = [0xff, 0xd8];
  const end = [0xff, 0xd9];
  /** @param {number} marker @param {number[]} content */
  const segment = (marker, content) => [0xff, marker, 0, content.length + 2, ...content];
  const scan = segment(0xda, [7]);
  /** @type {[string, number[]][]} */
  const whole = [
    ['no segment', [...start, ...end]],
    ['a file in a segment', [...start, ...segment(0xe1, [...start, ...end]), ...scan, 1, ...end]],
    ['stuffed zeros, restarts, padding', [...start, ...scan, 0xff, 0, 0xff, 0xd0, 0xff, 0xd7, 0xff, ...end]],
    ['padding between segments', [...start, 0xff, ...segment(0xe0, []), 0xff, ...end]],
    ['several scans', [...start, ...scan, 1, 2, ...segment(0xc4, end), ...scan, 3, 0xff, ...end]],
  ];
  for (const [name, file] of whole)
    for (const step of [1, 3, 100])
      test(`${name}, ${step} bytes at a time`, async () => {
        const files = await allOf(readFiles(readerOf(Uint8Array.from([...file, ...file]), step)));
        assert.deepEqual(
          files.map((each) => [...each]),
          [file, file],
        );
      });
  /** @type {[string, number[]][]} */
  const refused = [
    ['frame 1 is not a JPEG file', [0xfe, 0xd8, ...end]],
    ['frame 1 is not a JPEG file', [0xff, 0xd9, ...end]],
    ['frame 2 is not a JPEG file', [...start, ...end, 0]],
    ['frame 1 is cut short', [...start, ...scan, 1, 2]],
    ['frame 1 is cut short', [...start, 0, 0xd9]],
    ['frame 1 is cut short', [...start, 0xff, 0xe0, 0]],
    ['frame 1 is cut short', start],
  ];
  for (const [message, bytes] of refused)
    test(`${message}: ${bytes.join(' ')}`, () =>
      assert.rejects(allOf(readFiles(readerOf(Uint8Array.from(bytes)))), refusedInput(message)));
});

describe('uncompressed video', () => {
  const LAYOUT = { width: 3, height: 3, across: 2, down: 2, isFull: false, rate: '30/1' };
  /** @type {[string, object | string][]} */
  const heads = [
    ['W3 H3', LAYOUT],
    ['W3 H3 F25:2 C422', { ...LAYOUT, down: 1, rate: '25/2' }],
    ['W3 H3 F0:1 C444 XCOLORRANGE=FULL', { ...LAYOUT, across: 1, down: 1, isFull: true }],
    ['W3 H3 Cmono', { ...LAYOUT, across: 0, down: 0 }],
    ['W9 H1 C420jpeg', { ...LAYOUT, width: 9, height: 1 }],
    ['W1 H9 C420mpeg2', { ...LAYOUT, width: 1, height: 9 }],
    ['W3 H3 C420paldv', LAYOUT],
    ['W3 H3 C420p10', '.y4m frames of the form 420p10; those of 8 bits can be read'],
    ['W0 H3', 'the .y4m file gives no width and height'],
    ['W3 H0', 'the .y4m file gives no width and height'],
    ['W3 H1.5', 'the .y4m file gives no width and height'],
    ['W1.5 H3', 'the .y4m file gives no width and height'],
    ['W2 H5', 'frames of 2 x 5 pixels; the limit is 9 pixels'],
  ];
  for (const [head, expected] of heads)
    test(head, async () => {
      const read = readHeader(readerOf(Buffer.from(`YUV4MPEG2 ${head}\n`)), 9);
      if (typeof expected === 'string') await assert.rejects(read, refusedInput(expected));
      else assert.deepEqual(await read, expected);
    });

  /**
   * Pixel by pixel after BT.601.
   * @param {(x: number, y: number) => number[]} yuvAt
   * @param {boolean} isFull
   */
  const rgbOf = (yuvAt, isFull) =>
    Array.from({ length: 9 }, (_, i) => {
      const [y, u, v] = yuvAt(i % 3, Math.floor(i / 3));
      const light = isFull ? y : ((y - 16) * 255) / 219;
      const [blue, red] = [u, v].map((level) => (level - 128) * (isFull ? 1 : 255 / 224));
      const [kr, kb] = [0.299, 0.114];
      const kg = 1 - kr - kb;
      return [
        light + 2 * (1 - kr) * red,
        light - (2 * (1 - kb) * kb * blue) / kg - (2 * (1 - kr) * kr * red) / kg,
        light + 2 * (1 - kb) * blue,
      ];
    }).flat();
  const light = [16, 50, 235, 90, 128, 200, 17, 60, 70];
  /** @type {[string, number, number, number][]} */
  const samplings = [
    ['C420', 2, 2, 4],
    ['C422', 2, 1, 6],
    ['C444', 1, 1, 9],
    ['Cmono', 0, 0, 0],
  ];
  for (const [name, across, down, count] of samplings)
    for (const isFull of [false, true])
      test(`frames of ${name}, ${isFull ? 'full' : 'limited'} range`, async () => {
        const blue = Array.from({ length: count }, (_, i) => 100 + 9 * i);
        const red = Array.from({ length: count }, (_, i) => 160 - 7 * i);
        const frame = [...Buffer.from('FRAME Ip\n'), ...light, ...blue, ...red];
        const layout = { ...LAYOUT, across, down, isFull };
        const frames = await allOf(readFrames(readerOf(Uint8Array.from([...frame, ...frame])), layout));
        const expected = rgbOf((x, y) => {
          if (across === 0) return [light[3 * y + x], 128, 128];
          const at = Math.floor(y / down) * Math.ceil(3 / across) + Math.floor(x / across);
          return [light[3 * y + x], blue[at], red[at]];
        }, isFull);
        assert.equal(frames.length, 2);
        for (const { data, ...rest } of frames) {
          assert.deepEqual(rest, { width: 3, height: 3, channels: 3 });
          data.forEach((level, i) =>
            assert.ok(
              Math.abs(level - Math.min(255, Math.max(0, expected[i]))) <= 0.51,
              `${i}: ${level}, ${expected[i]}`,
            ),
          );
        }
      });
  test('frames that cannot be read', async () => {
    const read = (/** @type {string} */ text) =>
      allOf(readFrames(readerOf(Buffer.from(text, 'latin1')), { ...LAYOUT, width: 1, height: 1 }));
    assert.equal((await read('FRAME\nabc')).length, 1);
    await assert.rejects(read('FRAME\nab'), refusedInput('frame 1 is cut short'));
    await assert.rejects(read('FRAME\nabcFRAM\nabc'), refusedInput('frame 2 does not begin with FRAME'));
  });

  test('what is written is read', async () => {
    const size = { width: 2, height: 1 };
    const data = Uint8Array.of(200, 30, 90, 10, 250, 120);
    assert.equal(writeHeader(size, '25/2'), 'YUV4MPEG2 W2 H1 F25:2 Ip A1:1 C444\n');
    const bytes = writeFrame({ data, ...size });
    assert.equal(bytes.length, 6 + 6);
    // White and black have the limits of the range, and blue and red theirs.
    const extremes = Uint8Array.of(255, 255, 255, 0, 0, 0, 0, 0, 255, 255, 0, 0);
    const planes = [...writeFrame({ data: extremes, width: 4, height: 1 }).subarray(6)];
    assert.deepEqual(planes, [235, 16, 41, 81, 128, 128, 240, 90, 128, 128, 110, 240]);
    const layout = { ...LAYOUT, ...size, across: 1, down: 1 };
    const [frame] = await allOf(readFrames(readerOf(bytes), layout));
    frame.data.forEach((level, i) => assert.ok(Math.abs(level - data[i]) <= 2, `${i}: ${level}`));
  });
});

test('an evaluation', () => {
  const coco = { AP: 0.5, AP50: 0.75, AP75: null, AR100: 0.6 };
  const unseen = { name: 'c', objects: 0, detections: 0, coco: {} };
  /** @type {any} */
  const evaluation = {
    ...{ coco, images: 1, objects: 2, detections: 3 },
    classes: [
      { name: 'a', objects: 2, detections: 3, coco, bestF1: { f1: 0.8, threshold: 0.25 } },
      { name: 'b', objects: 0, detections: 1, coco: {} },
      unseen,
    ],
  };
  const lines = toText(evaluation).split('\n');
  assert.equal(lines[0], '1 image, 2 objects, 3 detections');
  assert.match(lines[2], /^ {2}AP, IoU 0\.50 to 0\.95 +0\.500$/);
  assert.match(lines[4], /^ {2}AP, IoU 0\.75 +-$/);
  assert.deepEqual(lines.slice(-4), [
    'Classes',
    '     objects     AP   AP50  AR100  best F1  threshold',
    '  a        2  0.500  0.750  0.600    0.800      0.250',
    '  b        0      -      -      -        -          -',
  ]);
  const more = toText({
    ...evaluation,
    intervals: { AP: [0.4, 0.6], threshold: [0.2, 0.3] },
    openImages: { rule: '2019', mAP: 0.125 },
    voc: { mAP2007: 0.25, mAP2010: 0.375 },
    calibration: { error: 0.0625 },
    thresholds: { bestF1: { threshold: 0.25, f1: 0.8 } },
    tide: { AP: 1, counts: { Cls: 4, FalsePos: 1 }, FalsePos: 2, FalseNeg: 3, Cls: 1.5 },
  });
  for (const line of [
    /\n {2}AP, IoU 0\.50 to 0\.95 +0\.500 {2}0\.400 to 0\.600\n/,
    /\n {2}AP, IoU 0\.50 +0\.750\n/,
    /\n {2}mAP, Open Images \(2019\) +0\.125\n/,
    /\n {2}mAP, Pascal VOC 2007 +0\.250\n/,
    /\n {2}mAP, Pascal VOC 2010 +0\.375\n/,
    /\n {2}calibration error +0\.063\n/,
    /\n {2}best F1, at threshold 0\.250 \(0\.200 to 0\.300\) +0\.800\n/,
    /\n {11}Cls\n {2}points {2}1\.50\n {2}errors {5}4\n/,
    /\n +objects +AP +95 % +AP50 /,
  ])
    assert.match(more, line);
});

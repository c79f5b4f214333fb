// Help texts and the reading of arguments: both come from the declaration of a command, and the program must show it.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readArguments } from '../../../bin/arguments.js';
import { UsageError } from '../../../bin/common.js';
import { MAX_RESULTS } from '../../../dist/layout.js';
import { CLI, ocelli, succeed } from './run.js';

/**
 * @typedef {import('../../../bin/arguments.js').Command} Command
 * @typedef {import('../../../bin/arguments.js').Option} Option
 * @typedef {import('../../../bin/arguments.js').Options} Options
 */

const ROOT = new URL('../../../', import.meta.url);

/** @type {[string, Command][]} */
const COMMANDS = await Promise.all(
  readdirSync(new URL('bin/commands/', ROOT)).map(async (file) => {
    const { command } = await import(new URL(`bin/commands/${file}`, ROOT).href);
    return /** @type {[string, Command]} */ ([file.replace('.js', ''), command]);
  }),
);

/** @param {string} text @returns {string[]} the options that a help text lists */
const listedOptions = (text) => [...text.matchAll(/^ {2}(?:-h, )?--([a-z-]+)/gm)].map(([, option]) => option);

/**
 * The description of an option on one line.
 * @param {string} text
 * @param {string} option
 */
function descriptionOf(text, option) {
  const [, rest] = text.split(new RegExp(`^ {2}--${option}(?= )`, 'm'));
  return rest.split(/\n {2}\S|\n\n/)[0].replace(/\s+/g, ' ');
}

/** @type {Map<string, string>} */
const helpTexts = new Map();
/** What `ocelli NAME --help` prints. @param {string} name */
function helpOf(name) {
  const text = helpTexts.get(name) ?? succeed([name, '--help']);
  helpTexts.set(name, text);
  return text;
}

/** The arguments without which a command does not run. @param {Command} command */
function needed({ positionals, options }) {
  const required = Object.entries(/** @type {Options} */ (options)).filter(([, { required }]) => required);
  return [...positionals.map(({ name }) => name), ...required.map(([name]) => `--${name}=x`)];
}

describe('help', () => {
  test('lists every command', () => {
    const text = succeed(['--help']);
    const [, list] = /\nCommands:\n(.*?)\n\n/s.exec(text) ?? [];
    const listed = [...list.matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name);
    assert.deepEqual(listed.sort(), COMMANDS.map(([name]) => name).sort());
    for (const args of [[], ['-h'], ['help'], ['help', 'help'], ['help', '--help']])
      assert.equal(succeed(args), text);
    assert.match(text, /\nExit status:\n +0 .*\n +1 .*(\n {10,}.*)*\n +2 /);
    assert.ok(text.split('\n').every((line) => line.length <= 80));
  });

  for (const [name, { options }] of COMMANDS) {
    test(`of ${name} lists the options that it accepts, within 80 columns`, () => {
      const text = helpOf(name);
      assert.match(text, new RegExp(`^Usage: ocelli ${name} `));
      assert.ok(text.split('\n').every((line) => line.length <= 80));
      const listed = listedOptions(text);
      assert.deepEqual(listed.sort(), [...Object.keys(options), 'help'].sort());
      const all = listed.map((option) =>
        !options[option] || options[option].type === 'flag' ? `--${option}` : `--${option}=x`,
      );
      assert.equal(succeed([name, ...all]), text);
    });
  }

  for (const args of [
    ['detect', '-h'],
    ['help', 'detect'],
    ['--help', 'detect'],
  ])
    test(`ocelli ${args.join(' ')}`, () => assert.equal(succeed(args), helpOf('detect')));

  for (const [name, command] of COMMANDS) {
    const numbers = Object.entries(/** @type {Options} */ (command.options)).filter(([, { range }]) => range);
    if (numbers.length === 0) continue;
    test(`of ${name} names the ranges of numbers that it accepts`, () => {
      const text = helpOf(name);
      for (const [option] of numbers) {
        const [, min, max] = /\((-?[\d.]+) to ([\d.]+)/.exec(descriptionOf(text, option)) ?? [];
        const read = (/** @type {number} */ value) =>
          readArguments(name, command, [...needed(command), `--${option}=${value}`])?.values[option];
        assert.equal(read(Number(min)), Number(min));
        assert.equal(read(Number(max)), Number(max));
        assert.throws(() => read(Number(min) - 1e-6), UsageError);
        assert.throws(() => read(Number(max) + 1), UsageError);
      }
    });
  }

  test('names the limit of the engine', () => {
    assert.match(
      descriptionOf(helpOf('detect'), 'max'),
      new RegExp(`1 to ${MAX_RESULTS}; default: .* otherwise 100`),
    );
  });

  test('--version is the package’s', () => {
    const { version } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'));
    for (const option of ['--version', '-v']) assert.equal(succeed([option]), `${version}\n`);
  });
});

describe('a wrong command line ends with 2 and one line that says why', () => {
  /** @type {[string[], string][]} */
  const cases = [
    [['detect', 'a.png', '--frobnicate'], "unknown option '--frobnicate'\n"],
    [['detect', 'a', '--\x1b[2J'], "unknown option '--\ufffd[2J'\n"],
    [['predict', 'a.png'], "there is no command 'predict'; did you mean 'ocelli detect'?\n"],
    [['benchmark'], "there is no command 'benchmark'; did you mean 'ocelli bench'?\n"],
    [['trian', 'a'], "there is no command 'trian'; did you mean 'ocelli train'?\n"],
    [['help', 'quantise'], "there is no command 'quantise'; did you mean 'ocelli quantize'?\n"],
    [['xyzzy'], "there is no command 'xyzzy'; the commands are detect, embed, "],
    [[CLI], `there is no command '${CLI}'; did you mean 'ocelli detect ${CLI}'?\n`],
    [['--hepl'], "there is no option '--hepl' before a command; did you mean --help?\n"],
    [
      ['--json', 'detect', 'a'],
      "there is no option '--json' before a command; options of a command follow its name\n",
    ],
    [['detcet', 'a.png'], "there is no command 'detcet'; did you mean 'ocelli detect'?\n"],
    [['detect', 'a.png', '--score', 'high'], "--score takes a number from 0 to 1, not 'high'\n"],
    [['classify', 'a.png'], 'classify needs --model FILE\n'],
    [['evaluate'], 'evaluate needs a model and a data set, or --ground-truth and --detections\n'],
    [['train', '--model', '-', '-'], 'standard input can be read only once\n'],
  ];
  for (const [args, message] of cases) {
    test(['ocelli', ...args].join(' '), () => {
      const { status, stdout, stderr } = ocelli(args);
      assert.deepEqual({ status, stdout }, { status: 2, stdout: '' });
      assert.ok(stderr.startsWith(`ocelli: ${message}`), stderr);
      assert.match(stderr, /^.*\nocelli .*--help shows how to use it\.\n$/);
    });
  }
});

describe('arguments that a command does not take', () => {
  /** @type {[string[], string][]} */
  const cases = [
    [['detect', 'a.png', '--scroe', '0.5'], "unknown option '--scroe'; did you mean --score?"],
    [['detect', 'a.png', '-s'], "unknown option '-s'"],
    [['detect', 'a.png', '-o', 'b'], "unknown option '-o'; did you mean --out?"],
    [['detect', '--image', 'a.png'], "unknown option '--image'; IMAGE is given without an option"],
    ...[
      ...['threshold', 'score_threshold', 'min-score', 'scoreThreshold', 'conf'].map((name) => [
        name,
        'score',
      ]),
      ...['max_results', 'maxResults', 'topK', 'top_k', 'max-detections'].map((name) => [name, 'max']),
      ...[
        ['nms-threshold', 'iou'],
        ['labels-path', 'labels'],
        ['label_map', 'labels'],
      ],
      ...[
        ['category_allowlist', 'classes'],
        ['categoryDenylist', 'deny'],
      ],
      ...[
        ['num-threads', 'threads'],
        ['model_path', 'model'],
        ['checkpoint', 'model'],
        ['output-dir', 'out'],
      ],
    ].map(
      ([theirs, ours]) =>
        /** @type {[string[], string]} */ ([
          ['detect', 'a.png', `--${theirs}`, '1'],
          `unknown option '--${theirs}'; did you mean --${ours}?`,
        ]),
    ),
    [['classify', 'a', '--max_results=1'], "unknown option '--max_results'; did you mean --top?"],
    [['similar', 'a', 'b', '--topK=1'], "unknown option '--topK'; did you mean --top?"],
    [['train', 'a', '--learning-rate=1'], "unknown option '--learning-rate'; did you mean --lr?"],
    [['train', 'a', '--batch_size=1'], "unknown option '--batch_size'; did you mean --batch?"],
    [['inspect', '--class_allowlist=a'], "unknown option '--class_allowlist'; did you mean --classes?"],
    [['bench', '--model', 'a.tflite'], "unknown option '--model'; MODEL is given without an option"],
    [['convert', 'a', '--output', 'b'], "unknown option '--output'; OUT.tflite is given without an option"],
    [['quantize', 'a', '-o', 'b'], "unknown option '-o'; OUT.tflite is given without an option"],
    [['detect', 'a.png', '--score'], "option '--score <value>' argument missing"],
    [['detect', 'a.png', '--json=yes'], "option '--json' does not take an argument"],
    [['detect', 'a.png', '--score='], "--score takes a number from 0 to 1, not ''"],
    [['detect', 'a.png', '--max', '2.5'], "--max takes a whole number from 1 to 10000, not '2.5'"],
    [['detect', 'a.png', '--max', '10001'], "--max takes a whole number from 1 to 10000, not '10001'"],
    [['detect', 'a.png', '--max', '-1'], "--max takes a whole number from 1 to 10000, not '-1'"],
    [['detect', 'a.png', '--score', '-.5', '--json'], "--score takes a number from 0 to 1, not '-.5'"],
    [['detect', 'a.png', '--json', '-1'], "unknown option '-1'"],
    [['detect', 'a.png', '--precision', 'int4'], "--precision takes float, int8 or auto, not 'int4'"],
    [['detect', 'a.png', '--deny', ' ,'], "--deny takes names separated by commas, not ' ,'"],
    [
      ['convert', 'a', 'b', '--batch', '0'],
      "--batch takes a whole number from 1 to 4096 or dynamic, not '0'",
    ],
    [['convert', 'a', 'b', '--outputs', ','], "--outputs takes names separated by commas, not ','"],
    [
      ['train', 'a', '--compare', 'adam,batch48'],
      "--compare takes batch32, batch64, adam or rmsprop, not 'batch48'",
    ],
    [['quantize', 'a', 'b'], 'quantize needs --images DIR'],
    [['quantize', 'a', '--images', 'c'], 'quantize needs a float .tflite file and a .tflite file to write'],
    [['similar', 'a.png'], 'similar needs a query image and at least one image to compare it with'],
    [['evaluate', 'a', 'b', 'c'], "unexpected argument 'c'"],
  ];
  for (const [[name, ...args], message] of cases) {
    test(['ocelli', name, ...args].join(' '), () => {
      const [, command] = COMMANDS.find(([each]) => each === name) ?? assert.fail(name);
      assert.throws(() => readArguments(name, command, args), new UsageError(message));
    });
  }
});

describe('values', () => {
  /** @type {(options: Options, args: string[]) => Record<string, unknown> | undefined} */
  const read = (options, args) => {
    /** @type {Command} */
    const command = { summary: '', about: '', positionals: [], options, examples: [], run: async () => {} };
    return readArguments('test', command, args)?.values;
  };
  const about = '';

  test('have the type that is declared', () => {
    /** @type {Options} */
    const options = {
      flag: { type: 'flag', about, short: 'f' },
      number: { type: 'number', about, range: { min: -1, max: 1 }, choices: ['auto'] },
      names: { type: 'names', about },
      classes: { type: 'classes', about },
    };
    const args = ['-f', '--number=-5e-1', '--names', 'a, b ,', '--names=1', '--classes=Dog,7,/m/01yrx'];
    assert.deepEqual(read(options, args), {
      flag: true,
      number: -0.5,
      names: ['a', 'b', '1'],
      classes: ['Dog', 7, '/m/01yrx'],
    });
    assert.equal(read(options, ['--number', 'auto'])?.number, 'auto');
    assert.equal(read(options, ['--number', '-.5', '-f'])?.number, -0.5);
    assert.throws(() => read(options, ['--', '--number', '-1']), /unexpected argument '--number'/);
  });

  test('that are not given are false, the default or undefined', () => {
    /** @type {Options} */
    const options = {
      flag: { type: 'flag', about },
      number: { type: 'number', about, range: { min: 1, max: 2 }, default: 2 },
      text: { type: 'text', about },
    };
    assert.deepEqual(read(options, []), { flag: false, number: 2, text: undefined });
  });
});

test('a checkout that is not built says so', (context) => {
  const checkout = mkdtempSync(join(tmpdir(), 'ocelli-unbuilt-'));
  context.after(() => rmSync(checkout, { recursive: true }));
  for (const name of ['bin', 'wasm', 'package.json'])
    cpSync(new URL(name, ROOT), join(checkout, name), { recursive: true });
  symlinkSync(fileURLToPath(new URL('node_modules', ROOT)), join(checkout, 'node_modules'));
  for (const args of [['--help'], ['inspect']]) {
    assert.deepEqual(ocelli(args, { cli: join(checkout, 'bin/ocelli.js') }), {
      status: 1,
      stdout: '',
      stderr: 'ocelli: dist/ is not built yet: run `make` first\n',
    });
  }
});

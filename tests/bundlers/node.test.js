// Programs for Node, Bun and Deno, bundled by each tool and run away from `node_modules`: with `ocelli/inline` they find what
// the package finds; with `ocelli` they say what to write.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { DETECTOR_DIGEST } from '../node/train/detector_run.js';
import { DIGESTS } from '../node/train/reference_run.js';
import { expected as finding, PHOTO } from './expected.js';
import { away, program, project, ROOT, run } from './shared.js';

/** @type {string} */ let expected;
before(async () => {
  expected = JSON.stringify(await finding);
});

/**
 * Runs a file far from the project.
 * @param {string[]} files the first is run
 * @param {string[]} [command] that runs it
 */
function runAway(files, command = [process.execPath]) {
  const folder = away(...files);
  writeFileSync(join(folder, 'photo'), PHOTO);
  const [program, ...args] = [...command, `./${files[0].split('/').at(-1)}`, 'photo'];
  return run(folder, program, ...args)
    .trim()
    .split('\n');
}

/** @param {string[]} files @param {string[]} [command] */
function assertDetects(files, command) {
  const found = runAway(files, command);
  assert.deepEqual(new Set(found), new Set([expected]));
  return found.length;
}

/** @param {string[]} files @param {RegExp} line to write @param {string[]} [command] */
function assertExplains(files, line, command) {
  const [said] = runAway(files, command);
  assert.match(said, /^OcelliError MODULE_NOT_FOUND .*'ocelli\/inline'/);
  assert.match(said, line);
}

describe('esbuild', () => {
  for (const [format, extension] of [
    ['cjs', 'cjs'],
    ['esm', 'mjs'],
  ])
    test(format, () => {
      const folder = project('esbuild', 'node');
      const flags = [
        '--bundle',
        '--platform=node',
        `--format=${format}`,
        '--outdir=out',
        '--log-level=error',
      ];
      run(
        folder,
        program(folder, 'esbuild'),
        'files.js',
        'inline.js',
        ...flags,
        `--out-extension:.js=.${extension}`,
      );
      assert.equal(assertDetects([join(folder, `out/inline.${extension}`)]), 3);
      assertExplains([join(folder, `out/files.${extension}`)], /--external:ocelli/);
    });
});

test('Rollup: CommonJS and modules', () => {
  const folder = project('rollup', 'node');
  run(folder, program(folder, 'rollup'), '--config', '--silent');
  for (const extension of ['cjs', 'mjs']) {
    assert.equal(assertDetects([join(folder, `out/rollup-inline.${extension}`)]), 3);
    assertExplains([join(folder, `out/rollup-files.${extension}`)], /external: \['ocelli'\]/);
  }
});

for (const tool of ['webpack', 'rspack'])
  test(`${tool}, target: node`, () => {
    const folder = project(tool, 'node');
    run(
      folder,
      program(folder, tool),
      ...(tool === 'rspack' ? ['build'] : []),
      '--config',
      `${tool}.config.cjs`,
    );
    const out = away(join(folder, 'out/pack'));
    writeFileSync(join(out, 'photo'), PHOTO);
    for (const name of ['files', 'inline']) {
      const found = run(out, process.execPath, `pack/${name}.cjs`, 'photo').trim().split('\n');
      assert.deepEqual(new Set(found), new Set([expected]), name);
    }
  });

describe('Bun', () => {
  test('as it stands', () => {
    const folder = project('bun', 'node');
    writeFileSync(join(folder, 'photo'), PHOTO);
    for (const name of ['files.js', 'inline.js'])
      assert.match(run(folder, program(folder, 'bun'), name, 'photo'), new RegExp(escape(expected)));
  });

  test('bun build, bun build --compile', () => {
    const folder = project('bun', 'node');
    const bun = program(folder, 'bun');
    for (const name of ['files', 'inline']) {
      run(folder, bun, 'build', `${name}.js`, '--target=bun', `--outfile=out/${name}.js`);
      run(folder, bun, 'build', `${name}.js`, '--compile', `--outfile=out/${name}`);
    }
    assert.equal(assertDetects([join(folder, 'out/inline.js')], [bun]), 3);
    assert.equal(assertDetects([join(folder, 'out/inline')], []), 3);
    assertExplains([join(folder, 'out/files.js')], /--external ocelli/, [bun]);
    assertExplains([join(folder, 'out/files')], /'ocelli\/inline'/, []);
  });

  test('training: the weights of every engine', () => {
    const folder = project('bun', 'node');
    assert.deepEqual(train(folder, [program(folder, 'bun')]), { head: DIGESTS, detector: DETECTOR_DIGEST });
  });
});

describe('Deno', () => {
  test('as it stands', () => {
    const folder = project('deno', 'node');
    writeFileSync(join(folder, 'photo'), PHOTO);
    for (const name of ['files.js', 'inline.js'])
      assert.match(
        run(folder, program(folder, 'deno'), 'run', '-A', name, 'photo'),
        new RegExp(escape(expected)),
      );
  });

  test('deno bundle', () => {
    const folder = project('deno', 'node');
    const deno = program(folder, 'deno');
    run(folder, deno, 'bundle', '--platform=deno', '--output=out/inline.js', 'inline.js');
    assert.equal(assertDetects([join(folder, 'out/inline.js')], [deno, 'run', '-A']), 3);
  });

  test('training: the weights of every engine', () => {
    const folder = project('deno', 'node');
    assert.deepEqual(train(folder, [program(folder, 'deno'), 'run', '-A']), {
      head: DIGESTS,
      detector: DETECTOR_DIGEST,
    });
  });
});

const escape = (/** @type {string} */ text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** @param {string} folder @param {string[]} command */
function train(folder, [program, ...args]) {
  const parts = ['reference_run', 'detector_run'].map((name) =>
    readFileSync(join(ROOT, `tests/node/train/${name}.js`), 'utf8').replaceAll('export ', ''),
  );
  const script = `import * as train from 'ocelli/train';
    ${parts.join('\n')}
    console.log(JSON.stringify({ head: await run(train), detector: await runDetectorTraining(train) }));`;
  writeFileSync(join(folder, 'train.mjs'), script);
  return JSON.parse(run(folder, program, ...args, 'train.mjs'));
}

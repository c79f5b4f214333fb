// Every code that an error may have is in docs/errors.md, and nothing else is.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { MESSAGES, OcelliError } from '../../../wasm/shared/errors.js';

/** @param {string} path */
const read = (path) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

const inModule = [...read('src/base/status.h').matchAll(/^ *X\((\w+),\s*"([^"]*)"\)/gm)]
  .map(([, name, message]) => [name, message])
  .filter(([name]) => name !== 'OK');
const meanings = [...inModule, ...Object.entries(MESSAGES)];
const codes = meanings.map(([code]) => code);

test('each code has one meaning', () => {
  assert.ok(inModule.length > 30);
  assert.equal(new Set(codes).size, codes.length);
});

test('docs/errors.md has a row for each code of each entry, with its message', async () => {
  const tables = {
    ocelli: Object.fromEntries(meanings),
    'ocelli/convert': (await import('../../../wasm/convert/errors.js')).CONVERT_MESSAGES,
    'ocelli/quantize': (await import('../../../wasm/quantize/errors.js')).MESSAGES,
    'ocelli/compress': (await import('../../../wasm/compress/errors.js')).MESSAGES,
    'ocelli/evaluate': (await import('../../../wasm/evaluate/errors.js')).MESSAGES,
    'ocelli/train': (await import('../../../wasm/train/errors.js')).MESSAGES,
  };
  const [, ...sections] = read('docs/errors.md').split(/^## /m);
  assert.equal(sections.length, Object.keys(tables).length);
  for (const [i, [entry, messages]] of Object.entries(tables).entries()) {
    const section = sections[i];
    assert.ok(section.startsWith(`\`${entry}\`\n`), entry);
    const rows = [...section.matchAll(/^\| `([A-Z][A-Z_]+)` \| (.*) \|$/gm)].map(([, code, meaning]) => [
      code,
      meaning,
    ]);
    assert.deepEqual(rows.toSorted(), Object.entries(messages).toSorted(), entry);
  }
});

test('docs/guides/troubleshooting.md says what to do about each code', () => {
  const cured = read('docs/guides/troubleshooting.md')
    .split('\n')
    .flatMap((line) => {
      const [, first] =
        line
          .split(' | ', 1)
          .join('')
          .match(/^\| (.*)/) ?? [];
      return [...(first ?? '').matchAll(/`([A-Z][A-Z_]+)(\*?)`/g)].map(([, code, star]) => ({
        code,
        isFamily: star === '*',
      }));
    });
  const all = [...read('docs/errors.md').matchAll(/^\| `([A-Z_]+)`/gm)].map(([, code]) => code);
  const isCured = (/** @type {string} */ code) =>
    cured.some((row) => (row.isFamily ? code.startsWith(row.code) : code === row.code));
  assert.deepEqual(
    [...new Set(all)].filter((code) => !isCured(code)),
    [],
  );
  assert.deepEqual(
    cured.filter((row) => !row.code.startsWith('ERR_') && !all.some((code) => code.startsWith(row.code))),
    [],
  );
});

test('every code thrown by name in JavaScript is one of them', () => {
  for (const file of [
    'engine/engine',
    'engine/memory',
    'engine/variant',
    'shared/options',
    'vision/body',
    'vision/detector',
    'vision/image',
    'vision/input',
    'vision/labels',
    'vision/model_spec',
  ]) {
    const thrown = [...read(`wasm/${file}.js`).matchAll(/(?:failure|OcelliError)\(\s*'([A-Z_]+)'/g)];
    for (const [, code] of thrown) assert.ok(codes.includes(code), `${code} in ${file}.js`);
  }
});

test('the type ErrorCode has the codes of all folders, and no others', async () => {
  const tables = await Promise.all([
    import('../../../wasm/tflite/errors.js').then(({ GRAPH_MESSAGES }) => GRAPH_MESSAGES),
    import('../../../wasm/tflite/safetensors.js').then(({ SAFETENSORS_MESSAGES }) => SAFETENSORS_MESSAGES),
    import('../../../wasm/convert/errors.js').then(({ CONVERT_MESSAGES }) => CONVERT_MESSAGES),
    import('../../../wasm/evaluate/errors.js').then(({ MESSAGES }) => MESSAGES),
    import('../../../wasm/compress/errors.js').then(({ MESSAGES }) => MESSAGES),
    import('../../../wasm/quantize/errors.js').then(({ MESSAGES }) => MESSAGES),
    import('../../../wasm/train/errors.js').then(({ MESSAGES }) => MESSAGES),
  ]);
  const [typedefs] = read('wasm/shared/errors.js').split('export class');
  const listed = [...typedefs.matchAll(/'([A-Z_]{2,})'/g)]
    .map(([, code]) => code)
    .filter((code) => code !== 'OK');
  assert.equal(new Set(listed).size, listed.length);
  const thrown = new Set(tables.flatMap((table) => Object.keys(table)));
  assert.deepEqual(listed.toSorted(), [...thrown].toSorted());
  const [, ofModule] = /** @type {RegExpMatchArray} */ (
    read('dist/layout.js').match(/typedef \{(.*)\} StatusCode/)
  );
  assert.deepEqual(
    [...ofModule.matchAll(/'(\w+)'/g)].map(([, code]) => code).filter((code) => code !== 'OK'),
    inModule.map(([code]) => code),
  );
});

test('an error is an Error with a name and a code', () => {
  const cause = new Error('why');
  const error = new OcelliError('CLOSED', 'text', { cause });
  assert.ok(error instanceof Error);
  assert.deepEqual(
    [error.name, error.code, error.message, error.cause],
    ['OcelliError', 'CLOSED', 'text', cause],
  );
});

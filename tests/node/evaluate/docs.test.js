// docs/evaluate.md lists the error codes and the options that there are.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as entry from '../../../wasm/evaluate/index.js';
import { MESSAGES } from '../../../wasm/evaluate/errors.js';

const TEXT = readFileSync(new URL('../../../docs/evaluate.md', import.meta.url), 'utf8');
const [, ERRORS] = TEXT.split('## Errors');

test('the manual has every error code with its message', () => {
  const rows = Array.from(ERRORS.matchAll(/^\| `(\w+)` \| (.*) \|$/gm), ([, code, message]) => [
    code,
    message,
  ]);
  assert.deepEqual(Object.fromEntries(rows), MESSAGES);
});

test('the manual names every function and measure', () => {
  const { OcelliError: _, MEASURES, ...functions } = entry;
  for (const name of [...Object.keys(functions), ...MEASURES])
    assert.match(TEXT, new RegExp(`\\b${name}\\b`));
});

// One example, copied far from the checkout, after `npm install` of the packed package and `npm start`: what tests/bundlers does
// with all of them.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pack, ROOT, run } from '../bundlers/shared.js';
import { packagePhoto } from '../node/shared.js';

const PHOTO = packagePhoto('chelsea.png');
test('lambda: one file', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ocelli-examples-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(ROOT, 'examples/lambda'), folder, { recursive: true });
  run(folder, 'npm', 'install', '--prefer-offline', '--silent', '--no-audit', '--no-fund', pack(folder));
  writeFileSync(join(folder, 'photo'), PHOTO);
  assert.match(run(folder, 'npm', 'start', '--', 'photo'), /statusCode: 200[\s\S]*"Cat"/);
});

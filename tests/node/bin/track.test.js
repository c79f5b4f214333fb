// ocelli track: MOTChallenge's format in and out, and what it refuses.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { ocelli, succeed } from './run.js';

const sandbox = mkdtempSync(join(tmpdir(), 'ocelli-track-'));
after(() => rmSync(sandbox, { recursive: true, force: true }));
const FILE = join(sandbox, 'det.txt');

/**
 * @param {string} text
 * @param {string[]} options
 */
function track(text, ...options) {
  writeFileSync(FILE, text);
  return succeed(['track', ...options, FILE]);
}

const ROWS = [
  '1,-1,10.5,20.25,30,40,0.9,-1,-1,-1',
  '1,-1,100,20,30,40,0.95,-1,-1,-1',
  '2,-1,101,20,30,40,0.8,-1,-1,-1',
  '2,-1,11.5,20.25,30,40,0.30001,-1,-1,-1',
  '2,-1,200,20,30,40,0.9,-1,-1,-1',
  '4,-1,103,20,30,40,1e-3,-1,-1,-1',
];
const TRACKS = [
  '2,1,101,20,30,40,0.8,-1,-1,-1',
  '2,2,11.5,20.25,30,40,0.30001,-1,-1,-1',
  '4,1,103,20,30,40,0.001,-1,-1,-1',
];

test('a file, and standard input', () => {
  const text = `${ROWS.join('\n')}\n`;
  const expected = `${TRACKS.join('\n')}\n`;
  assert.equal(track(text), expected);
  assert.equal(succeed(['track', '-'], { input: Buffer.from(text) }), expected);
  assert.equal(track(''), '');
});

test('options of the tracker', () => {
  const text = [1, 2, 3, 4].map((frame) => `${frame},-1,${frame},0,50,50,0.5\n`).join('');
  assert.equal(track(text), '');
  assert.equal(track(text, '--activation', '0.5', '--high', '0.4').split('\n').length, 4);
  assert.equal(
    track(text, '--activation', '0.5', '--high', '0.4', '--min-frames', '4').split('\n').length,
    2,
  );
});

describe('refuses, with the number of the line', () => {
  /** @type {[string, RegExp][]} */
  const lines = [
    ['frame,id,x,y,w,h,score', /line 3: 'frame' is not a number/],
    [`${'9'.repeat(1e5)}x,-1,0,0,5,5,1`, /line 3: '9{40}' is not a number/],
  ];
  for (const [line, reason] of lines)
    test(line.slice(0, 30), () => {
      writeFileSync(FILE, `1,-1,0,0,5,5,1\n\n${line}\n`);
      const { status, stdout, stderr } = ocelli(['track', FILE]);
      assert.deepEqual([status, stdout], [1, '']);
      assert.match(stderr, reason);
      assert.match(stderr, /^ocelli: .*det\.txt: INVALID_INPUT: [^\n]{0,200}\n$/);
    });

  test('more text than fits, from standard input too', () => {
    const input = Buffer.alloc(2 ** 26 + 1, '\n');
    writeFileSync(FILE, input);
    assert.match(ocelli(['track', FILE]).stderr, /^ocelli: .*det\.txt: INPUT_TOO_LARGE: /);
    assert.match(ocelli(['track', '-'], { input }).stderr, /^ocelli: -: INPUT_TOO_LARGE: /);
  });

  test('binary files, directories, missing files, bad options', () => {
    writeFileSync(FILE, Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 256)));
    assert.equal(ocelli(['track', FILE]).status, 1);
    assert.match(ocelli(['track', sandbox]).stderr, /EISDIR/);
    assert.match(ocelli(['track', join(sandbox, 'none')]).stderr, /ENOENT/);
    assert.equal(ocelli(['track']).status, 2);
    assert.equal(ocelli(['track', '--lost', '-1', FILE]).status, 2);
  });
});

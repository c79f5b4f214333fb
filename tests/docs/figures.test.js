// README.md's comparison repeats what docs/benchmarks.md says was measured.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from './snippets.js';

const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const BENCHMARKS = readFileSync(join(ROOT, 'docs/benchmarks.md'), 'utf8');

/**
 * The cells of a table's row, without its first one.
 * @param {string} text
 * @param {RegExp} title how the row begins
 */
function cells(text, title) {
  const row = text.split('\n').find((line) => line.startsWith('| ') && title.test(line.slice(2)));
  assert.ok(row, `there is no row ${title}`);
  return row
    .split(' | ')
    .slice(1)
    .map((cell) => cell.replace(/ \|$/, ''));
}

const readme = (/** @type {RegExp} */ title) => cells(README, title);
const measured = (/** @type {RegExp} */ title) => cells(BENCHMARKS, title);
const round = (/** @type {number} */ ratio) => ratio.toFixed(1);

test('the network', () => {
  const median = (/** @type {RegExp} */ engine) => Number(measured(engine)[0]); // the first table is Chromium's
  const peers = [/^LiteRT/, /^TensorFlow/, /^onnx/].map((peer) => round(median(peer) / median(/^ocelli \|/)));
  assert.deepEqual(readme(/^\[time\]/), ['1', ...peers]);
});

test('page starts', () => {
  const share = Number(measured(/^time from page start .*LiteRT/)[0]);
  const shareOfOther = Number(measured(/^the same, divided by TensorFlow/)[0]);
  const shown = ['1', round(1 / share), round(1 / shareOfOther), 'not measured'];
  assert.deepEqual(readme(/^\[page start/), shown);
});

test('page starts on a line', () => {
  const [own, litert, tensorflow] = measured(/^gzip for everything, 20 Mbit/).map(parseFloat);
  assert.deepEqual(readme(/^\[the same on a line\]/), [
    '1',
    round(litert / own),
    round(tensorflow / own),
    'not measured',
  ]);
});

test('sizes and memory', () => {
  const sizes = (/** @type {string[]} */ row) =>
    row
      .join()
      .match(/[\d ]*\d [KM]iB/g)
      ?.map((size) => size.trim());
  assert.deepEqual(sizes(readme(/^wasm and/))?.slice(0, 3), sizes(measured(/^wasm and/)));
  assert.deepEqual(sizes(readme(/^memory/)), sizes(measured(/^memory/)));
});

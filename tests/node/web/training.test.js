// What the page that learns to name trains on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { installPage } from './stub_page.js';

installPage();
const { teach } = await import('../../../web/training.js');

test('a training learns the classes as they were when it started', async () => {
  const classOf = (/** @type {string} */ name, /** @type {number} */ at) => ({
    name,
    examples: [0, 1].map((i) => Float32Array.of(at, i)),
  });
  const cards = [classOf('one', 0), classOf('two', 9), classOf('three', -9)];
  const { signal } = new AbortController();
  const training = teach(cards, { epochs: 1, signal, onEpoch() {} });
  cards[0].name = 'renamed';
  cards[0].examples.push(Float32Array.of(1, 1));
  cards[1].examples.length = 0;
  cards.splice(2, 1, classOf('new', 5));
  const { learner } = await training;
  assert.deepEqual(
    learner.examples.classes,
    ['one', 'two', 'three'].map((label) => ({ label, count: 2 })),
  );
  learner.close();
});

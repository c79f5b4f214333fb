// Sentences about trainings, for each kind of training.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeBest, describeEpochs, describeRate } from '../../../wasm/report/words.js';
import { checkOptimizer, rateAt } from '../../../wasm/train/plan.js';

const any = (/** @type {unknown} */ value) => /** @type {any} */ (value);

/** @type {[rate: number | object, text: string][]} */
const rates = [
  [0.01, '0.01'],
  [{ type: 'constant', rate: 0.5 }, '0.5'],
  [{ type: 'constant', rate: 0.5, warmupSteps: 10 }, 'rising from 0 to 0.5 over 10 steps'],
  [{ type: 'step', rate: 0.004 }, '0.004, multiplied by 0.1 after every step'],
  [{ type: 'step', rate: 0.004, every: 30, factor: 0.5 }, '0.004, multiplied by 0.5 after every 30 steps'],
  [{ type: 'cosine', rate: 0.004, decaySteps: 408 }, '0.004, falling to 0 by a cosine over 408 steps'],
  [{ type: 'cosine', rate: 0.004 }, '0.004, falling to 0 by a cosine over 1 step'],
  [{ type: 'cosine', rate: 0.3, decaySteps: 9, alpha: 0.1 }, '0.3, falling to 0.03 by a cosine over 9 steps'],
  [
    { type: 'cosine', rate: 0.004, decaySteps: 9, warmupSteps: 1, warmupFrom: 0.001 },
    'rising from 0.001 to 0.004 over 1 step, then falling to 0 by a cosine over 9 steps',
  ],
  [
    { type: 'step', rate: 1, every: 2, warmupSteps: 4 },
    'rising from 0 to 1 over 4 steps, then multiplied by 0.1 after every 2 steps',
  ],
];
for (const [rate, text] of rates)
  test(`${JSON.stringify(rate)} is "${text}"`, () => {
    const { learningRate } = checkOptimizer(any({ type: 'sgd', learningRate: rate }));
    assert.equal(describeRate(learningRate), text);
    // The last number of a falling rate is what the trainer ends with.
    const end = /falling to ([\d.]+) /.exec(text)?.[1];
    if (end) assert.ok(Math.abs(rateAt(learningRate, 1e6) - Number(end)) < 1e-9);
  });

/** @param {string} name @param {object} [more] */
const run = (name, more = {}) =>
  any({ name, history: { epoch: [0, 1, 2], history: { val_loss: [1, 2, 3] } }, ...more });

/** @type {[configurations: any[], sentences: string[]][]} */
const epochs = [
  [[run('A')], ['Figures are of the last epoch.']],
  [
    [run('A', { weightsEpoch: 0 })],
    ['Figures are of epoch 1, whose weights the file has; the training stopped after epoch 3.'],
  ],
  [[run('A'), run('B')], ['Figures are of the last epoch.']],
  [
    [run('A', { weightsEpoch: 1 }), run('B')],
    [
      'Figures of "A" are of epoch 2, whose weights the file has; the training stopped after epoch 3.',
      'Other figures are of the last epoch.',
    ],
  ],
  [
    [run('A', { weightsEpoch: 1 }), run('B', { weightsEpoch: 0 })],
    [
      'Figures of "A" are of epoch 2, whose weights the file has; the training stopped after epoch 3.',
      'Figures of "B" are of epoch 1, whose weights the file has; the training stopped after epoch 3.',
    ],
  ],
];
for (const [configurations, sentences] of epochs)
  test(sentences.join(' '), () => assert.deepEqual(describeEpochs(configurations), sentences));

/** @type {[history: object, reason: string][]} */
const reasons = [
  [{ val_accuracy: [1], val_loss: [1] }, 'validation accuracy, then validation loss'],
  [{ accuracy: [1], loss: [1] }, 'training accuracy, then training loss, as nothing was validated'],
  [{ box_loss: [1], val_AP: [1], val_loss: [1] }, 'validation AP, then validation loss'],
  [{ box_loss: [1], loss: [1] }, 'training loss, as nothing was validated'],
];
for (const [history, reason] of reasons)
  test(`the best is by ${reason}`, () => {
    const one = any({ name: 'A', history: { epoch: [0], history } });
    assert.equal(describeBest([one, one], one), `The best is "A", by ${reason}.`);
  });

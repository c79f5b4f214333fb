// How far commands say that they are, on a terminal: every image, step and epoch once, from 1 to their number.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { encodePng } from '../../../wasm/draw/png.js';
import { brightBoxes, SIDE, tinyDetector } from '../train/tiny_detector.js';
import { runCommand } from './in_process.js';
import { INPUT, makeSandbox, SAVED, SMALL } from './run.js';

const sandbox = makeSandbox('ocelli-progress-', ['a', 'b']);
const at = (/** @type {string} */ name) => join(sandbox, name);
const DATASET = at('dataset');
mkdirSync(DATASET);
const boxes = brightBoxes(['cat', 'dog', 'cat']);
boxes.forEach(({ image: { data } }, i) =>
  writeFileSync(join(DATASET, `${i}.png`), encodePng({ data, width: SIDE, height: SIDE, channels: 3 })),
);
writeFileSync(
  join(DATASET, 'instances.json'),
  JSON.stringify({
    images: boxes.map((_, id) => ({ id, file_name: `${id}.png`, width: SIDE, height: SIDE })),
    annotations: boxes.map(({ boxes: [{ label, box }] }, id) => ({
      ...{ id: id + 1, image_id: id, category_id: label === 'cat' ? 1 : 2, area: 24, iscrowd: 0 },
      bbox: [box.x, box.y, box.width, box.height],
    })),
    categories: ['cat', 'dog'].map((name, i) => ({ id: i + 1, name })),
  }),
);
const TINY = at('tiny.tflite');
writeFileSync(TINY, tinyDetector());
const PHOTOS = at('photos');
const CLASSIFIER = ['--model', SMALL, ...INPUT];
const TRAIN = [PHOTOS, ...CLASSIFIER, '--epochs', '3', '--out', at('trained.tflite')];

/** @type {[name: string, args: string[], totals: Record<string, number>][]} */
const CASES = [
  ['detect', ['--model', TINY, PHOTOS], { image: 4 }],
  ['classify', [...CLASSIFIER, PHOTOS], { image: 4 }],
  ['embed', [...CLASSIFIER, '--layer', 'dense', PHOTOS], { image: 4 }],
  ['similar', [...CLASSIFIER, '--layer', 'dense', at('photos/dark/a.png'), PHOTOS], { image: 4 }],
  ['convert', [SAVED, at('c.tflite')], { step: 5 }],
  ['quantize', [SMALL, at('q.tflite'), ...INPUT, '--images', PHOTOS], { image: 4, step: 3 }],
  ['compress', [SMALL, at('z.tflite'), ...INPUT, '--images', PHOTOS], { image: 4, step: 3 }],
  ['train', TRAIN, { epoch: 3 }],
  ['evaluate', [at('trained.tflite'), PHOTOS], { image: 4 }],
  ['evaluate', [TINY, DATASET], { image: 3 }],
];

describe('a terminal', () => {
  for (const [name, args, totals] of CASES)
    test(`shows every ${Object.keys(totals).join(' and ')} of ${name} ${args.at(-1)?.slice(sandbox.length)}`, async (t) => {
      const { isTTY } = process.stderr;
      process.stderr.isTTY = true;
      const { status, stderr } = await runCommand(t, name, args).finally(
        () => (process.stderr.isTTY = isTTY),
      );
      assert.equal(status, 0);
      for (const [what, total] of Object.entries(totals)) {
        const shown = Array.from(
          stderr.matchAll(new RegExp(`\\b${what} (\\d+) of (\\d+)`, 'g')),
          ([text]) => text,
        );
        const expected = Array.from({ length: total }, (_, i) => `${what} ${i + 1} of ${total}`);
        assert.deepEqual([...new Set(shown)], expected);
      }
      assert.ok(stderr.slice(stderr.lastIndexOf('\r')).startsWith('\r\x1b[K'), 'the line is removed');
    });
});

// The answers of docs/migrate.md to the model card's snippets, run as they stand there.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { spawnSync } from 'node:child_process';
import { convert } from '../../../wasm/convert/node.js';
import { largeSource } from './convert.js';
import { needsLarge, packagePhoto, readJson, testData } from '../shared.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PAGE = readFileSync(join(ROOT, 'docs/migrate.md'), 'utf8');
const [, SECTION] = /** @type {RegExpMatchArray} */ (PAGE.match(/^## TensorFlow Hub's Python\n(.*)/ms));
const SNIPPETS = [...SECTION.matchAll(/^```js\n(.*?)^```/gms)].map(([, code]) => code);
const SOURCES = {
  'mobilenet_v2_130_224_feature_vector.tflite': 'hub_mobilenet_v2_130_224_feature_vector.tar.gz',
  'openimages_v4_ssd_mobilenet_v2.tflite': 'openimages_v4/openimages-v4-ssd-mobilenet-v2.tar.gz',
};
const NEEDED = ['convert/hub_mobilenet_v2_130_224_feature_vector.tar.gz', 'convert/openimages_v4'];
const needsSources = needsLarge(...NEEDED);

describe('docs/migrate.md beside the model card', needsSources, () => {
  const folder = mkdtempSync(join(tmpdir(), 'ocelli-readme-'));
  after(() => rmSync(folder, { recursive: true }));
  before(async () => {
    if (needsSources.skip) return;
    await mkdir(join(folder, 'node_modules'));
    symlinkSync(ROOT, join(folder, 'node_modules/ocelli'), 'dir');
    for (const [file, source] of Object.entries(SOURCES))
      writeFileSync(join(folder, file), (await convert(largeSource(source), { verify: false })).model);
    for (const name of /** @type {const} */ (['chelsea.png', 'coffee.png']))
      writeFileSync(join(folder, name), packagePhoto(name));
  });

  /**
   * A snippet as a module of its own, between what it is given and what is made of it.
   * @param {number} index
   * @param {string} given
   * @param {string} result an expression
   */
  function runSnippet(index, given, result) {
    const code = `import { readFileSync } from 'node:fs';\n${given}\n${SNIPPETS[index]}\nconsole.log(JSON.stringify(${result}));`;
    writeFileSync(join(folder, 'snippet.mjs'), code);
    const { status, stdout, stderr } = spawnSync(process.execPath, ['snippet.mjs'], {
      cwd: folder,
      encoding: 'utf8',
    });
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    return JSON.parse(stdout);
  }

  test('has one for each', () => assert.equal(SNIPPETS.length, 2));

  test('features of [N, 224, 224, 3], and a softmax on them', () => {
    const given = `const classNames = ['cat', 'coffee'];
      const images = ['chelsea.png', 'coffee.png'].map((file) => readFileSync(file));
      const imageLabels = classNames;`;
    const { length, shape, answers } = runSnippet(
      0,
      given,
      `{
        length: extractor.length,
        shape: (await extractor.extractBatch(new Float32Array(2 * 224 * 224 * 3))).shape,
        answers: await Promise.all(images.map((image) => m.predict(image))),
      }`,
    );
    assert.deepEqual([length, shape], [1664, [2, 1664]]);
    // Weights of the reference data are random: what was learned is only which is more of a cat.
    const [cat, coffee] = answers.map((/** @type {{label: string, score: number}[]} */ classes) => {
      assert.ok(Math.abs(classes.reduce((sum, { score }) => sum + score, 0) - 1) < 1e-6);
      return classes.find(({ label }) => label === 'cat')?.score;
    });
    assert.ok(cat > coffee, `${cat}, ${coffee}`);
  });

  test('the detector’s outputs by their names', () => {
    const given = `import { decodeImage } from 'ocelli';
      const { data: pixels, width, height } = await decodeImage(readFileSync('chelsea.png'));
      const imageTensor = { data: Float32Array.from(pixels, (value) => value / 255), shape: [1, height, width, 3] };`;
    const found = runSnippet(1, given, '{ classNames, scores: [...detectorOutput.detection_scores] }');
    const cases = readJson(testData('detector/cases.json'));
    const { detections } = cases.find((/** @type {any} */ { photo }) => photo === 'chelsea.png');
    assert.equal(found.classNames[0], '/m/01yrx');
    assert.ok(Math.abs(found.scores[0] - detections[0].score) < 1e-3);
  });
});

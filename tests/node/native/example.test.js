// The example at the top of src/ocelli.h, compiled by the Makefile: it finds what the package finds.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { ObjectDetector } from '../../../wasm/platform/node.js';
import { DEFAULT_MODEL, packagePhoto, packagePhotoPath } from '../shared.js';

const PROGRAM = new URL('../../../build/example/example.mjs', import.meta.url);

/**
 * The rows that the program prints.
 * @param {string[]} files
 */
function run(files) {
  const start = `import start from '${PROGRAM.href}'; await start({ arguments: ${JSON.stringify(files)} });`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', start], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number));
}

for (const name of /** @type {const} */ (['astronaut.png', 'coffee.png'])) {
  test(`the example of ocelli.h, ${name}`, async () => {
    assert.ok(existsSync(PROGRAM), 'built by `make test`');
    const rows = run([DEFAULT_MODEL, packagePhotoPath(name)]);
    const detector = await ObjectDetector.create({ deterministic: true, weights: 'full' });
    const found = (await detector.detect(packagePhoto(name), { scoreThreshold: 0.2 })).detections;
    detector.close();
    assert.ok(found.length > 0);
    assert.deepEqual(
      rows.map(([labelId]) => labelId),
      found.map(({ labelId }) => labelId),
    );
    // XNNPACK's kernels in the program, and ours in the package: sums in another order.
    for (const [i, { score, box }] of found.entries()) {
      const expected = [score, box.x, box.y, box.width, box.height];
      const tolerances = [1e-4, 0.1, 0.1, 0.1, 0.1];
      for (const [j, tolerance] of tolerances.entries())
        assert.ok(Math.abs(rows[i][j + 1] - expected[j]) <= tolerance, `${rows[i]} for ${expected}`);
    }
  });
}

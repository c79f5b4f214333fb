// Which variant runs where, and that plain SIMD computes the same bits everywhere: in two instances, on one thread and on
// two, on Node 20 and on Node 24.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ObjectDetector } from '../../../wasm/platform/node.js';
import { PATIENCE_MS } from '../../patience.js';
import { packagePhoto, variants } from '../shared.js';

/** @typedef {import('../../../wasm/vision/types.js').DetectorOptions} Options */

const NODES = [20, 24].map((version) => ({
  version,
  path: fileURLToPath(new URL(`../../../node_modules/node-${version}/bin/node`, import.meta.url)),
}));
const ENTRY = new URL('../../../wasm/platform/node.js', import.meta.url).href;

/**
 * The last thing that `program` prints on that Node, parsed.
 * @param {string} node
 * @param {string} program
 */
function runOn(node, program) {
  const { stdout, stderr, status } = spawnSync(node, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
    timeout: PATIENCE_MS,
  });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

/** @param {Options} options */
async function headsWith(options) {
  const detector = await ObjectDetector.create(options);
  const heads = (await detector.heads(packagePhoto('chelsea.png'))).heads;
  const found = (await detector.detect(packagePhoto('astronaut.png'), { scoreThreshold: 0.01 })).detections;
  detector.close();
  return { heads, found };
}

test('this Node', async () => {
  const detector = await ObjectDetector.create();
  const isOld = Number(process.versions.node.split('.')[0]) < 22;
  assert.deepEqual(detector.variant, { name: isOld ? 'simd' : 'relaxed', threads: 1 });
  assert.deepEqual(variants, isOld ? ['simd'] : ['simd', 'relaxed']);
  detector.close();
});

for (const [i, name] of ['simd', 'relaxed'].entries()) {
  const { version, path } = NODES[i];
  test(`Node ${version} picks ${name}`, { skip: !existsSync(path) && `no ${path}` }, () => {
    const chosen = runOn(
      path,
      `import { ObjectDetector } from '${ENTRY}';
       const chosen = [];
       for (const options of [{}, { threads: 2 }, { deterministic: true }, { deterministic: true, threads: 2 }]) {
         const detector = await ObjectDetector.create(options);
         chosen.push(detector.variant.name);
         detector.close();
       }
       console.log(JSON.stringify(chosen));`,
    );
    assert.deepEqual(chosen, [name, `${name}-threads`, 'simd', 'simd-threads']);
  });
}

test(
  'Node 20 with relaxed SIMD switched on, where it computes wrong results, still picks simd',
  {
    skip: !existsSync(NODES[0].path) && `no ${NODES[0].path}`,
  },
  () => {
    const { stdout } = spawnSync(
      NODES[0].path,
      [
        '--experimental-wasm-relaxed-simd',
        '--input-type=module',
        '--eval',
        `import { ObjectDetector } from '${ENTRY}'; console.log((await ObjectDetector.create()).variant.name);`,
      ],
      { encoding: 'utf8', timeout: PATIENCE_MS },
    );
    assert.equal(stdout, 'simd\n');
  },
);

describe('deterministic: the same bits', () => {
  test('in two instances, and on one thread, two and three', async () => {
    const expected = await headsWith({ deterministic: true });
    assert.ok(expected.found.length > 5);
    for (const threads of [1, 2, 3]) {
      assert.deepEqual(await headsWith({ deterministic: true, threads }), expected);
    }
  });

  const absent = NODES.find(({ path }) => !existsSync(path));
  test('on Node 20 and 24', { skip: absent && `no ${absent.path}` }, async () => {
    const program = `
      import { createHash } from 'node:crypto';
      import { ObjectDetector } from '${ENTRY}';
      const detector = await ObjectDetector.create({ deterministic: true });
      const data = Uint8Array.from({ length: 200 * 100 * 3 }, (_, i) => (i * 31 + (i >> 5)) & 255);
      const hash = createHash('sha256');
      for (const head of (await detector.heads({ data, width: 200, height: 100 })).heads) hash.update(head.data);
      console.log(JSON.stringify(hash.digest('hex')));`;
    const [old, recent] = NODES.map(({ path }) => runOn(path, program));
    assert.equal(old, recent);
    assert.notEqual(old, createHash('sha256').digest('hex'));
  });
});

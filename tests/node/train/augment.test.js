// Views of a photo: what moves in the pixels moves in the boxes.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { paste } from '../../../wasm/train/detect/paste.js';
import { uniforms } from '../../../wasm/train/random.js';
import { augment } from '../../../wasm/train/detect/augment.js';

const WIDTH = 90;
const HEIGHT = 60;
const BOX = { left: 40, top: 12, right: 71, bottom: 37 };
const PLAIN = {
  ...{ flip: true, crop: true, pad: true, paste: false },
  ...{ brightness: 0, contrast: 0, saturation: 0, hue: 0 },
};

/** Grey, with a red rectangle. */
function makePhoto() {
  const data = new Uint8Array(WIDTH * HEIGHT * 3).fill(100);
  for (let y = BOX.top; y < BOX.bottom; y++)
    for (let x = BOX.left; x < BOX.right; x++) data.set([255, 0, 0], (y * WIDTH + x) * 3);
  return { data, width: WIDTH, height: HEIGHT };
}

/** @param {{data: Uint8Array, width: number, height: number}} image corners of the red pixels as shares; undefined: none */
function findRed({ data, width, height }) {
  const found = [Infinity, Infinity, -1, -1];
  for (let i = 0; i < width * height; i++) {
    if (data[3 * i] !== 255 || data[3 * i + 1] !== 0) continue;
    const [y, x] = [Math.floor(i / width), i % width];
    found[0] = Math.min(found[0], y / height);
    found[1] = Math.min(found[1], x / width);
    found[2] = Math.max(found[2], (y + 1) / height);
    found[3] = Math.max(found[3], (x + 1) / width);
  }
  return found[2] < 0 ? undefined : found;
}

/** @type {import('../../../wasm/train/detect/examples.js').Target} */
const TARGET = {
  label: 3,
  ignore: false,
  box: [BOX.top / HEIGHT, BOX.left / WIDTH, BOX.bottom / HEIGHT, BOX.right / WIDTH],
};

test('boxes follow crops, flips and canvases; less than half of one is ignored', () => {
  const photo = makePhoto();
  const area = (BOX.right - BOX.left) * (BOX.bottom - BOX.top);
  const seen = { ignored: 0, whole: 0, larger: 0, smaller: 0 };
  for (let stream = 0; stream < 300; stream++) {
    const { image, targets } = augment(photo, [TARGET], PLAIN, { seed: 1, stream });
    const red = findRed(image);
    assert.equal(targets.length, red ? 1 : 0);
    if (!red) continue;
    const [target] = targets;
    assert.equal(target.label, 3);
    target.box.forEach((value, i) =>
      assert.ok(Math.abs(value - red[i]) < 1e-9, `stream ${stream}, corner ${i}`),
    );
    let count = 0;
    for (let i = 0; i < image.data.length; i += 3)
      count += Number(image.data[i] === 255 && image.data[i + 1] === 0);
    assert.equal(target.ignore, count < area / 2, `stream ${stream}`);
    seen.ignored += Number(target.ignore);
    seen.whole += Number(count === area);
    seen.larger += Number(image.width > WIDTH);
    seen.smaller += Number(image.width < WIDTH);
  }
  for (const [kind, count] of Object.entries(seen)) assert.ok(count > 5, `${kind}: ${count}`);
});

test('the same seed and stream give the same view, another stream another one; the photo stays as it is', () => {
  const photo = makePhoto();
  const colours = { ...PLAIN, brightness: 0.2, contrast: 0.3, saturation: 0.3, hue: 0.1 };
  const view = (/** @type {number} */ stream) => augment(photo, [TARGET], colours, { seed: 4, stream });
  assert.deepEqual(view(7), view(7));
  assert.notDeepEqual(view(7), view(8));
  assert.deepEqual(photo, makePhoto());
});

test('without hue, saturation and contrast, brightness adds to every level', () => {
  const none = { ...PLAIN, crop: false, pad: false, flip: false, brightness: 0.1 };
  const grey = { data: new Uint8Array(30).fill(128), width: 5, height: 2 };
  for (let stream = 0; stream < 20; stream++) {
    const { image } = augment(grey, [], none, { seed: 0, stream });
    assert.ok(image.data.every((level) => level === image.data[0] && Math.abs(level - 128) <= 26));
  }
});

describe('pasted objects', () => {
  const PASTE = { ...PLAIN, flip: false, crop: false, pad: false, paste: true };
  const plain = { data: new Uint8Array(200 * 150 * 3).fill(100), width: 200, height: 150 };
  /** All of it is red, so that the ellipses are too. */
  const red = {
    data: Uint8Array.from({ length: 120 * 90 * 3 }, (_, i) => (i % 3 === 0 ? 255 : 0)),
    width: 120,
    height: 90,
  };
  const object = {
    label: 3,
    ignore: false,
    box: /** @type {[number, number, number, number]} */ ([0.2, 0.3, 0.7, 0.6]),
  };
  /** @param {number} stream @param {any} [targets] */
  const view = (stream, targets = [object]) =>
    augment(plain, [], PASTE, { seed: 1, stream }, { image: red, targets });

  test('lie in their boxes, which are a little smaller than what is pasted', () => {
    let numObjects = 0;
    for (let stream = 0; stream < 100; stream++) {
      // Where the object fills its photo there is no part without one.
      const { image, targets } = view(stream, [{ ...object, box: [0, 0, 1, 1] }]);
      numObjects += targets.length;
      const inside = (/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ grown) =>
        targets.some(({ box: [ymin, xmin, ymax, xmax] }) => {
          const [high, wide] = [((ymax - ymin) * grown) / 2, ((xmax - xmin) * grown) / 2];
          return Math.abs(y - (ymin + ymax) / 2) <= high && Math.abs(x - (xmin + xmax) / 2) <= wide;
        });
      for (let i = 0; i < 200 * 150; i++) {
        const [x, y] = [((i % 200) + 0.5) / 200, (Math.floor(i / 200) + 0.5) / 150];
        if (image.data[3 * i] > 110) assert.ok(inside(x, y, 1.11), `stream ${stream}: ${x}, ${y}`);
        if (inside(x, y, 0.05)) assert.deepEqual([...image.data.subarray(3 * i, 3 * i + 3)], [255, 0, 0]);
      }
      for (const { label, ignore, box } of targets) {
        assert.deepEqual([label, ignore], [3, false]);
        assert.ok(box.every((value) => value >= 0 && value <= 1) && box[0] < box[2] && box[1] < box[3]);
      }
    }
    assert.ok(numObjects > 100);
  });
  test('cover next to nothing of each other, nor of the objects of the view', () => {
    for (let stream = 0; stream < 50; stream++) {
      const { targets } = augment(
        plain,
        [TARGET],
        PASTE,
        { seed: 2, stream },
        { image: red, targets: [object] },
      );
      assert.deepEqual(targets[0].box.slice(), TARGET.box.slice());
      for (const [i, { box }] of targets.entries())
        for (const { box: earlier } of targets.slice(0, i)) {
          const high = Math.min(box[2], earlier[2]) - Math.max(box[0], earlier[0]);
          const wide = Math.min(box[3], earlier[3]) - Math.max(box[1], earlier[1]);
          const area = (earlier[2] - earlier[0]) * (earlier[3] - earlier[1]);
          assert.ok(Math.max(high, 0) * Math.max(wide, 0) <= 0.11 * area, `stream ${stream}`);
        }
    }
  });
  test('are no objects if the photo has none, or only ignored ones; parts of it are pasted without a box', () => {
    for (const targets of [[], [{ ...object, ignore: true }]]) {
      const views = Array.from({ length: 20 }, (_, stream) => view(stream, targets));
      assert.ok(views.every((seen) => seen.targets.length === 0));
      assert.ok(views.some(({ image }) => image.data.includes(255)));
    }
  });
  test('keep photos as they are', () => {
    const before = plain.data.slice();
    view(1);
    assert.deepEqual(plain.data, before);
  });
  test('have the colour of their photo on views of a few pixels, too', () => {
    const part = { data: new Uint8Array(12 * 9 * 3).fill(200), width: 12, height: 9 };
    for (const [width, height] of [
      [1, 1],
      [4, 4],
      [2, 30],
    ])
      for (let seed = 0; seed < 100; seed++) {
        const image = { data: new Uint8Array(width * height * 3).fill(200), width, height };
        paste({ image, targets: [] }, [object], () => part, uniforms(seed));
        assert.ok(
          image.data.every((level) => level === 200),
          `${width} x ${height}, seed ${seed}`,
        );
      }
  });
});

// Composes labelled photos: cut-outs of objects from OpenCV's sample photos (tools/samples.sh), turned, scaled, mirrored and
// lit at random, on other photos. `node tests/node/train/compose.js DIR [--count N] [--seed N] [--backgrounds DIR]` writes a
// data set in COCO's format.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { encodePng } from '../../../wasm/draw/png.js';
import { decodeImage } from '../../../wasm/platform/node.js';
import { uniforms } from '../../../wasm/train/random.js';

/**
 * @typedef {{data: Uint8Array, width: number, height: number}} Rgb
 * @typedef {Rgb & {label: string, mask: Uint8Array}} Cutout mask: one byte a pixel, 0 or 1
 * @typedef {{label: string, box: {x: number, y: number, width: number, height: number}}} Box
 * @typedef {Rgb & {boxes: Box[]}} Composed
 */

/**
 * Where the objects are, as shares of their photo: left, top, right, bottom. plain: the object is what differs from the
 * white around it.
 * @type {{label: string, file: string, shape: 'ellipse' | 'rectangle' | 'plain', part: number[]}[]}
 */
const OBJECTS = [
  { label: 'Apple', file: 'data_apple.jpg', shape: 'ellipse', part: [0.08, 0.09, 0.84, 0.97] },
  { label: 'Orange', file: 'data_orange.jpg', shape: 'ellipse', part: [0.08, 0.12, 0.91, 0.98] },
  { label: 'Fish', file: 'data_HappyFish.jpg', shape: 'plain', part: [0.13, 0.07, 1, 1] },
  { label: 'Butterfly', file: 'data_butterfly.jpg', shape: 'ellipse', part: [0.01, 0.2, 0.99, 0.86] },
  { label: 'Chessboard', file: 'data_left01.jpg', shape: 'rectangle', part: [0.35, 0.09, 0.83, 0.62] },
];
/** Photos that show one of them, or next to nothing. */
const NO_BACKGROUND = /apple|orange|HappyFish|butterfly|left01|right07|fruits|smarties|cards/;
const SIZE = { width: 360, height: 270 };

/** @param {string} directory of photos */
export async function openCutouts(directory) {
  /** @type {Cutout[]} */
  const cutouts = [];
  for (const { label, file, shape, part } of OBJECTS) {
    const photo = await decodeImage(readFileSync(join(directory, file)));
    cutouts.push({ label, ...cutOut(photo, shape, part) });
  }
  return cutouts;
}

/** @param {string[]} directories */
export async function openBackgrounds(directories) {
  /** @type {Rgb[]} */
  const photos = [];
  for (const directory of directories) {
    for (const name of readdirSync(directory).sort()) {
      if (!/\.(jpg|png)$/.test(name) || NO_BACKGROUND.test(name)) continue;
      photos.push(await decodeImage(readFileSync(join(directory, name))));
    }
  }
  return photos;
}

/**
 * @param {Rgb} photo
 * @param {string} shape
 * @param {number[]} part
 */
function cutOut(photo, shape, [left, top, right, bottom]) {
  const [x0, y0] = [Math.round(left * photo.width), Math.round(top * photo.height)];
  const width = Math.round(right * photo.width) - x0;
  const height = Math.round(bottom * photo.height) - y0;
  const data = new Uint8Array(width * height * 3);
  const mask = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = ((y0 + y) * photo.width + x0 + x) * 3;
      const pixel = photo.data.subarray(from, from + 3);
      data.set(pixel, (y * width + x) * 3);
      const [u, v] = [(2 * x) / width - 1, (2 * y) / height - 1];
      const isObject = { ellipse: u * u + v * v < 1, plain: Math.min(...pixel) < 225, rectangle: true }[
        shape
      ];
      mask[y * width + x] = Number(isObject);
    }
  }
  return { data, mask, width, height };
}

/**
 * One photo with up to three objects.
 * @param {readonly Rgb[]} backgrounds
 * @param {readonly Cutout[]} objects each is pasted once
 * @param {() => number} random
 * @param {{width: number, height: number}} [size]
 * @returns {Composed}
 */
export function compose(backgrounds, objects, random, { width, height } = SIZE) {
  const image = { data: new Uint8Array(width * height * 3), width, height };
  fillBackground(image, backgrounds[Math.floor(random() * backgrounds.length)], random);
  /** @type {Box[]} */
  const boxes = [];
  for (const object of objects) {
    const box = paste(image, object, boxes, random);
    if (box) boxes.push(box);
  }
  return { ...image, boxes };
}

/** @param {Rgb} image @param {Rgb} photo @param {() => number} random */
function fillBackground({ data, width, height }, photo, random) {
  const share = 0.5 + 0.5 * random();
  const scale = share * Math.min(photo.width / width, photo.height / height);
  const left = random() * (photo.width - scale * width);
  const top = random() * (photo.height - scale * height);
  const isMirrored = random() < 0.5;
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3) {
      const column = isMirrored ? width - 1 - x : x;
      sample(photo, left + column * scale, top + y * scale, data, at, 1);
    }
  }
}

/**
 * Bilinear.
 * @param {Rgb} photo
 * @param {number} x
 * @param {number} y
 * @param {Uint8Array} to
 * @param {number} at
 * @param {number} light
 */
function sample({ data, width, height }, x, y, to, at, light) {
  const [x0, y0] = [
    Math.min(Math.max(Math.floor(x), 0), width - 1),
    Math.min(Math.max(Math.floor(y), 0), height - 1),
  ];
  const [x1, y1] = [Math.min(x0 + 1, width - 1), Math.min(y0 + 1, height - 1)];
  const [u, v] = [Math.min(Math.max(x - x0, 0), 1), Math.min(Math.max(y - y0, 0), 1)];
  for (let c = 0; c < 3; c++) {
    const upper = data[(y0 * width + x0) * 3 + c] * (1 - u) + data[(y0 * width + x1) * 3 + c] * u;
    const lower = data[(y1 * width + x0) * 3 + c] * (1 - u) + data[(y1 * width + x1) * 3 + c] * u;
    to[at + c] = Math.min((upper * (1 - v) + lower * v) * light, 255);
  }
}

/**
 * @param {Rgb} image
 * @param {Cutout} object
 * @param {Box[]} others that it must not cover
 * @param {() => number} random
 * @returns {Box | undefined} undefined: there was no room
 */
function paste({ data, ...size }, object, others, random) {
  const side = (0.15 + 0.45 * random()) * size.height;
  const aspect = 0.85 + 0.3 * random();
  const scale = side / Math.max(object.width, object.height);
  const [wide, high] = [object.width * scale * aspect, (object.height * scale) / aspect];
  const angle = ((random() - 0.5) * 50 * Math.PI) / 180;
  const light = 0.7 + 0.6 * random();
  const isMirrored = random() < 0.5;
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  const reach = Math.hypot(wide, high) / 2;
  for (let tries = 0; tries < 20; tries++) {
    const [cx, cy] = [random() * size.width, random() * size.height];
    const isInside =
      cx > reach * 0.8 && cx < size.width - reach * 0.8 && cy > reach * 0.8 && cy < size.height - reach * 0.8;
    const isFree = others.every(
      ({ box }) =>
        Math.abs(box.x + box.width / 2 - cx) > box.width / 2 + reach * 0.7 ||
        Math.abs(box.y + box.height / 2 - cy) > box.height / 2 + reach * 0.7,
    );
    if (!isInside || !isFree) continue;
    return draw();

    function draw() {
      const bounds = { left: Infinity, top: Infinity, right: -1, bottom: -1 };
      for (let y = Math.max(Math.floor(cy - reach), 0); y < Math.min(cy + reach, size.height); y++) {
        for (let x = Math.max(Math.floor(cx - reach), 0); x < Math.min(cx + reach, size.width); x++) {
          const [dx, dy] = [x - cx, y - cy];
          const u = (dx * cosine + dy * sine) / wide + 0.5;
          const v = (dy * cosine - dx * sine) / high + 0.5;
          if (u < 0 || u >= 1 || v < 0 || v >= 1) continue;
          const [ox, oy] = [(isMirrored ? 1 - u : u) * object.width, v * object.height];
          if (!object.mask[Math.floor(oy) * object.width + Math.min(Math.floor(ox), object.width - 1)])
            continue;
          sample(object, ox, oy, data, (y * size.width + x) * 3, light);
          bounds.left = Math.min(bounds.left, x);
          bounds.top = Math.min(bounds.top, y);
          bounds.right = Math.max(bounds.right, x + 1);
          bounds.bottom = Math.max(bounds.bottom, y + 1);
        }
      }
      const { left, top, right, bottom } = bounds;
      return { label: object.label, box: { x: left, y: top, width: right - left, height: bottom - top } };
    }
  }
  return undefined;
}

/**
 * Photos with one to three different objects each.
 * @param {{count: number, seed: number, cutouts: Cutout[], backgrounds: Rgb[]}} options
 * @returns {Composed[]}
 */
export function composeMany({ count, seed, cutouts, backgrounds }) {
  const random = uniforms(seed);
  return Array.from({ length: count }, () => {
    const order = cutouts.map((cutout) => ({ cutout, key: random() })).sort((a, b) => a.key - b.key);
    const objects = order.slice(0, 1 + Math.floor(random() * 3)).map(({ cutout }) => cutout);
    return compose(backgrounds, objects, random);
  });
}

/** The directory of OpenCV's sample photos. */
export const samplePhotos = () => join(execFileSync('tools/samples.sh').toString().trim(), 'photos');

/** @param {string[]} args */
async function main(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { count: { type: 'string' }, seed: { type: 'string' }, backgrounds: { type: 'string' } },
  });
  const [directory] = positionals;
  const photos = samplePhotos();
  const cutouts = await openCutouts(photos);
  const backgrounds = await openBackgrounds([values.backgrounds ?? photos]);
  const composed = composeMany({
    count: Number(values.count ?? 300),
    seed: Number(values.seed ?? 0),
    cutouts,
    backgrounds,
  });
  mkdirSync(directory, { recursive: true });
  const names = cutouts.map(({ label }) => label);
  const images = composed.map(({ width, height }, id) => ({ id, file_name: `${id}.png`, width, height }));
  const annotations = composed
    .flatMap(({ boxes }, image_id) => boxes.map(({ label, box }) => ({ image_id, label, box })))
    .map(({ image_id, label, box: { x, y, width, height } }, i) => ({
      ...{ id: i + 1, image_id, category_id: names.indexOf(label), iscrowd: 0 },
      ...{ bbox: [x, y, width, height], area: width * height },
    }));
  for (const [id, { data, width, height }] of composed.entries())
    writeFileSync(join(directory, `${id}.png`), await encodePng({ data, width, height, channels: 3 }));
  const categories = names.map((name, id) => ({ id, name }));
  writeFileSync(join(directory, 'instances.json'), JSON.stringify({ images, annotations, categories }));
}

if (process.argv[1]?.endsWith('compose.js')) await main(process.argv.slice(2));

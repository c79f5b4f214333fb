// Views of a photo: a random crop, a smaller copy on a canvas, a flip and other colours, as TensorFlow's Object Detection API
// augments (ssd_random_crop_pad, random_horizontal_flip, random_adjust_*); and pasted objects. Boxes follow. Only arithmetic that is the same on every engine.
import { uniforms } from '../random.js';
import { paste } from './paste.js';
import { between, coverage } from './region.js';

/**
 * @typedef {import('./examples.js').Rgb} Rgb
 * @typedef {import('./examples.js').Target} Target
 * @typedef {import('./region.js').Region} Region
 *
 * @typedef {object} Augmentation
 * @property {boolean} flip half of the views are mirrored
 * @property {boolean} crop
 * @property {boolean} pad a crop may also become smaller: half of the views are put on a larger canvas of their mean colour
 * @property {boolean} paste objects of a training photo, at other sizes and angles, and parts without one are pasted on views
 * @property {number} brightness the most that is added to the levels, as a share of the full range
 * @property {number} contrast levels are scaled about their mean by 1 - contrast to 1 + contrast
 * @property {number} saturation by 1 - saturation to 1 + saturation
 * @property {number} hue the most by which it turns, as a share of the circle
 */

/** ssd_random_crop's choices of how much of one object a crop must contain. */
const COVERED = [0, 0.1, 0.3, 0.5, 0.7, 0.9, 1];
/** The share of views that keep the whole photo. */
const WHOLE = 0.15;
const MIN_AREA = 0.1;
const ASPECTS = [0.5, 2];
const MAX_TRIES = 100;
const MAX_PAD = 2;
/** A box of which a crop shows at least this share stays an object. */
const SEEN = 0.5;

/**
 * @param {Rgb} photo
 * @param {readonly Target[]} targets
 * @param {Augmentation} augmentation
 * @param {{seed: number, stream: number}} random
 * @param {{image: Rgb, targets: readonly Target[]}} [donor] what is pasted is of this photo; default: of the same
 * @returns {{image: Rgb, targets: Target[]}}
 */
export function augment(photo, targets, augmentation, { seed, stream }, donor = { image: photo, targets }) {
  const random = uniforms(seed, stream);
  const region = augmentation.crop
    ? chooseRegion(photo, targets, random)
    : { left: 0, top: 0, right: 1, bottom: 1 };
  const isFlipped = augmentation.flip && random() < 0.5;
  const seen = { image: cut(photo, region, isFlipped), targets: moveTargets(targets, region, isFlipped) };
  const { image, targets: moved } = augmentation.pad ? pad(seen, random) : seen;
  adjustColours(image.data, augmentation, random);
  const view = { image, targets: moved };
  if (!augmentation.paste) return view;
  paste(view, donor.targets, (part) => cutOut(donor.image, part, augmentation, random), random);
  return view;
}

/**
 * @param {Rgb} photo
 * @param {Region} part without what is outside the photo
 * @param {Augmentation} augmentation
 * @param {() => number} random
 */
function cutOut(photo, part, augmentation, random) {
  const [left, top] = [Math.max(part.left, 0), Math.max(part.top, 0)];
  const [wide, high] = [Math.min(part.right, 1) - left, Math.min(part.bottom, 1) - top];
  const isFlipped = augmentation.flip && random() < 0.5;
  const image = cut(photo, toPixelRegion(left, top, wide, high, photo), isFlipped);
  adjustColours(image.data, augmentation, random);
  return image;
}

/**
 * @param {Rgb} photo
 * @param {readonly Target[]} targets
 * @param {() => number} random
 * @returns {Region}
 */
function chooseRegion({ width, height }, targets, random) {
  const whole = { left: 0, top: 0, right: 1, bottom: 1 };
  const covered = COVERED[Math.floor(random() * COVERED.length)];
  if (random() < WHOLE) return whole;
  const objects = targets.filter(({ ignore }) => !ignore);
  for (let i = 0; i < MAX_TRIES; i++) {
    const aspect = between(random, ASPECTS[0], ASPECTS[1]);
    const area = between(random, MIN_AREA, 1);
    // Sides in pixels have the aspect; as shares of the photo they are these.
    const high = Math.sqrt((area * width) / (aspect * height));
    const wide = area / high;
    const [x, y] = [random(), random()];
    if (high > 1 || wide > 1) continue;
    const region = toPixelRegion(x * (1 - wide), y * (1 - high), wide, high, { width, height });
    const isGood =
      objects.length === 0 || objects.some(({ box }) => coverage(box, region) >= Math.max(covered, 1e-6));
    if (isGood) return region;
  }
  return whole;
}

/**
 * @param {number} left
 * @param {number} top
 * @param {number} wide
 * @param {number} high
 * @param {{width: number, height: number}} size
 * @returns {Region} whole pixels
 */
function toPixelRegion(left, top, wide, high, { width, height }) {
  const x = Math.floor(left * width);
  const y = Math.floor(top * height);
  return {
    left: x / width,
    top: y / height,
    right: Math.min(x + Math.max(Math.round(wide * width), 1), width) / width,
    bottom: Math.min(y + Math.max(Math.round(high * height), 1), height) / height,
  };
}

/**
 * Boxes are clipped. One that is less than half inside is ignored: neither an object nor background.
 * @param {readonly Target[]} targets
 * @param {Region} region
 * @param {boolean} isFlipped
 * @returns {Target[]}
 */
function moveTargets(targets, region, isFlipped) {
  const { left, top, right, bottom } = region;
  return targets
    .map((target) => ({ ...target, inside: coverage(target.box, region) }))
    .filter(({ inside }) => inside > 0)
    .map(({ box: [ymin, xmin, ymax, xmax], inside, ...target }) => {
      const [y0, y1] = [ymin, ymax].map((y) => clip((y - top) / (bottom - top)));
      const [x0, x1] = [xmin, xmax].map((x) => clip((x - left) / (right - left)));
      const ignore = target.ignore || inside < SEEN;
      return { ...target, ignore, box: isFlipped ? [y0, 1 - x1, y1, 1 - x0] : [y0, x0, y1, x1] };
    });
}

/** @param {number} value */
const clip = (value) => Math.min(Math.max(value, 0), 1);

/**
 * @param {Rgb} photo
 * @param {Region} region
 * @param {boolean} isFlipped
 * @returns {Rgb} a copy
 */
function cut({ data, width, height }, { left, top, right, bottom }, isFlipped) {
  const x0 = Math.round(left * width);
  const y0 = Math.round(top * height);
  const wide = Math.round(right * width) - x0;
  const high = Math.round(bottom * height) - y0;
  const result = new Uint8Array(wide * high * 3);
  for (let y = 0; y < high; y++) {
    const row = data.subarray(((y0 + y) * width + x0) * 3, ((y0 + y) * width + x0 + wide) * 3);
    if (isFlipped) copyMirrored(row, result.subarray(y * wide * 3));
    else result.set(row, y * wide * 3);
  }
  return { data: result, width: wide, height: high };
}

/** @param {Uint8Array} row RGB @param {Uint8Array} to */
function copyMirrored(row, to) {
  for (let from = row.length - 3, at = 0; from >= 0; from -= 3, at += 3) {
    to[at] = row[from];
    to[at + 1] = row[from + 1];
    to[at + 2] = row[from + 2];
  }
}

/**
 * Puts an image on a canvas of up to twice its sides.
 * @param {{image: Rgb, targets: Target[]}} view
 * @param {() => number} random
 */
function pad({ image, targets }, random) {
  const factor = random() < 0.5 ? 1 : between(random, 1, MAX_PAD);
  const [u, v] = [random(), random()];
  if (factor === 1) return { image, targets };
  const width = Math.round(image.width * factor);
  const height = Math.round(image.height * factor);
  const x = Math.floor(u * (width - image.width));
  const y = Math.floor(v * (height - image.height));
  const data = new Uint8Array(width * height * 3);
  const mean = meanColour(image.data);
  for (let i = 0; i < data.length; i++) data[i] = mean[i % 3];
  for (let row = 0; row < image.height; row++)
    data.set(
      image.data.subarray(row * image.width * 3, (row + 1) * image.width * 3),
      ((y + row) * width + x) * 3,
    );
  return {
    image: { data, width, height },
    targets: targets.map(({ box: [ymin, xmin, ymax, xmax], ...target }) => {
      const [y0, y1] = [ymin, ymax].map((value) => (y + value * image.height) / height);
      const [x0, x1] = [xmin, xmax].map((value) => (x + value * image.width) / width);
      return { ...target, box: /** @type {Target['box']} */ ([y0, x0, y1, x1]) };
    }),
  };
}

/** @param {Uint8Array} data RGB */
function meanColour(data) {
  const sums = [0, 0, 0];
  for (let i = 0; i < data.length; i++) sums[i % 3] += data[i];
  return sums.map((sum) => Math.round((3 * sum) / data.length));
}

/**
 * Brightness, contrast, saturation and hue, all of which are linear in R, G and B: saturation and hue scale and turn the
 * chroma of YIQ.
 * @param {Uint8Array} data RGB, changed in place
 * @param {Augmentation} augmentation
 * @param {() => number} random
 */
function adjustColours(data, { brightness, contrast, saturation, hue }, random) {
  const added = between(random, -brightness, brightness) * 255;
  const scale = between(random, 1 - contrast, 1 + contrast);
  const chroma = between(random, 1 - saturation, 1 + saturation);
  const turn = between(random, -hue, hue) * 2 * Math.PI;
  if (brightness === 0 && contrast === 0 && saturation === 0 && hue === 0) return;
  // A rotation of rational numbers: sin and cos differ in the last digit between engines.
  const half = Math.min(Math.max(turn / 2, -0.75), 0.75);
  const tangent = half + half ** 3 / 3 + (2 * half ** 5) / 15;
  const cosine = (1 - tangent * tangent) / (1 + tangent * tangent);
  const sine = (2 * tangent) / (1 + tangent * tangent);
  let sum = 0;
  for (const level of data) sum += level;
  const mean = sum / data.length;
  for (let i = 0; i < data.length; i += 3) {
    const [r, g, b] = [data[i], data[i + 1], data[i + 2]];
    const y = 0.299 * r + 0.587 * g + 0.114 * b;
    const u = (0.596 * r - 0.274 * g - 0.322 * b) * chroma;
    const v = (0.211 * r - 0.523 * g + 0.312 * b) * chroma;
    const light = (y - mean) * scale + mean + added;
    const p = (u * cosine - v * sine) * scale;
    const q = (u * sine + v * cosine) * scale;
    data[i] = toLevel(light + 0.956 * p + 0.621 * q);
    data[i + 1] = toLevel(light - 0.272 * p - 0.647 * q);
    data[i + 2] = toLevel(light - 1.106 * p + 1.703 * q);
  }
}

/** @param {number} value */
const toLevel = (value) => Math.min(Math.max(Math.round(value), 0), 255);

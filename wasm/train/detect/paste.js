// Pastes objects of one photo on a view of another one, at other sizes, angles and places (Dwibedi et al. 2017, "Cut, Paste and
// Learn"), and parts without an object, so that the edge of a pasted part says nothing. Only arithmetic that is the same on every
// engine.
import { between, coverage } from './region.js';

/**
 * @typedef {import('./examples.js').Rgb} Rgb
 * @typedef {import('./examples.js').Target} Target
 * @typedef {import('./region.js').Region} Region
 * @typedef {{image: Rgb, targets: Target[]}} View
 *
 * @typedef {object} Ellipse what is pasted, in pixels of the view
 * @property {number} x of the centre
 * @property {number} y
 * @property {number} wide half axes, before the turn
 * @property {number} high
 * @property {number} cosine of the angle by which it is turned
 * @property {number} sine
 */

/** How many objects are pasted, and how many parts without one. */
const OBJECTS = { min: 1, max: 3 };
const OTHERS = { min: 1, max: 4 };
/** Boxes that a view can have more than its photo. */
export const MOST_PASTED = OBJECTS.max;
/** The longer axis is at most this share of the view's shorter side, and at least an eighth of that. */
const MAX_SIDE = 0.7;
const OCTAVES = 3;
/** The tangent of half the largest angle, 30 degrees. */
const TURN = 0.268;
const SQUEEZE = 0.1;
/** The ellipse around an object is larger than its box by this factor. */
const MARGIN = 1.1;
/** The share of the radius over which a pasted part fades into the view. */
const FADE = { min: 0.1, max: 0.3 };
/** Sides of a part without an object, as shares of its photo. */
const PART = { min: 0.1, max: 0.6 };
const MAX_TRIES = 15;
/** Two parts cover at most this share of each other. */
const COVERED = 0.1;

/**
 * @param {View} view changed in place
 * @param {readonly Target[]} targets of the photo that objects are taken from
 * @param {(region: Region) => Rgb} cutOut a copy of a region of that photo, mirrored or in other colours
 * @param {() => number} random
 */
export function paste(view, targets, cutOut, random) {
  const objects = targets.filter(({ ignore }) => !ignore);
  const numOthers = wholeBetween(random, OTHERS);
  const numObjects = objects.length === 0 ? 0 : wholeBetween(random, OBJECTS);
  const taken = view.targets.map(({ box }) => box);
  for (let i = 0; i < numOthers; i++) {
    const region = chooseFree(targets, random);
    const box = region && place(view.image, cutOut(region), 1, taken, random);
    if (box) taken.push(box);
  }
  for (let i = 0; i < numObjects; i++) {
    const object = objects[Math.floor(random() * objects.length)];
    const box = place(view.image, cutOut(around(object.box)), MARGIN, taken, random);
    if (!box) continue;
    taken.push(box);
    view.targets.push({ ...object, box });
  }
}

/** Math.hypot differs in the last digit between engines. @param {number} x @param {number} y */
const length = (x, y) => Math.sqrt(x * x + y * y);

/** @param {() => number} random @param {{min: number, max: number}} range */
const wholeBetween = (random, { min, max }) => min + Math.floor(random() * (max - min + 1));

/** The part of a photo from which an ellipse around a box is cut. @param {Target['box']} box @returns {Region} */
function around([ymin, xmin, ymax, xmax]) {
  const [high, wide] = [((ymax - ymin) * MARGIN) / 2, ((xmax - xmin) * MARGIN) / 2];
  const [y, x] = [(ymin + ymax) / 2, (xmin + xmax) / 2];
  return { left: x - wide, top: y - high, right: x + wide, bottom: y + high };
}

/**
 * A part of a photo that shows next to nothing of its objects.
 * @param {readonly Target[]} targets
 * @param {() => number} random
 * @returns {Region | undefined} undefined: none was found
 */
function chooseFree(targets, random) {
  for (let i = 0; i < MAX_TRIES; i++) {
    const wide = between(random, PART.min, PART.max);
    const high = between(random, PART.min, PART.max);
    const left = random() * (1 - wide);
    const top = random() * (1 - high);
    const region = { left, top, right: left + wide, bottom: top + high };
    if (targets.every(({ box }) => areApart(box, region))) return region;
  }
  return undefined;
}

/** Whether neither hides much of the other. @param {Target['box']} box @param {Region} region */
function areApart(box, region) {
  const [top, left, bottom, right] = box;
  const own = /** @type {Target['box']} */ ([region.top, region.left, region.bottom, region.right]);
  return coverage(box, region) <= COVERED && coverage(own, { left, top, right, bottom }) <= COVERED;
}

/**
 * Draws a part somewhere, where it covers next to nothing of what is taken.
 * @param {Rgb} image
 * @param {Rgb} part
 * @param {number} margin by which the part is larger than the object in it
 * @param {readonly Target['box'][]} taken
 * @param {() => number} random
 * @returns {Target['box'] | undefined} of the object; undefined: there was no room
 */
function place(image, part, margin, taken, random) {
  const shape = chooseShape(image, part, random);
  const { wide, high, cosine, sine } = shape;
  const fade = between(random, FADE.min, FADE.max);
  // Half the sides of the rectangle around the turned ellipse.
  const x = length(wide * cosine, high * sine);
  const y = length(wide * sine, high * cosine);
  for (let i = 0; i < MAX_TRIES; i++) {
    const centre = { x: between(random, x, image.width - x), y: between(random, y, image.height - y) };
    const box = toBox(centre, { x: x / margin, y: y / margin }, image);
    const region = { left: box[1], top: box[0], right: box[3], bottom: box[2] };
    if (!taken.every((other) => areApart(other, region))) continue;
    blend(image, part, { ...shape, ...centre }, fade);
    return box;
  }
  return undefined;
}

/**
 * @param {Rgb} image
 * @param {Rgb} part
 * @param {() => number} random
 * @returns {Omit<Ellipse, 'x' | 'y'>} half axes of the size that the part gets, and its angle
 */
function chooseShape(image, part, random) {
  const side = (MAX_SIDE * between(random, 0.5, 1)) / (1 << Math.floor(random() * OCTAVES));
  const scale = (side * Math.min(image.width, image.height)) / Math.max(part.width, part.height);
  const squeeze = between(random, 1 - SQUEEZE, 1 + SQUEEZE);
  // A rotation of rational numbers, as for colours.
  const tangent = between(random, -TURN, TURN);
  return {
    wide: (part.width * scale * squeeze) / 2,
    high: (part.height * scale) / squeeze / 2,
    cosine: (1 - tangent * tangent) / (1 + tangent * tangent),
    sine: (2 * tangent) / (1 + tangent * tangent),
  };
}

/**
 * @param {{x: number, y: number}} centre
 * @param {{x: number, y: number}} half sides
 * @param {{width: number, height: number}} size
 * @returns {Target['box']}
 */
const toBox = (centre, half, { width, height }) => [
  Math.max(centre.y - half.y, 0) / height,
  Math.max(centre.x - half.x, 0) / width,
  Math.min(centre.y + half.y, height) / height,
  Math.min(centre.x + half.x, width) / width,
];

/**
 * Draws a part, cut to an ellipse that fades at its edge.
 * @param {Rgb} image changed in place
 * @param {Rgb} part
 * @param {Ellipse} ellipse
 * @param {number} fade share of the radius
 */
function blend({ data, width, height }, part, { x, y, wide, high, cosine, sine }, fade) {
  const reach = Math.max(wide, high);
  let source = part;
  while (source.width > Math.max(4 * wide, 1) && source.height > Math.max(4 * high, 1))
    source = halve(source);
  const pixel = new Float64Array(3);
  const [bottom, right] = [Math.min(y + reach, height), Math.min(x + reach, width)];
  for (let row = Math.max(Math.floor(y - reach), 0); row < bottom; row++) {
    for (let column = Math.max(Math.floor(x - reach), 0); column < right; column++) {
      const [dx, dy] = [column + 0.5 - x, row + 0.5 - y];
      const u = (dx * cosine + dy * sine) / wide;
      const v = (dy * cosine - dx * sine) / high;
      const alpha = Math.min((1 - length(u, v)) / fade, 1);
      if (alpha <= 0) continue;
      sample(source, ((u + 1) / 2) * source.width, ((v + 1) / 2) * source.height, pixel);
      const at = (row * width + column) * 3;
      for (let c = 0; c < 3; c++) data[at + c] = Math.round(data[at + c] * (1 - alpha) + pixel[c] * alpha);
    }
  }
}

/** @param {Rgb} image @returns {Rgb} of half its sides: means of 2 x 2 pixels */
function halve({ data, width, height }) {
  const [wide, high] = [width >> 1, height >> 1];
  const result = new Uint8Array(wide * high * 3);
  for (let y = 0, to = 0; y < high; y++) {
    for (let x = 0; x < wide; x++) {
      for (let c = 0; c < 3; c++, to++) {
        const at = (2 * y * width + 2 * x) * 3 + c;
        const below = at + width * 3;
        result[to] = (data[at] + data[at + 3] + data[below] + data[below + 3] + 2) >> 2;
      }
    }
  }
  return { data: result, width: wide, height: high };
}

/**
 * Bilinear; pixels are at the middle of their square.
 * @param {Rgb} image
 * @param {number} x
 * @param {number} y
 * @param {Float64Array} to
 */
function sample({ data, width, height }, x, y, to) {
  const [left, top] = [Math.min(Math.max(x - 0.5, 0), width - 1), Math.min(Math.max(y - 0.5, 0), height - 1)];
  const [x0, y0] = [Math.floor(left), Math.floor(top)];
  const [x1, y1] = [Math.min(x0 + 1, width - 1), Math.min(y0 + 1, height - 1)];
  const [u, v] = [left - x0, top - y0];
  for (let c = 0; c < 3; c++) {
    const upper = data[(y0 * width + x0) * 3 + c] * (1 - u) + data[(y0 * width + x1) * 3 + c] * u;
    const lower = data[(y1 * width + x0) * 3 + c] * (1 - u) + data[(y1 * width + x1) * 3 + c] * u;
    to[c] = upper * (1 - v) + lower * v;
  }
}

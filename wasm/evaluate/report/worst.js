// The images with most errors: of a detector with what is there and what was found, of a classifier as they are.
import { checkClassified, checkDataset, checkFunction, checkLabels, checkObject } from '../arguments.js';
import { drawDetections } from '../../draw/draw.js';
import { encodePng } from '../../draw/png.js';
import { indexOfHighest } from '../measure/classes.js';
import { matchImage } from '../measure/confusion.js';
import { tabulate } from '../measure/table.js';

/**
 * @typedef {import('../evaluate.js').Evaluation} Evaluation
 * @typedef {import('../types.js').Detection} Detection
 * @typedef {import('../../draw/draw.js').Pixels} Pixels
 * @typedef {import('../read/dataset.js').Dataset & {files: import('../read/files.js').DataFiles}} Dataset
 *
 * @typedef {object} Classified
 * @property {string} name of the image
 * @property {number} truth its class
 * @property {ArrayLike<number>} probabilities
 * @property {() => Uint8Array | Promise<Uint8Array>} read
 */

const GREEN = /** @type {const} */ ([64, 220, 110]);
const YELLOW = /** @type {const} */ ([255, 220, 40]);
const RED = /** @type {const} */ ([255, 90, 80]);
const MOST = 12;
const MOST_SIDE_PX = 640;

/**
 * @param {Evaluation} evaluation with `confusion`
 * @param {Dataset} dataset
 * @param {Detection[]} detections
 * @param {(bytes: Uint8Array) => Promise<Pixels>} decode
 * @returns {Promise<import('./report.js').WorstImage[]>} images without errors or without a picture are left out
 */
export async function drawWorst(evaluation, dataset, detections, decode) {
  checkObject(evaluation, 'evaluation', 'what evaluateDetections returns');
  checkDataset(dataset);
  checkFunction(decode, 'decode');
  const { confusion } = evaluation;
  if (!confusion) return [];
  const { files, pictures, groundTruth } = dataset;
  const table = tabulate(groundTruth, detections);
  const wrong = (/** @type {{confused: number, extra: number, missed: number}} */ image) =>
    2 * image.confused + image.extra + image.missed;
  const chosen = confusion.images
    .map((image, index) => ({ ...image, index }))
    .filter((image) => wrong(image) > 0 && pictures.has(image.id))
    .sort((a, b) => wrong(b) - wrong(a))
    .slice(0, MOST);
  const drawn = [];
  for (const { id, index, name, confused, extra, missed } of chosen) {
    const pixels = await decode(await files.read(/** @type {string} */ (pictures.get(id))));
    const boxes = boxesOf(table, index, confusion.threshold);
    const { pixels: small, scale } = shrink(pixels);
    drawDetections(
      small,
      boxes.map(({ box: [x, y, width, height], ...rest }) => ({
        ...rest,
        box: { x: x * scale, y: y * scale, width: width * scale, height: height * scale },
      })),
    );
    const counts = [`${missed} missed`, `${extra} extra`, `${confused} of a wrong class`];
    drawn.push({
      name,
      summary: counts.filter((text) => !text.startsWith('0 ')).join(', '),
      png: encodePng(small),
    });
  }
  return drawn;
}

/**
 * The images whose most probable class is wrong, those first whose true class is least probable.
 * @param {readonly string[]} labels
 * @param {readonly Classified[]} images
 * @param {(bytes: Uint8Array) => Promise<Pixels>} decode
 * @returns {Promise<import('./report.js').WorstImage[]>}
 */
export async function drawMisclassified(labels, images, decode) {
  checkLabels(labels);
  checkClassified(images);
  checkFunction(decode, 'decode');
  const wrong = images
    .map((image) => ({ ...image, found: indexOfHighest(image.probabilities) }))
    .filter(({ truth, found }) => truth !== found)
    .sort((a, b) => a.probabilities[a.truth] - b.probabilities[b.truth])
    .slice(0, MOST);
  const drawn = [];
  for (const { name, truth, found, probabilities, read } of wrong) {
    const named = (/** @type {number} */ label) => `${labels[label]} (${probabilities[label].toFixed(3)})`;
    drawn.push({
      name,
      summary: `${named(truth)}, found as ${named(found)}`,
      png: encodePng(shrink(await decode(await read())).pixels),
    });
  }
  return drawn;
}

/**
 * @param {import('../measure/table.js').Table} table
 * @param {number} image
 * @param {number} threshold
 */
function boxesOf(table, image, threshold) {
  const { truth, found, categories } = table;
  const rowsOf = (/** @type {Int32Array} */ images) =>
    Int32Array.from(images.keys()).filter((row) => images[row] === image);
  const shown = rowsOf(found.image).filter((row) => found.score[row] > threshold);
  const { matched, extra, missed } = matchImage(table, rowsOf(truth.image), shown);
  const boxAt = (/** @type {Float64Array} */ boxes, /** @type {number} */ row) =>
    boxes.subarray(4 * row, 4 * row + 4);
  const labelled = (/** @type {number} */ category) => ({
    label: categories[category].name,
    labelId: category,
  });
  const detection = (/** @type {number} */ d, /** @type {typeof GREEN | typeof RED} */ color) => ({
    ...labelled(found.category[d]),
    score: found.score[d],
    box: boxAt(found.boxes, d),
    color,
  });
  const object = (/** @type {number} */ g) => ({
    ...labelled(truth.category[g]),
    box: boxAt(truth.boxes, g),
    color: YELLOW,
  });
  const isRight = (/** @type {{d: number, g: number}} */ { d, g }) => found.category[d] === truth.category[g];
  return [
    ...matched.map((pair) => detection(pair.d, isRight(pair) ? GREEN : RED)),
    ...matched.filter((pair) => !isRight(pair)).map(({ g }) => object(g)),
    ...extra.map((d) => detection(d, RED)),
    ...missed.map(object),
  ];
}

/**
 * Makes a photo at most 640 pixels wide and high, by averaging.
 * @param {Pixels} pixels
 */
function shrink({ data, width, height, channels }) {
  const factor = Math.max(1, Math.ceil(Math.max(width, height) / MOST_SIDE_PX));
  const small = { width: Math.ceil(width / factor), height: Math.ceil(height / factor) };
  const out = new Uint8Array(small.width * small.height * 3);
  for (let y = 0; y < small.height; y++) {
    for (let x = 0; x < small.width; x++) {
      const [right, bottom] = [Math.min((x + 1) * factor, width), Math.min((y + 1) * factor, height)];
      const count = (right - x * factor) * (bottom - y * factor);
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let row = y * factor; row < bottom; row++)
          for (let column = x * factor; column < right; column++)
            sum += data[(row * width + column) * channels + c];
        out[(y * small.width + x) * 3 + c] = sum / count;
      }
    }
  }
  return { pixels: { data: out, ...small, channels: /** @type {3} */ (3) }, scale: 1 / factor };
}

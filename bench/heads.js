// JavaScript interface of bench/heads/heads.c: post-processing of 1917 anchors and 601 classes.
import { readShared, time } from './measure.js';
import { instantiate, place } from './module.js';

const REFERENCE = 'convert/openimages_v4';
const NUM_ANCHORS = 1917;
const NUM_COLUMNS = 602;

/** @param {number} half bits of an IEEE 754 binary16 */
function halfToFloat(half) {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const mantissa = half & 1023;
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent ? sign * 2 ** (exponent - 15) * (1 + mantissa / 1024) : sign * 2 ** -24 * mantissa;
}

/**
 * Reads a NumPy file (.npy, format version 1) of float16 or float32.
 * @param {string} path in the reference data
 * @returns {Promise<Float32Array | undefined>} undefined if the file is missing
 */
async function readNumpy(path) {
  const bytes = await readShared(path);
  if (!bytes) return undefined;
  const start = 10 + new DataView(bytes.buffer, bytes.byteOffset).getUint16(8, true);
  const data = bytes.slice(start).buffer;
  const isHalf = new TextDecoder().decode(bytes.subarray(10, start)).includes("'<f2'");
  return isHalf ? Float32Array.from(new Uint16Array(data), halfToFloat) : new Float32Array(data);
}

/** @param {Float32Array} corners [N, 4] ymin, xmin, ymax, xmax -> [N, 4] y centre, x centre, height, width */
function toCentres(corners) {
  return corners.map((_, i) => {
    const [yMin, xMin, yMax, xMax] = corners.subarray(i & ~3, (i & ~3) + 4);
    return [(yMin + yMax) / 2, (xMin + xMax) / 2, yMax - yMin, xMax - xMin][i & 3];
  });
}

/**
 * Post-processes a photo's heads `runs` times, after as many runs of warm-up. Returns the times in ms and the number of
 * detections; undefined without the reference data.
 * @param {number} runs
 */
export async function measureHeads(runs) {
  const corners = await readNumpy(`${REFERENCE}/anchors.npy`);
  const encodings = await readNumpy(`${REFERENCE}/refs/astronaut/box_encodings.npy`);
  const logits = await readNumpy(`${REFERENCE}/refs/astronaut/class_predictions_f16.npy`);
  if (!corners || !encodings || !logits) return undefined;
  const instance = await instantiate('heads');
  const { ocl_heads_alloc: alloc, ocl_heads_create: create, ocl_heads_detect: detect } = instance.exports;
  const ssd = create(place(instance, alloc, toCentres(corners)), NUM_ANCHORS, NUM_COLUMNS);
  const heads = [encodings, logits].map((head) => place(instance, alloc, head));
  let count = 0;
  const run = () => {
    count = detect(ssd, ...heads, 0.3);
    if (count < 0) throw new Error('post-processing failed');
  };
  const all = Array.from({ length: 2 * runs }, () => time(run));
  return { times: all.slice(runs), numDetections: count };
}

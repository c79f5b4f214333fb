// Detects small objects: in overlapping tiles of a picture and in the whole of it, each at the network's input size.
import { cutTile, moveBoxes } from './cut.js';
import { failure } from '../shared/errors.js';
import { checkCallbacks, checkChoice, checkKeys, checkNumber } from '../shared/options.js';
import { mergeDetections } from './merge.js';
import { sliceTiles } from './slices.js';

/**
 * @typedef {import('./merge.js').Mergeable} Mergeable
 * @typedef {import('./slices.js').Tile} Tile
 *
 * @typedef {object} TileOptions
 * @property {number | 'auto'} [size] of a tile, in pixels; 32 to 100 000. Default: twice the side of the network's input
 * @property {number} [overlap] of neighbouring tiles, as a part of their size; 0 to 0.9, default 0.2
 * @property {'greedy' | 'suppress'} [merge] how detections of an object in several tiles become one: 'greedy' joins boxes that
 *   share more than `threshold` with the smaller of the two, 'suppress' drops boxes whose intersection over union with a
 *   better one is as high. Default: 'greedy'
 * @property {number} [threshold] 0 to 1, default 0.5
 * @property {(progress: {done: number, total: number}) => void} [onProgress] called after each tile
 *
 * @typedef {{detections: (Mergeable & object)[], ms: Record<string, number>, size: {width: number, height: number}}} Found
 *
 * @typedef {{maxResults: number, maxPerClass: number, classAgnostic: boolean}} Limits
 *
 * @typedef {object} Call A call of `detect`, with copies of what the user may change after it.
 * @property {any} image pixels, or what `read` reads
 * @property {() => Promise<any>} read decodes an image that is no pixels
 * @property {'auto' | TileOptions} tiles
 * @property {any} how a copy of the tiles' options
 * @property {any} view the other options of the call
 * @property {(image: any, view: any) => Promise<any>} detect
 * @property {{width: number}} inputSize of the network
 * @property {number} instances of the network, which run at the same time
 * @property {Limits} thresholds of the detector
 */

const KEYS = ['size', 'overlap', 'merge', 'threshold', 'onProgress'];
export const TILE_SIZE = { min: 32, max: 100_000, integer: true };
const OVERLAP = { min: 0, max: 0.9 };
const SHARE = { min: 0, max: 1 };
const MERGES = /** @type {const} */ (['greedy', 'suppress']);
/** More would take hours. */
const MAX_TILES = 10_000;

/**
 * @param {Call} call
 * @returns {Promise<any>} as of the whole picture, with the detections of all; `tiles` is their number
 */
export async function detectInTiles({ image, read, detect, ...call }) {
  const { view, instances } = call;
  const { size, overlap, merge, threshold, onProgress } = check(
    call.tiles,
    call.how,
    2 * call.inputSize.width,
  );
  const limits = limitsOf(call.thresholds, view);
  const pixels = Object(image).data ? image : await read();
  /** @type {Found} */
  const whole = await detect(pixels, view);
  const tiles = tilesOf(regionOf(whole.size, view.roi), size, overlap);
  const features = view.features === 'image' ? undefined : view.features && 'boxes';
  const detectIn = async (/** @type {Tile} */ tile) => {
    const part = view.rotation ? undefined : cutTile(pixels, tile);
    if (!part) return detect(pixels, { ...view, roi: tile, features });
    return moveBoxes(await detect(part, { ...view, roi: undefined, features }), tile);
  };
  let done = 0;
  const found = await mapInOrder(tiles, instances, async (tile) => {
    const each = await detectIn(tile);
    onProgress?.({ done: ++done, total: tiles.length });
    return each;
  });
  const all = [...found, whole].flatMap(({ detections }) => detections);
  const merged = mergeDetections(all, { merge, threshold, classAgnostic: limits.classAgnostic });
  const ms = Object.keys(whole.ms).map((stage) => [
    stage,
    [whole, ...found].reduce((sum, each) => sum + each.ms[stage], 0),
  ]);
  return {
    ...whole,
    ...(pixels.truncated && { truncated: true }),
    detections: limit(merged, limits),
    ms: Object.fromEntries(ms),
    tiles: tiles.length,
  };
}

/**
 * Maps tiles, some at the same time. After an error no other begins.
 * @param {Tile[]} tiles
 * @param {number} atOnce
 * @param {(tile: Tile) => Promise<Found>} run
 */
async function mapInOrder(tiles, atOnce, run) {
  /** @type {Found[]} */
  const found = [];
  let next = 0;
  const work = async () => {
    try {
      while (next < tiles.length) {
        const index = next++;
        found[index] = await run(tiles[index]);
      }
    } catch (error) {
      next = tiles.length;
      throw error;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return found;
}

/**
 * @param {Limits} thresholds of the detector
 * @param {Partial<Limits>} given in the call
 * @returns {Limits}
 */
function limitsOf({ maxResults, maxPerClass, classAgnostic }, given) {
  return {
    maxResults: given.maxResults ?? maxResults,
    maxPerClass: given.maxPerClass ?? maxPerClass,
    classAgnostic: given.classAgnostic ?? classAgnostic,
  };
}

/**
 * @param {Mergeable[]} detections best first
 * @param {Limits} limits
 */
function limit(detections, { maxResults, maxPerClass }) {
  /** @type {Map<number, number>} */
  const counts = new Map();
  const kept = detections.filter(({ labelId }) => {
    counts.set(labelId, (counts.get(labelId) ?? 0) + 1);
    return Number(counts.get(labelId)) <= maxPerClass;
  });
  return kept.slice(0, maxResults);
}

/**
 * @param {unknown} given
 * @param {TileOptions} copy of it
 * @param {number} defaultSize
 * @returns {Required<Omit<TileOptions, 'size' | 'onProgress'>> & {size: number, onProgress?: TileOptions['onProgress']}}
 */
function check(given, copy, defaultSize) {
  const isAuto = given === 'auto';
  if (!isAuto) checkKeys('tiles', given, KEYS);
  const { size = 'auto', overlap = 0.2, merge = 'greedy', threshold = 0.5, onProgress } = isAuto ? {} : copy;
  checkNumber('tiles.overlap', overlap, OVERLAP);
  checkChoice('tiles.merge', merge, MERGES);
  checkNumber('tiles.threshold', threshold, SHARE);
  checkCallbacks({ 'tiles.onProgress': onProgress });
  const pixels = size === 'auto' ? defaultSize : checkNumber('tiles.size', size, TILE_SIZE);
  return { size: Number(pixels), overlap, merge, threshold, onProgress };
}

/**
 * The region that is searched, in whole pixels.
 * @param {{width: number, height: number}} size of the picture
 * @param {Tile | undefined} roi which the first run has accepted
 * @returns {Tile}
 */
function regionOf({ width, height }, roi) {
  if (!roi) return { x: 0, y: 0, width, height };
  const [x, y] = [Math.max(Math.floor(roi.x), 0), Math.max(Math.floor(roi.y), 0)];
  const right = Math.min(Math.ceil(roi.x + roi.width), width);
  const bottom = Math.min(Math.ceil(roi.y + roi.height), height);
  return { x, y, width: right - x, height: bottom - y };
}

/**
 * @param {Tile} region
 * @param {number} size
 * @param {number} overlap
 * @returns {Tile[]} none if one tile would be the whole region
 */
function tilesOf(region, size, overlap) {
  const step = size - Math.trunc(overlap * size);
  const most = Math.ceil(region.width / step) * Math.ceil(region.height / step);
  if (most > MAX_TILES)
    throw failure('INVALID_OPTION', `tiles: ${most} tiles of ${size} pixels; the limit is ${MAX_TILES}`);
  const tiles = sliceTiles(region, size, overlap);
  if (tiles.length === 1) return [];
  return tiles.map((tile) => ({ ...tile, x: tile.x + region.x, y: tile.y + region.y }));
}

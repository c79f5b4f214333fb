// ocelli detect: prints the objects in each image, and draws them on copies of the images.
import { stat } from 'node:fs/promises';
import { join, parse } from 'node:path';
import { DEFAULT_THRESHOLDS, THRESHOLD_RANGES } from '../../wasm/vision/detector.js';
import { drawDetections } from '../../wasm/draw/draw.js';
import { decodeImage, ObjectDetector } from '../../wasm/platform/node.js';
import { encodePng } from '../../wasm/draw/png.js';
import { format } from '../../wasm/report/metrics.js';
import { plural, safeJson } from '../../wasm/shared/text.js';
import { TILE_SIZE } from '../../wasm/tiles/index.js';
import { attempt, factsOf, formatPercent, layOut, UsageError } from '../common.js';
import { inputAt, makeDirectory, save } from '../files.js';
import { eachImage, findInputs } from '../inputs.js';
import { openModel, readLoading } from '../model.js';
import * as shared from '../options.js';
import { bold, dim, print, printable } from '../output.js';
import { trackingOfVideo } from '../tracking.js';
import { checkReplaced, PNG_TEXT } from '../written.js';

/** The default of --score for videos. */
const TRACKED_SCORE = 0.1;

const options = /** @type {const} */ ({
  score: {
    type: 'number',
    value: 'N',
    about: 'only show objects whose score is above N',
    range: THRESHOLD_RANGES.scoreThreshold,
    defaultText: `${DEFAULT_THRESHOLDS.scoreThreshold}, with --track ${TRACKED_SCORE}`,
    library: 'scoreThreshold',
  },
  iou: {
    type: 'number',
    value: 'N',
    about: 'drop a box that overlaps a better box of its class by more than N',
    range: THRESHOLD_RANGES.iouThreshold,
    defaultText: `as the model's file says, otherwise ${DEFAULT_THRESHOLDS.iouThreshold}`,
    library: 'iouThreshold',
  },
  max: {
    type: 'number',
    value: 'N',
    about: 'show the N best objects, of all classes or of one',
    range: THRESHOLD_RANGES.maxResults,
    defaultText: `as the model's file says, otherwise ${DEFAULT_THRESHOLDS.maxResults}`,
    library: 'maxResults',
  },
  classes: {
    type: 'classes',
    value: 'A,B',
    about: 'only show these classes: names, MIDs (/m/...) or numbers',
    library: 'classes.allow',
  },
  deny: { type: 'classes', value: 'A,B', about: 'do not show these classes', library: 'classes.deny' },
  tiles: {
    type: 'number',
    value: 'N',
    about:
      'also detect in overlapping tiles of N x N pixels, to find small objects; auto: twice the size of the ' +
      "network's input",
    range: TILE_SIZE,
    choices: ['auto'],
    defaultText: 'the whole image only',
  },
  json: {
    type: 'flag',
    about:
      'print one line of JSON for each image instead of the table: {file, width, height, detections: [{label, ' +
      'labelId, mid, score, box: {x, y, width, height}}], tiles?, precision, decode?, ms: {decode, preprocess, network, postprocess}}',
  },
  out: {
    type: 'text',
    value: 'PATH',
    about:
      'also write images with boxes and labels drawn on them. If PATH ends in .png, it is the file for the only ' +
      'image; - is standard output; otherwise PATH is a directory and gets NAME.png for each image. Input files are ' +
      'never overwritten',
    writes: ['.png', 'directory'],
  },
  track: {
    type: 'flag',
    about:
      'the only input is a video: number its objects (ByteTrack), and print frame,id,x,y,width,height,score,-1,-1,-1 for ' +
      'each object of each frame, or with --json a line of JSON for each frame. A file is read by ffmpeg if that is ' +
      'installed; .y4m and MJPEG, also from standard input, are read without it',
  },
  video: {
    type: 'text',
    value: 'OUT.mp4',
    about:
      'with --track, also write the video with boxes and numbers drawn on it, by ffmpeg; - is standard output, as .y4m',
    writes: ['.mp4'],
  },
  ...trackingOfVideo,
  force: shared.force,
  report: { type: 'flag', about: 'also print the energy used and the emissions, measured or estimated' },
  precision: { ...shared.precision, default: 'float' },
  weights: shared.weights,
  model: {
    type: 'file',
    value: 'FILE',
    about: 'a detector: a .tflite file, or - for standard input',
    defaultText: 'the detector that comes with ocelli',
  },
  labels: shared.labels,
  signature: shared.signature,
  input: shared.input,
  ssd: shared.ssd,
  threads: shared.threads,
  deterministic: shared.deterministic,
  ...shared.reading,
});

/** @type {import('../arguments.js').Command<typeof options>} */
export const command = {
  summary: 'find the objects in images',
  about: 'Prints a table of the objects in each image: label, score, and box in pixels of the upright image.',
  positionals: [shared.images],
  options,
  examples: [
    'ocelli detect photo.jpg',
    'ocelli detect --score 0.3 --classes Dog,Cat --out found/ photos/',
    'curl -s https://example.com/photo.jpg | ocelli detect --json -',
    'ocelli detect street.mp4 --track --activation 0.4 --video found.mp4',
  ],
  run,
};

/**
 * @typedef {import('../arguments.js').Values<typeof options>} Values
 * @typedef {import('../../wasm/vision/types.js').Detection} Detection
 * @typedef {import('../../wasm/vision/types.js').DetectResult} DetectResult
 */

/**
 * @param {Values} values
 * @param {string[]} args
 */
async function run(values, args) {
  if (values.track) return runVideo(values, args);
  refuseTracking(values);
  const images = await findInputs(args, values.out);
  if (images.length === 0) return;
  const loading = await readLoading(values);
  const pictures = values.out === undefined ? [] : await planPictures(values.out, images, values.force);
  const detector =
    loading && pictures && (await openModel(ObjectDetector, values, { ...loading, ...toOptions(values) }));
  if (!detector) return;
  try {
    await eachImage(images, (image, bytes, i) => detectIn(detector, image, bytes, pictures[i], values));
    if (values.report) await printEnergy(detector, values.json);
  } finally {
    detector.close();
  }
}

/** Refuses what would be ignored. @param {Values} values */
function refuseTracking(values) {
  const names = /** @type {(keyof typeof trackingOfVideo)[]} */ (Object.keys(trackingOfVideo));
  const given = names.find((name) => values[name] !== trackingOfVideo[name].default);
  const name = values.video === undefined ? given : 'video';
  if (name) throw new UsageError(`--${name} needs --track`);
}

/**
 * @param {Values} values
 * @param {string[]} args
 */
async function runVideo(values, args) {
  if (args.length > 1) throw new UsageError(`--track takes one video, not ${args.length}`);
  if (values.out !== undefined)
    throw new UsageError('--out takes images; with --track, --video takes a file');
  const loading = await readLoading(values);
  // The tracker makes use of detections with low scores.
  const thresholds = toOptions({ ...values, score: values.score ?? TRACKED_SCORE });
  const detector = loading && (await openModel(ObjectDetector, values, { ...loading, ...thresholds }));
  if (!detector) return;
  try {
    // Loaded here, because images need none of it.
    const { trackVideo } = await import('../video/track.js');
    await trackVideo(detector, args[0], values);
    if (values.report) await printEnergy(detector, values.json);
  } finally {
    detector.close();
  }
}

/**
 * @param {ObjectDetector} detector
 * @param {boolean} json
 */
async function printEnergy(detector, json) {
  const { figures } = await detector.report();
  if (json) return print(safeJson({ energy: figures }));
  const rows = figures.map(({ name, value, unit, kind, basis }) => [
    name,
    `${format(value)} ${unit}`,
    `${kind}: ${basis}`,
  ]);
  print([bold('Energy'), ...layOut(rows, 'lll')].join('\n'));
}

/**
 * Prints what is in one image.
 * @param {ObjectDetector} detector
 * @param {string} image
 * @param {Uint8Array} bytes
 * @param {string | undefined} picture the file to draw the objects into
 * @param {Values} values
 */
async function detectIn(detector, image, bytes, picture, { json, score, tiles, 'max-pixels': maxPixels }) {
  const found = await detector.detect(bytes, tilesOption(tiles));
  print(json ? toJson(image, found) : toText(image, found, score));
  if (picture !== undefined) await save(picture, await drawPicture(bytes, found.detections, maxPixels));
}

/**
 * @param {Uint8Array} bytes
 * @param {Detection[]} detections
 * @param {number} maxPixels
 * @returns {Promise<Uint8Array>} a PNG file
 */
async function drawPicture(bytes, detections, maxPixels) {
  const pixels = await decodeImage(bytes, { maxPixels });
  drawDetections(pixels, detections);
  return encodePng(pixels, PNG_TEXT);
}

// ---- results ----

/**
 * @param {string} file
 * @param {DetectResult} found
 */
function toJson(file, { detections, size, tiles, ...run }) {
  return safeJson({ file, ...size, detections, tiles, ...factsOf(run) });
}

/**
 * @param {string} file
 * @param {DetectResult} found
 * @param {number} [score]
 */
export function toText(
  file,
  { detections, size: { width, height }, ms },
  score = DEFAULT_THRESHOLDS.scoreThreshold,
) {
  const total = ms.decode + ms.preprocess + ms.network + ms.postprocess;
  const found =
    detections.length > 0 ? plural(detections.length, 'object') : `nothing above ${formatPercent(score)}`;
  const facts = dim(`${width} x ${height} px, ${found}, ${total.toFixed(0)} ms`);
  return [
    `${bold(printable(file))}  ${facts}`,
    ...(detections.length > 0 ? tableLines(detections) : []),
  ].join('\n');
}

/** @param {Detection[]} detections */
function tableLines(detections) {
  const rows = detections.map(({ label, score, box }) => [
    printable(label),
    formatPercent(score),
    ...[box.x, box.y, box.width, box.height].map((size) => size.toFixed(0)),
  ]);
  const [head, ...lines] = layOut([['label', 'score', 'x', 'y', 'width', 'height'], ...rows], 'lrrrrr');
  return [dim(head), ...lines];
}

// ---- options ----

/** @param {Values['tiles']} size */
function tilesOption(size) {
  return size === undefined ? {} : { tiles: { size } };
}

/** @param {Values} values */
function toOptions({ score, iou, max, classes, deny, precision }) {
  return {
    classes: { allow: classes, deny },
    ...(score !== undefined && { scoreThreshold: score }),
    ...(iou !== undefined && { iouThreshold: iou }),
    ...(max !== undefined && { maxResults: max, maxPerClass: max }),
    precision,
  };
}

// ---- output files ----

/**
 * The file to write for each image.
 * @param {string} out a file if the name ends in .png and is not a directory; a pipe or a device; - is standard output;
 *   otherwise a directory, which is created
 * @param {string[]} images
 * @param {boolean} force replace files that are none of ours
 * @returns {Promise<string[] | undefined>} undefined if the directory cannot be created
 */
async function planPictures(out, images, force) {
  if (await isOneFile(out)) {
    if (images.length > 1)
      throw new UsageError(`--out ${out} is one file for ${images.length} images; name a directory`);
    const input = await inputAt(out);
    if (input !== undefined) throw new UsageError(`--out ${out} would overwrite the input ${input}`);
    if (!force && out !== '-') await checkReplaced('--out', out, '.png');
    return [out];
  }
  return attempt(out, async () => {
    await makeDirectory(out);
    const pictures = await nameInDirectory(out, images);
    if (!force) for (const picture of pictures) await checkReplaced('--out', picture, '.png');
    return pictures;
  });
}

/**
 * DIR/NAME.png, or DIR/NAME-2.png and so on if that name is taken by another picture or is an input file.
 * @param {string} directory
 * @param {string[]} images
 */
async function nameInDirectory(directory, images) {
  /** @type {Set<string>} */
  const taken = new Set();
  const pictures = [];
  for (const image of images) {
    const name = image === '-' ? 'stdin' : parse(image).name;
    let picture = join(directory, `${name}.png`);
    for (let i = 2; taken.has(picture.toLowerCase()) || (await inputAt(picture)) !== undefined; i++) {
      picture = join(directory, `${name}-${i}.png`);
    }
    taken.add(picture.toLowerCase());
    pictures.push(picture);
  }
  return pictures;
}

/** @param {string} out */
async function isOneFile(out) {
  const present = await stat(out).catch(() => undefined);
  if (present) return !present.isDirectory();
  return out === '-' || /\.png$/i.test(out);
}

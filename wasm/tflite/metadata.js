// Writes TFLite Metadata (metadata_schema.fbs, "M001") for other readers of .tflite files. For detectors it contains
// MediaPipe's anchors and decoding options (object_detector_metadata_schema.fbs, "V001"). Settings that fit neither
// schema are JSON in an entry called OCELLI.
import { zipSync } from 'fflate';
import { OcelliError } from '../shared/errors.js';
import { endsInZip, unzip } from '../shared/zip.js';
import { BATCH_NORM_ENTRY } from './batch_norm.js';
import { blob, Builder, float32s, offsets, table } from './flatbuffer.js';

/**
 * @typedef {object} About
 * @property {string} name
 * @property {string} description
 * @property {{name: string, mean: number[], std: number[]}} [image] of the input
 * @property {{name: string, role: 'location' | 'score' | 'probability' | 'feature', labels?: string[]}[]} outputs
 * @property {{anchors: Float32Array, boxCoder: number[], numClasses: number, isSigmoid: boolean}} [detector]
 * @property {object} [own] written as JSON
 * @property {Uint8Array} [batchNorm] written by batch_norm.js
 */

/** The name of ocelli's entry in the custom metadata. */
const OWN_ENTRY = 'OCELLI';
const DETECTOR_ENTRY = 'DETECTOR_METADATA';
const MIN_PARSER_VERSION = '1.5.0';

const FEATURE_PROPERTIES = 1;
const IMAGE_PROPERTIES = 2;
const BOX_PROPERTIES = 3;
const RGB = 1;
const BOUNDARIES = 1;
const NORMALIZATION = 1;
const AXIS_LABELS = 2;
const NUM_COORDINATES = 4;
const VALUES_PER_KEYPOINT = 2; // MediaPipe requires it, although there are no keypoints

/** @param {About} about @returns {Uint8Array} */
export function writeMetadata({ name, description, image, outputs, detector, own, batchNorm }) {
  const builder = new Builder(1 << 16);
  const labelFiles = labelFilesOf(outputs);
  const custom = [
    ...(detector ? [writeCustom(builder, DETECTOR_ENTRY, writeDetector(detector))] : []),
    ...(own ? [writeCustom(builder, OWN_ENTRY, new TextEncoder().encode(JSON.stringify(own)))] : []),
    ...(batchNorm ? [writeCustom(builder, BATCH_NORM_ENTRY, batchNorm)] : []),
  ];
  const inputs = image ? [writeImage(builder, image)] : [];
  const subgraph = table(builder, [
    ['ref', 2, offsets(builder, inputs)],
    [
      'ref',
      3,
      offsets(
        builder,
        outputs.map((output, i) => writeOutput(builder, output, labelFiles[i])),
      ),
    ],
    ['ref', 9, offsets(builder, custom)],
  ]);
  const model = table(builder, [
    ['ref', 0, builder.createString(name)],
    ['ref', 1, builder.createString(description)],
    ['ref', 3, offsets(builder, [subgraph])],
    ['ref', 7, builder.createString(MIN_PARSER_VERSION)],
  ]);
  builder.finish(model, 'M001');
  return builder.asUint8Array();
}

/**
 * @param {Builder} builder
 * @param {string} name
 * @param {Uint8Array} data
 */
function writeCustom(builder, name, data) {
  return table(builder, [
    ['ref', 0, builder.createString(name)],
    ['ref', 1, blob(builder, data)],
  ]);
}

/** @param {Builder} builder @param {NonNullable<About['image']>} image */
function writeImage(builder, { name, mean, std }) {
  const options = table(builder, [
    ['ref', 0, float32s(builder, mean)],
    ['ref', 1, float32s(builder, std)],
  ]);
  const unit = table(builder, [
    ['i8', 0, NORMALIZATION],
    ['ref', 1, options],
  ]);
  const content = table(builder, [
    ['i8', 0, IMAGE_PROPERTIES],
    ['ref', 1, table(builder, [['i8', 0, RGB]])],
  ]);
  return table(builder, [
    ['ref', 0, builder.createString(name)],
    ['ref', 3, content],
    ['ref', 4, offsets(builder, [unit])],
  ]);
}

/**
 * @param {Builder} builder
 * @param {About['outputs'][number]} output
 * @param {string | undefined} labelFile
 */
function writeOutput(builder, { name, role }, labelFile) {
  const isBox = role === 'location';
  const properties = isBox ? table(builder, [['i8', 1, BOUNDARIES]]) : table(builder, []);
  const content = table(builder, [
    ['i8', 0, isBox ? BOX_PROPERTIES : FEATURE_PROPERTIES],
    ['ref', 1, properties],
  ]);
  const files = labelFile ? [writeFile(builder, labelFile)] : [];
  return table(builder, [
    ['ref', 0, builder.createString(name)],
    ['ref', 3, content],
    ['ref', 6, offsets(builder, files)],
  ]);
}

/** @param {Builder} builder @param {string} name */
function writeFile(builder, name) {
  return table(builder, [
    ['ref', 0, builder.createString(name)],
    ['i8', 2, AXIS_LABELS],
  ]);
}

/** @param {NonNullable<About['detector']>} detector */
function writeDetector({ anchors, boxCoder: [y, x, h, w], numClasses, isSigmoid }) {
  const builder = new Builder(anchors.length * 12 + 1024);
  const boxes = Array.from({ length: anchors.length / 4 }, (_, i) => {
    const [yCenter, xCenter, height, width] = anchors.subarray(4 * i, 4 * i + 4);
    return table(builder, [
      ['f32', 0, xCenter],
      ['f32', 1, yCenter],
      ['f32', 2, width],
      ['f32', 3, height],
    ]);
  });
  const schema = table(builder, [['ref', 0, offsets(builder, boxes)]]);
  const anchorOptions = table(builder, [['ref', 0, schema]]);
  const decoding = table(builder, [
    ['i32', 0, numClasses],
    ['i32', 1, boxes.length],
    ['i32', 2, NUM_COORDINATES],
    ['i32', 5, VALUES_PER_KEYPOINT],
    ['f32', 6, x],
    ['f32', 7, y],
    ['f32', 8, w],
    ['f32', 9, h],
    ['bool', 10, true],
    ['bool', 11, isSigmoid],
  ]);
  const options = table(builder, [
    ['ref', 0, builder.createString('1.0.0')],
    ['ref', 1, anchorOptions],
    ['ref', 2, decoding],
  ]);
  builder.finish(options, 'V001');
  return builder.asUint8Array();
}

/**
 * The name of each output's label file.
 * @param {{labels?: string[]}[]} outputs
 */
function labelFilesOf(outputs) {
  let count = 0;
  return outputs.map(({ labels }) => labels && (++count === 1 ? 'labels.txt' : `labels${count}.txt`));
}

/**
 * Appends the labels of the model's only labelled output.
 * @param {Uint8Array} model
 * @param {string[]} labels
 */
export const appendLabels = (model, labels) => appendLabelFiles(model, [{ labels }]);

/**
 * Appends the labels of each output, in files that writeMetadata() names.
 * @param {Uint8Array} model
 * @param {{labels?: string[]}[]} outputs
 */
export function appendLabelFiles(model, outputs) {
  const names = labelFilesOf(outputs);
  const files = outputs.flatMap(({ labels }, i) =>
    labels ? [[names[i], new TextEncoder().encode(labels.map((label) => `${label}\n`).join(''))]] : [],
  );
  return appendFiles(model, Object.fromEntries(files));
}

/**
 * Appends associated files to the model, as a ZIP archive whose offsets count from the model's first byte.
 * @param {Uint8Array} model
 * @param {Record<string, Uint8Array>} files
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function appendFiles(model, files) {
  const zip = zipSync(files, { level: 0, mtime: new Date(1980, 0, 1) });
  shiftOffsets(zip, model.length);
  const whole = new Uint8Array(model.length + zip.length);
  whole.set(model);
  whole.set(zip, model.length);
  return whole;
}

/** The most bytes of associated files that are read. */
const MAX_FILES_BYTES = 1 << 26;

/**
 * The associated files of a model: labels, score calibration …
 * @param {Uint8Array} model
 * @returns {Record<string, Uint8Array>} empty if it has none
 */
export function associatedFiles(model) {
  if (!endsInZip(model)) return {};
  let total = 0;
  try {
    return unzip(model, ({ originalSize }) => {
      total += originalSize;
      if (total > MAX_FILES_BYTES) throw new Error(`they unpack to more than ${MAX_FILES_BYTES} bytes`);
      return true;
    });
  } catch (error) {
    throw new OcelliError(
      'BAD_METADATA',
      `the archive of the model's associated files: ${/** @type {Error} */ (error).message}`,
      { cause: error },
    );
  }
}

const END_BYTES = 22;
const ENTRY_BYTES = 46;

/** Adds `by` to the offsets in the archive. @param {Uint8Array} zip without a comment @param {number} by */
function shiftOffsets(zip, by) {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  const end = zip.length - END_BYTES;
  const directory = view.getUint32(end + 16, true);
  view.setUint32(end + 16, directory + by, true);
  for (let at = directory; at + ENTRY_BYTES <= end;) {
    view.setUint32(at + 42, view.getUint32(at + 42, true) + by, true);
    at +=
      ENTRY_BYTES +
      view.getUint16(at + 28, true) +
      view.getUint16(at + 30, true) +
      view.getUint16(at + 32, true);
  }
}

// A project as files: COCO's and YOLO's data sets for other tools, and one file that has everything, to be opened again.
import { gzipSync, strFromU8, strToU8, unzipSync, zipSync } from 'fflate';
import { fit } from './boxes.js';
import { readPicture } from './picture_files.js';
import { makeId, MAX_NAME } from './project.js';

/**
 * @typedef {import('./project.js').State} State
 * @typedef {import('./project.js').Picture} Picture
 * @typedef {import('./kept_project.js').Kept} Kept
 * @typedef {Record<string, Uint8Array>} Files
 */

const FORMAT = 'ocelli-teach';
const VERSION = 1;
const ENDINGS = /** @type {Record<string, string>} */ ({ 'image/png': 'png', 'image/jpeg': 'jpg' });
/** What a project may unpack to. */
const MAX_BYTES = 2 ** 30;
const MAX_BOXES = 10_000;
/** As stage.js writes them: nothing else becomes a style. */
const COLOR = /^rgb\(\d+ \d+ \d+\)$/;

/** @param {unknown} value */
const toJson = (value) => strToU8(JSON.stringify(value, null, 1));

/** @param {{blob: Blob}} picture @param {number} at */
const nameOf = ({ blob }, at) => `${String(at + 1).padStart(4, '0')}.${ENDINGS[blob.type] ?? 'jpg'}`;

/** @param {State} state @param {string} folder */
async function packPictures({ pictures }, folder) {
  /** @type {Files} */
  const files = {};
  for (const [at, picture] of pictures.entries())
    files[`${folder}/${nameOf(picture, at)}`] = new Uint8Array(await picture.blob.arrayBuffer());
  return files;
}

/** Pictures are compressed already. @param {Files} files */
const pack = (files) => /** @type {Uint8Array<ArrayBuffer>} */ (zipSync(files, { level: 0 }));

/** @param {State} state @returns {Promise<Uint8Array<ArrayBuffer>>} a zip archive */
export async function toCoco(state) {
  const instances = {
    images: state.pictures.map((picture, id) => ({
      ...{ id: id + 1, file_name: nameOf(picture, id) },
      ...{ width: picture.width, height: picture.height },
    })),
    categories: state.classes.map(({ name }, id) => ({ id: id + 1, name: name.trim() })),
    annotations: state.pictures
      .flatMap(({ boxes }, image) => boxes.map((box) => ({ box, image })))
      .map(({ box: { classId, x, y, width, height }, image }, id) => ({
        ...{ id: id + 1, image_id: image + 1, category_id: indexOf(state, classId) + 1 },
        ...{ bbox: [x, y, width, height], area: width * height, iscrowd: 0 },
      })),
  };
  return pack({ 'instances.json': toJson(instances), ...(await packPictures(state, 'images')) });
}

/** @param {State} state @returns {Promise<Uint8Array<ArrayBuffer>>} a zip archive */
export async function toYolo(state) {
  // A JSON text is a YAML text.
  const names = state.classes.map(({ name }, i) => `  ${i}: ${JSON.stringify(name.trim())}`);
  const data = ['path: .', 'train: images', 'val: images', 'names:', ...names, ''].join('\n');
  const labels = state.pictures.map((picture, at) => [
    `labels/${nameOf(picture, at).split('.')[0]}.txt`,
    strToU8(picture.boxes.map((box) => toYoloLine(state, picture, box)).join('')),
  ]);
  return pack({
    'data.yaml': strToU8(data),
    ...Object.fromEntries(labels),
    ...(await packPictures(state, 'images')),
  });
}

/**
 * Class, centre and size as shares of the picture.
 * @param {State} state
 * @param {Picture} picture
 * @param {import('./project.js').Box} box
 */
function toYoloLine(state, picture, { classId, x, y, width, height }) {
  const shares = [
    ...[(x + width / 2) / picture.width, (y + height / 2) / picture.height],
    ...[width / picture.width, height / picture.height],
  ];
  return `${indexOf(state, classId)} ${shares.map((share) => Number(share.toFixed(6))).join(' ')}\n`;
}

/** @param {State} state @param {number} classId */
const indexOf = ({ classes }, classId) => classes.findIndex(({ id }) => id === classId);

/** @param {Kept} kept @returns {Promise<Uint8Array<ArrayBuffer>>} a zip archive */
export async function toProjectFile({ state, trained }) {
  const project = {
    ...{ format: FORMAT, version: VERSION, classes: state.classes },
    pictures: state.pictures.map((picture, at) => ({
      ...{ name: picture.name, file: `pictures/${nameOf(picture, at)}`, boxes: picture.boxes },
    })),
  };
  const { model, ...rest } = trained ?? {};
  return pack({
    'project.json': toJson(project),
    ...(model && { 'trained/model.tflite': model, 'trained/about.json': toJson(rest) }),
    ...(await packPictures(state, 'pictures')),
  });
}

/**
 * Reads what toProjectFile wrote; the file may come from anywhere.
 * @param {Blob} file
 * @returns {Promise<Kept>}
 */
export async function openProjectFile(file) {
  const files = unpack(new Uint8Array(await file.arrayBuffer()));
  const project = parse(files['project.json']);
  if (project?.format !== FORMAT) throw refuse('it is no project of this page');
  if (project.version !== VERSION) throw refuse('a newer version of this page wrote it');
  const classes = readClasses(project.classes);
  const ids = new Set(classes.map(({ id }) => id));
  /** @type {Picture[]} */
  const pictures = [];
  let boxes = 0;
  for (const each of list(project.pictures)) {
    const bytes = files[String(each?.file)];
    if (!bytes) throw refuse(`${each?.file} is missing`);
    const still = await readPicture(new Blob([bytes])).catch(({ message }) => {
      throw refuse(`${each.file}: ${message}`);
    });
    const read = list(each.boxes).map((box, i) => readBox(box, still, ids, boxes + i));
    boxes += read.length;
    if (boxes > MAX_BOXES) throw refuse(`it has more than ${MAX_BOXES} boxes`);
    pictures.push({ ...still, id: makeId(), name: String(each.name).slice(0, 200), boxes: read });
  }
  return { state: { classes, pictures }, trained: readTrained(files) };
}

/** @param {string} why */
const refuse = (why) => new Error(`This file cannot be opened as a project: ${why}.`);

/** @param {Uint8Array} bytes @returns {Record<string, Uint8Array<ArrayBuffer>>} */
function unpack(bytes) {
  let total = 0;
  try {
    const files = unzipSync(bytes, {
      filter({ originalSize }) {
        total += originalSize;
        if (total > MAX_BYTES) throw refuse('it unpacks to more than 1 GiB');
        return true;
      },
    });
    const checksums = readChecksums(bytes);
    for (const [name, content] of Object.entries(files))
      if (checksumOf(content) !== checksums.get(name)) throw new Error(`${name} is damaged`);
    return /** @type {Record<string, Uint8Array<ArrayBuffer>>} */ (files);
  } catch (error) {
    throw total > MAX_BYTES ? error : refuse('it is damaged');
  }
}

/**
 * The checksums in the archive's directory, which fflate does not compare.
 * @param {Uint8Array} bytes of an archive that fflate has read
 */
function readChecksums(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let end = bytes.length - 22;
  while (view.getUint32(end, true) !== 0x06054b50) end--;
  /** @type {Map<string, number>} */
  const checksums = new Map();
  for (let at = view.getUint32(end + 16, true), left = view.getUint16(end + 8, true); left > 0; left--) {
    const [name, extra, comment] = [28, 30, 32].map((field) => view.getUint16(at + field, true));
    const isLatin1 = (view.getUint16(at + 8, true) & 2048) === 0;
    checksums.set(
      strFromU8(bytes.subarray(at + 46, at + 46 + name), isLatin1),
      view.getUint32(at + 16, true),
    );
    at += 46 + name + extra + comment;
  }
  return checksums;
}

/** A gzip file ends in the same checksum, and its content's size. @param {Uint8Array} content */
function checksumOf(content) {
  const file = gzipSync(content, { level: 0 });
  return new DataView(file.buffer, file.byteOffset + file.length - 8).getUint32(0, true);
}

/** @param {Uint8Array | undefined} bytes @returns {any} */
function parse(bytes) {
  try {
    return bytes && JSON.parse(strFromU8(bytes));
  } catch {
    throw refuse('its texts are damaged');
  }
}

/** @param {unknown} value @returns {any[]} */
function list(value) {
  if (!Array.isArray(value)) throw refuse('a list is missing');
  return value;
}

/** @param {unknown} value */
function readClasses(value) {
  const classes = list(value).map((each) => ({
    id: Number(each?.id),
    name: String(each?.name).slice(0, MAX_NAME),
  }));
  const isWrong = classes.some(({ id }, i) => !isId(id) || classes.findIndex((other) => other.id === id) < i);
  if (isWrong) throw refuse('its classes are damaged');
  return classes;
}

/** @param {number} id */
const isId = (id) => Number.isInteger(id) && id >= 0 && id < 1e6;

/**
 * @param {any} box
 * @param {import('./boxes.js').Size} size
 * @param {Set<number>} classIds
 * @param {number} id
 */
function readBox(box, size, classIds, id) {
  const { classId, x, y, width, height } = box ?? {};
  if (!classIds.has(classId) || ![x, y, width, height].every(Number.isFinite))
    throw refuse('a box is damaged');
  return { id, classId, ...fit({ x, y, width, height }, size) };
}

/** @param {Record<string, Uint8Array<ArrayBuffer>>} files @returns {Kept['trained']} */
function readTrained(files) {
  const model = files['trained/model.tflite'];
  const about = parse(files['trained/about.json']);
  if (!model || !about) return undefined;
  const texts = (/** @type {unknown} */ value) =>
    Object.fromEntries(Object.entries(value ?? {}).map(([name, text]) => [name, String(text)]));
  return {
    model,
    labels: list(about.labels).map(String),
    colors: list(about.colors).map((color) => (COLOR.test(color) ? color : 'rgb(128 128 128)')),
    files: texts(about.files),
    facts: texts(about.facts),
  };
}

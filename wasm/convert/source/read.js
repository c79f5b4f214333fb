// Reads the graph of a source: chooses the reader by the source's files.
import { convertFailure } from '../errors.js';
import { isZip } from '../../shared/content.js';
import { unzip } from './archive.js';
import { Files } from './files.js';
import { isHdf5 } from './hdf5.js';
import { readKerasH5, readKerasZip } from './keras.js';
import { namedWeights } from './layer_weights.js';
import { readLayersModel } from './layers.js';
import { isSavedModel, readFrozenGraph, readSavedModel } from './saved_model.js';
import { isLayersModel, isWebModel, readGraphModel, readModelJson, readWeights } from './tfjs.js';

/**
 * @typedef {import('./saved_model.js').Selection} Selection
 * @typedef {import('./saved_model.js').Model} Model
 */

const WEB_MODEL = 'model.json';
const EXPECTED =
  'expected a SavedModel (saved_model.pb), a TensorFlow.js model (model.json), a Keras model (.keras, .h5) or a frozen ' +
  'graph (.pb)';

/**
 * @param {Files | Uint8Array} source
 * @param {Selection} wanted
 * @returns {Promise<Model>}
 */
export async function readModel(source, wanted) {
  if (source instanceof Uint8Array) return readFile(source, wanted);
  const saved = source.findDirectoryOf('saved_model.pb');
  if (saved) return readSavedModel(saved, wanted);
  const keras = source.findDirectoryOf('model.weights.h5');
  if (keras?.has('config.json')) return readKerasZip(keras, wanted);
  const web = await findWebModel(source);
  if (web) return readWebModel(web.files, web.name, wanted);
  for (const ending of [/\.keras$/, /\.(h5|hdf5)$/, /\.pb$/]) {
    const [name] = byLength(source.names.filter((each) => ending.test(each)));
    if (name) return { ...(await readFile(await source.read(name), wanted)), files: source };
  }
  const usual = source.findDirectoryOf(WEB_MODEL);
  if (usual) await readModelJson(usual, WEB_MODEL); // throws what is wrong with it
  throw convertFailure('SOURCE_UNKNOWN', `${foreignKind(source)}${EXPECTED}`);
}

/** @param {string[]} names */
const byLength = (names) => names.toSorted((a, b) => a.length - b.length);

/**
 * A single file that is not an archive of a directory.
 * @param {Uint8Array} bytes
 * @param {Selection} wanted
 * @returns {Promise<Model>}
 */
async function readFile(bytes, wanted) {
  if (isHdf5(bytes)) return readKerasH5(bytes, wanted);
  if (isZip(bytes)) return readModel(new Files(unzip(bytes)), wanted);
  const foreign = foreignFormat(bytes);
  if (foreign) throw convertFailure('SOURCE_UNKNOWN', `it is ${foreign}; ${EXPECTED}`);
  if (isSavedModel(bytes))
    throw convertFailure('SOURCE_INCOMPLETE', 'a saved_model.pb needs the other files of its directory');
  return readFrozenGraph(bytes, wanted);
}

/** The most bytes of a node, with what is before it, whose length is the letter `{`. */
const LONGEST_NODE = 2 + 123;

/** Formats of other tools, by their first bytes. @param {Uint8Array} bytes */
function foreignFormat(bytes) {
  const text = String.fromCharCode(...bytes.subarray(0, 32));
  if (text.slice(4, 8) === 'TFL3') return 'a .tflite file, which needs no conversion';
  if (bytes[0] === 0x80 && bytes[1] >= 2 && bytes[1] <= 5) return 'a Python pickle (PyTorch?)';
  if (isJson(bytes)) return 'a JSON file alone; pass the folder with its weight files';
  // ir_version, then the name of the producer.
  const isOnnx = bytes[0] === 8 && bytes[2] === 18 && /pytorch|onnx/i.test(text);
  return isOnnx ? 'an ONNX model' : undefined;
}

/**
 * Whether the file begins as an object in JSON. A graph may begin with the same two bytes, a line break and the length of
 * its first node, but has control characters behind them.
 * @param {Uint8Array} bytes
 */
const isJson = (bytes) =>
  /^\s*\{[\s\P{Cc}]*$/u.test(new TextDecoder().decode(bytes.subarray(0, LONGEST_NODE)));

/** @param {Files} files */
function foreignKind({ names }) {
  if (names.some((name) => /(^|\/)data\.pkl$/.test(name))) return 'it is a PyTorch model; ';
  const kinds = /** @type {[RegExp, string][]} */ ([
    [/\.onnx$/, 'it has an ONNX model; '],
    [/\.(pt|pth)$/, 'it has a PyTorch model; '],
    [/\.tflite$/, 'it has a .tflite file, which needs no conversion; '],
    [
      /\.weights\.h5$|checkpoint$|\.ckpt/,
      'it has weights without their network: use model.save() or export(); ',
    ],
  ]);
  return kinds.find(([ending]) => names.some((name) => ending.test(name)))?.[1] ?? '';
}

/**
 * The TensorFlow.js model: the JSON file that is one. Keras calls its files model.json, too.
 * @param {Files} source
 */
async function findWebModel(source) {
  const paths = source.names.filter((each) => each.endsWith('.json'));
  const isUsual = (/** @type {string} */ path) => path.split('/').at(-1) === WEB_MODEL;
  for (const path of [...byLength(paths.filter(isUsual)), ...paths.filter((each) => !isUsual(each))])
    if (isWebModel(await source.read(path))) {
      const name = /** @type {string} */ (path.split('/').pop());
      return { files: source.directory(path.slice(0, path.length - name.length)), name };
    }
  return undefined;
}

/**
 * @param {Files} files
 * @param {string} name of the JSON file
 * @param {Selection} wanted
 */
async function readWebModel(files, name, wanted) {
  const json = await readModelJson(files, name);
  const weights = await readWeights(files, json.weightsManifest);
  if (!isLayersModel(json)) return { ...readGraphModel(json, weights, wanted), files };
  const topology = json.modelTopology.model_config ?? json.modelTopology;
  const version = Number.parseInt(String(json.modelTopology.keras_version ?? json.keras_version ?? '2'), 10);
  return { ...readLayersModel(topology, namedWeights(weights), version >= 3 ? 3 : 2, wanted), files };
}

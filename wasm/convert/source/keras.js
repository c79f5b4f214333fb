// Reads Keras' own files: .h5 (Keras 2, and Keras 3's legacy format) and .keras (a ZIP of config.json and
// model.weights.h5).
import { convertFailure } from '../errors.js';
import { reading } from '../../shared/errors.js';
import { Hdf5 } from './hdf5.js';
import { legacyWeights, numberedWeights } from './layer_weights.js';
import { readLayersModel } from './layers.js';

/** @typedef {import('./saved_model.js').Selection} Selection */

const WEIGHTS_ONLY =
  'it has weights only; save the whole model by model.save() (.keras or .h5), or model.export(), and convert that';

/** Keras Core, with versions from 0.1, became Keras 3. @param {unknown} version @param {number} fallback */
const majorOf = (version, fallback) =>
  /^\d/.test(String(version)) ? Number.parseInt(String(version), 10) || 3 : fallback;

/** @param {string} text @param {string} what @returns {any} */
function parse(text, what) {
  return reading(convertFailure, 'SOURCE_DAMAGED', what, () => JSON.parse(text));
}

/** @param {Uint8Array} bytes of an .h5 file @param {Selection} wanted */
export async function readKerasH5(bytes, wanted) {
  const file = await Hdf5.open(bytes);
  const config = file.attribute('model_config');
  if (config === undefined) throw convertFailure('SOURCE_INCOMPLETE', `the .h5 file: ${WEIGHTS_ONLY}`);
  const version = majorOf(file.attribute('keras_version'), 2);
  return readLayersModel(parse(config, 'model_config'), legacyWeights(file), version, wanted);
}

/** @param {import('./files.js').Files} files of a .keras file @param {Selection} wanted */
export async function readKerasZip(files, wanted) {
  const decoder = new TextDecoder();
  const config = parse(decoder.decode(await files.read('config.json')), 'config.json');
  const metadata = files.has('metadata.json')
    ? parse(decoder.decode(await files.read('metadata.json')), 'metadata.json')
    : {};
  const layers = Array.isArray(config?.config) ? config.config : config?.config?.layers;
  const file = await Hdf5.open(await files.read('model.weights.h5'));
  return readLayersModel(
    config,
    numberedWeights(file, layers ?? []),
    majorOf(metadata.keras_version, 3),
    wanted,
  );
}

// Reads the graph of a source: chooses the reader by the source's files.
import { convertFailure } from '../errors.js';
import { readLayersModel } from './layers.js';
import { isSavedModel, readFrozenGraph, readSavedModel } from './saved_model.js';
import { isLayersModel, readGraphModel, readModelJson, readWeights } from './tfjs.js';

/**
 * @typedef {import('./files.js').Files} Files
 * @typedef {import('./saved_model.js').Selection} Selection
 */

/**
 * @param {Files | Uint8Array} source
 * @param {Selection} wanted
 * @returns {Promise<import('./saved_model.js').Model>}
 */
export async function readModel(source, wanted) {
  if (source instanceof Uint8Array) {
    if (isSavedModel(source))
      throw convertFailure('SOURCE_INCOMPLETE', 'a saved_model.pb needs the other files of its directory');
    return readFrozenGraph(source, wanted);
  }
  const saved = source.findDirectoryOf('saved_model.pb');
  if (saved) return readSavedModel(saved, wanted);
  const web = source.findDirectoryOf('model.json');
  if (web) return readWebModel(web, wanted);
  const frozen = source.names.filter((name) => name.endsWith('.pb')).sort((a, b) => a.length - b.length)[0];
  if (frozen) return { ...readFrozenGraph(await source.read(frozen), wanted), files: source };
  throw convertFailure('SOURCE_UNKNOWN', 'expected a saved_model.pb, a model.json or a frozen graph (.pb)');
}

/**
 * @param {Files} files
 * @param {Selection} wanted
 */
async function readWebModel(files, wanted) {
  const json = await readModelJson(files);
  const weights = await readWeights(files, json.weightsManifest);
  const model = isLayersModel(json) ? readLayersModel(json, weights) : readGraphModel(json, weights, wanted);
  return { ...model, files };
}

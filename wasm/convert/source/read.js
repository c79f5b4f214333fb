// Files -> the graph in them, by whichever reader knows their kind.
import { convertFailure } from '../errors.js';
import { readLayersModel } from './layers.js';
import { isSavedModel, readFrozenGraph, readSavedModel } from './saved_model.js';
import { isLayersModel, readGraphModel, readModelJson, readWeights } from './tfjs.js';

/**
 * @typedef {import('./files.js').Files} Files
 * @typedef {import('./saved_model.js').Wanted} Wanted
 */

/**
 * @param {Files | Uint8Array} source
 * @param {Wanted} wanted
 * @returns {Promise<import('./saved_model.js').Model>}
 */
export async function readModel(source, wanted) {
  if (source instanceof Uint8Array) {
    if (isSavedModel(source))
      throw convertFailure('SOURCE_INCOMPLETE', 'a saved_model.pb comes with its directory');
    return readFrozenGraph(source, wanted);
  }
  const saved = source.below('saved_model.pb');
  if (saved) return readSavedModel(saved, wanted);
  const web = source.below('model.json');
  if (web) return readWebModel(web, wanted);
  const frozen = source.names.filter((name) => name.endsWith('.pb')).sort((a, b) => a.length - b.length)[0];
  if (frozen) return { ...readFrozenGraph(await source.read(frozen), wanted), files: source };
  throw convertFailure(
    'SOURCE_UNKNOWN',
    'there is no saved_model.pb, no model.json and no frozen graph (.pb)',
  );
}

/**
 * @param {Files} files
 * @param {Wanted} wanted
 */
async function readWebModel(files, wanted) {
  const json = await readModelJson(files);
  const weights = await readWeights(files, json.weightsManifest);
  const model = isLayersModel(json) ? readLayersModel(json, weights) : readGraphModel(json, weights, wanted);
  return { ...model, files };
}

// The forms of the default model, and which of them is loaded. models/manifest.json names their files.
import { failure } from '../../shared/errors.js';

/** The weights that the network computes with in floats: in few bytes, or all that was published. The first is the default. */
export const WEIGHTS = /** @type {const} */ (['compressed', 'full']);

/** @typedef {(typeof WEIGHTS)[number]} Weights */

/**
 * @param {object} options of a function that opens a model
 * @param {Weights} [options.weights]
 * @param {unknown} [options.model]
 * @param {'float' | 'int8' | 'auto'} [options.precision]
 */
export function checkWeights({ weights, model, precision }) {
  if (weights === undefined) return;
  if (!WEIGHTS.includes(weights))
    throw failure(
      'INVALID_OPTION',
      `weights must be '${WEIGHTS.join("' or '")}'; pass a model of your own as model`,
    );
  if (model !== undefined)
    throw failure('INVALID_OPTION', 'weights chooses a form of the default model; leave it out beside model');
  if (weights === 'full' && precision === 'int8')
    throw failure('INVALID_OPTION', "precision 'int8' has weights of its own; leave out weights: 'full'");
}

/**
 * @param {{weights?: Weights, precision?: 'float' | 'int8'}} options
 * @returns {import('../../engine/host.js').ModelForm} which of the default model's files they name
 */
export function formOf({ weights = WEIGHTS[0], precision = 'float' }) {
  return precision === 'int8' ? 'int8' : weights;
}

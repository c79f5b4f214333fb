// Checks what DetectorLearner.create is given.
import { failure } from '../../shared/errors.js';
import { checkBoolean, checkKeys, checkNumber, checkText } from '../../shared/options.js';
import { READING } from '../../vision/reading.js';
import { RANGES } from '../plan.js';
import { checkUnfreeze, UNFREEZE_KEYS } from '../tail.js';

const KEYS = [
  ...['model', 'input', 'ssd', 'labels', 'keepClasses', 'fuseMaps', 'seed', 'deterministic', 'worker'],
  ...['threads', 'signature', 'weights', 'assetsUrl', 'signal', 'onProgress', ...UNFREEZE_KEYS, ...READING],
];

/** @param {import('./types.js').DetectorLearnerOptions} options */
export function checkOptions(options) {
  checkKeys('options', options, KEYS);
  const { signature, seed = 0, deterministic = false, fuseMaps = false, unfreeze = 0 } = options;
  checkNumber('seed', seed, RANGES.seed);
  checkBoolean('deterministic', deterministic);
  checkBoolean('fuseMaps', fuseMaps);
  checkUnfreeze(options);
  if (fuseMaps && unfreeze > 0)
    throw failure(
      'INVALID_OPTION',
      'fuseMaps needs unfreeze 0: joined maps are computed before the training',
    );
  if (signature !== undefined) checkText('signature', signature);
}

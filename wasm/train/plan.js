// Checks the options of a fit and fills in Keras 2.15's defaults. The resulting Plan is plain data; it is saved with an
// interrupted fit.
import { MAX_ROWS, OPTIMIZER_KINDS } from '../../dist/layout.js';
import { checkBoolean, checkChoice, checkKeys, checkNumber, withoutUndefined } from '../shared/options.js';

/**
 * @typedef {object} Schedule A learning rate that depends on the optimizer step, counted from 0. With `warmupSteps`,
 *   the rate first rises linearly from `warmupFrom` to `rate`; the decay starts after that.
 * @property {'constant' | 'step' | 'cosine'} type
 * @property {number} rate initial rate
 * @property {number} [every] step: multiply the rate by `factor` every so many steps; default 1
 * @property {number} [factor] step; default 0.1
 * @property {number} [decaySteps] cosine: steps until the rate is alpha * rate; default 1
 * @property {number} [alpha] cosine; default 0
 * @property {number} [warmupSteps] default 0
 * @property {number} [warmupFrom] default 0
 *
 * @typedef {object} OptimizerOptions
 * @property {'sgd' | 'adam' | 'adamw' | 'rmsprop'} type
 * @property {number | Schedule} [learningRate] default 0.01 for sgd, 0.001 for the others
 * @property {number} [momentum] sgd, rmsprop; default 0
 * @property {boolean} [nesterov] sgd
 * @property {number} [beta1] adam, adamw; default 0.9
 * @property {number} [beta2] adam, adamw; default 0.999
 * @property {number} [rho] rmsprop; default 0.9
 * @property {number} [epsilon] adam, adamw, rmsprop; default 1e-7
 * @property {boolean} [amsgrad] adam, adamw
 * @property {boolean} [centered] rmsprop
 * @property {number} [weightDecay] adamw; default 0.004
 * @property {number} [clipNorm] clip each variable's gradient to this norm; default 0: no clipping
 *
 * @typedef {Required<Omit<OptimizerOptions, 'learningRate'>> & {learningRate: number | Required<Schedule>}} Optimizer
 *
 * @typedef {'sgd' | 'momentum' | 'nesterov' | 'adam' | 'adamw' | 'rmsprop'} OptimizerName momentum and nesterov are sgd
 *   with momentum 0.9
 *
 * @typedef {object} EarlyStopping
 * @property {'loss' | 'accuracy' | 'val_loss' | 'val_accuracy' | 'val_AP' | 'val_AP50'} [monitor] default val_loss. Accuracies
 *   are of classifiers, AP and AP50 of detectors
 * @property {number} [patience] stop after this many epochs without improvement; default 0
 * @property {number} [minDelta] the smallest change that counts as an improvement; default 0
 * @property {boolean} [restoreBestWeights] restore the best epoch's weights when stopping; default true
 *
 * @typedef {object} PlanOptions
 * @property {number} [epochs] 1 to 1 000 000, default 1
 * @property {number} [batchSize] 1 to 65 536, default 32
 * @property {OptimizerName | OptimizerOptions} [optimizer] default rmsprop, as in Keras' compile()
 * @property {number} [validationSplit] fraction of the examples to validate on instead of training; 0 to 1,
 *   default 0
 * @property {boolean} [stratify] take `validationSplit` of each class, and leave each class at least one example to train
 *   on; default false, as in Keras
 * @property {boolean} [shuffle] true (the default): choose the validation part at random, and shuffle the training part
 *   in each epoch, both by `seed`. false: keep the order in which examples were added, and validate on the last ones
 * @property {number} [seed] 0 to 4 294 967 295, default 0
 * @property {number} [labelSmoothing] 0 to 1, default 0
 * @property {number} [l2] L2 regularization of the head's kernel; 0 to 1 000 000, default 0
 * @property {Record<string, number>} [classWeight] loss weight by class name; default 1 for each
 * @property {EarlyStopping | boolean} [earlyStopping] default false
 *
 * @typedef {Required<Omit<PlanOptions, 'optimizer' | 'earlyStopping' | 'classWeight'>> & {
 *   optimizer: Optimizer, earlyStopping: Required<EarlyStopping> | null,
 *   classWeight: number[] | null}} Plan
 */

export const PLAN_KEYS = /** @type {const} */ ([
  'epochs',
  'batchSize',
  'optimizer',
  'validationSplit',
  'stratify',
  'shuffle',
  'seed',
  'labelSmoothing',
  'l2',
  'classWeight',
  'earlyStopping',
]);

/** @type {Record<OptimizerName, OptimizerOptions>} */
export const NAMED_OPTIMIZERS = {
  sgd: { type: 'sgd' },
  momentum: { type: 'sgd', momentum: 0.9 },
  nesterov: { type: 'sgd', momentum: 0.9, nesterov: true },
  adam: { type: 'adam' },
  adamw: { type: 'adamw' },
  rmsprop: { type: 'rmsprop' },
};

export const OPTIMIZER_NAMES = /** @type {OptimizerName[]} */ (Object.keys(NAMED_OPTIMIZERS));

/** The options of each type, with their defaults. @type {Record<string, Partial<OptimizerOptions>>} */
const OPTIMIZER_DEFAULTS = {
  sgd: { learningRate: 0.01, momentum: 0, nesterov: false, clipNorm: 0 },
  adam: { learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-7, amsgrad: false, clipNorm: 0 },
  adamw: {
    learningRate: 0.001,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-7,
    amsgrad: false,
    weightDecay: 0.004,
    clipNorm: 0,
  },
  rmsprop: { learningRate: 0.001, rho: 0.9, momentum: 0, epsilon: 1e-7, centered: false, clipNorm: 0 },
};

const SCHEDULE_DEFAULTS = {
  constant: { warmupSteps: 0, warmupFrom: 0 },
  step: { every: 1, factor: 0.1, warmupSteps: 0, warmupFrom: 0 },
  cosine: { decaySteps: 1, alpha: 0, warmupSteps: 0, warmupFrom: 0 },
};

export const RANGES = {
  epochs: { min: 1, max: 1e6, integer: true },
  batchSize: { min: 1, max: MAX_ROWS, integer: true },
  learningRate: { min: 0, max: 1e6 },
  validationSplit: { min: 0, max: 1 },
  seed: { min: 0, max: 2 ** 32 - 1, integer: true },
  labelSmoothing: { min: 0, max: 1 },
  l2: { min: 0, max: 1e6 },
};

/** The largest allowed value of each optimizer option; the smallest is 0. */
const MAXIMA = { momentum: 1, beta1: 1 - 2 ** -24, beta2: 1 - 2 ** -24, rho: 1, weightDecay: 1, epsilon: 1 };

/** What a classifier's early stopping may watch. */
const CLASSIFIER_MONITORS = /** @type {const} */ (['loss', 'accuracy', 'val_loss', 'val_accuracy']);

/**
 * @param {PlanOptions} options
 * @param {readonly string[]} labels the classes
 * @param {readonly NonNullable<EarlyStopping['monitor']>[]} [monitors] what early stopping may watch
 * @returns {Plan}
 */
export function makePlan(options, labels, monitors = CLASSIFIER_MONITORS) {
  const { epochs = 1, batchSize = 32, validationSplit = 0, shuffle = true, seed = 0 } = options;
  const { labelSmoothing = 0, l2 = 0, optimizer = 'rmsprop', stratify = false } = options;
  checkNumber('epochs', epochs, RANGES.epochs);
  checkNumber('batchSize', batchSize, RANGES.batchSize);
  checkNumber('validationSplit', validationSplit, RANGES.validationSplit);
  checkBoolean('stratify', stratify);
  checkBoolean('shuffle', shuffle);
  checkNumber('seed', seed, RANGES.seed);
  checkNumber('labelSmoothing', labelSmoothing, RANGES.labelSmoothing);
  checkNumber('l2', l2, RANGES.l2);
  return {
    epochs,
    batchSize,
    validationSplit,
    stratify,
    shuffle,
    seed,
    labelSmoothing,
    l2,
    optimizer: checkOptimizer(optimizer),
    classWeight: options.classWeight === undefined ? null : checkClassWeight(options.classWeight, labels),
    earlyStopping: checkEarlyStopping(options.earlyStopping ?? false, monitors),
  };
}

/**
 * @param {OptimizerName | OptimizerOptions} optimizer
 * @returns {Optimizer}
 */
export function checkOptimizer(optimizer) {
  const given =
    typeof optimizer === 'string'
      ? NAMED_OPTIMIZERS[checkChoice('optimizer', optimizer, OPTIMIZER_NAMES)]
      : optimizer;
  checkKeys('optimizer', given, ['type', ...Object.keys(OPTIMIZER_DEFAULTS[given?.type] ?? {})]);
  checkChoice('optimizer.type', given.type, /** @type {const} */ (['sgd', 'adam', 'adamw', 'rmsprop']));
  const complete = { ...OPTIMIZER_DEFAULTS[given.type], ...withoutUndefined(given) };
  for (const [key, value] of Object.entries(complete)) {
    if (key === 'type') continue;
    if (key === 'learningRate') complete.learningRate = checkRate(value);
    else if (typeof OPTIMIZER_DEFAULTS[given.type][/** @type {'nesterov'} */ (key)] === 'boolean')
      checkBoolean(`optimizer.${key}`, value);
    else checkNumber(`optimizer.${key}`, value, { min: 0, max: /** @type {any} */ (MAXIMA)[key] ?? 1e6 });
  }
  return /** @type {Optimizer} */ (complete);
}

/**
 * @param {unknown} rate
 * @returns {number | Required<Schedule>}
 */
function checkRate(rate) {
  if (typeof rate === 'number') return checkNumber('optimizer.learningRate', rate, RANGES.learningRate);
  const name = 'optimizer.learningRate';
  const given = /** @type {Schedule} */ (rate);
  const defaults = SCHEDULE_DEFAULTS[given?.type];
  checkKeys(name, given, ['type', 'rate', ...Object.keys(defaults ?? {})]);
  checkChoice(`${name}.type`, given.type, /** @type {const} */ (['constant', 'step', 'cosine']));
  const complete = { ...defaults, ...withoutUndefined(given) };
  for (const [key, value] of Object.entries({ ...complete, rate: given.rate })) {
    if (key === 'type') continue;
    const integer = key === 'every' || key.endsWith('Steps');
    const min = key === 'every' || key === 'decaySteps' ? 1 : 0;
    checkNumber(`${name}.${key}`, value, { min, max: integer ? 1e9 : 1e6, integer });
  }
  return /** @type {Required<Schedule>} */ (complete);
}

/**
 * @param {Record<string, number>} weights
 * @param {readonly string[]} labels
 */
function checkClassWeight(weights, labels) {
  checkKeys('classWeight', weights, labels);
  const given = new Map(Object.entries(weights)); // a class may be called constructor
  return labels.map((label) =>
    checkNumber(`classWeight.${label}`, given.get(label) ?? 1, { min: 0, max: 1e6 }),
  );
}

/**
 * @param {EarlyStopping | boolean} option
 * @param {readonly NonNullable<EarlyStopping['monitor']>[]} monitors
 */
function checkEarlyStopping(option, monitors) {
  if (option === false) return null;
  const given = option === true ? {} : option;
  checkKeys('earlyStopping', given, ['monitor', 'patience', 'minDelta', 'restoreBestWeights']);
  const { monitor = 'val_loss', patience = 0, minDelta = 0, restoreBestWeights = true } = given;
  checkChoice('earlyStopping.monitor', monitor, monitors);
  checkNumber('earlyStopping.patience', patience, { min: 0, max: 1e6, integer: true });
  checkNumber('earlyStopping.minDelta', minDelta, { min: 0, max: 1e6 });
  checkBoolean('earlyStopping.restoreBestWeights', restoreBestWeights);
  return { monitor, patience, minDelta, restoreBestWeights };
}

/**
 * Converts the optimizer to the struct that the WebAssembly module reads.
 * @param {Optimizer} optimizer
 * @returns {import('../engine/memory.js').Values<typeof import('../../dist/layout.js').OPTIMIZER>}
 */
export function optimizerStruct({ type, ...constants }) {
  return {
    kind: OPTIMIZER_KINDS[type === 'adamw' ? 'adam' : type],
    isNesterov: constants.nesterov ?? false,
    isAmsgrad: constants.amsgrad ?? false,
    isCentered: constants.centered ?? false,
    momentum: constants.momentum ?? 0,
    beta1: constants.beta1 ?? 0,
    beta2: constants.beta2 ?? constants.rho ?? 0,
    epsilon: constants.epsilon ?? 0,
    weightDecay: constants.weightDecay ?? 0,
    clipNorm: constants.clipNorm ?? 0,
  };
}

/**
 * The learning rate at a step.
 * @param {number | Required<Schedule>} rate
 * @param {number} step from 0
 */
export function rateAt(rate, step) {
  if (typeof rate === 'number') return rate;
  const { warmupSteps, warmupFrom } = rate;
  if (step < warmupSteps) return warmupFrom + (rate.rate - warmupFrom) * (step / warmupSteps);
  const since = step - warmupSteps;
  if (rate.type === 'step') return rate.rate * power(rate.factor, Math.floor(since / rate.every));
  if (rate.type === 'constant') return rate.rate;
  const decay = halfCosine(Math.min(since / rate.decaySteps, 1));
  return rate.rate * ((1 - rate.alpha) * decay + rate.alpha);
}

/**
 * base ** exponent. Uses only multiplication, because Math.pow differs in the last digit between engines.
 * @param {number} base
 * @param {number} exponent an integer, 0 or more
 */
function power(base, exponent) {
  let result = 1;
  for (; exponent > 0; exponent = Math.floor(exponent / 2), base *= base) {
    if (exponent % 2 === 1) result *= base;
  }
  return result;
}

/**
 * (1 + cos(pi x)) / 2 = cos(pi x / 2)^2 for x in [0, 1]. Uses the Taylor series, because Math.cos differs in the last
 * digit between engines.
 * @param {number} x
 */
function halfCosine(x) {
  const square = ((x * Math.PI) / 2) ** 2;
  let term = 1;
  let sum = 1;
  for (let i = 2; i <= 24; i += 2) {
    term *= -square / (i * (i - 1));
    sum += term;
  }
  return sum * sum;
}

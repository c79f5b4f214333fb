// What a user gives a learner and gets from it; no code.
export {};

/**
 * @typedef {import('../vision/input.js').ImageInput} ImageInput
 * @typedef {import('./metrics.js').Evaluation} Evaluation
 * @typedef {import('./extract.js').ExtractOptions} ExtractOptions
 *
 * @typedef {object} Extractor What turns images into features.
 * @property {(images: ImageInput[]) => Promise<{data: Float32Array, shape: number[]}>} extractBatch rows of features
 *   [N, length]; where there is a tail, what goes into it, [height, width, channels] in a row
 * @property {import('./network.js').Tail} [tail] the network's last layers, which are trained as well
 * @property {(network: import('./trainer.js').Network, parameters: Float32Array, labels: readonly string[]) => Uint8Array} [export]
 *   the whole classifier as a .tflite file
 *
 * @typedef {object} LearnerOptions
 * @property {Extractor} [extractor] not needed for features that are given
 * @property {readonly string[]} [labels] the classes, in order; default: as they first come up
 * @property {'float32' | 'float16'} [precision] in which features are kept; default float32
 * @property {boolean} [deterministic] plain SIMD: the same weights on every engine
 * @property {number} [seed] of the first weights; 0 to 4 294 967 295, default 0
 *
 * @typedef {object} FeatureSet
 * @property {Float32Array} features [N, length]
 * @property {readonly string[] | Float32Array} labels N class names, or distributions over the classes [N, classes]
 * @property {ArrayLike<number>} [weights] N
 *
 * @typedef {{images: readonly ImageInput[], labels: readonly string[]}} ImageSet
 *
 * @typedef {object} RunOptions
 * @property {import('./fit.js').Callbacks} [callbacks]
 * @property {AbortSignal} [signal] interrupts between two batches; resume() goes on
 *
 * @typedef {import('./plan.js').PlanOptions & RunOptions & {validation?: FeatureSet | ImageSet}} FitOptions
 *
 * @typedef {object} History Keras' History.
 * @property {Record<string, number[]>} history loss, accuracy, val_loss, val_accuracy …: one value for each epoch
 * @property {number[]} epoch
 * @property {{epochs: number, steps: number}} params
 *
 * @typedef {object} DirectoryHost What a platform may have beside an engine's host.
 * @property {typeof import('./directory.node.js').openImageDirectory} [openImageDirectory]
 *
 * @typedef {object} Prediction
 * @property {string} label
 * @property {number} labelId
 * @property {number} score probability
 */

// Types of TransferLearner's arguments and results; no code.
export {};

/**
 * @typedef {import('../shared/platform.js').Global<'AbortSignal'>} WebSignal
 * @typedef {import('../shared/platform.js').Global<'URL'>} WebUrl
 * @typedef {import('../vision/input.js').ImageInput} ImageInput
 * @typedef {import('./metrics.js').Evaluation} Evaluation
 * @typedef {import('./extract.js').ExtractOptions} ExtractOptions
 *
 * @typedef {object} Extractor Turns images into features.
 * @property {(images: ImageInput[]) => Promise<{data: Float32Array, shape: number[]}>} extractBatch gives features
 *   [N, length]; with a tail, each row is the tail's flattened input [height, width, channels]
 * @property {number} [length] of the features of one image: rows of another length throw INVALID_FEATURES
 * @property {import('./network.js').Tail} [tail] the backbone's last layers, which are trained with the head
 * @property {(network: import('./trainer.js').Network, parameters: Float32Array, labels: readonly string[]) => Uint8Array} [export]
 *   writes the whole classifier as a .tflite file
 * @property {number} [multiplyAdds] of one image, for the report's estimates where clocks stand still
 *
 * @typedef {object} LearnerOptions
 * @property {Extractor} [extractor] not needed if you add features instead of images
 * @property {readonly string[]} [labels] the classes, by class id; default: in the order in which examples use them
 * @property {'float32' | 'float16'} [precision] storage of features; default float32
 * @property {boolean} [deterministic] use plain SIMD, which trains the same weights on every engine
 * @property {string | WebUrl} [assetsUrl] a folder with a copy of the package's dist/, as for `ObjectDetector.create`
 * @property {number} [seed] for the initial weights; 0 to 4 294 967 295, default 0
 *
 * @typedef {object} FeatureSet
 * @property {Float32Array} features [N, length]
 * @property {readonly string[] | Float32Array} labels N class names, or distributions over the classes [N, classes]
 * @property {ArrayLike<number>} [weights] N; default 1
 *
 * @typedef {{images: readonly ImageInput[], labels: readonly string[]}} ImageSet
 *
 * @typedef {object} RunOptions
 * @property {import('./fit.js').Callbacks} [callbacks]
 * @property {WebSignal} [signal] interrupts the fit between two batches; resume() continues it
 *
 * @typedef {import('./plan.js').PlanOptions & RunOptions & {validation?: FeatureSet | ImageSet}} FitOptions
 *
 * @typedef {object} History Keras' History.
 * @property {Record<string, number[]>} history loss, accuracy, val_loss, val_accuracy …: one value per epoch
 * @property {number[]} epoch
 * @property {{epochs: number, steps: number}} params
 *
 * @typedef {object} DirectoryHost What a platform may add to the engine's host.
 * @property {typeof import('./directory.node.js').openImageDirectory} [openImageDirectory]
 *
 * @typedef {object} Prediction
 * @property {string} label
 * @property {number} labelId
 * @property {number} score probability, 0 to 1
 */

// Types of DetectorLearner's arguments and results; no code.
export {};

/**
 * @typedef {import('../../vision/spec/forms.js').Weights} Weights
 * @typedef {import('../../engine/engine.js').InputSpec} InputSpec
 * @typedef {import('../../evaluate/evaluate.js').Evaluation} Evaluation
 * @typedef {import('../../vision/types.js').ModelInput} ModelInput
 * @typedef {import('../../vision/types.js').SsdSpec} SsdSpec
 * @typedef {import('./plan.js').DetectorPlanOptions} DetectorPlanOptions
 * @typedef {import('../../shared/platform.js').Global<'AbortSignal'>} WebSignal
 * @typedef {import('../../shared/platform.js').Global<'URL'>} WebUrl
 *
 * @typedef {object} DetectorLearnerLoading
 * @property {ModelInput} [model] a float .tflite detector with raw heads; default: the detector of this package
 * @property {string} [signature] which of the file's signatures is the detector, as for `ObjectDetector.create`
 * @property {Weights} [weights] of the package's detector, as for `ObjectDetector.create`
 * @property {Partial<InputSpec> | string} [input] as for `ObjectDetector.create`
 * @property {Partial<SsdSpec>} [ssd] as for `ObjectDetector.create`
 * @property {readonly string[]} [labels] the classes to learn; default: those of the boxes, in the order of their first use. A
 *   name that the model has goes on learning that class
 * @property {boolean | readonly string[]} [keepClasses] the model's classes to keep beside those that are learnt: all, or these
 *   names; default false: none
 * @property {boolean} [fuseMaps] for few photos: scores that are learnt are computed by new layers from the maps and what the
 *   network has before them, each scaled to length 1 at a pixel, standardized for the training; needs `unfreeze: 0`, and of a softmax no
 *   kept classes. Default false: by the model's own layers
 * @property {number} [seed] of new kernels; 0 to 4 294 967 295, default 0
 * @property {boolean} [deterministic] use plain SIMD, which gives the same weights on every engine
 * @property {boolean} [worker] compute feature maps in a worker
 * @property {number} [threads] to compute feature maps; 1 to 64, default 1
 * @property {string | WebUrl} [assetsUrl] a folder with a copy of the package's dist/
 * @property {WebSignal} [signal] cancels the download
 * @property {(progress: {loaded: number, total?: number}) => void} [onProgress] called while the model downloads, in bytes
 *
 * @typedef {DetectorLearnerLoading & import('../tail.js').UnfreezeOptions & import('../../vision/reading.js').ReadingOptions}
 *   DetectorLearnerOptions
 *
 * @typedef {object} DetectorRunOptions
 * @property {import('./fit.js').DetectorCallbacks} [callbacks]
 * @property {WebSignal} [signal] interrupts the fit between two batches; resume() continues it
 *
 * @typedef {DetectorPlanOptions & DetectorRunOptions} DetectorFitOptions
 *
 * @typedef {{AP: number | null, AP50: number | null, evaluation: Evaluation}} DetectorEvaluation
 */

// The types of what users pass in and get back, and of what goes between a model and its session. Nothing here runs, and
// so nothing of it is loaded.

/**
 * @typedef {import('../engine/engine.js').InputSpec} InputSpec
 * @typedef {import('../engine/engine.js').Roi} Roi
 * @typedef {import('../engine/engine.js').TensorData} TensorData
 * @typedef {import('../engine/variant.js').Variant} Variant
 * @typedef {import('./input.js').ImageInput} ImageInput
 * @typedef {import('./labels.js').Label} Label
 * @typedef {import('./prepare.js').SessionOptions} SessionOptions
 * @typedef {import('../engine/types.js').SsdSpec} SsdSpec
 * @typedef {import('../engine/types.js').Thresholds} Thresholds
 */

// ---- of every model ----

/**
 * @typedef {object} ModelOptions
 * @property {string | URL | Uint8Array | ArrayBuffer | Blob} [model] a .tflite file: path, URL or bytes
 * @property {string | URL | Uint8Array | ArrayBuffer | Blob} [int8Model] the same network computing in 8 bits, as `ocelli
 *   quantize` writes it; the package's own model has one
 * @property {'float' | 'int8' | 'auto'} [precision] where there are both; 'auto': 8 bits where the CPU and the engine have
 *   dot products for them, which is measured for 0.1 s once. Default float
 * @property {Partial<InputSpec>} [input] how pixels become the model's input, where the file does not say
 * @property {number} [threads] default 1
 * @property {boolean} [deterministic] plain SIMD and one choice of kernels: the same bits on every engine
 * @property {boolean} [exact] read drawables (video, canvas, ImageBitmap …) at their own size and let the module scale
 *   them; default: as `deterministic`
 * @property {boolean} [worker] run in a worker, in browsers; more than one thread implies it on a page
 * @property {string | URL} [wasmUrl] a copy of the package's dist/, where a bundler does not carry it along
 * @property {number} [maxPixels] refuse images of more; default 16 777 216
 * @property {AbortSignal} [signal] cancels the loading
 * @property {(progress: {loaded: number, total?: number}) => void} [onProgress] bytes of the model, while it loads
 *
 * @typedef {object} ViewOptions
 * @property {Roi} [roi] look at this region only; pixels of the upright image
 * @property {0 | 90 | 180 | 270} [rotation] degrees by which the network sees it turned clockwise
 * @property {boolean} [exact] see ModelOptions
 *
 * @typedef {object} RunInfo What the last run of the network did.
 * @property {number} width of the source image, upright, in pixels; of several, of the last
 * @property {number} height
 * @property {{decode: number, preprocess: number, network: number, postprocess: number}} ms
 *
 * @typedef {object} FloatImages
 * @property {Float32Array} data RGB in [0, 1]
 * @property {readonly number[]} shape [N, height, width, 3], or [height, width, 3]
 *
 * @typedef {ImageInput | FloatImages | {tensor: TensorData}} Input
 */

// ---- detector ----

/**
 * @typedef {object} DetectorModel
 * @property {string | URL | readonly (string | Label)[]} [labels] names by class number: a list, or a text file of one
 *   per line; a first "???" or "background" is left out. Default: what comes with the model
 * @property {{allow?: (string | number)[], deny?: (string | number)[]}} [classes] which classes to report, by name, MID
 *   or number. Where no score depends on another's, the network does not compute the others
 * @property {Partial<SsdSpec>} [ssd] how its heads become boxes, where the file does not say
 * @property {string} [layer] the tensor [1, H, W, C] that features are pooled from; default: MobileNetV2's Conv_1
 *
 * @typedef {ModelOptions & DetectorModel} DetectorOptions without `model`, the detector of 23 Open Images classes that
 *   comes with the package
 *
 * @typedef {'image' | 'boxes' | 'both'} WantedFeatures
 *
 * @typedef {object} Detection
 * @property {string} label
 * @property {number} labelId the model's class number without background, from 0
 * @property {string} [mid] Open Images' id of the class, where known
 * @property {number} score in [0, 1]
 * @property {{x: number, y: number, width: number, height: number}} box in pixels of the upright source image
 * @property {Float32Array} [features] where asked for: the mean over the feature map's cells under the box
 *
 * @typedef {Detection[] & {features?: Float32Array}} Detections with the image's own features, where asked for
 *
 * @typedef {object} Head
 * @property {string} name
 * @property {string} dtype
 * @property {number[]} shape
 * @property {{scale: number, zeroPoint: number} | null} quantization real = (stored - zeroPoint) * scale
 * @property {TensorData} data
 *
 * @typedef {RunInfo & import('./video.js').Frame} VideoRun
 *
 * @typedef {object} LoopOptions
 * @property {AbortSignal} [signal] ends the loop, which then resolves
 * @property {number} [minChange] leave out frames that differ from the last detected one by less, on average, in levels
 *   of 255; default 0: none
 * @property {Float32Array} [into] see detectInto
 *
 * @typedef {ViewOptions & Thresholds & {features?: WantedFeatures}} DetectOptions `features`: of the whole image, under
 *   each box, or both; of the run that makes the boxes
 * @typedef {LoopOptions & DetectOptions} VideoOptions
 */

// ---- feature extractor ----

/**
 * @typedef {object} FeatureModel
 * @property {string} [layer] pool this tensor inside the network, [N, H, W, C], over its plane: its name, a layer's in it
 *   or several with slashes. Default: the model's own output, if that is a vector, else MobileNetV2's Conv_1
 *
 * @typedef {ModelOptions & FeatureModel} ExtractorOptions without `model`, the backbone of the package's detector
 *
 * @typedef {ViewOptions & {l2Normalize?: boolean}} ExtractOptions l2Normalize: divide each vector by its length
 */

// ---- classifier ----

/**
 * @typedef {'softmax' | 'sigmoid' | 'none'} Scores
 *
 * @typedef {object} ClassifierModel
 * @property {string | URL | readonly (string | Label)[]} [labels] names by class number: a list, or a text file of one
 *   per line. Default: what comes with the model
 * @property {Scores} [scores] what makes probabilities of the output; default: 'none' if the network ends in a softmax or
 *   a sigmoid itself, else 'softmax'
 *
 * @typedef {ModelOptions & ClassifierModel} ClassifierOptions
 *
 * @typedef {object} Classification
 * @property {string} label
 * @property {number} labelId the model's class number, from 0
 * @property {string} [mid] Open Images' id of the class, where known
 * @property {number} score probability
 */

// ---- session ----

/**
 * @typedef {object} Request
 * @property {'detect' | 'heads' | 'profile' | 'features'} kind
 * @property {Input[]} inputs one; of 'features' as many as the facts' batch
 * @property {Roi} [roi]
 * @property {number} turns quarter turns, clockwise
 * @property {boolean} exact whether a drawable is read at its own size
 * @property {Required<Thresholds>} [thresholds] to detect
 * @property {WantedFeatures} [features] beside what is detected
 * @property {number} [minChange] mean difference, in levels of 255, from the last frame; less: not looked at
 *
 * @typedef {object} Answer
 * @property {any} result of 'detect': rows, see Heads.detect; undefined: the frame did not change. Of 'heads': Head[]; of
 *   'profile': OperatorInfo[]; of 'features': Float32Array [images, length]
 * @property {{image?: Float32Array, boxes?: Float32Array}} [features] [length]; [detections, length]
 * @property {RunInfo} run
 * @property {{totalBytes: number, liveBytes: number}} memoryUse
 *
 * @typedef {object} Facts
 * @property {import('./labels.js').Label[]} labels
 * @property {{name: Variant, threads: number}} variant
 * @property {'float' | 'int8'} precision int8 where any of the network is quantized
 * @property {{width: number, height: number}} inputSize
 * @property {Partial<Thresholds>} limits what the file says of thresholds
 * @property {number} multiplyAdds of one image
 * @property {number} batch images that can be run at once
 * @property {number} length of a feature vector
 * @property {{output: number, scores: Scores}} [classifier]
 *
 * @typedef {object} Session
 * @property {Facts} facts
 * @property {Answer['memoryUse']} memoryUse
 * @property {(request: Request) => Promise<Answer>} run
 * @property {() => void} close
 */

// ---- platform ----

/**
 * @typedef {object} WorkerHost What a platform may have beside an engine's host.
 * @property {(options: SessionOptions) => Promise<Session>} [startWorker] a session in a worker; WORKER_UNAVAILABLE
 */

export {};

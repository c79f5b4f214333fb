// Types of options and results, and of the messages between a model and its session. No code: nothing loads this file.

/**
 * @typedef {import('../engine/engine.js').InputSpec} InputSpec
 * @typedef {import('../engine/engine.js').OperatorInfo} OperatorInfo
 * @typedef {import('../engine/host.js').Size} Size
 * @typedef {import('../engine/image.js').Reading} Reading
 * @typedef {import('../engine/engine.js').Roi} Roi
 * @typedef {import('../engine/engine.js').TensorData} TensorData
 * @typedef {import('../engine/variant.js').Variant} Variant
 * @typedef {import('./input.js').ImageInput} ImageInput
 * @typedef {import('./input.js').ModelInput} ModelInput
 * @typedef {import('./video.js').VideoFrameInfo} VideoFrameInfo
 * @typedef {import('./labels.js').Label} Label
 * @typedef {import('./prepare.js').SessionOptions} SessionOptions
 * @typedef {import('../engine/types.js').SsdSpec} SsdSpec
 * @typedef {import('../engine/types.js').Thresholds} Thresholds
 * @typedef {import('../track/tracker.js').Tracker} Tracker
 * @typedef {import('../track/tracker.js').TrackerOptions} TrackerOptions
 * @typedef {typeof import('../track/tracker.js').Tracker} TrackerClass
 * @typedef {import('../tiles/index.js').TileOptions} TileOptions
 * @typedef {typeof import('../tiles/index.js').detectInTiles} DetectInTiles
 */

/**
 * An instance of a class of the platform, or `never` if the user's TypeScript project has no types of it.
 * @template {string} Name
 * @typedef {import('../shared/platform.js').Global<Name>} Global
 */

// ---- every model ----

/**
 * @typedef {LoadingOptions & import('./reading.js').ReadingOptions} ModelOptions
 *
 * @typedef {object} LoadingOptions
 * @property {ModelInput | undefined} [model] a .tflite file: path, URL, bytes, or a source of bytes such as a Response
 * @property {ModelInput | undefined} [int8Model] the same network in 8 bits, as `ocelli quantize` writes it; the package has one for
 *   its own model
 * @property {'compressed' | 'full' | undefined} [weights] of the package's own model: 'compressed' (the default) is a quarter
 *   of the download, 'full' has its weights in float16 as published
 * @property {'float' | 'int8' | 'auto' | undefined} [precision] which of the two models to load. 'auto' takes 8 bits if the CPU and the
 *   engine are fast at products of bytes; measuring that takes 0.1 s, once. Default: 'float'
 * @property {string | undefined} [signature] which of the file's signatures to run; default: its first subgraph, as in
 *   TFLite's interpreter
 * @property {Partial<InputSpec> | '[-1,1]' | '[0,1]' | '[0,255]' | 'imagenet' | undefined} [input] how pixels become the model's input, if the file does not say it: the
 *   values that it takes ('[-1,1]', '[0,1]', '[0,255]' or 'imagenet'), or an object
 * @property {number | undefined} [threads] 1 to 64, default 1. The network begins on those that have started
 * @property {boolean | undefined} [deterministic] use plain SIMD and the same kernels everywhere: the same bits on every engine.
 *   Default false
 * @property {boolean | undefined} [exact] read drawables (video, canvas, ImageBitmap …) at their own size and let the module scale
 *   them. Default: the value of `deterministic`
 * @property {boolean | undefined} [worker] run in a worker, so that the network does not block this thread; several threads on a page
 *   always run in one
 * @property {number | undefined} [pool] run this many instances of the model, each in its own worker; 1 to 64
 * @property {number | undefined} [maxQueue] with `pool`: the most calls that may wait for an instance; further calls throw QUEUE_FULL. 0
 *   to 1 000 000, default 100
 * @property {string | Global<'URL'> | undefined} [assetsUrl] a folder with a copy of the package's dist/: ocelli takes its module, its
 *   model and its worker from there. A URL, or in Node a path
 * @property {Global<'AbortSignal'> | undefined} [signal] cancels loading
 * @property {((progress: LoadProgress) => void) | undefined} [onProgress] called while the model downloads
 *
 * @typedef {{loaded: number, total?: number}} LoadProgress in bytes
 *
 * @typedef {object} PlainViewOptions
 * @property {Roi | undefined} [roi] detect in this region only; in pixels of the upright image, fractions are rounded outwards
 * @property {0 | 90 | 180 | 270 | undefined} [rotation] turn the image clockwise by this many degrees before detecting
 * @property {boolean | undefined} [exact] see ModelOptions
 * @property {'full' | 'scaled' | undefined} [decode] see ModelOptions
 *
 * @typedef {import('./limits.js').CallOptions} CallOptions
 * @typedef {PlainViewOptions & CallOptions} ViewOptions
 *
 * @typedef {object} StageTimes in milliseconds
 * @property {number} decode for image files, together with resizing and normalizing
 * @property {number} preprocess resizing and normalizing of other images
 * @property {number} network
 * @property {number} postprocess
 *
 * @typedef {{name: Variant, threads: number}} RunningVariant the WebAssembly variant, and its number of threads
 *
 * @typedef {object} FileFacts What a result says about the files that were read.
 * @property {'scaled'} [decode] the JPEG file, or one of a batch, was decoded at a smaller scale; absent: at full scale
 * @property {true} [truncated] the file, or one of a batch, is cut short, which `allowTruncated` allows; what is missing is
 *   grey. Absent: it is whole
 *
 * @typedef {object} RunFacts
 * @property {StageTimes} ms
 * @property {Size} size of the upright source image, in pixels; 0 x 0 for a tensor
 * @property {RunningVariant} variant
 * @property {'float' | 'int8'} precision
 *
 * @typedef {RunFacts & FileFacts} RunResult What every result says about its run.
 *
 * @typedef {object} ProfileOperators
 * @property {OperatorInfo[]} operators
 *
 * @typedef {RunResult & ProfileOperators} ProfileResult
 *
 * @typedef {object} FloatImages
 * @property {Float32Array} data RGB in [0, 1]
 * @property {readonly number[]} shape [N, height, width, 3], or [height, width, 3]
 *
 * @typedef {ImageInput | FloatImages | {tensor: TensorData}} Input
 */

// ---- detector ----

/**
 * @typedef {object} ClassSelection Classes by name, MID or number.
 * @property {readonly (string | number)[] | undefined} [allow] return these only
 * @property {readonly (string | number)[] | undefined} [deny] do not return these
 *
 * @typedef {string | Global<'URL'> | readonly (string | Label)[]} LabelsInput
 *
 * @typedef {object} DetectorModel
 * @property {LabelsInput | undefined} [labels] names by class number: a list, or a text file with one
 *   name per line; a first "???" or "background" is left out if there is one name more than the model has classes.
 *   Default: the labels that come with the model
 * @property {ClassSelection | undefined} [classes] which classes to return. The network does not compute the other classes, unless
 *   scores depend on each other (softmax)
 * @property {Partial<SsdSpec> | undefined} [ssd] how the model's heads become boxes, if the file does not say it
 * @property {string | undefined} [layer] the tensor [1, H, W, C] that features are pooled from; default: MobileNetV2's Conv_1
 *
 * @typedef {ModelOptions & DetectorModel & Thresholds} DetectorOptions The default `model` is the package's detector of
 *   23 Open Images classes.
 *
 * @typedef {{[Key in keyof Thresholds]: Thresholds[Key] | null | undefined} & {classes?: ClassSelection | null | undefined}} DetectorSettings
 *   Options that can change after `create`. `undefined` leaves an option as it is, `null` sets its default
 *
 * @typedef {'image' | 'boxes' | 'both'} WantedFeatures
 *
 * @typedef {object} Detection
 * @property {string} label
 * @property {number} labelId the model's class number without background, from 0
 * @property {string} [mid] the class's id in Open Images, if known
 * @property {number} score in [0, 1]
 * @property {Roi} box in pixels of the upright source image
 * @property {number[]} [features] if requested: the mean of the feature map's cells under the box
 * @property {number} [trackId] with `track`, for an object that is tracked: the same in all frames
 * @property {number} [age] with `trackId`: frames since the object was found first
 * @property {{x: number, y: number}} [velocity] with `trackId`: of the box's centre, in pixels a frame of 1/30 s (option
 *   `frameRate`)
 *
 * @typedef {object} Detected
 * @property {Detection[]} detections best first
 * @property {number[]} [features] of the whole image, if requested
 * @property {number} [tiles] with the option of this name: how many there were
 *
 * @typedef {RunResult & Detected} DetectResult
 *
 * @typedef {object} DetectionTensors Detections with the names and conventions of TensorFlow Hub's `openimages_v4` modules.
 * @property {Float32Array} detection_boxes [N, 4]: ymin, xmin, ymax, xmax, in [0, 1]
 * @property {Float32Array} detection_scores [N]
 * @property {BigInt64Array} detection_class_labels [N], from 1
 * @property {string[]} detection_class_names MIDs
 * @property {string[]} detection_class_entities names
 *
 * @typedef {RunResult & DetectionTensors} TensorsResult
 *
 * @typedef {object} Head
 * @property {string} name
 * @property {string} dtype
 * @property {number[]} shape
 * @property {{scale: number, zeroPoint: number} | null} quantization real = (stored - zeroPoint) * scale
 * @property {TensorData} data
 *
 * @typedef {{heads: Head[]}} NetworkHeads
 *
 * @typedef {RunResult & NetworkHeads} HeadsResult
 *
 * @typedef {DetectResult & VideoFrameInfo} VideoResult
 *
 * @typedef {RunResult & VideoFrameInfo & {count: number}} CountedVideoResult `count`: the number of rows written to `into`
 *
 * @typedef {object} LoopOptions
 * @property {Global<'AbortSignal'> | undefined} [signal] ends the loop
 * @property {number | undefined} [minChange] skip a frame if its pixels differ from the last detected frame by less than this, on
 *   average; 0 to 255, default 0: skip none
 * @property {boolean | TrackerOptions | Tracker | undefined} [track] give the
 *   objects numbers that stay the same from frame to frame: true, the options of a Tracker, or a Tracker. Default: false
 * @property {Float32Array | undefined} [into] receives rows as `detectInto` writes them; each result then has `count` instead of
 *   `detections`
 *
 * @typedef {object} FeaturesOption
 * @property {WantedFeatures | undefined} [features] also return the features of the whole image, under each box, or both; the
 *   same run computes them
 *
 * @typedef {object} TilesOption
 * @property {'auto' | TileOptions | undefined} [tiles] also detect in overlapping tiles of the image, to find small objects
 *
 * @typedef {ViewOptions & Thresholds & FeaturesOption & TilesOption} DetectOptions
 * @typedef {LoopOptions & Omit<DetectOptions, 'tiles'>} VideoOptions
 */

// ---- feature extractor ----

/**
 * @typedef {object} FeatureModel
 * @property {string | undefined} [layer] the tensor [N, H, W, C] to pool over H and W: its name, or one or more parts of the name
 *   between slashes. Default: the model's output if it is a vector, else MobileNetV2's Conv_1
 *
 * @typedef {object} ExtractSettings
 * @property {boolean | undefined} [l2Normalize] scale each vector to length 1; default false
 *
 * @typedef {ModelOptions & FeatureModel & ExtractSettings} ExtractorOptions The default `model` is the backbone of the
 *   package's detector.
 *
 * @typedef {{l2Normalize?: boolean | null | undefined}} ExtractorSettings Options that can change after `create`. `undefined` leaves an
 *   option as it is, `null` sets its default
 *
 * @typedef {ViewOptions & ExtractSettings} ExtractOptions
 *
 * @typedef {RunResult & {features: number[]}} ExtractResult
 *
 * @typedef {BatchFeatures & FileFacts} BatchResult
 *
 * @typedef {object} BatchFeatures
 * @property {Float32Array} data [N, length]
 * @property {[number, number]} shape
 * @property {StageTimes} ms of all images together
 * @property {RunningVariant} variant
 * @property {'float' | 'int8'} precision
 */

// ---- classifier ----

/**
 * @typedef {'softmax' | 'sigmoid' | 'none'} Scores
 *
 * @typedef {object} ClassifierModel
 * @property {LabelsInput | undefined} [labels] names by class number: a list, or a text file with one name per line. Default: the
 *   labels that come with the model
 * @property {Scores | undefined} [scores] the function that turns the output into probabilities; default: 'none' if the network ends
 *   in a softmax or a sigmoid, else 'softmax'
 *
 * @typedef {object} ClassifySettings
 * @property {number | undefined} [topK] the most classes to return; 1 to 1 000 000, default 5
 *
 * @typedef {ModelOptions & ClassifierModel & ClassifySettings} ClassifierOptions
 *
 * @typedef {{topK?: number | null | undefined}} ClassifierSettings Options that can change after `create`. `undefined` leaves an option
 *   as it is, `null` sets its default
 *
 * @typedef {ViewOptions & ClassifySettings} ClassifyOptions
 *
 * @typedef {RunResult & {classes: Classification[]}} ClassifyResult
 *
 * @typedef {object} Classification
 * @property {string} label
 * @property {number} labelId the model's class number, from 0
 * @property {string} [mid] the class's id in Open Images, if known
 * @property {number} score probability
 */

// ---- session ----

/**
 * @typedef {object} Request
 * @property {'detect' | 'heads' | 'profile' | 'features' | 'facts'} kind
 * @property {Input[]} inputs one image; for 'features', 1 to `Facts.batch` images; for 'facts', none
 * @property {ClassSelection} [classes] a session whose model was made for other classes loads it again
 * @property {Roi} [roi]
 * @property {number} turns quarter turns, clockwise
 * @property {boolean} exact whether a drawable is read at full size
 * @property {Reading} reading
 * @property {Required<Thresholds>} [thresholds] for 'detect'
 * @property {WantedFeatures} [features] for 'detect': the features to return with the boxes
 * @property {number} [minChange] see LoopOptions
 * @property {Sample} [lastSample] with minChange: of the loop's last detected frame
 *
 * @typedef {Size & {bytes: Uint8Array}} Sample What minChange compares of a frame.
 *
 * @typedef {object} Answer
 * @property {any} result 'detect': rows, see Heads.detect, or undefined if the frame was skipped (minChange). 'heads':
 *   Head[]. 'profile': OperatorInfo[]. 'features': Float32Array [images, length]. 'facts': Facts
 * @property {{image?: Float32Array, boxes?: Float32Array}} [features] `image` [length], `boxes` [detections, length]
 * @property {Sample} [sample] with minChange: of the detected frame
 * @property {{ms: StageTimes, size: Size} & FileFacts} run
 * @property {{totalBytes: number, liveBytes: number}} memoryUse
 *
 * @typedef {Partial<Thresholds> & {ownThreshold?: number}} FileLimits `ownThreshold`: of TFLite Metadata
 *
 * @typedef {object} Facts
 * @property {import('./labels.js').Label[]} labels
 * @property {RunningVariant} variant
 * @property {'float' | 'int8'} precision 'int8' if any operator is quantized
 * @property {Size} inputSize
 * @property {FileLimits} limits thresholds from the model file
 * @property {number} multiplyAdds for one image
 * @property {number} batch the most images in one run
 * @property {number} length of a feature vector; 0 if the task is not 'features'
 * @property {{output: number, scores: Scores, calibration?: import('./spec/calibration.js').Calibration}} [classifier]
 *
 * @typedef {object} Session
 * @property {Facts} facts
 * @property {Answer['memoryUse']} memoryUse
 * @property {(request: Request, limit?: import('./limits.js').CallLimit) => Promise<Answer>} run
 * @property {(request: Request, limit?: import('./limits.js').CallLimit) => Promise<Answer[]>} runOnAll runs the request in
 *   every instance
 * @property {() => void} close
 */

// ---- platform ----

/**
 * @typedef {object} TrackHost What pages have, because videos are there only.
 * @property {() => Promise<{Tracker: TrackerClass}>} loadTracker
 *
 * @typedef {object} TilesHost
 * @property {() => Promise<{detectInTiles: DetectInTiles}>} loadTiles
 *
 * @typedef {object} WorkerHost What a platform may offer beyond the engine's Host.
 * @property {(options: SessionOptions) => Promise<Session>} [startWorker] creates a session in one or, with `pool`, in
 *   several workers; rejects with WORKER_UNAVAILABLE
 */

export {};

/**
 * @typedef {import('./types.js').BatchResult} BatchResult
 * @typedef {import('./limits.js').CallOptions} CallOptions
 * @typedef {import('./types.js').Classification} Classification
 * @typedef {import('./types.js').ClassifierOptions} ClassifierOptions
 * @typedef {import('./types.js').ClassifierSettings} ClassifierSettings
 * @typedef {import('./types.js').ClassifyOptions} ClassifyOptions
 * @typedef {import('./types.js').ClassifyResult} ClassifyResult
 * @typedef {import('./types.js').ClassSelection} ClassSelection
 * @typedef {import('./types.js').CountedVideoResult} CountedVideoResult
 * @typedef {import('./image.js').DecodedImage} DecodedImage
 * @typedef {import('./image.js').DecodeOptions} DecodeOptions
 * @typedef {import('./foreign.js').Decoder} Decoder
 * @typedef {import('./types.js').Detection} Detection
 * @typedef {import('./types.js').DetectOptions} DetectOptions
 * @typedef {import('./types.js').DetectorOptions} DetectorOptions
 * @typedef {import('./types.js').DetectorSettings} DetectorSettings
 * @typedef {import('./types.js').DetectResult} DetectResult
 * @typedef {import('../report/energy/estimate.js').EnergyOptions} EnergyOptions
 * @typedef {import('../report/energy/estimate.js').Energy} Energy
 * @typedef {import('../shared/errors.js').ErrorCode} ErrorCode
 * @typedef {import('./input.js').Drawable} Drawable
 * @typedef {import('./types.js').ExtractOptions} ExtractOptions
 * @typedef {import('./types.js').ExtractorOptions} ExtractorOptions
 * @typedef {import('./types.js').ExtractorSettings} ExtractorSettings
 * @typedef {import('./types.js').ExtractResult} ExtractResult
 * @typedef {import('./input.js').FileInput} FileInput
 * @typedef {import('./types.js').FloatImages} FloatImages
 * @typedef {import('./types.js').Head} Head
 * @typedef {import('./types.js').HeadsResult} HeadsResult
 * @typedef {import('./input.js').ImageInput} ImageInput
 * @typedef {import('./types.js').Input} Input
 * @typedef {import('./types.js').InputSpec} InputSpec
 * @typedef {import('./types.js').Label} Label
 * @typedef {import('./types.js').LabelsInput} LabelsInput
 * @typedef {import('./types.js').LoadProgress} LoadProgress
 * @typedef {import('./input.js').ModelInput} ModelInput
 * @typedef {import('./types.js').ModelOptions} ModelOptions
 * @typedef {import('./types.js').OperatorInfo} OperatorInfo
 * @typedef {import('../engine/engine.js').PixelArray} PixelArray
 * @typedef {import('./types.js').ProfileResult} ProfileResult
 * @typedef {import('./types.js').Roi} Roi
 * @typedef {import('./types.js').RunningVariant} RunningVariant
 * @typedef {import('./types.js').RunResult} RunResult
 * @typedef {import('./types.js').Size} Size
 * @typedef {import('./types.js').SsdSpec} SsdSpec
 * @typedef {import('./types.js').StageTimes} StageTimes
 * @typedef {import('./reading.js').ReadingOptions} ReadingOptions
 * @typedef {import('./types.js').Scores} Scores
 * @typedef {import('./types.js').TensorData} TensorData
 * @typedef {import('./types.js').TensorsResult} TensorsResult
 * @typedef {import('./types.js').Thresholds} Thresholds
 * @typedef {import('./types.js').Variant} Variant
 * @typedef {import('./video.js').Video} Video
 * @typedef {import('./types.js').VideoFrameInfo} VideoFrameInfo
 * @typedef {import('./types.js').TileOptions} TileOptions
 * @typedef {import('./types.js').VideoOptions} VideoOptions
 * @typedef {import('./types.js').VideoResult} VideoResult
 * @typedef {import('./types.js').ViewOptions} ViewOptions
 * @typedef {import('./types.js').WantedFeatures} WantedFeatures
 */

export { ImageClassifier } from './classifier.js';
export { DEFAULT_THRESHOLDS, ObjectDetector } from './detector.js';
export { OcelliError } from '../shared/errors.js';
export { cosineSimilarity, FeatureExtractor } from './features.js';
export { useDecoder } from './foreign.js';
export { decodeImage } from './image.js';

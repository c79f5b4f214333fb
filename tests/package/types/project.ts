// A user's project: every entry, its options, results and inputs by name. tests/package/package.test.js compiles it
// strictly, with and without DOM types, in every way of resolving modules.
import {
  cosineSimilarity,
  decodeImage,
  FeatureExtractor,
  ImageClassifier,
  ObjectDetector,
  OcelliError,
  type BatchResult,
  type CallOptions,
  type ClassifierOptions,
  type ClassifierSettings,
  type ClassifyOptions,
  type ClassifyResult,
  type ClassSelection,
  type CountedVideoResult,
  type DecodedImage,
  type DecodeOptions,
  type Detection,
  type DetectOptions,
  type DetectorOptions,
  type DetectorSettings,
  type DetectResult,
  type Drawable,
  type Energy,
  type EnergyOptions,
  type ErrorCode,
  type ExtractOptions,
  type ExtractorOptions,
  type ExtractorSettings,
  type ExtractResult,
  type FileInput,
  type FloatImages,
  type HeadsResult,
  type ImageInput,
  type Input,
  type InputSpec,
  type ModelInput,
  type ModelOptions,
  type PixelArray,
  type ProfileResult,
  type RunResult,
  type SsdSpec,
  type TensorData,
  type TensorsResult,
  type Thresholds,
  type Variant,
  type VideoFrameInfo,
  type TileOptions,
  type VideoOptions,
  type VideoResult,
  type ViewOptions,
} from 'ocelli';
import {
  convert,
  type Converted,
  type ConvertOptions,
  type FileContent,
  type Source,
  type Stage,
} from 'ocelli/convert';
import {
  classColor,
  drawDetections,
  placeTag,
  type Color,
  type Context2D,
  type DrawOptions,
  type Pixels,
  type Rect,
} from 'ocelli/draw';
import { Tracker, type Tracked, type TrackerOptions, type TrackState } from 'ocelli/track';
import {
  evaluateDetections,
  readDataset,
  runDetector,
  type Dataset,
  type Evaluation as DetectorEvaluation,
  type Ran,
  type RunOptions,
} from 'ocelli/evaluate';
import { encodePng } from 'ocelli/png';
import { quantize, toMarkdown, type Quantized, type QuantizeOptions, type Report } from 'ocelli/quantize';
import {
  Backbone,
  TransferLearner,
  type BackboneOptions,
  type Callbacks,
  type Evaluation,
  type FeatureSet,
  type FitOptions,
  type History,
  type ImageSet,
  type LearnerOptions,
  type OptimizerOptions,
  type Prediction,
} from 'ocelli/train';

/** Exactly this type: neither `any` nor wider nor narrower. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}

export async function detect(image: ImageInput, model: ModelInput): Promise<DetectResult> {
  const loading: ModelOptions = { model, assetsUrl: 'assets/', threads: 2, precision: 'auto' };
  const thresholds: Thresholds = { scoreThreshold: 0.2, maxPerClass: 3 };
  const classes: ClassSelection = { allow: ['Dog', 3], deny: ['/m/01g317'] };
  const input: Partial<InputSpec> = { scale: 1 / 255, resize: 'half-pixel' };
  const ssd: Partial<SsdSpec> = { scores: 'softmax', background: true };
  const options: DetectorOptions = {
    ...loading,
    ...thresholds,
    classes,
    input,
    ssd,
    labels: ['a', { name: 'b' }],
  };
  const detector = await ObjectDetector.create(options);
  const settings: DetectorSettings = { scoreThreshold: null, classes: null, maxResults: undefined };
  await detector.setOptions(settings);
  // @ts-expect-error an option of create only
  await detector.setOptions({ threads: 2 }).catch(() => {});
  const view: ViewOptions = { roi: { x: 0, y: 0, width: 9, height: 9 }, rotation: 90 };
  const wanted: DetectOptions = { ...view, features: 'both', maxResults: 3 };
  const found = await detector.detect(image, wanted);
  same<typeof found, DetectResult>(true);
  same<typeof found.features, number[] | undefined>(true);
  same<(typeof found.detections)[number], Detection>(true);
  same<typeof found.ms.network, number>(true);
  same<typeof found.variant.threads, number>(true);
  same<typeof found.precision, 'float' | 'int8'>(true);
  const about: RunResult = found;
  const count: number = await detector.detectInto(image, new Float32Array(60));
  const tensors: TensorsResult = await detector.detectTensors(image);
  const heads: HeadsResult = await detector.heads({ tensor: new Float32Array(9) });
  const profile: ProfileResult = await detector.profile(image);
  const energyOptions: EnergyOptions = {};
  const energy: Energy = await detector.report(energyOptions);
  detector.close();
  void [about, count, tensors, heads, profile, energy];
  return found;
}

/** What `undefined` means in a call: an option that is not given. Types that a user's declarations name. */
export async function omit(detector: ObjectDetector, image: ImageInput, into: Float32Array | undefined) {
  const allow: readonly string[] = ['Dog'];
  const made = await ObjectDetector.create({
    model: undefined,
    classes: { allow, deny: undefined },
    threads: undefined,
  });
  await made.setOptions({ classes: undefined, scoreThreshold: undefined });
  const wanted: DetectOptions = { features: undefined, roi: undefined, maxResults: undefined };
  await made.detect({ data: new Float32Array(12), shape: [2, 2, 3] }, wanted);
  await ImageClassifier.create({ topK: undefined, scores: undefined });
  await FeatureExtractor.create({ l2Normalize: undefined, layer: undefined });
  // @ts-expect-error no name of values
  const odd: ModelOptions = { input: 'any string' };
  void odd;
  return (video: Parameters<ObjectDetector['video']>[0]) => detector.video(video, { into });
}

export const parts = (
  call: CallOptions,
  drawable: Drawable,
  file: FileInput,
  data: TensorData,
  variant: Variant,
  frame: VideoFrameInfo,
) => ({ call, drawable, file, data, variant, frame });

export async function watch(
  detector: ObjectDetector,
  video: Parameters<ObjectDetector['video']>[0],
): Promise<number> {
  const options: VideoOptions = { minChange: 1, scoreThreshold: 0.4 };
  let frames = 0;
  for await (const result of detector.video(video, { ...options, into: undefined })) {
    same<typeof result, VideoResult>(true);
    frames += result.detections.length + result.mediaTime + result.dropped;
  }
  for await (const result of detector.video(video, { into: new Float32Array(6) })) {
    same<typeof result, CountedVideoResult>(true);
    frames += result.count;
  }
  return frames;
}

export async function compare(images: Input[], floats: FloatImages): Promise<number> {
  const options: ExtractorOptions = { layer: 'Conv_1', l2Normalize: true };
  const extractor = await FeatureExtractor.create(options);
  const settings: ExtractorSettings = { l2Normalize: null };
  await extractor.setOptions(settings);
  const once: ExtractOptions = { l2Normalize: false };
  const { features }: ExtractResult = await extractor.extract(images[0], once);
  const { data, shape }: BatchResult = await extractor.extractBatch(floats);
  return cosineSimilarity(features, data.subarray(0, shape[1]));
}

export async function classify(model: ModelInput, image: Input): Promise<string> {
  const options: ClassifierOptions = { model, topK: 3, scores: 'softmax' };
  const classifier = await ImageClassifier.create(options);
  const settings: ClassifierSettings = { topK: 2 };
  await classifier.setOptions(settings);
  const once: ClassifyOptions = { topK: 1 };
  const { classes }: ClassifyResult = await classifier.classify(image, once);
  return classes[0].label;
}

export function explain(error: unknown): ErrorCode | undefined {
  if (!(error instanceof OcelliError)) return undefined;
  switch (error.code) {
    case 'IMAGE_CORRUPT': // of the module
    case 'BODY_USED': // of ocelli
    case 'SOURCE_DAMAGED': // of ocelli/convert
    case 'ARCHIVE_DAMAGED':
    case 'NO_IMAGES': // of ocelli/quantize
    case 'EMPTY_CLASS': // of ocelli/train
    case 'STATE_CORRUPT':
      return error.code;
    // @ts-expect-error no code
    case 'NO_SUCH_CODE':
      return undefined;
  }
  same<typeof error.code, string>(false);
  return error.code;
}

export async function draw(bytes: Uint8Array, { detections }: DetectResult): Promise<Uint8Array> {
  const options: DecodeOptions = { maxPixels: 1000 };
  const image: DecodedImage = await decodeImage(bytes, options);
  const pixels: PixelArray & Pixels = image;
  drawDetections(pixels, detections);
  const context = undefined as unknown as Context2D;
  const look: DrawOptions = { labels: ({ label }) => label, colours: ['red'], scale: 2 };
  if (context) drawDetections(context, detections, look);
  const color: Color = classColor(0);
  const photo: Rect = { left: 0, top: 0, right: 9, bottom: 9 };
  void [color, placeTag, photo];
  return encodePng(pixels);
}

export async function search(detector: ObjectDetector, image: ImageInput): Promise<number | undefined> {
  const options: DetectOptions = {
    tiles: { size: 640, onProgress: ({ done }: { done: number }) => void done },
  };
  const { tiles }: DetectResult = await detector.detect(image, options);
  await detector.detect(image, { tiles: 'auto' });
  return tiles;
}

export function follow(frames: DetectResult[]): TrackState[] {
  const options: TrackerOptions = { minFrames: 3 };
  const tracker = new Tracker(options);
  for (const { detections } of frames)
    for (const { trackId, label } of tracker.update(detections, { time: 1 })) {
      const known: Tracked['trackId'] | undefined = trackId;
      void [known, label];
    }
  return tracker.tracks;
}

export async function make(source: Source, images: ImageInput[]): Promise<Report | undefined> {
  const options: ConvertOptions = {
    weights: 'fp16',
    onProgress: ({ stage }: { stage: Stage }) => void stage,
  };
  const content: FileContent = new Uint8Array(9);
  void content;
  const { model }: Converted = await convert(source, options);
  const small: QuantizeOptions = { ranges: 'mse' };
  const { report }: Quantized = await quantize(model, images, small);
  if (report) void toMarkdown(report);
  return report;
}

export async function evaluate(detector: ObjectDetector, bytes: Uint8Array): Promise<DetectorEvaluation> {
  const dataset: Dataset = await readDataset(bytes);
  const options: RunOptions = { scoreThreshold: 0.01 };
  const ran: Ran = await runDetector(detector, dataset as Ran['dataset'], options);
  return evaluateDetections(ran.dataset.groundTruth, ran.detections);
}

export async function train(images: ImageSet, features: FeatureSet): Promise<Prediction[]> {
  const backbone: BackboneOptions = { unfreeze: 1, assetsUrl: 'assets/' };
  const extractor = await Backbone.create(backbone);
  const options: LearnerOptions = { extractor, labels: ['a', 'b'] };
  const learner = await TransferLearner.create(options);
  const callbacks: Callbacks = { onEpoch: ({ logs }) => void logs.loss };
  const optimizer: OptimizerOptions = { type: 'adam', learningRate: 0.1 };
  const fit: FitOptions = { epochs: 2, optimizer, callbacks, validation: features };
  const history: History = await learner.fit(fit);
  const evaluation: Evaluation = await learner.evaluate(images);
  void [history, evaluation];
  return learner.predict(images.images[0]);
}

// Quantization: a float .tflite file and sample images -> a file that computes in 8 bits. Pure JavaScript on our own
// engine, by TFLite's 8-bit quantization specification.
//
// file (file.js) -> float32 constants (float_model.js) -> what can work in 8 bits (operators.js, plan.js) -> what each
// tensor holds, on the images (images.js, runner.js, calibrate.js, histogram.js) -> scales (ranges.js), weights
// (weights.js), biases (correct.js) -> the new network (rewrite.js) -> bytes. What that changed: compare.js, report.js.
import { resolveInput, findManifestEntry } from '../vision/model_spec.js';
import { appendLabels, writeMetadata } from '../tflite/metadata.js';
import { calibrate } from './calibrate.js';
import { compare } from './compare.js';
import { correctBiases } from './correct.js';
import { compareDetections } from './detections.js';
import { failure } from './errors.js';
import { writeFile } from './file.js';
import { floatsOf, readFloatModel } from './float_model.js';
import { openPreprocessor } from './images.js';
import { checkOptions } from './options.js';
import { makePlan } from './plan.js';
import { RANGES, toInt8 } from './ranges.js';
import { rewrite } from './rewrite.js';
import { openEngine } from './runner.js';
import { quantizeKernel } from './weights.js';

/**
 * @typedef {import('./options.js').QuantizeOptions} QuantizeOptions
 * @typedef {import('./images.js').ImageInput} ImageInput
 * @typedef {import('./file.js').Model} Model
 * @typedef {import('../engine/engine.js').InputSpec} InputSpec
 *
 * @typedef {object} Quantized
 * @property {Uint8Array<ArrayBuffer>} model the .tflite file
 * @property {import('./compare.js').Report} [report] unless it was not wanted
 */

/** Of the images, so many serve to correct biases and to compare the networks. */
const MAX_KEPT = 32;

/**
 * @param {Uint8Array<ArrayBuffer>} bytes of a .tflite file with float activations
 * @param {AsyncIterable<ImageInput> | Iterable<ImageInput>} images like those that it is to see: bytes of image files,
 *   or pixels
 * @param {QuantizeOptions} [options]
 * @returns {Promise<Quantized>}
 */
export async function quantize(bytes, images, options = {}) {
  const checked = checkOptions(options);
  const { input: given, keepFloat, outputType, inputType, onProgress, signal } = checked;
  const about = await describe(bytes, given);
  const model = readFloatModel(bytes);
  checkNames(model, keepFloat);
  const plan = makePlan(model, { keepFloat, hasFloatOutputs: outputType === 'float32' });

  const { seen, kept, keptImages, numImages } = await calibrateOn(model, images, about.input, checked);
  if (numImages === 0) throw failure('NO_IMAGES');
  const scaleOf = chooseScales(model, plan, seen, about.input, RANGES[checked.ranges]);
  const { weights, biases } = quantizeWeights(model, plan, scaleOf);
  signal?.throwIfAborted();
  onProgress({ stage: 'correct' });
  const corrected = checked.correctBias
    ? await correctBiases({ model, weights, biases, scaleOf, inputs: kept })
    : biases;
  signal?.throwIfAborted();

  const numbers = { scaleOf, weights, biases: corrected };
  const file = withMetadata(withoutUnused(rewrite(model, plan, numbers, { inputType, outputType })), about);
  if (!checked.report) return { model: file };
  onProgress({ stage: 'compare' });
  const quantized = rewrite(model, plan, numbers, { inputType: 'float32', outputType: 'float32' });
  const report = await compare({ bytes, file, model, quantized, plan, inputs: kept });
  const detections = await compareDetections([bytes, file], keptImages, about.input);
  return { model: file, report: { ...report, images: numImages, detections } };
}

/** @param {Uint8Array<ArrayBuffer>} bytes @param {Partial<InputSpec> | undefined} given */
async function describe(bytes, given) {
  const { engine, received, metadata } = await openEngine(bytes);
  try {
    const { inputs } = engine;
    if (inputs.length !== 1 || inputs[0].shape.length !== 4 || inputs[0].shape[3] !== 3)
      throw failure('NOT_AN_IMAGE_MODEL');
    const entry = await findManifestEntry({ sizeBytes: received.sizeBytes, readAll: () => bytes }, metadata);
    return { metadata, entry, input: resolveInput(given, metadata, entry, inputs[0]) };
  } finally {
    engine.close();
  }
}

/** @param {Model} model @param {string[]} keepFloat */
function checkNames({ tensors, operators }, keepFloat) {
  const names = new Set(operators.flatMap(({ outputs }) => outputs.map((i) => tensors[i].name)));
  const unknown = keepFloat.find((name) => !names.has(name));
  if (unknown !== undefined) throw failure('UNKNOWN_TENSOR', `'${unknown}'`);
}

/**
 * @param {Model} model
 * @param {AsyncIterable<ImageInput> | Iterable<ImageInput>} images
 * @param {InputSpec} spec
 * @param {ReturnType<typeof checkOptions>} options
 */
async function calibrateOn(model, images, spec, { maxPixels, onProgress, signal }) {
  const preprocessor = await openPreprocessor(model.tensors[model.inputs[0]], spec, maxPixels);
  /** @type {ImageInput[]} */
  const keptImages = [];
  async function* inputs() {
    for await (const image of images) {
      signal?.throwIfAborted();
      if (keptImages.length < MAX_KEPT) keptImages.push(image);
      yield preprocessor.prepare(image);
    }
  }
  try {
    const calibrated = await calibrate(model, inputs(), {
      maxKept: MAX_KEPT,
      onImage: (count) => onProgress({ stage: 'calibrate', images: count }),
    });
    return { ...calibrated, keptImages };
  } finally {
    preprocessor.close();
  }
}

/**
 * One scale for each group of tensors. The input's is that of pixels.
 * @param {Model} model
 * @param {import('./plan.js').Plan} plan
 * @param {Map<number, import('./histogram.js').Histogram>} seen
 * @param {InputSpec} spec
 * @param {(seen: import('./histogram.js').Histogram) => import('./ranges.js').Range} rangeOf
 */
function chooseScales(model, { groupOf }, seen, spec, rangeOf) {
  /** @type {Map<number, import('./histogram.js').Histogram>} */
  const groups = new Map();
  for (const [tensor, histogram] of seen) {
    const group = groupOf(tensor);
    const known = groups.get(group);
    if (known) known.merge(histogram);
    else groups.set(group, histogram.copy());
  }
  const scales = new Map(Array.from(groups, ([group, histogram]) => [group, toInt8(rangeOf(histogram))]));
  const ends = [spec.scale, spec.offset].map((value) => [value].flat());
  const isOneRange = ends.every((values) => values.every((value) => value === values[0]));
  const [[scale], [offset]] = ends;
  if (isOneRange) scales.set(groupOf(model.inputs[0]), toInt8({ min: offset, max: 255 * scale + offset }));
  return (/** @type {number} */ tensor) =>
    /** @type {import('./rewrite.js').Scale} */ (scales.get(groupOf(tensor)));
}

/**
 * @param {Model} model
 * @param {import('./plan.js').Plan} plan
 * @param {(tensor: number) => import('./rewrite.js').Scale} scaleOf
 */
function quantizeWeights({ tensors, operators }, { rules }, scaleOf) {
  /** @type {Map<number, import('./weights.js').Weights>} */
  const weights = new Map();
  /** @type {Map<number, Float64Array>} */
  const biases = new Map();
  operators.forEach(({ inputs: [input, kernel, bias = -1] }, i) => {
    const axis = rules[i]?.axis;
    if (axis === undefined) return;
    const values = bias < 0 ? undefined : floatsOf(tensors[bias]);
    const its = quantizeKernel(tensors[kernel], axis, values, scaleOf(input).scale);
    weights.set(i, its);
    biases.set(i, Float64Array.from(values ?? new Float64Array(its.channels)));
  });
  return { weights, biases };
}

/** Only tensors that something uses. @param {Model} model @returns {Model} */
function withoutUnused(model) {
  const { tensors, operators, inputs, outputs, signatures } = model;
  const used = new Set([...inputs, ...outputs, ...operators.flatMap((op) => [...op.inputs, ...op.outputs])]);
  const order = Array.from(tensors.keys()).filter((tensor) => used.has(tensor));
  const numbers = new Map([[-1, -1], ...order.map((tensor, i) => /** @type {const} */ ([tensor, i]))]);
  const renumber = (/** @type {number[]} */ list) =>
    list.map((tensor) => /** @type {number} */ (numbers.get(tensor)));
  const rename = (/** @type {[string, number][]} */ ports) =>
    ports.map(([name, tensor]) => /** @type {[string, number]} */ ([name, numbers.get(tensor)]));
  return {
    ...model,
    tensors: order.map((tensor) => tensors[tensor]),
    operators: operators.map((op) => ({ ...op, inputs: renumber(op.inputs), outputs: renumber(op.outputs) })),
    inputs: renumber(inputs),
    outputs: renumber(outputs),
    signatures: signatures.map((its) => ({
      ...its,
      inputs: rename(its.inputs),
      outputs: rename(its.outputs),
    })),
  };
}

/**
 * What the file said of itself, it says again; of a model that the manifest describes, it names the entry.
 * @param {Model} quantized
 * @param {Awaited<ReturnType<typeof describe>>} about
 */
function withMetadata(quantized, { metadata, entry }) {
  const own = entry && {
    name: 'TFLITE_METADATA',
    data: writeMetadata({
      name: `${entry.title}, 8-bit`,
      description: 'Quantized by ocelli.',
      outputs: [],
      own: { like: entry.id },
    }),
  };
  const file = writeFile({
    ...quantized,
    description: 'Quantized by ocelli.',
    metadata: own ? [own] : quantized.metadata,
  });
  return metadata.labels === undefined ? file : appendLabels(file, metadata.labels.trimEnd().split(/\r?\n/));
}

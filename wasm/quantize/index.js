// Quantization: takes a float .tflite file and sample images, returns an 8-bit .tflite file after TFLite's 8-bit
// quantization specification. Runs in JavaScript on ocelli's own engine.
//
// Stages: read the file (file.js), convert constants to float32 (float_model.js) and fuse hard-swish (hard_swish.js); choose the operators to quantize
// (operators.js, plan.js); collect histograms on the images (images.js, runner.js, calibrate.js, histogram.js); choose
// scales (ranges.js); quantize weights (weights.js); correct biases (correct.js); build the quantized network
// (rewrite.js) and write it. compare.js, detections.js and report.js compare both networks.
import { inflateWhole } from '../engine/inflate.js';
import { failure as optionFailure } from '../shared/errors.js';
import { calibrate } from './calibrate.js';
import { compare } from './compare.js';
import { correctBiases } from './correct.js';
import { compareDetections } from './detections.js';
import { failure } from './errors.js';
import { dropUnusedTensors, withMetadata } from './finish.js';
import { floatsOf, readFloatModel } from './float_model.js';
import { fuseHardSwish } from './hard_swish.js';
import { openPreprocessor, prepareImages } from './images.js';
import { readInfo } from './info.js';
import { checkOptions } from './options.js';
import { makePlan } from './plan.js';
import { logitRange, pixelScale, RANGES, takesBytes, toInt8 } from './ranges.js';
import { rewrite } from './rewrite.js';
import { quantizeKernel } from './weights.js';

/**
 * @typedef {import('./options.js').QuantizeOptions} QuantizeOptions
 * @typedef {import('./images.js').ImageInput} ImageInput
 * @typedef {import('./file.js').Model} Model
 * @typedef {import('../engine/engine.js').InputSpec} InputSpec
 *
 * @typedef {object} Quantized
 * @property {Uint8Array<ArrayBuffer>} model the .tflite file
 * @property {import('./compare.js').Report} [report] unless the option `report` is false
 */

/** How many of the images are used to correct biases and to compare the networks. */
const MAX_KEPT = 32;

/**
 * @param {Uint8Array<ArrayBuffer>} source a .tflite file with float activations, or its gzip file
 * @param {AsyncIterable<ImageInput> | Iterable<ImageInput>} images calibration images, similar to those that the model
 *   will be used on: bytes of image files, or pixels
 * @param {QuantizeOptions} [options]
 * @returns {Promise<Quantized>}
 */
export async function quantize(source, images, options = {}) {
  const checked = checkOptions(options);
  const { input: given, keepFloat, outputType, inputType, onProgress, signal, signature } = checked;
  const bytes = await inflateWhole(source);
  const info = await readInfo(bytes, { input: given, signature }, () => undefined);
  const ends = pixelEnds(info.input);
  if (inputType === 'uint8' && !(ends && takesBytes(...ends)))
    throw optionFailure(
      'INVALID_OPTION',
      `inputType 'uint8' takes pixels as they are: input needs one scale above 0 and one offset for all channels, ` +
        "and 0 among its values; take 'int8', or leave inputType out",
    );
  const model = fuseHardSwish(readFloatModel(bytes, signature));
  checkNames(model, keepFloat);
  const plan = makePlan(model, { keepFloat, hasFloatOutputs: outputType === 'float32' });

  const { histograms, keptInputs, keptImages, numImages } = await calibrateOn(
    model,
    images,
    info.input,
    checked,
  );
  if (numImages === 0) throw failure('NO_IMAGES');
  const scaleOf = chooseScales(model, plan, histograms, ends, {
    rangeOf: RANGES[checked.ranges],
    isPixelInput: inputType !== 'float32',
  });
  const { weights, biases } = quantizeWeights(model, plan, scaleOf);
  signal?.throwIfAborted();
  onProgress({ stage: 'correct' });
  const corrected = checked.correctBias
    ? await correctBiases({ model, weights, biases, scaleOf, inputs: keptInputs })
    : biases;
  signal?.throwIfAborted();

  const parameters = { scaleOf, weights, biases: corrected };
  const file = withMetadata(
    dropUnusedTensors(rewrite(model, plan, parameters, { inputType, outputType })),
    info,
    bytes,
    { suffix: '8-bit', description: 'Quantized by ocelli.' },
  );
  if (!checked.report) return { model: file };
  onProgress({ stage: 'compare' });
  const quantized = rewrite(model, plan, parameters, { inputType: 'float32', outputType: 'float32' });
  const report = await compare({ bytes, signature, file, model, quantized, plan, inputs: keptInputs });
  const files = [{ model: bytes, signature }, { model: file }];
  const detections = await compareDetections(files, keptImages, info.input);
  return { model: file, report: { ...report, images: numImages, detections } };
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
async function calibrateOn(model, images, spec, options) {
  const { reading, onProgress } = options;
  const preprocessor = await openPreprocessor(model.tensors[model.inputs[0]], spec, reading);
  /** @type {ImageInput[]} */
  const keptImages = [];
  async function* inputs() {
    for await (const { image, values } of prepareImages(preprocessor, images, options)) {
      if (keptImages.length < MAX_KEPT) keptImages.push(image);
      yield values;
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
 * The values of the pixels 0 and 255.
 * @param {InputSpec} spec
 * @returns {[start: number, end: number] | undefined} undefined: the channels are not normalized alike
 */
function pixelEnds(spec) {
  const normalization = [spec.scale, spec.offset].map((value) => [value].flat());
  if (!normalization.every((values) => values.every((value) => value === values[0]))) return undefined;
  const [[scale], [offset]] = normalization;
  return [offset, 255 * scale + offset];
}

/**
 * Chooses one scale for each group of tensors. The input's range is that of the pixels 0 to 255, if all channels are
 * normalized alike.
 * @param {Model} model
 * @param {import('./plan.js').Plan} plan
 * @param {Map<number, import('./histogram.js').Histogram>} histograms by tensor
 * @param {ReturnType<typeof pixelEnds>} ends
 * @param {object} options
 * @param {(histogram: import('./histogram.js').Histogram) => import('./ranges.js').Range} options.rangeOf
 * @param {boolean} options.isPixelInput whether the quantized input is the pixels' bytes
 */
function chooseScales(model, { groupOf, isLogits }, histograms, ends, { rangeOf, isPixelInput }) {
  /** @type {Map<number, import('./histogram.js').Histogram>} */
  const groups = new Map();
  for (const [tensor, histogram] of histograms) {
    const group = groupOf(tensor);
    const known = groups.get(group);
    if (known) known.merge(histogram);
    else groups.set(group, histogram.copy());
  }
  const scales = new Map(
    Array.from(groups, ([group, histogram]) => [
      group,
      toInt8(isLogits(group) ? logitRange(histogram) : rangeOf(histogram)),
    ]),
  );
  if (ends) scales.set(groupOf(model.inputs[0]), pixelScale(...ends, isPixelInput));
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
    const quantized = quantizeKernel(tensors[kernel], axis, values, scaleOf(input).scale);
    weights.set(i, quantized);
    biases.set(i, Float64Array.from(values ?? new Float64Array(quantized.channels)));
  });
  return { weights, biases };
}

// ocelli inspect: prints what is in a model file, as text or JSON.
import { ownMetadata, resolveLabels } from '../../wasm/vision/model_spec.js';
import { withoutBackground } from '../../wasm/vision/labels.js';
import { precisionOf, prepare } from '../../wasm/vision/prepare.js';
import { formatBytes, plural, safeJson } from '../../wasm/shared/text.js';
import { attempt, formatCount, layOut, shorten, shortName, UsageError } from '../common.js';
import { DEFAULT_MODEL, loadModel, readModel } from '../model.js';
import { optionalModel, ownWeights, signature } from '../options.js';
import { bold, print, printable } from '../output.js';

/**
 * @typedef {{signature?: string, weights?: import('../model.js').Weights}} Loading
 * @typedef {import('../../wasm/engine/engine.js').TensorInfo} TensorInfo
 * @typedef {Awaited<ReturnType<typeof describe>> & {sliced?: Awaited<ReturnType<typeof describeSliced>>}} Description
 */

/** Of many labels: a detector that was taught new classes has these at the end. */
const SHOWN_LABELS = { first: 12, last: 3 };
const SOFTMAX = 'its softmax scores depend on each other';

const options = /** @type {const} */ ({
  operators: { type: 'flag', about: 'list every operator instead of a count of each kind' },
  classes: {
    type: 'classes',
    value: 'A,B',
    library: 'classes.allow',
    about:
      'of a detector, also print what computing only these classes saves: names, MIDs (/m/...) or numbers',
  },
  signature,
  weights: ownWeights,
  json: { type: 'flag', about: 'print one JSON object, with every operator' },
});

/** @type {import('../arguments.js').Command<typeof options>} */
export const command = {
  summary: 'print what is in a .tflite file',
  about:
    'Prints what is in a .tflite file: inputs, outputs, operators, parameters, multiply-adds, memory and labels.',
  positionals: [optionalModel],
  options,
  examples: ['ocelli inspect --operators model.tflite'],
  run,
};

/**
 * @param {import('../arguments.js').Values<typeof options>} values
 * @param {string[]} files
 */
async function run({ classes, operators, json, ...loading }, [file]) {
  if (file !== undefined && loading.weights !== undefined)
    throw new UsageError('--weights is only for the default model');
  const description = await attempt(file ?? DEFAULT_MODEL, async () => {
    const model = await readModel(file);
    const whole = await describe(file, model, loading);
    return { ...whole, ...(classes && { sliced: await describeSliced(model, classes, whole, loading) }) };
  });
  if (description) print(json ? safeJson(description) : toText(description, operators));
}

/**
 * @param {string | undefined} file as the user named it
 * @param {Uint8Array | string | undefined} model
 * @param {Loading} loading
 */
async function describe(file, model, loading) {
  const { engine, entry, metadata, signatures, fileBytes } = await loadModel(model, 1, loading);
  try {
    const { arenaBytes, parameters, multiplyAdds, dynamicBatch } = engine.network;
    const { labels, detector, own, ...about } = metadata;
    const all = resolveLabels(undefined, metadata, entry);
    return {
      file,
      manifestId: entry?.id,
      title: entry?.title,
      signatures,
      inputs: engine.inputs,
      outputs: engine.outputs,
      dynamicBatch,
      parameters,
      multiplyAdds,
      precision: precisionOf(engine),
      memory: { fileBytes, arenaBytes, moduleBytes: engine.memoryUse.totalBytes },
      metadata: about,
      detector: detector && describeDetector(detector, ownMetadata(metadata)),
      labels: all.length > 0 ? withoutBackground(all, detector?.numClasses ?? Infinity) : undefined,
      operators: engine.operators.map(({ ms, ...operator }) => operator),
    };
  } finally {
    engine.close();
  }
}

/**
 * What a detector saves if it computes only these classes. How it reads its input does not matter.
 * @param {Uint8Array | string | undefined} model
 * @param {(string | number)[]} allow
 * @param {Awaited<ReturnType<typeof describe>>} whole
 * @param {Loading} loading
 */
async function describeSliced(model, allow, { multiplyAdds, operators }, loading) {
  const input = { scale: 1, offset: 0, resize: /** @type {const} */ ('half-pixel') };
  const { engine, ...sliced } = await prepare({
    task: 'detect',
    model,
    ...loading,
    input,
    classes: { allow },
  });
  engine.close();
  const { mask = new Uint8Array(), classIds } = sliced;
  const kept = classIds?.length ?? mask.reduce((sum, each) => sum + each, 0);
  const isSoftmax = operators.some(({ operator }) => operator === 'SOFTMAX');
  return {
    classes: kept,
    savedMultiplyAdds: multiplyAdds - sliced.multiplyAdds,
    ...(kept < mask.length && {
      leftWhole: isSoftmax ? SOFTMAX : 'nothing can be cut out of its class heads',
    }),
  };
}

/**
 * What the file's metadata says about decoding its outputs to boxes.
 * @param {NonNullable<import('../../wasm/engine/engine.js').Metadata['detector']>} detector
 * @param {ReturnType<typeof ownMetadata>} own
 */
function describeDetector(
  { anchors, boxCoder, numClasses, isSigmoid },
  { resize, scores, suppression, mids },
) {
  return {
    anchors: anchors.length / 4,
    boxCoder,
    classes: numClasses,
    mids: mids !== undefined,
    scores: scores ?? (isSigmoid ? 'sigmoid' : 'none'),
    resize,
    suppression,
  };
}

/**
 * @param {Description} description
 * @param {boolean} listOperators
 */
export function toText(description, listOperators) {
  const { file = DEFAULT_MODEL, manifestId, title, inputs, outputs, operators } = description;
  return [
    bold(printable(file)),
    ...(manifestId ? [`${manifestId}: ${title}`] : []),
    `\n${bold('Inputs')}`,
    ...tensorLines(inputs),
    `\n${bold('Outputs')}`,
    ...tensorLines(outputs),
    `\n${bold(plural(operators.length, 'operator'))}`,
    ...(listOperators ? operatorLines(operators) : kindLines(operators)),
    '',
    ...layOut(factRows(description), 'll'),
  ].join('\n');
}

/** @param {TensorInfo[]} tensors */
function tensorLines(tensors) {
  const rows = tensors.map(({ name, dtype, shape, quantization }) => [
    printable(name),
    dtype,
    formatShape(shape),
    quantization ? `(stored - ${quantization.zeroPoint}) * ${Number(quantization.scale.toPrecision(6))}` : '',
  ]);
  return layOut(rows, 'llll');
}

/** @param {Description['operators']} operators */
function kindLines(operators) {
  /** @type {Map<string, {count: number, multiplyAdds: number}>} */
  const kinds = new Map();
  for (const { operator, multiplyAdds } of operators) {
    const kind = kinds.get(operator) ?? { count: 0, multiplyAdds: 0 };
    kinds.set(operator, { count: kind.count + 1, multiplyAdds: kind.multiplyAdds + multiplyAdds });
  }
  const rows = [...kinds]
    .sort(([, a], [, b]) => b.multiplyAdds - a.multiplyAdds || b.count - a.count)
    .map(([kind, { count, multiplyAdds }]) => [kind, String(count), formatWork(multiplyAdds)]);
  return layOut(rows, 'lrr');
}

/** @param {Description['operators']} operators */
function operatorLines(operators) {
  const rows = operators.map(({ operator, output, shape, dtype, multiplyAdds }, index) => [
    String(index),
    operator,
    dtype,
    formatShape(shape),
    formatWork(multiplyAdds),
    printable(shortName(output)),
  ]);
  return layOut(rows, 'rlllrl');
}

/** @param {Description} description */
function factRows({
  signatures,
  parameters,
  multiplyAdds,
  precision,
  dynamicBatch,
  memory,
  metadata,
  detector,
  labels,
  sliced,
}) {
  const about = Object.entries(metadata).filter(([, value]) => typeof value === 'string');
  return [
    ['parameters', formatCount(parameters)],
    ['multiply-adds', `${formatCount(multiplyAdds)} an image`],
    ['precision', precision],
    ...(sliced ? [['saved', formatSaved(sliced, multiplyAdds)]] : []),
    ['batch', dynamicBatch ? 'free' : 'fixed'],
    ...(signatures.length > 0 ? [['signatures', signatures.map(printable).join(', ')]] : []),
    ['file', formatBytes(memory.fileBytes)],
    [
      'memory',
      `${formatBytes(memory.moduleBytes)} in all, ${formatBytes(memory.arenaBytes)} of it for tensors`,
    ],
    ...about.map(([key, value]) => [key, printable(String(value))]),
    ...(metadata.normalization ? [['normalization', formatNormalization(metadata.normalization)]] : []),
    ...(detector ? detectorRows(detector) : []),
    ...(labels ? [['labels', formatLabels(labels)]] : []),
  ];
}

/**
 * @param {NonNullable<Description['sliced']>} sliced
 * @param {number} multiplyAdds of the whole network
 */
function formatSaved({ classes, savedMultiplyAdds, leftWhole }, multiplyAdds) {
  const by = `by ${plural(classes, 'class', 'classes')} only`;
  if (leftWhole) return `none ${by}: the heads are left whole and their scores filtered, as ${leftWhole}`;
  const share = ((100 * savedMultiplyAdds) / multiplyAdds).toFixed(1);
  return `${formatCount(savedMultiplyAdds)} of them (${share} %) ${by}`;
}

/** @param {{mean: number[], std: number[]}} normalization shown as one number if all channels have the same */
function formatNormalization({ mean, std }) {
  const [m, s] = [mean, std].map((values) =>
    new Set(values).size === 1 ? shorten(values[0]) : `[${values.map(shorten)}]`,
  );
  return `(pixel - ${m}) / ${s}`;
}

/** @param {NonNullable<Description['detector']>} detector */
function detectorRows({ anchors, boxCoder, classes, mids, scores, resize, suppression }) {
  return [
    ...(resize ? [['resize', printable(String(resize))]] : []),
    ['anchors', `${anchors}, box coder ${boxCoder.join(', ')}`],
    ['scores', printable(`${scores}, ${plural(classes, 'class', 'classes')}${mids ? ', with MIDs' : ''}`)],
    ...(suppression ? [['suppression', printable(formatSuppression(suppression))]] : []),
  ];
}

/** Only the IoU is always there. @param {NonNullable<NonNullable<Description['detector']>['suppression']>} suppression */
function formatSuppression({ scoreThreshold, iouThreshold, maxPerClass, maxResults }) {
  return [
    ...(scoreThreshold === undefined ? [] : [`score ${scoreThreshold}`]),
    `IoU ${iouThreshold}`,
    ...(maxPerClass === undefined ? [] : [`${maxPerClass} a class`]),
    ...(maxResults === undefined ? [] : [`${maxResults} in all`]),
  ].join(', ');
}

/** @param {{name: string}[]} labels */
function formatLabels(labels) {
  const names = labels.map(({ name }) => printable(name));
  const { first, last } = SHOWN_LABELS;
  const shown =
    names.length > first + last ? [...names.slice(0, first), '...', ...names.slice(-last)] : names;
  return `${names.length}: ${shown.join(', ')}`;
}

/** @param {number[]} shape */
function formatShape(shape) {
  return `[${shape.join(', ')}]`;
}

/** @param {number} multiplyAdds */
function formatWork(multiplyAdds) {
  return multiplyAdds > 0 ? formatCount(multiplyAdds) : '';
}

// ocelli inspect: a model file -> what is in it, as text or JSON.
import { readLabels } from '../wasm/labels.js';
import { ownMetadata } from '../wasm/model_spec.js';
import { precisionOf } from '../wasm/prepare.js';
import {
  attempt,
  bold,
  formatBytes,
  formatCount,
  layOut,
  plural,
  print,
  printable,
  shortName,
} from './common.js';
import { DEFAULT_MODEL, loadModel } from './model.js';

/** @typedef {import('../wasm/engine.js').TensorInfo} TensorInfo */
/** @typedef {Awaited<ReturnType<typeof describe>>} Description */

const SHOWN_LABELS = 12;

/**
 * @param {import('./usage.js').Values<'inspect'>} values
 * @param {string[]} files
 */
export async function run(values, [file]) {
  const description = await attempt(file ?? DEFAULT_MODEL, () => describe(file));
  if (description) {
    print(values.json ? JSON.stringify(description) : toText(description, values.operators ?? false));
  }
}

/** @param {string | undefined} file */
async function describe(file) {
  const { engine, entry, metadata, fileBytes } = await loadModel(file, 1);
  try {
    const { arenaBytes, parameters, multiplyAdds, dynamicBatch } = engine.network;
    const { labels, detector, own, ...about } = metadata;
    const names = labels ?? entry?.labels;
    return {
      file,
      manifestId: entry?.id,
      title: entry?.title,
      inputs: engine.inputs,
      outputs: engine.outputs,
      dynamicBatch,
      parameters,
      multiplyAdds,
      precision: precisionOf(engine),
      memory: { fileBytes, arenaBytes, moduleBytes: engine.memoryUse.totalBytes },
      metadata: about,
      detector: detector && describeDetector(detector, ownMetadata(metadata)),
      labels: names && readLabels(names),
      operators: engine.operators.map(({ ms, ...operator }) => operator),
    };
  } finally {
    engine.close();
  }
}

/**
 * What the file's metadata says of how its heads become boxes.
 * @param {NonNullable<import('../wasm/engine.js').Metadata['detector']>} detector
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
function toText(description, listOperators) {
  const { file = DEFAULT_MODEL, manifestId, title, inputs, outputs, operators } = description;
  return [
    bold(file),
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
function factRows({ parameters, multiplyAdds, precision, dynamicBatch, memory, metadata, detector, labels }) {
  const about = Object.entries(metadata).filter(([, value]) => typeof value === 'string');
  return [
    ['parameters', formatCount(parameters)],
    ['multiply-adds', `${formatCount(multiplyAdds)} an image`],
    ['precision', precision],
    ['batch', dynamicBatch ? 'free' : 'fixed'],
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

/** @param {{mean: number[], std: number[]}} normalization one number if it is that of every channel */
function formatNormalization({ mean, std }) {
  const [m, s] = [mean, std].map((values) =>
    new Set(values).size === 1 ? shorten(values[0]) : `[${values.map(shorten)}]`,
  );
  return `(pixel - ${m}) / ${s}`;
}

/** @param {number} value */
function shorten(value) {
  return String(Number(value.toPrecision(6)));
}

/** @param {NonNullable<Description['detector']>} detector */
function detectorRows({ anchors, boxCoder, classes, mids, scores, resize, suppression }) {
  const { scoreThreshold, iouThreshold, maxPerClass, maxResults } = Object(suppression);
  return [
    ...(resize ? [['resize', printable(String(resize))]] : []),
    ['anchors', `${anchors}, box coder ${boxCoder.join(', ')}`],
    ['scores', printable(`${scores}, ${plural(classes, 'class', 'classes')}${mids ? ', with MIDs' : ''}`)],
    ...(suppression
      ? [
          [
            'suppression',
            printable(
              `score ${scoreThreshold}, IoU ${iouThreshold}, ${maxPerClass} a class, ${maxResults} in all`,
            ),
          ],
        ]
      : []),
  ];
}

/** @param {{name: string}[]} labels */
function formatLabels(labels) {
  const shown = labels.slice(0, SHOWN_LABELS).map(({ name }) => printable(name));
  return `${labels.length}: ${shown.join(', ')}${labels.length > shown.length ? ', ...' : ''}`;
}

/** @param {number[]} shape */
function formatShape(shape) {
  return `[${shape.join(', ')}]`;
}

/** @param {number} multiplyAdds */
function formatWork(multiplyAdds) {
  return multiplyAdds > 0 ? formatCount(multiplyAdds) : '';
}

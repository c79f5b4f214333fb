// Plans the file of a detector: the network from its preprocessed image to its raw heads, and metadata with the
// settings that were read from the rest of the graph.
import { findClasses } from '../vision/labels.js';
import { readDetector } from './detector/detector.js';
import { failure } from '../shared/errors.js';
import { convertFailure } from './errors.js';
import { fuse } from './lower/fuse.js';
import { describeMisfits, readLabels } from './labels.js';
import { lower } from './lower/lower.js';
import { normalizationOption, UNKNOWN_NOTE } from './normalization.js';
import { ints } from '../tflite/network.js';
import { sliceColumns } from './lower/columns.js';
import { plural } from '../shared/text.js';

/**
 * @typedef {import('../tflite/network.js').Network} Network
 * @typedef {import('../tflite/network.js').Value} Value
 * @typedef {import('./source/saved_model.js').Model} Model
 * @typedef {import('./labels.js').Labels} Labels
 */

/** The names that the Object Detection API's exporter uses. */
const BOXES = 'raw_outputs/box_encodings';
const SCORES = 'raw_outputs/class_predictions';

/**
 * @param {Model} model
 * @param {import('./graph/graph.js').Ref[]} refs its outputs
 * @param {Pick<import('./options.js').ConvertOptions, 'batch' | 'classes' | 'input'>} options
 * @returns {Promise<import('./index.js').Plan>}
 */
export async function planDetector(model, refs, { batch = 1, classes, input }) {
  if (batch !== 1) throw failure('INVALID_OPTION', 'a detector can only be converted with batch 1');
  const feeds = new Map(
    model.inputs.map(({ name, ref, shape: signatureShape }) => {
      const shape = ref.node.shape('shape') ?? signatureShape;
      if (shape?.length !== 4)
        throw convertFailure(
          'DETECTOR_NOT_UNDERSTOOD',
          `the input '${name}' must have 4 dimensions [N, H, W, 3]`,
        );
      return [ref.node, shape.with(0, 1)];
    }),
  );
  const { preprocessing, heads, suppression, facts } = readDetector(refs, feeds, model.loops);
  const labels = await readLabels(model, facts, heads.numClasses);
  const image = { name: preprocessing.input.node.name, ref: preprocessing.input };
  const { network, trace } = lower(
    [image],
    [
      { name: BOXES, ref: heads.boxes },
      { name: SCORES, ref: heads.scores },
    ],
    facts,
  );
  fuse(network);
  orderBoxColumns(network, heads.boxColumns);
  const kept = chooseClasses(classes, labels, heads.numClasses);
  const { scores, notes, written } = sliceHeads(network, heads, kept);
  const columns = written.map((c) => c + Number(heads.background));
  // Without names, use "class 0", "class 1" …: slicing and MediaPipe need distinct labels.
  const names =
    labels.names ?? labels.mids ?? Array.from({ length: heads.numClasses }, (_, c) => `class ${c}`);
  const keep = (/** @type {string[] | undefined} */ list) => list && written.map((c) => list[c]);
  const { resize, size } = preprocessing;
  const normalization = planNormalization(preprocessing, input);
  return {
    network,
    about: {
      name: model.name ?? 'SSD detector',
      description: '',
      image: normalization && { name: 'image', mean: normalization.mean, std: normalization.std },
      outputs: [
        { name: 'location', role: 'location' },
        { name: 'score', role: 'score', labels: keep(names) },
      ],
      detector: {
        anchors: heads.anchors,
        boxCoder: heads.boxCoder,
        numClasses: written.length,
        isSigmoid: scores === 'sigmoid',
      },
      own: { version: 1, resize, scores, suppression, ...(labels.mids && { mids: keep(labels.mids) }) },
    },
    notes: [
      `input: ${size.join(' x ')}, ${resize} resize`,
      ...(normalization ? [] : [UNKNOWN_NOTE]),
      `${heads.anchors.length / 4} anchors, box coder ${heads.boxCoder.join(', ')}, ${heads.converter} scores of ${classesOf(heads.numClasses)}`,
      `suppression: score ${suppression.scoreThreshold}, IoU ${suppression.iouThreshold}, at most ${suppression.maxPerClass} per class, ${suppression.maxResults} in all`,
      ...((labels.names ?? labels.mids) ? [] : ['the source has no class names: classes are numbered']),
      ...((labels.names ?? labels.mids) ? [] : await describeMisfits(model.files, heads.numClasses)),
      ...notes,
    ],
    proof: {
      inputs: [preprocessing.input],
      outputs: [
        { ref: heads.boxes, columns: heads.boxColumns },
        { ref: heads.scores, columns, isSoftmax: heads.converter === 'softmax' },
      ],
      trace,
      others: new Map(
        Array.from(feeds, ([node, shape]) => [node, shape.map((size) => (size < 0 ? 1 : size))]),
      ),
      range: [-1, 1],
    },
  };
}

/**
 * How pixels become the input of the network, which is behind the graph's preprocessing. The option says which values
 * the source's image has.
 * @param {import('./detector/input.js').Preprocessing} preprocessing
 * @param {import('./options.js').ConvertOptions['input']} option
 */
function planNormalization({ normalization: read, scale, offset }, option) {
  if (option === undefined) return read;
  const given = normalizationOption(option);
  const [mean, std] = [given.mean, given.std].map((values) =>
    [0, 1, 2].map((c) => values[values.length === 1 ? 0 : c]),
  );
  const composed = {
    mean: mean.map((value, c) => value - (offset[c] * std[c]) / scale[c]),
    std: std.map((value, c) => value / scale[c]),
  };
  if (!read) return composed;
  // Either the values of the source's image, or those that its preprocessing makes of it.
  if (isSame(composed, read) || isSame({ mean, std }, read)) return read;
  const [m, s] = [read.mean, read.std].map((values) =>
    values.map((value) => Number(value.toPrecision(6))).join(', '),
  );
  throw failure(
    'INVALID_OPTION',
    `input: the graph's own preprocessing computes (pixel - [${m}]) / [${s}], which the option contradicts: leave it out`,
  );
}

/** @param {{mean: number[], std: number[]}} a @param {{mean: number[], std: number[]}} b */
function isSame(a, b) {
  const isNear = (/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ unit) =>
    Math.abs(x - y) <= 1e-3 * unit;
  return [0, 1, 2].every(
    (c) => isNear(a.std[c], b.std[c], b.std[c]) && isNear(a.mean[c], b.mean[c], b.std[c]),
  );
}

/** @param {number} count */
const classesOf = (count) => plural(count, 'class', 'classes');

/**
 * @param {(string | number)[] | undefined} wanted
 * @param {Labels} labels
 * @param {number} numClasses
 * @returns {number[]} in the model's order
 */
function chooseClasses(wanted, { names, mids }, numClasses) {
  const all = Array.from({ length: numClasses }, (_, c) => c);
  if (!wanted) return all;
  const known = all.map((c) => ({ name: names?.[c] ?? mids?.[c] ?? '', mid: mids?.[c] }));
  const found = new Set(wanted.flatMap((name) => findClasses(name, known, numClasses)));
  return all.filter((c) => found.has(c));
}

/**
 * Puts ty, tx, th, tw into this order, which ocelli and MediaPipe read.
 * @param {Network} network
 * @param {number[]} columns
 */
function orderBoxColumns(network, columns) {
  const isInOrder = columns.every((column, i) => column === i);
  if (!isInOrder && !sliceColumns(network, network.outputs[0].value, columns))
    throw convertFailure('DETECTOR_NOT_UNDERSTOOD', 'its box heads cannot be reordered');
}

/**
 * Removes the background and the classes that are not kept (MediaPipe would read the background as a class). Sigmoid
 * heads are sliced, so that they compute only the kept classes. A softmax needs all scores: its output is sliced.
 * @param {Network} network
 * @param {import('./detector/heads.js').Heads} heads
 * @param {number[]} kept class ids
 */
function sliceHeads(network, { converter, background, numClasses }, kept) {
  const output = network.outputs[1];
  const columns = kept.map((c) => c + Number(background));
  const keepsAllColumns = columns.length === output.value.shape[output.value.shape.length - 1];
  /** @type {string[]} */
  const notes = [];
  if (converter === 'softmax') {
    const probabilities = { name: `${SCORES}/softmax`, shape: output.value.shape };
    network.ops.push({ kind: 'SOFTMAX', inputs: [output.value], output: probabilities, options: {} });
    output.value = keepsAllColumns ? probabilities : selectColumns(network, probabilities, columns);
    if (kept.length < numClasses)
      notes.push(
        `softmax needs the scores of all classes: the class heads are not sliced, only their scores, to ${classesOf(kept.length)}`,
      );
    return { scores: /** @type {const} */ ('none'), notes, written: kept };
  }
  if (!keepsAllColumns && !sliceColumns(network, output.value, columns))
    throw convertFailure('DETECTOR_NOT_UNDERSTOOD', 'its class heads cannot be sliced');
  if (kept.length < numClasses) notes.push(`class heads sliced to ${classesOf(kept.length)}`);
  return { scores: converter, notes, written: kept };
}

/**
 * Slices each run of adjacent columns and concatenates the slices.
 * @param {Network} network
 * @param {Value} scores
 * @param {number[]} columns
 */
function selectColumns(network, scores, columns) {
  const axis = scores.shape.length - 1;
  const starts = columns.filter((column, i) => column !== columns[i - 1] + 1);
  const pieces = starts.map((start) => {
    let end = start + 1;
    while (columns.includes(end)) end++;
    return sliceRun(network, scores, start, end);
  });
  if (pieces.length === 1) return pieces[0];
  const output = { name: `${SCORES}/classes`, shape: scores.shape.with(axis, columns.length) };
  network.ops.push({ kind: 'CONCATENATION', inputs: pieces, output, options: { axis } });
  return output;
}

/**
 * Slices columns start to end - 1.
 * @param {Network} network
 * @param {Value} scores
 * @param {number} start
 * @param {number} end
 */
function sliceRun(network, scores, start, end) {
  const name = `${SCORES}/classes_${start}_${end}`;
  const { shape } = scores;
  const last = shape.length - 1;
  const bounds = [
    ints(
      `${name}/begin`,
      shape.map((_, d) => (d === last ? start : 0)),
    ),
    ints(`${name}/end`, shape.with(last, end)),
    ints(
      `${name}/by`,
      shape.map(() => 1),
    ),
  ];
  const output = { name, shape: shape.with(last, end - start) };
  network.ops.push({
    kind: 'STRIDED_SLICE',
    inputs: [scores, ...bounds],
    output,
    options: { beginMask: 0, endMask: 0, shrinkAxisMask: 0 },
  });
  return output;
}

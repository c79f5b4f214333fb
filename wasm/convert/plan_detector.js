// A detector -> the network between its image and its raw heads, and what was read off the rest of the graph.
import { findClasses } from '../vision/labels.js';
import { readDetector } from './detector/detector.js';
import { failure } from '../shared/errors.js';
import { convertFailure } from './errors.js';
import { fuse } from './lower/fuse.js';
import { readLabels } from './labels.js';
import { lower } from './lower/lower.js';
import { ints } from '../tflite/network.js';
import { sliceColumns } from './lower/columns.js';

/**
 * @typedef {import('../tflite/network.js').Network} Network
 * @typedef {import('../tflite/network.js').Value} Value
 * @typedef {import('./source/saved_model.js').Model} Model
 * @typedef {import('./labels.js').Labels} Labels
 */

/** Names that the Object Detection API's own exporter gives. */
const BOXES = 'raw_outputs/box_encodings';
const SCORES = 'raw_outputs/class_predictions';

/**
 * @param {Model} model
 * @param {import('./graph/graph.js').Ref[]} refs of its outputs
 * @param {{batch?: number | 'dynamic', classes?: (string | number)[]}} options
 * @returns {Promise<import('./index.js').Plan>}
 */
export async function planDetector(model, refs, { batch = 1, classes }) {
  if (batch !== 1) throw failure('INVALID_OPTION', 'a detector is converted for a batch of 1');
  const feeds = new Map(
    model.inputs.map(({ name, ref, shape: announced }) => {
      const shape = ref.node.shape('shape') ?? announced;
      if (shape?.length !== 4)
        throw convertFailure('DETECTOR_NOT_UNDERSTOOD', `the input '${name}' is no batch of images`);
      return [ref.node, shape.with(0, 1)];
    }),
  );
  const { preprocessing, heads, suppression, facts } = readDetector(refs, feeds);
  const labels = await readLabels(model, facts, heads.numClasses);
  const input = { name: preprocessing.input.node.name, ref: preprocessing.input };
  const network = lower(
    [input],
    [
      { name: BOXES, ref: heads.boxes },
      { name: SCORES, ref: heads.scores },
    ],
    facts,
  );
  fuse(network);
  const kept = chooseClasses(classes, labels, heads.numClasses);
  const { scores, notes, written } = sliceHeads(network, heads, kept);
  // Numbers serve as names where there are none: slicing and MediaPipe then still tell the classes apart.
  const names =
    labels.names ?? labels.mids ?? Array.from({ length: heads.numClasses }, (_, c) => `class ${c}`);
  const keep = (/** @type {string[] | undefined} */ list) => list && written.map((c) => list[c]);
  const { scale, offset, resize } = preprocessing;
  return {
    network,
    about: {
      name: model.name ?? 'SSD detector',
      description: '',
      image: { name: 'image', mean: scale.map((s, c) => -offset[c] / s), std: scale.map((s) => 1 / s) },
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
      `input: ${preprocessing.size.join(' x ')}, ${resize} resize`,
      `${heads.anchors.length / 4} anchors, box coder ${heads.boxCoder.join(', ')}, ${heads.converter} scores of ${plural(heads.numClasses)}`,
      `suppression: score ${suppression.scoreThreshold}, IoU ${suppression.iouThreshold}, ${suppression.maxPerClass} a class, ${suppression.maxResults} in all`,
      ...((labels.names ?? labels.mids) ? [] : ['nothing names the classes: they are numbered']),
      ...notes,
    ],
  };
}

/** @param {number} count */
const plural = (count) => `${count} class${count === 1 ? '' : 'es'}`;

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
 * Scores of the wanted classes only, without background, which MediaPipe's readers would take for a class. Where scores
 * are independent the heads compute no others; a softmax needs all, and the others are then left out of what it gives.
 * @param {Network} network
 * @param {import('./detector/heads.js').Heads} heads
 * @param {number[]} kept classes
 */
function sliceHeads(network, { converter, background, numClasses }, kept) {
  const output = network.outputs[1];
  const columns = kept.map((c) => c + Number(background));
  const isWhole = columns.length === output.value.shape[output.value.shape.length - 1];
  /** @type {string[]} */
  const notes = [];
  if (converter === 'softmax') {
    const probabilities = { name: `${SCORES}/softmax`, shape: output.value.shape };
    network.ops.push({ kind: 'SOFTMAX', inputs: [output.value], output: probabilities, options: {} });
    output.value = isWhole ? probabilities : selectColumns(network, probabilities, columns);
    if (kept.length < numClasses)
      notes.push(
        `softmax scores depend on each other: the class heads are left whole, and their scores filtered to ${plural(kept.length)}`,
      );
    return { scores: /** @type {const} */ ('none'), notes, written: kept };
  }
  if (!isWhole && !sliceColumns(network, output.value, columns))
    throw convertFailure('DETECTOR_NOT_UNDERSTOOD', 'its class heads cannot be sliced');
  if (kept.length < numClasses) notes.push(`class heads sliced to ${plural(kept.length)}`);
  return { scores: converter, notes, written: kept };
}

/**
 * Each run of neighbouring columns cut out, and the pieces joined.
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
    return cut(network, scores, start, end);
  });
  if (pieces.length === 1) return pieces[0];
  const output = { name: `${SCORES}/classes`, shape: scores.shape.with(axis, columns.length) };
  network.ops.push({ kind: 'CONCATENATION', inputs: pieces, output, options: { axis } });
  return output;
}

/** @param {Network} network @param {Value} scores @param {number} start @param {number} end */
function cut(network, scores, start, end) {
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

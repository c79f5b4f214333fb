// The heads and layers that are trained: network, weights and optimizer state; their way into a file, and into a detector
// that runs.
import { checkOptimizer, optimizerStruct } from '../plan.js';
import { replaceParameters } from '../tail.js';
import { joinColumns, mergeColumns } from './columns.js';
import { writeDetector } from './export.js';
import { headParameterSpecs, initialHeads, toHeadNetwork } from './network.js';
import { foldStandard } from './standard.js';

/**
 * @typedef {import('./model.js').DetectorFile} DetectorFile
 * @typedef {import('./plan.js').DetectorPlan} DetectorPlan
 * @typedef {import('./trainer.js').SsdTrainer} SsdTrainer
 * @typedef {ReturnType<typeof import('./classes.js').chooseClasses>} Classes
 * @typedef {import('../../vision/detector.js').ObjectDetector} ObjectDetector
 * @typedef {{opening: Promise<ObjectDetector>, calls: number}} OpenDetector calls: how many use it now
 *
 * @typedef {object} HeadModel
 * @property {import('./network.js').HeadNetwork} network
 * @property {import('./network.js').HeadLayer[]} members
 * @property {Classes} classes
 * @property {Float32Array} parameters
 * @property {Float32Array} slots
 * @property {number} step
 * @property {DetectorPlan} plan
 * @property {import('./standard.js').Standard} [standard] of joined maps, once they are known
 */

/**
 * The heads to train next. They keep the current weights if the network is unchanged, and the optimizer's state if the
 * optimizer is unchanged too.
 * @param {HeadModel | undefined} current
 * @param {DetectorPlan} plan
 * @param {{file: DetectorFile, classes: Classes, seed: number}} from
 * @returns {HeadModel}
 */
export function prepareHeads(current, plan, { file, classes, seed }) {
  const { network, members } = toHeadNetwork(file.found.heads, file.unfrozen, classes.sources);
  const isSame =
    JSON.stringify([current?.network.layers.map(withoutFrozen), current?.classes.final]) ===
    JSON.stringify([network.layers.map(withoutFrozen), classes.final]);
  const beforeScores = classes.keepsClasses && !file.isSoftmax;
  freeze(network, members, { boxes: !plan.trainBoxes, beforeScores });
  const { parameters } = (isSame && current) || {};
  const keepsOptimizer =
    parameters && JSON.stringify(current?.plan.optimizer) === JSON.stringify(plan.optimizer);
  return {
    ...{ network, members, classes, plan, standard: current?.standard },
    parameters: parameters ?? initialHeads(network, file.unfrozen, members, classes, seed),
    slots: keepsOptimizer && current ? current.slots : new Float32Array(),
    step: keepsOptimizer && current ? current.step : 0,
  };
}

/** @param {import('../trainer.js').TrainLayer} layer */
const withoutFrozen = ({ frozen, ...layer }) => layer;

/**
 * Freezes the layers that are not to change: those of boxes, and before the scores of kept classes those that compute what
 * the scores are made of.
 * @param {import('./network.js').HeadNetwork} network
 * @param {import('./network.js').HeadLayer[]} members
 * @param {{boxes: boolean, beforeScores: boolean}} frozen
 */
function freeze({ layers, heads, inputs, tail }, members, frozen) {
  /** @type {Set<number>} */
  const ofScores = new Set();
  for (let { scores: layer } of heads) {
    for (; layer >= tail; layer = (layers[layer].from ?? 0) - inputs.length) {
      ofScores.add(layer);
      ofScores.add(layers[layer].shared ?? -1);
    }
  }
  for (const { layer, isScores } of members) {
    const isFrozen = ofScores.has(layer) ? frozen.beforeScores && !isScores : frozen.boxes;
    if (isFrozen) layers[layer].frozen = true;
  }
}

/**
 * @param {HeadModel} model
 * @param {SsdTrainer} trainer
 * @param {{file: DetectorFile, maxRows: number, maxBoxes: number}} settings
 */
export function openHeads(
  { network, plan, parameters, slots, classes },
  trainer,
  { file, maxRows, maxBoxes },
) {
  const { anchors, boxCoder } = file;
  const optimizer = optimizerStruct(plan.optimizer ?? checkOptimizer('sgd'));
  const { background } = classes;
  trainer.open(network, optimizer, plan.loss, { anchors, boxCoder, background, maxRows, maxBoxes });
  trainer.write('parameters', parameters);
  trainer.write('slots', slots);
}

/**
 * Copies weights and optimizer state from the trainer into the model.
 * @param {HeadModel} model
 * @param {SsdTrainer} trainer
 * @param {number} step
 */
export function keepTrainedHeads(model, trainer, step) {
  model.parameters = trainer.read('parameters');
  model.slots = trainer.read('slots');
  model.step = step;
}

/**
 * @param {HeadModel} model
 * @param {DetectorFile} file
 */
export function exportDetector({ network, members, parameters, classes, standard }, file) {
  const specs = headParameterSpecs(network);
  const readLayer = (/** @type {string} */ layer) =>
    specs
      .filter(({ name }) => name.startsWith(`${layer}/`))
      .map(({ offset, size }) => parameters.slice(offset, offset + size));
  const read = (/** @type {number} */ member) => {
    const [kernel, bias] = readLayer(`head/${members[member].layer - network.tail}`);
    return { kernel, bias };
  };
  /** @param {import('../../tflite/network.js').Op} op @param {boolean} isScores */
  const find = (op, isScores) => {
    const own = members.findIndex((member) => member.op === op && member.isScores === isScores);
    return own >= 0 ? own : shared(op);
  };
  /** @param {import('../../tflite/network.js').Op} op */
  const shared = (op) => {
    const all = file.found.heads.flatMap(({ boxes, scores }) => [...boxes, ...scores]);
    const layer = network.layers[network.tail + all.indexOf(op)];
    return members.findIndex((member) => member.layer === layer.shared);
  };
  const { tail, inputs } = file.unfrozen;
  const columns = classes.final;
  const keepsColumns = columns.some(({ trained }) => trained === null);
  /** @param {import('./heads.js').Head} head @returns {import('./export.js').HeadLayers} */
  const scoresOf = ({ scores, own }) => {
    const last = scores[scores.length - 1];
    const [map] = last.inputs;
    const ofFile = own?.layers[own.layers.length - 1];
    const weights = read(find(last, true));
    const trained = standard && ofFile ? foldStandard(weights, map, inputs, standard) : weights;
    if (own && keepsColumns)
      return {
        layers: own.layers,
        beside: own.joinedAt === undefined ? map : undefined,
        weightsOf: (op) =>
          op === ofFile ? joinColumns(op, trained, classes, own.joinedAt) : weightsInFile(op),
      };
    const merged = file.isSoftmax ? trained : mergeColumns(last, trained, classes);
    return { layers: scores, weightsOf: (op) => (op === last ? merged : read(find(op, false))) };
  };
  const body = tail.map((entry, i) => replaceParameters(entry, readLayer(`tail/${i}`)));
  return writeDetector(
    file,
    {
      body: (op) => body[tail.findIndex((entry) => entry.op === op)] ?? op,
      // MediaPipe reads every column as a class: the background of sigmoids is left out.
      columns: file.isSoftmax ? columns.length + 1 : columns.length,
      boxes: ({ boxes }) => ({ layers: boxes, weightsOf: (op) => read(find(op, false)) }),
      scores: scoresOf,
    },
    columns.map(({ name, mid }) => (mid === undefined ? { name } : { name, mid })),
  );
}

/** @param {import('../../tflite/network.js').Op} op @returns {import('./export.js').LayerWeights} */
function weightsInFile({ weights, output }) {
  const { kernel, bias } = /** @type {import('../../tflite/network.js').Weights} */ (weights);
  return {
    kernel: Float32Array.from(kernel.data),
    bias: Float32Array.from(bias ?? { length: output.shape[3] }, Number),
  };
}

/** The detector of the weights as they are now. Calls share it; one whose weights changed is closed after its last call. */
export class CurrentDetector {
  #create;
  /** @type {OpenDetector | undefined} */ #current;

  /** @param {() => Promise<ObjectDetector>} create */
  constructor(create) {
    this.#create = create;
  }

  /**
   * @template T
   * @param {(detector: ObjectDetector) => Promise<T>} call
   */
  async use(call) {
    this.#current ??= this.#open();
    const used = this.#current;
    used.calls++;
    try {
      return await call(await used.opening);
    } finally {
      used.calls--;
      if (used !== this.#current && used.calls === 0) closeDetector(used);
    }
  }

  #open() {
    const opened = { opening: this.#create(), calls: 0 };
    opened.opening.catch(() => {
      // The next call tries again.
      if (this.#current === opened) this.#current = undefined;
    });
    return opened;
  }

  /** The weights changed: the next call opens another detector. */
  renew() {
    const old = this.#current;
    this.#current = undefined;
    if (old?.calls === 0) closeDetector(old);
  }

  /** Calls that run throw CLOSED. */
  close() {
    if (this.#current) closeDetector(this.#current);
    this.#current = undefined;
  }
}

/** @param {OpenDetector} detector that may be opening still */
function closeDetector({ opening }) {
  opening.then(
    (detector) => detector.close(),
    () => {},
  );
}

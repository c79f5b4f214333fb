// The model that runs: ocelli's own detector, or the user's detector or classifier with labels of the user's own.
import { ImageClassifier, ObjectDetector } from 'ocelli';
import { nextFrame } from './source.js';

/** Longer files are not class names. */
const MAX_LABELS_BYTES = 1e6;
/** What a .tflite file has at byte 4. */
const TFLITE = [0x54, 0x46, 0x4c, 0x33];
/** How a gzip file begins: a compressed .tflite file. */
const GZIP = [0x1f, 0x8b];

/**
 * @typedef {import('ocelli').DetectorOptions} DetectorOptions
 * @typedef {import('ocelli').Thresholds} Thresholds
 * @typedef {import('ocelli').RunResult} RunResult
 * @typedef {{label: string, labelId: number, score: number, box?: import('ocelli').Roi, trackId?: number}} Found a
 *   classifier has no boxes
 * @typedef {RunResult & {detections: Found[], tiles?: number}} Result
 * @typedef {Thresholds & {signal: AbortSignal}} LoopOptions
 *
 * @typedef {object} Chosen Files of the user; without them ocelli's own detector runs.
 * @property {File} [model]
 * @property {File} [labels]
 */

/**
 * Which of the files are a model and its labels.
 * @param {File[]} files
 * @returns {Promise<Chosen>}
 */
export async function findModel(files) {
  const areMarked = await Promise.all(files.map(isMarked));
  return {
    model: files.find(({ name }, i) => areMarked[i] || /\.tflite$/i.test(name)),
    labels: files.find(({ name, type }) => type === 'text/plain' || /\.txt$/i.test(name)),
  };
}

/** @param {File} file */
async function isMarked(file) {
  const bytes = new Uint8Array(await file.slice(0, 8).arrayBuffer());
  return TFLITE.every((byte, i) => bytes[4 + i] === byte) || GZIP.every((byte, i) => bytes[i] === byte);
}

/**
 * Loads a detector, or a classifier if the user's file is one.
 * @param {Chosen} chosen
 * @param {Omit<DetectorOptions, 'model' | 'labels'>} loading
 * @returns {Promise<ObjectDetector | Classifier>}
 */
export async function openModel({ model, labels }, loading) {
  const options = { ...loading, ...(labels && { labels: await readLabels(labels) }) };
  if (!model) return ObjectDetector.create(options);
  const created = ObjectDetector.create({ ...options, model });
  try {
    return await created;
  } catch (error) {
    if (/** @type {{code?: string}} */ (error).code !== 'MODEL_IS_NOT_A_DETECTOR') throw error;
    return new Classifier(await ImageClassifier.create({ ...options, model }));
  }
}

/** @param {File} file a name on each line */
async function readLabels(file) {
  if (file.size > MAX_LABELS_BYTES) throw new Error(`${file.name} is too long for a list of class names.`);
  return (await file.text()).trimEnd().split(/\r?\n/);
}

/** A classifier with the methods that the page uses of a detector. */
class Classifier {
  #classifier;

  /** @param {ImageClassifier} classifier */
  constructor(classifier) {
    this.#classifier = classifier;
  }

  get labels() {
    return this.#classifier.labels;
  }

  get memoryUse() {
    return this.#classifier.memoryUse;
  }

  close() {
    this.#classifier.close();
  }

  /**
   * @param {Blob | HTMLVideoElement} image
   * @param {Thresholds} thresholds
   * @returns {Promise<Result>}
   */
  async detect(image, { scoreThreshold = 0 }) {
    const { classes, ...run } = await this.#classifier.classify(image);
    return { ...run, detections: classes.filter(({ score }) => score > scoreThreshold) };
  }

  /**
   * @param {HTMLVideoElement} video
   * @param {LoopOptions} options
   */
  async *video(video, { signal, ...thresholds }) {
    while (!signal.aborted) {
      yield await this.detect(video, thresholds);
      await nextFrame(video, signal);
    }
  }
}

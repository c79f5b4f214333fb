// The examples and classes of a learner. Images are turned into rows of features; rows are stored in a Dataset.
import { failure as generalFailure } from '../shared/errors.js';
import { checkKeys } from '../shared/options.js';
import { checkExamples, Dataset } from './dataset.js';
import { failure } from './errors.js';
import { extractFeatures } from './extract.js';
import { checkLabels, toClassIds } from './labels.js';
import { sizeOf } from '../shared/numbers.js';

/**
 * @typedef {import('./types.js').ExtractOptions} ExtractOptions
 * @typedef {import('./types.js').FeatureSet} FeatureSet
 * @typedef {import('./types.js').ImageInput} ImageInput
 * @typedef {import('./types.js').ImageSet} ImageSet
 *
 * @typedef {{data: Dataset, indices: Uint32Array}} Part
 */

export class Examples {
  #options;
  /** @type {string[]} */ #labels;
  /** @type {Dataset | undefined} */ #data;
  /** What the features of the images took. @type {import('../report/energy/estimate.js').Extraction | undefined} */
  extraction;

  /** @param {import('./types.js').LearnerOptions} options if `labels` is set, examples of other classes are rejected */
  constructor(options) {
    this.#options = options;
    this.#labels = [...(options.labels ?? [])];
  }

  /** The classes, by class id. */
  get labels() {
    return this.#labels;
  }

  get data() {
    return this.#data;
  }

  /** The number of examples, in total and per class. */
  get counts() {
    const labels = this.#data?.labels ?? [];
    const counts = this.#labels.map(() => 0);
    for (const id of labels) counts[id]++;
    const classes = this.#labels.map((label, id) => ({ label, count: counts[id] }));
    return { count: labels.length, classes };
  }

  /**
   * Adds all examples of the set, or none if one is invalid.
   * @param {FeatureSet} set
   * @param {number} [length] of one row, if known
   */
  add({ features, labels, weights }, length) {
    if (!(labels instanceof Float32Array)) checkLabels(labels);
    else if (this.#labels.length === 0)
      throw failure('INVALID_LABEL', 'to add distributions, pass `labels` to TransferLearner.create');
    const known = new Set(this.#labels);
    const isNew = (/** @type {string} */ label) => !known.has(label);
    const added = labels instanceof Float32Array ? [] : [...new Set(labels)].filter(isNew);
    if (added.length > 0 && this.#options.labels)
      throw failure('INVALID_LABEL', `'${added[0]}' is not a class`);
    const classes = [...this.#labels, ...added];
    if (added.length > 0) checkLabels(classes);
    const count = labels instanceof Float32Array ? labels.length / classes.length : labels.length;
    const rowLength = this.#data?.rowLength ?? length ?? rowLengthOf(features, count);
    const examples = { features, labels: toClassIds(labels, classes), weights };
    checkExamples(examples, rowLength, classes.length);
    this.#data ??= new Dataset(rowLength, this.#options.precision);
    this.#data.add(examples);
    this.#labels = classes;
  }

  /**
   * @param {readonly ImageInput[]} images
   * @param {ExtractOptions} [options]
   */
  extract(images, options) {
    return this.extractSources(toSources(images), options);
  }

  /**
   * @param {readonly import('./extract.js').Source[]} sources
   * @param {ExtractOptions} [options]
   */
  async extractSources(sources, options) {
    const { extractor } = this.#options;
    if (!extractor) throw failure('NO_EXTRACTOR');
    return extractFeatures(extractor, sources, options);
  }

  /**
   * Extracts the features of images to train on, and counts what that takes.
   * @param {readonly import('./extract.js').Source[]} sources
   * @param {readonly string[]} labels one for each source
   * @param {ExtractOptions} [options]
   * @returns {Promise<{features: Float32Array, labels: string[]}>} of the images that can be read
   */
  async extractCounted(sources, labels, { onUnreadable, ...options } = {}) {
    const start = performance.now();
    /** @type {Set<number>} */
    const unreadable = new Set();
    const leaveOut = (/** @type {Error} */ error, /** @type {number} */ index) => {
      unreadable.add(index);
      onUnreadable?.(error, index);
    };
    const features = await this.extractSources(sources, {
      ...options,
      ...(onUnreadable && { onUnreadable: leaveOut }),
    });
    const found = labels.filter((_, i) => !unreadable.has(i));
    const { seconds = 0, multiplyAdds = 0 } = this.extraction ?? {};
    const each = this.#options.extractor?.multiplyAdds ?? 0;
    this.extraction = {
      seconds: seconds + (performance.now() - start) / 1000,
      multiplyAdds: multiplyAdds + each * found.length,
    };
    return { features, labels: found };
  }

  /** Returns the examples; throws unless there are two or more classes and each has an example. */
  requireTrainable() {
    if (!this.#data) throw failure('NO_EXAMPLES');
    if (this.#labels.length < 2) throw failure('ONE_CLASS', `found only '${this.#labels[0]}'`);
    const empty = this.counts.classes.find(({ count }) => count === 0);
    if (empty) throw failure('EMPTY_CLASS', empty.label);
    return this.#data;
  }

  /**
   * Refuses to train without an example of a class: the result would never answer with it.
   * @param {Uint32Array} train indices of the examples to train on
   */
  requireEachClass(train) {
    if (train.length === 0) throw failure('NO_EXAMPLES', 'validationSplit leaves no examples to train on');
    const seen = new Set(Array.from(train, (index) => this.#data?.labels[index]));
    const missing = this.#labels.find((_, id) => !seen.has(id));
    if (missing !== undefined)
      throw failure(
        'EMPTY_CLASS',
        `validationSplit leaves no example of '${missing}' to train on; stratify: true leaves one`,
      );
  }

  /**
   * Makes a separate dataset, to validate or evaluate on.
   * @param {FeatureSet | ImageSet} set
   * @param {string[]} classes
   * @param {() => readonly number[]} input gives the shape of one row; called if the learner has no examples
   * @returns {Promise<Part>}
   */
  async toPart(set, classes, input) {
    checkKeys('set', set, ['features', 'images', 'labels', 'weights']);
    const { images, weights, ...given } = /** @type {FeatureSet & Partial<ImageSet>} */ (set);
    const features = images === undefined ? given.features : await this.extract(images);
    const labels = toClassIds(given.labels, classes);
    const rowLength = this.#data?.rowLength ?? sizeOf(input());
    checkExamples({ features, labels, weights }, rowLength, classes.length);
    const data = new Dataset(rowLength, this.#options.precision);
    data.add({ features, labels, weights });
    return toPart(data);
  }
}

/**
 * @param {Float32Array} features
 * @param {number} count of rows
 */
function rowLengthOf(features, count) {
  const length = features?.length / count;
  if (Number.isInteger(length)) return length;
  throw failure('INVALID_FEATURES', `expected a Float32Array of ${count} rows of one length`);
}

/** @param {readonly ImageInput[]} images */
export function toSources(images) {
  if (!Array.isArray(images)) throw generalFailure('INVALID_INPUT', 'images must be a list of images');
  return images.map((image, i) => ({ name: `image ${i}`, read: () => image }));
}

/**
 * @param {Dataset} data
 * @returns {Part} all of it
 */
export function toPart(data) {
  return { data, indices: Uint32Array.from({ length: data.size }, (_, i) => i) };
}

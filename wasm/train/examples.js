// The examples and classes of a learner. Images are turned into rows of features; rows are stored in a Dataset.
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
   * @param {readonly number[]} [input] shape of one row, if known
   */
  add({ features, labels, weights }, input) {
    if (labels instanceof Float32Array && this.#labels.length === 0)
      throw failure('INVALID_LABEL', 'to add distributions, pass `labels` to TransferLearner.create');
    const known = new Set(this.#labels);
    const isNew = (/** @type {string} */ label) => !known.has(label);
    const added = labels instanceof Float32Array ? [] : [...new Set(labels)].filter(isNew);
    if (added.length > 0 && this.#options.labels)
      throw failure('INVALID_LABEL', `'${added[0]}' is not a class`);
    const classes = [...this.#labels, ...added];
    if (added.length > 0) checkLabels(classes);
    const count = labels instanceof Float32Array ? labels.length / classes.length : labels.length;
    const rowLength = this.#data?.rowLength ?? (input ? sizeOf(input) : features.length / count);
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
   * @param {ExtractOptions} [options]
   */
  async extractCounted(sources, options) {
    const start = performance.now();
    const features = await this.extractSources(sources, options);
    const { seconds = 0, multiplyAdds = 0 } = this.extraction ?? {};
    const each = this.#options.extractor?.multiplyAdds ?? 0;
    this.extraction = {
      seconds: seconds + (performance.now() - start) / 1000,
      multiplyAdds: multiplyAdds + each * sources.length,
    };
    return features;
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
   * Makes a separate dataset of the same classes, to validate or evaluate on.
   * @param {FeatureSet | ImageSet} set
   * @param {() => readonly number[]} input gives the shape of one row; called if the learner has no examples
   * @returns {Promise<Part>}
   */
  async toPart(set, input) {
    checkKeys('set', set, ['features', 'images', 'labels', 'weights']);
    const features = 'images' in set ? await this.extract(set.images) : set.features;
    const labels = toClassIds(set.labels, this.#labels);
    const weights = 'weights' in set ? set.weights : undefined;
    const rowLength = this.#data?.rowLength ?? sizeOf(input());
    checkExamples({ features, labels, weights }, rowLength, this.#labels.length);
    const data = new Dataset(rowLength, this.#options.precision);
    data.add({ features, labels, weights });
    return toPart(data);
  }
}

/** @param {readonly ImageInput[]} images */
export const toSources = (images) => images.map((image, i) => ({ name: `image ${i}`, read: () => image }));

/**
 * @param {Dataset} data
 * @returns {Part} all of it
 */
export function toPart(data) {
  return { data, indices: Uint32Array.from({ length: data.size }, (_, i) => i) };
}

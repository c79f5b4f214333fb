// The examples that a learner was given: images or rows of features, and the classes that they are of.
import { checkKeys } from '../shared/options.js';
import { checkExamples, Dataset } from './dataset.js';
import { failure } from './errors.js';
import { extractFeatures } from './extract.js';
import { toNumbers } from './labels.js';
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

  /** @param {import('./types.js').LearnerOptions} options with labels, no other class can come */
  constructor(options) {
    this.#options = options;
    this.#labels = [...(options.labels ?? [])];
  }

  /** The classes, in the order of their numbers. */
  get labels() {
    return this.#labels;
  }

  get data() {
    return this.#data;
  }

  /** How many there are, and of each class. */
  get counts() {
    const labels = this.#data?.labels ?? [];
    const classes = this.#labels.map((label, id) => ({
      label,
      count: labels.filter((other) => other === id).length,
    }));
    return { count: labels.length, classes };
  }

  /**
   * All of them or none.
   * @param {FeatureSet} set
   * @param {readonly number[]} [input] what a row is, if that is known
   */
  add({ features, labels, weights }, input) {
    if (labels instanceof Float32Array && this.#labels.length === 0)
      throw failure('INVALID_LABEL', 'distributions need the learner to be made with labels');
    const isNew = (/** @type {string} */ label) => !this.#labels.includes(label);
    const added = labels instanceof Float32Array ? [] : [...new Set(labels)].filter(isNew);
    if (added.length > 0 && this.#options.labels) throw failure('INVALID_LABEL', `'${added[0]}' is no class`);
    const classes = [...this.#labels, ...added];
    const count = labels instanceof Float32Array ? labels.length / classes.length : labels.length;
    const rowLength = this.#data?.rowLength ?? (input ? sizeOf(input) : features.length / count);
    const examples = { features, labels: toNumbers(labels, classes), weights };
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
    const sources = images.map((image, i) => ({ name: `image ${i}`, read: () => image }));
    return this.extractSources(sources, options);
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

  /** The examples, if they can be trained on. */
  checked() {
    if (!this.#data) throw failure('NO_EXAMPLES');
    if (this.#labels.length < 2) throw failure('ONE_CLASS', this.#labels[0]);
    const empty = this.counts.classes.find(({ count }) => count === 0);
    if (empty) throw failure('EMPTY_CLASS', empty.label);
    return this.#data;
  }

  /**
   * Other examples of the same classes, which are not kept here.
   * @param {FeatureSet | ImageSet} set
   * @param {() => readonly number[]} input what a row is, if there are no examples here
   * @returns {Promise<Part>}
   */
  async toPart(set, input) {
    checkKeys('set', set, ['features', 'images', 'labels', 'weights']);
    const features = 'images' in set ? await this.extract(set.images) : set.features;
    const labels = toNumbers(set.labels, this.#labels);
    const weights = 'weights' in set ? set.weights : undefined;
    const rowLength = this.#data?.rowLength ?? sizeOf(input());
    checkExamples({ features, labels, weights }, rowLength, this.#labels.length);
    const data = new Dataset(rowLength, this.#options.precision);
    data.add({ features, labels, weights });
    return whole(data);
  }
}

/**
 * @param {Dataset} data
 * @returns {Part}
 */
export function whole(data) {
  return { data, indices: Uint32Array.from({ length: data.size }, (_, i) => i) };
}

// Histogram of a tensor's values. All bins have the same width, a power of two; it doubles when values do not fit.
// Exact zeros are counted separately, because every quantization stores 0 without error.

const BINS = 2048;

export class Histogram {
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  numZeros = 0;
  /** One minimum and one maximum for each image. */
  minima = /** @type {number[]} */ ([]);
  maxima = /** @type {number[]} */ ([]);
  #width = 2 ** -40;
  #first = 0; // Bin 0 starts at the value #first * #width.
  counts = new Float64Array(BINS);

  /** @param {Float32Array} values of one image */
  add(values) {
    let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      if (value < min) min = value;
      if (value > max) max = value;
    }
    this.minima.push(min);
    this.maxima.push(max);
    this.#cover(Math.min(min, this.min), Math.max(max, this.max));
    const { counts } = this;
    const [scale, first] = [1 / this.#width, this.#first];
    let zeros = 0;
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      if (value === 0) zeros++;
      else counts[Math.floor(value * scale) - first]++;
    }
    this.numZeros += zeros;
  }

  /** Adds the values of another tensor on the same images. @param {Histogram} other unchanged */
  merge(other) {
    this.#cover(Math.min(this.min, other.min), Math.max(this.max, other.max));
    const merged = other.copy();
    merged.#cover(this.min, this.max);
    while (this.#width < merged.#width) this.#widen();
    while (merged.#width < this.#width) merged.#widen();
    const shift = merged.#first - this.#first;
    merged.counts.forEach((count, bin) => {
      if (count > 0) this.counts[bin + shift] += count;
    });
    this.numZeros += other.numZeros;
    this.minima = this.minima.map((min, image) => Math.min(min, other.minima[image]));
    this.maxima = this.maxima.map((max, image) => Math.max(max, other.maxima[image]));
  }

  copy() {
    const copy = new Histogram();
    Object.assign(copy, {
      min: this.min,
      max: this.max,
      numZeros: this.numZeros,
      minima: [...this.minima],
      maxima: [...this.maxima],
      counts: this.counts.slice(),
    });
    copy.#width = this.#width;
    copy.#first = this.#first;
    return copy;
  }

  /** The center of a bin. @param {number} bin */
  valueOf(bin) {
    return (bin + this.#first + 0.5) * this.#width;
  }

  /** Extends the bins to include min and max. @param {number} min @param {number} max */
  #cover(min, max) {
    [this.min, this.max] = [min, max];
    if (!(max - min < Number.POSITIVE_INFINITY)) return;
    const isEmpty = this.counts.every((count) => count === 0);
    if (isEmpty) {
      while (!this.#fits(Math.floor(min / this.#width), max)) this.#width *= 2;
      this.#first = Math.floor(min / this.#width);
      return;
    }
    while (!this.#fits(Math.min(this.#first, Math.floor(min / this.#width)), max)) this.#widen();
    const first = Math.floor(min / this.#width);
    if (first < this.#first) this.#moveTo(first);
  }

  /** @param {number} first @param {number} max */
  #fits(first, max) {
    return Math.floor(max / this.#width) < first + BINS;
  }

  /** Shifts the bins down. @param {number} first the new first bin, at most the current one */
  #moveTo(first) {
    const counts = new Float64Array(BINS);
    const shift = this.#first - first;
    counts.set(this.counts.subarray(0, BINS - shift), shift);
    this.counts = counts;
    this.#first = first;
  }

  /** Doubles the width of the bins. */
  #widen() {
    const counts = new Float64Array(BINS);
    const first = Math.floor(this.#first / 2);
    this.counts.forEach((count, bin) => {
      counts[Math.floor((bin + this.#first) / 2) - first] += count;
    });
    this.counts = counts;
    this.#first = first;
    this.#width *= 2;
  }
}

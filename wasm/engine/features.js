// Feature vectors: the mean of one tensor of the network over its plane, or under a box.

export class Features {
  #bridge;

  /** @param {import('./bridge.js').Bridge} bridge */
  constructor(bridge) {
    this.#bridge = bridge;
  }

  /**
   * Says which operator's output is pooled.
   * @param {number} step the operator's index
   * @param {boolean} isCut the network ends there: no later operator is run, and this output is the only one
   */
  use(step, isCut) {
    this.#bridge.call(() => this.#bridge.exports.ocl_features_use(step, Number(isCut)));
  }

  /** Numbers of one vector; 0: {@link Features.use} was not called. */
  get length() {
    return this.#bridge.exports.ocl_features_size();
  }

  /**
   * The features of the first images of the last run's batch.
   * @param {number} count of images
   * @returns {Float32Array} [count, length]
   */
  read(count) {
    const { length } = this;
    return this.#pool(count * length, (address) => {
      for (let i = 0; i < count; i++)
        this.#bridge.check(this.#bridge.exports.ocl_features_of_image(i, address + i * length * 4));
    });
  }

  /**
   * The features of each of the last detections, the mean under its box.
   * @param {number} count of detections
   * @returns {Float32Array} [count, length]
   */
  readBoxes(count) {
    return this.#pool(count * this.length, (address) =>
      this.#bridge.check(this.#bridge.exports.ocl_features_of_boxes(address)),
    );
  }

  /**
   * @param {number} count of numbers
   * @param {(address: number) => void} write
   */
  #pool(count, write) {
    return this.#bridge.guard((put) => {
      const address = put.space(count * 4);
      write(address);
      return this.#bridge.memory.readFloats(address, count);
    });
  }
}

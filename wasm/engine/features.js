// Feature vectors: the mean of a feature map of the network, over the whole map or inside a box.

export class Features {
  #bridge;

  /** @param {import('./bridge.js').Bridge} bridge */
  constructor(bridge) {
    this.#bridge = bridge;
  }

  /**
   * Chooses the operator whose output is pooled.
   * @param {number} step the operator's index
   * @param {boolean} isCut remove all later operators; this output becomes the network's only output
   */
  use(step, isCut) {
    this.#bridge.call(() => this.#bridge.exports.ocl_features_use(step, Number(isCut)));
  }

  /** Length of one vector; 0: {@link Features.use} was not called. */
  get length() {
    return this.#bridge.exports.ocl_features_size();
  }

  /**
   * The features of the first `count` images of the last run's batch.
   * @param {number} count
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
   * The features of each of the last detections: the mean inside its box.
   * @param {number} count number of detections
   * @returns {Float32Array} [count, length]
   */
  readBoxes(count) {
    return this.#pool(count * this.length, (address) =>
      this.#bridge.check(this.#bridge.exports.ocl_features_of_boxes(count, address)),
    );
  }

  /**
   * @param {number} count number of floats
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

// Bytes that arrive in pieces, to be read in others.

/** A stream is asked for as much more at a time, where nothing says how long the next part is. */
const MORE_BYTES = 1 << 16;

export class Reader {
  #chunks;
  #buffer = Buffer.alloc(0);
  #isDone = false;

  /** @param {AsyncIterable<Uint8Array>} stream */
  constructor(stream) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /**
   * The bytes to come, at least so many of them if the stream has them.
   * @param {number} sizeBytes
   */
  async peek(sizeBytes) {
    const parts = [this.#buffer];
    for (let size = this.#buffer.length; size < sizeBytes && !this.#isDone;) {
      const { value, done } = await this.#chunks.next();
      this.#isDone = done ?? false;
      if (!value) continue;
      parts.push(Buffer.from(value));
      size += value.length;
    }
    if (parts.length > 1) this.#buffer = Buffer.concat(parts);
    return this.#buffer;
  }

  /**
   * More of the bytes to come.
   * @returns {Promise<boolean>} false: there are none
   */
  async extend() {
    const { length } = this.#buffer;
    return (await this.peek(length + Math.max(MORE_BYTES, length))).length > length;
  }

  /**
   * Takes the next bytes, less than so many only at the end of the stream.
   * @param {number} sizeBytes
   */
  async take(sizeBytes) {
    const buffer = await this.peek(sizeBytes);
    this.#buffer = buffer.subarray(sizeBytes);
    return buffer.subarray(0, sizeBytes);
  }

  /**
   * Takes a line.
   * @param {number} most bytes
   * @returns {Promise<string | undefined>} without its end; undefined: it is longer, or does not end
   */
  async line(most) {
    const end = (await this.peek(most)).subarray(0, most).indexOf(0x0a);
    return end < 0 ? undefined : (await this.take(end + 1)).toString('latin1', 0, end);
  }
}

// The current image of an engine: a decoded file, or pixels from the host. It is the source of the network's input.
import { PIXELS, RESIZE_MODES, RESIZE_TARGET, ROI, SIZE } from '../../dist/layout.js';

/** @typedef {import('./engine.js').Roi} Roi */

export class CurrentImage {
  #bridge;

  /** @param {import('./bridge.js').Bridge} bridge */
  constructor(bridge) {
    this.#bridge = bridge;
  }

  /**
   * @param {Uint8Array} bytes of an image file
   * @param {number} maxPixels
   */
  decode(bytes, maxPixels) {
    const { exports } = this.#bridge;
    this.#bridge.call((put) => exports.ocl_image_decode_file(put.data(bytes), bytes.length, maxPixels));
  }

  /**
   * Copies pixels into the module.
   * @param {Required<import('./engine.js').PixelArray>} pixels
   */
  setPixels({ data, width, height, channels, stride }) {
    const { exports, memory } = this.#bridge;
    this.#bridge.call((put) => {
      const address = memory.reserve(data.byteLength, (size) => exports.ocl_image_reserve(size));
      memory.write(address, data);
      return exports.ocl_image_use(
        put.structs(PIXELS, {
          data: address,
          sizeBytes: data.byteLength,
          strideBytes: stride,
          widthPx: width,
          heightPx: height,
          numChannels: channels,
          orientation: 1,
        }),
      );
    });
  }

  drop() {
    this.#bridge.exports.ocl_image_drop();
  }

  /** The upright size in pixels; 0 x 0: there is no image. */
  get size() {
    const { exports, memory } = this.#bridge;
    const { widthPx: width, heightPx: height } = memory.readStruct(exports.ocl_image_size(), SIZE);
    return { width, height };
  }

  /** A copy of the upright image as RGB. */
  read() {
    const { exports, memory } = this.#bridge;
    const { width, height } = this.size;
    const sizeBytes = width * height * 3;
    return this.#bridge.guard((put) => {
      const address = put.space(sizeBytes);
      this.#bridge.check(exports.ocl_image_upright(address));
      return { data: memory.read(address, sizeBytes), width, height, channels: 3 };
    });
  }

  /**
   * Writes the image, or a region of it, to image `batchIndex` of input 0.
   * @param {import('./engine.js').InputSpec} input
   * @param {Roi | undefined} roi
   * @param {number} quarterTurns clockwise
   * @param {number} [batchIndex]
   */
  preprocess({ scale, offset, resize }, roi, quarterTurns, batchIndex = 0) {
    this.#bridge.call((put) =>
      this.#bridge.exports.ocl_preprocess(
        put.structs(RESIZE_TARGET, {
          mode: RESIZE_MODES[resize],
          scale: perChannel(scale),
          offset: perChannel(offset),
        }),
        roi ? putRoi(put, roi) : 0,
        quarterTurns,
        batchIndex,
      ),
    );
  }
}

/**
 * @param {import('./memory.js').Put} put
 * @param {Roi} roi
 */
export function putRoi(put, { x, y, width, height }) {
  return put.structs(ROI, { xPx: x, yPx: y, widthPx: width, heightPx: height });
}

/** @param {number | number[]} value */
function perChannel(value) {
  return Array.isArray(value) ? value : [value, value, value];
}

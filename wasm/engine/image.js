// The current image of an engine: a decoded file, or pixels from the host. It is the source of the network's input.
import {
  IMAGE_FACTS,
  IMAGE_FILE,
  IMAGE_OPTIONS,
  IMAGE_SCALES,
  PIXELS,
  RESIZE_MODES,
  RESIZE_TARGET,
  ROI,
  SIZE,
} from '../../dist/layout.js';

/**
 * @typedef {import('./engine.js').Roi} Roi
 *
 * @typedef {object} Reading How image files are read.
 * @property {number} maxPixels
 * @property {boolean} allowTruncated
 * @property {'full' | 'scaled' | 'auto'} decode the scale of JPEGs; auto: scaled for images of more than 4 megapixels
 * @property {number} background 0xRRGGBB, over which transparent pixels are blended; IGNORE_ALPHA: they are not
 *
 * @typedef {object} FileFacts
 * @property {number} width of the upright image, in pixels
 * @property {number} height
 * @property {number} scale it was decoded at 1 / scale of its size: 1, 2, 4 or 8
 * @property {boolean} truncated the file is cut short; what is missing is grey
 */

const WHITE = 0xffffff;

export class CurrentImage {
  #bridge;

  /** @param {import('./bridge.js').Bridge} bridge */
  constructor(bridge) {
    this.#bridge = bridge;
  }

  /**
   * Decodes an image file at full scale.
   * @param {Uint8Array} bytes
   * @param {Reading} reading
   */
  decode(bytes, reading) {
    const { exports } = this.#bridge;
    return this.#toFacts((out, put) =>
      exports.ocl_image_decode_file(putFile(put, bytes), putReading(put, reading), out),
    );
  }

  /**
   * Decodes an image file and writes it, or a region of it, to image `batchIndex` of input 0. There is no current image
   * afterwards.
   * @param {Uint8Array} bytes
   * @param {Reading} reading
   * @param {import('./engine.js').InputSpec} input
   * @param {Roi | undefined} roi
   * @param {number} quarterTurns clockwise
   * @param {number} [batchIndex]
   */
  readFile(bytes, reading, input, roi, quarterTurns, batchIndex = 0) {
    const { exports } = this.#bridge;
    return this.#toFacts((out, put) =>
      exports.ocl_image_read(
        putFile(put, bytes),
        putReading(put, reading),
        putTarget(put, input, reading.background),
        roi ? putRoi(put, roi) : 0,
        quarterTurns,
        batchIndex,
        out,
      ),
    );
  }

  /**
   * @param {(out: number, put: import('./memory.js').Put) => number} read
   * @returns {FileFacts}
   */
  #toFacts(read) {
    const facts = this.#bridge.fill(IMAGE_FACTS, read);
    const { widthPx: width, heightPx: height, scaleLog2, isTruncated: truncated } = facts;
    return { width, height, scale: 2 ** scaleLog2, truncated };
  }

  /**
   * Copies pixels into the module.
   * @param {Required<import('./engine.js').PixelArray> & {orientation?: number}} pixels `orientation`: as in EXIF
   */
  setPixels({ data, width, height, channels, stride, orientation = 1 }) {
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
          orientation,
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

  /**
   * A copy of the upright image as RGB.
   * @param {number} [background] see Reading
   */
  read(background = WHITE) {
    const { exports, memory } = this.#bridge;
    const { width, height } = this.size;
    const sizeBytes = width * height * 3;
    return this.#bridge.guard((put) => {
      const address = put.space(sizeBytes);
      this.#bridge.check(exports.ocl_image_upright(background, address));
      return { data: memory.read(address, sizeBytes), width, height, channels: 3 };
    });
  }

  /**
   * Writes the image, or a region of it, to image `batchIndex` of input 0.
   * @param {import('./engine.js').InputSpec} input
   * @param {Roi | undefined} roi
   * @param {number} quarterTurns clockwise
   * @param {number} [batchIndex]
   * @param {number} [background] see Reading
   */
  preprocess(input, roi, quarterTurns, batchIndex = 0, background = WHITE) {
    this.#bridge.call((put) =>
      this.#bridge.exports.ocl_preprocess(
        putTarget(put, input, background),
        roi ? putRoi(put, roi) : 0,
        quarterTurns,
        batchIndex,
      ),
    );
  }
}

/**
 * @param {import('./memory.js').Put} put
 * @param {Uint8Array} bytes
 */
function putFile(put, bytes) {
  return put.structs(IMAGE_FILE, { bytes: put.data(bytes), sizeBytes: bytes.length });
}

/**
 * @param {import('./memory.js').Put} put
 * @param {Reading} reading
 */
function putReading(put, { maxPixels, allowTruncated, decode }) {
  return put.structs(IMAGE_OPTIONS, {
    maxPixels,
    allowTruncated: Number(allowTruncated),
    scale: IMAGE_SCALES[decode],
  });
}

/**
 * @param {import('./memory.js').Put} put
 * @param {import('./engine.js').InputSpec} input
 * @param {number} background
 */
function putTarget(put, { scale, offset, resize }, background) {
  return put.structs(RESIZE_TARGET, {
    mode: RESIZE_MODES[resize],
    scale: perChannel(scale),
    offset: perChannel(offset),
    background,
  });
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

// One instance of the module with one model in it. The only file that knows the module's exports and structs; what it
// gives out are plain objects and copies.
import { failure, OcelliError } from '../shared/errors.js';
import { roundEven } from '../shared/numbers.js';
import { gather } from './gather.js';
import { host } from './host.js';
import { instantiate } from './instance.js';
import { Memory } from './memory.js';

/**
 * @typedef {'float32' | 'float16' | 'int32' | 'int64' | 'int8' | 'uint8' | 'bool'} Dtype
 * @typedef {Float32Array | Uint16Array | Int32Array | BigInt64Array | Int8Array | Uint8Array} TensorData
 * @typedef {object} TensorInfo
 * @property {string} name
 * @property {Dtype} dtype
 * @property {number[]} shape
 * @property {{scale: number, zeroPoint: number} | null} quantization real = (stored - zeroPoint) * scale
 *
 * @typedef {object} OperatorInfo
 * @property {string} operator
 * @property {string} output name of its output tensor
 * @property {number[]} shape of its output
 * @property {Dtype} dtype of its output
 * @property {number} multiplyAdds
 * @property {number} ms of the last profiled run
 *
 * @typedef {object} PixelArray
 * @property {Uint8Array | Uint8ClampedArray} data
 * @property {number} width in pixels
 * @property {number} height in pixels
 * @property {1 | 3 | 4} [channels] 1 grey, 3 RGB, 4 RGBA (alpha is ignored); by default what the length says
 * @property {number} [stride] bytes from one row to the next
 *
 * @typedef {object} Roi A region of the upright image, in pixels.
 * @property {number} x
 * @property {number} y
 * @property {number} width
 * @property {number} height
 *
 * @typedef {object} Metadata What TFLite Metadata in the file says; empty where there is none.
 * @property {string} [name]
 * @property {string} [description]
 * @property {string} [version]
 * @property {string} [author]
 * @property {string} [license]
 * @property {{mean: number[], std: number[]}} [normalization] of the first input, per channel
 * @property {string} [labels] a label file's text
 * @property {DetectorMetadata} [detector] MediaPipe's detector metadata
 * @property {string} [own] the JSON text that our converter leaves
 *
 * @typedef {object} DetectorMetadata
 * @property {Float32Array} anchors [N, 4]: y centre, x centre, height, width
 * @property {number[]} boxCoder scales of ty, tx, th, tw
 * @property {number} numClasses
 * @property {boolean} isSigmoid scores are logits
 *
 * @typedef {object} InputSpec How pixels become the network's input: value = pixel * scale + offset, pixel in [0, 255].
 * @property {number | number[]} scale one, or one per R, G, B
 * @property {number | number[]} offset
 * @property {'legacy' | 'half-pixel'} resize
 */

// In the order of tensor.h's OCL_DTYPE_LIST, which the module confirms (see checkAbi).
/** @type {[Dtype, {new (buffer: ArrayBuffer): TensorData}][]} */
const DTYPES = [
  ['float32', Float32Array],
  ['float16', Uint16Array],
  ['int32', Int32Array],
  ['int64', BigInt64Array],
  ['int8', Int8Array],
  ['uint8', Uint8Array],
  ['bool', Uint8Array],
];

// wasm/bridge/exports.c's structs: an ABI number for their layout, and their sizes.
const ABI = 4;
const TENSOR_BYTES = 56;
const STEP_BYTES = 56;
const GRAPH_BYTES = 32;
const IMAGE_BYTES = 12;
const METADATA_BYTES = 56;
const LABELS_BYTES = 8;
const DETECTOR_BYTES = 44;
const DETECTION_BYTES = 24;

/** Of a detection, as numbers: x, y, width, height, score, class number. */
export const DETECTION_COLUMNS = DETECTION_BYTES / 4;

/** The most detections that one call may ask for. */
export const MAX_RESULTS = 10000;

// ssd.h's ocl_ssd_converter.
const CONVERTERS = { sigmoid: 0, softmax: 1, none: 2 };

const THREAD_STACK_BYTES = 1 << 18;

export class Engine {
  #exports;
  #memory;
  #broken = false;

  /**
   * @param {Record<string, (...args: number[]) => number>} exports
   * @param {WebAssembly.Memory} memory
   */
  constructor(exports, memory) {
    this.#exports = exports;
    this.#memory = new Memory(memory, {
      alloc: (n) => exports.ocl_alloc(n),
      free: (a) => exports.ocl_free(a),
    });
    if (exports.ocl_abi() !== ABI) throw new Error('the .wasm is not of this package’s version');
  }

  /**
   * @param {{variant: import('./variant.js').Variant, threads: number, deterministic?: boolean,
   *   baseline?: boolean, wasmUrl?: string | URL}} options baseline: XNNPACK's own kernels, to measure ours against
   */
  static async create({ variant, threads, deterministic = false, baseline = false, wasmUrl }) {
    const module = await host().loadModule(variant, wasmUrl);
    const { exports, memory } = await instantiate(module);
    const engine = new Engine(exports, memory);
    engine.#check(exports.ocl_start(threads, deterministic ? 1 : 0, baseline ? 1 : 0));
    if (threads > 1) await engine.#startThreads(module, memory, threads);
    return engine;
  }

  /**
   * @param {WebAssembly.Module} module
   * @param {WebAssembly.Memory} memory
   * @param {number} threads
   */
  async #startThreads(module, memory, threads) {
    const { startThread } = host();
    if (!startThread) throw failure('THREADS_UNAVAILABLE');
    const pool = this.#exports.ocl_pool();
    const starts = Array.from({ length: threads - 1 }, (_, i) => ({
      module,
      memory,
      // Compiled code takes it for granted that stacks are aligned to 16; what is allocated is to 8.
      stackAddress: (this.#memory.alloc(THREAD_STACK_BYTES + 8) + 15) & ~15,
      stackSizeBytes: THREAD_STACK_BYTES,
      pool,
      index: i + 1,
    }));
    await Promise.all(starts.map(startThread));
  }

  /** A trap leaves memory in no known state: the instance must not be used again. */
  get isBroken() {
    return this.#broken;
  }

  /**
   * @template T
   * @param {() => T} call
   * @returns {T}
   */
  #guard(call) {
    try {
      return call();
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      this.#broken = true;
      throw failure('MODULE_TRAPPED', error.message, error);
    }
  }

  /** @param {number} status */
  #check(status) {
    if (status === 0) return;
    const code = this.#memory.string(this.#exports.ocl_status_text(status, 0));
    const message = this.#memory.string(this.#exports.ocl_status_text(status, 1));
    const detail = this.#memory.string(this.#exports.ocl_detail_text());
    throw new OcelliError(code, detail ? `${message}: ${detail}` : message);
  }

  /** Bytes of the whole memory and of what is allocated in it. */
  get memoryUse() {
    return { totalBytes: this.#memory.sizeBytes, liveBytes: this.#exports.ocl_live_bytes() };
  }

  // ---- model ----

  /**
   * Takes a model's bytes as they come, straight into the module's memory.
   * @param {import('./host.js').ByteSource} source
   * @param {{signal?: AbortSignal, onProgress?: (progress: {loaded: number, total?: number}) => void}} [options]
   * @returns {Promise<{sizeBytes: number, readAll: () => Uint8Array<ArrayBuffer>}>}
   */
  async receiveModel({ sizeBytes, chunks }, { signal, onProgress } = {}) {
    if (sizeBytes === undefined)
      return this.receiveModel(await gather(chunks, { signal, onProgress }), { signal });
    const total = sizeBytes;
    const reserve = () =>
      this.#guard(() => this.#memory.reserve(total, (size) => this.#exports.ocl_model_reserve(size)));
    /** @type {number | undefined} */
    let reserved;
    let loaded = 0;
    for await (const chunk of chunks) {
      signal?.throwIfAborted();
      // In here, because leaving the loop closes the source and never entering it would not.
      const address = (reserved ??= reserve());
      if (loaded + chunk.length > total) throw failure('MODEL_NOT_FOUND', 'it is longer than announced');
      this.#memory.write(address + loaded, chunk);
      loaded += chunk.length;
      onProgress?.({ loaded, total });
    }
    signal?.throwIfAborted();
    if (loaded < total) throw failure('MODEL_NOT_FOUND', `it ended after ${loaded} of ${total} bytes`);
    const address = reserved ?? reserve();
    return { sizeBytes: total, readAll: () => this.#memory.read(address, total) };
  }

  /**
   * Verifies the received bytes.
   * @returns {Metadata}
   */
  openModel() {
    this.#check(this.#guard(() => this.#exports.ocl_model_open()));
    const address = this.#exports.ocl_model_metadata();
    if (address === 0) return {};
    const record = this.#memory.struct(address, METADATA_BYTES);
    const texts = ['name', 'description', 'version', 'author', 'license'].flatMap((key, i) => {
      const value = this.#memory.string(record.getUint32(4 * i, true));
      return value ? [[key, value]] : [];
    });
    const count = record.getInt32(20, true);
    /** @param {number} base */
    const channels = (base) =>
      [0, 1, 2].map((c) => record.getFloat32(base + 4 * (count === 1 ? 0 : c), true));
    // Before anything is allocated: that may move the memory away from under the record.
    const normalization = count > 0 ? { mean: channels(24), std: channels(40) } : undefined;
    const labels = this.#readLabels();
    const { own, detector } = this.#readDetector();
    return {
      ...Object.fromEntries(texts),
      ...(normalization && { normalization }),
      ...(labels !== undefined && { labels }),
      ...(detector !== undefined && { detector }),
      ...(own !== undefined && { own }),
    };
  }

  /** Boxes whose sizes are not encoded as logarithms are not ours to decode: then there is no detector. */
  #readDetector() {
    this.#check(this.#guard(() => this.#exports.ocl_model_read_detector()));
    const record = this.#memory.struct(this.#exports.ocl_detector(), DETECTOR_BYTES);
    /** @param {number} word */
    const uint = (word) => record.getUint32(4 * word, true);
    const ownBytes = uint(0) === 0 ? undefined : this.#memory.read(uint(0), uint(1));
    const anchors = uint(2) === 0 ? undefined : this.#memory.read(uint(2), uint(3) * 16);
    const detector = {
      anchors: new Float32Array(anchors?.buffer ?? []),
      boxCoder: [7, 8, 9, 10].map((word) => record.getFloat32(4 * word, true)),
      numClasses: uint(4),
      isSigmoid: uint(6) !== 0,
    };
    if (anchors) this.#exports.ocl_free(uint(2));
    return {
      own: ownBytes && new TextDecoder().decode(ownBytes),
      detector: anchors && uint(5) !== 0 ? detector : undefined,
    };
  }

  #readLabels() {
    this.#check(this.#guard(() => this.#exports.ocl_model_read_labels()));
    const record = this.#memory.struct(this.#exports.ocl_labels(), LABELS_BYTES);
    const address = record.getUint32(0, true);
    if (address === 0) return undefined;
    const bytes = this.#memory.read(address, record.getUint32(4, true));
    this.#exports.ocl_free(address);
    return new TextDecoder().decode(bytes);
  }

  /**
   * Packs the weights, and frees the received bytes.
   * @param {{keepFile?: boolean}} [options] keepFile: do not free them yet, see {@link Engine.closeModel}
   */
  buildModel({ keepFile = false } = {}) {
    this.#check(this.#guard(() => this.#exports.ocl_model_build(1)));
    if (!keepFile) this.closeModel();
  }

  /**
   * Computes only some columns of an output; before the file is closed.
   * @param {number} output
   * @param {Int32Array} columns ascending
   * @returns {boolean} false: columns depend on each other, and the network is left whole
   */
  keepColumns(output, columns) {
    const done = this.#guard(() =>
      this.#memory.withCopy(columns, (address) =>
        this.#exports.ocl_model_keep_columns(output, address, columns.length),
      ),
    );
    if (done < 0) this.#check(-done);
    return done === 1;
  }

  /** Frees the received bytes, and takes memory for what the network computes: it can be run now. */
  closeModel() {
    this.#check(this.#guard(() => this.#exports.ocl_model_close()));
  }

  /** @param {number} batch */
  setBatch(batch) {
    this.#check(this.#guard(() => this.#exports.ocl_model_set_batch(batch)));
  }

  // ---- tensors ----

  /** @returns {TensorInfo[]} */
  get inputs() {
    return this.#tensors(0).map(({ info }) => info);
  }

  /** @returns {(TensorInfo & {isConstant: boolean})[]} isConstant: the same whatever the input is */
  get outputs() {
    return this.#tensors(1).map(({ info, isConstant }) => ({ ...info, isConstant }));
  }

  /** @param {0 | 1} side 0: inputs, 1: outputs */
  #tensors(side) {
    return Array.from({ length: this.#exports.ocl_tensor_count(side) }, (_, i) => this.#tensor(side, i));
  }

  /**
   * @param {0 | 1} side
   * @param {number} index
   */
  #tensor(side, index) {
    const record = this.#memory.struct(this.#exports.ocl_tensor(side, index), TENSOR_BYTES);
    /** @param {number} word */
    const int = (word) => record.getInt32(4 * word, true);
    const scale = record.getFloat32(4 * 9, true);
    return {
      info: {
        name: this.#memory.string(int(0)),
        dtype: DTYPES[int(1)][0],
        shape: Array.from({ length: int(2) }, (_, d) => int(3 + d)),
        quantization: scale > 0 ? { scale, zeroPoint: int(10) } : null,
      },
      view: DTYPES[int(1)][1],
      sizeBytes: int(11),
      address: int(12) >>> 0,
      isConstant: int(13) !== 0,
    };
  }

  /**
   * @param {number} index
   * @param {TensorData} data in the input's dtype
   */
  writeInput(index, data) {
    const { info, view, sizeBytes, address } = this.#tensor(0, index);
    if (!(data instanceof view) || data.byteLength !== sizeBytes) {
      throw failure('INVALID_INPUT', `input '${info.name}' takes ${info.dtype} [${info.shape}]`);
    }
    this.#memory.write(address, data);
  }

  /**
   * @param {Float32Array} values of one image [H, W, 3], in the numbers that input 0 stores
   * @param {number} batchIndex
   */
  writeImage(values, batchIndex) {
    const { info, view, sizeBytes, address } = this.#tensor(0, 0);
    const [low, high] = info.dtype === 'int8' ? [-128, 127] : [0, 255];
    /** @param {number} value rounded as resize.c does, halves to the even one, and saturated */
    const store = (value) => Math.min(Math.max(roundEven(value), low), high);
    const stored = info.dtype === 'float32' ? values : new view(Uint8Array.from(values.map(store)).buffer);
    this.#memory.write(address + (batchIndex * sizeBytes) / info.shape[0], stored);
  }

  /**
   * A copy of an output's elements, as stored.
   * @param {number} index
   */
  readOutput(index) {
    const { info, view, sizeBytes, address } = this.#tensor(1, index);
    return { ...info, data: new view(this.#memory.read(address, sizeBytes).buffer) };
  }

  // ---- image -> input ----

  /**
   * @param {Uint8Array} bytes of an image file
   * @param {number} maxPixels
   */
  decodeImage(bytes, maxPixels) {
    this.#check(
      this.#guard(() =>
        this.#memory.withCopy(bytes, (address) =>
          this.#exports.ocl_image_decode_file(address, bytes.length, maxPixels),
        ),
      ),
    );
  }

  /** Size of the present image, upright, in pixels. */
  get imageSize() {
    const record = this.#memory.struct(this.#exports.ocl_image_info(), IMAGE_BYTES);
    return { width: record.getInt32(0, true), height: record.getInt32(4, true) };
  }

  /** The present image as RGB, upright. */
  readImage() {
    const { width, height } = this.imageSize;
    const address = this.#memory.alloc(width * height * 3);
    try {
      this.#check(this.#guard(() => this.#exports.ocl_image_upright(address)));
      return { data: this.#memory.read(address, width * height * 3), width, height, channels: 3 };
    } finally {
      this.#exports.ocl_free(address);
    }
  }

  /**
   * Copies pixels in, to be the present image.
   * @param {Required<PixelArray>} pixels
   */
  setPixels({ data, width, height, channels, stride }) {
    this.#check(
      this.#guard(() => {
        const address = this.#memory.reserve(data.length, (size) =>
          this.#exports.ocl_image_reserve(size, width, height, channels, stride),
        );
        this.#memory.write(address, data);
        return this.#exports.ocl_image_use();
      }),
    );
  }

  dropImage() {
    this.#exports.ocl_image_drop();
  }

  /**
   * The present image -> image `batchIndex` of input 0.
   * @param {InputSpec} input
   * @param {Roi | undefined} roi
   * @param {number} quarterTurns clockwise
   * @param {number} [batchIndex]
   */
  preprocess(input, roi, quarterTurns, batchIndex = 0) {
    const scale = perChannel(input.scale);
    const offset = perChannel(input.offset);
    const region = roi ?? { x: 0, y: 0, width: -1, height: -1 };
    this.#check(
      this.#guard(() =>
        this.#exports.ocl_preprocess(
          ...scale,
          ...offset,
          input.resize === 'legacy' ? 1 : 0,
          ...[region.x, region.y, region.width, region.height],
          quarterTurns,
          batchIndex,
        ),
      ),
    );
  }

  // ---- running ----

  /** @param {boolean} [profile] note each operator's time */
  run(profile = false) {
    this.#check(this.#guard(() => this.#exports.ocl_run(profile ? 1 : 0)));
  }

  // ---- heads -> boxes ----

  /** Whether the network ends in TFLite_Detection_PostProcess. */
  get hasPostprocess() {
    return this.#exports.ocl_has_postprocess() !== 0;
  }

  /** Number of the detector's classes, without background. */
  get numClasses() {
    return this.#exports.ocl_num_classes();
  }

  /**
   * @param {import('./types.js').SsdAnchorGenerator | import('./types.js').MultiscaleAnchorGenerator} generator
   * @returns {Float32Array} [N, 4]
   */
  generateAnchors(generator) {
    const [, height, width] = this.inputs[0].shape;
    const ratios = Float32Array.from(generator.aspectRatios);
    const address = this.#guard(() =>
      this.#memory.withCopy(ratios, (ratiosAddress) =>
        generator.type === 'ssd'
          ? this.#generateSsd(generator, height, width, ratiosAddress)
          : this.#exports.ocl_anchors_multiscale_new(
              ...[height, width, generator.minLevel, generator.maxLevel, generator.anchorScale],
              ...[ratios.length, ratiosAddress, generator.scalesPerOctave],
            ),
      ),
    );
    if (address === 0) this.#check(this.#exports.ocl_anchors_status());
    const bytes = this.#memory.read(address, this.#exports.ocl_anchors_count() * 16);
    this.#exports.ocl_free(address);
    return new Float32Array(bytes.buffer);
  }

  /**
   * @param {import('./types.js').SsdAnchorGenerator} generator
   * @param {number} height
   * @param {number} width
   * @param {number} ratiosAddress
   */
  #generateSsd(generator, height, width, ratiosAddress) {
    const maps = Int32Array.from((generator.featureMaps ?? []).flat());
    const scales = Float32Array.from(generator.scales ?? []);
    const layers = generator.numLayers ?? (maps.length / 2 || scales.length);
    return this.#memory.withCopy(maps, (mapsAddress) =>
      this.#memory.withCopy(scales, (scalesAddress) =>
        this.#exports.ocl_anchors_ssd_new(
          ...[
            height,
            width,
            maps.length / 2,
            mapsAddress,
            layers,
            generator.minScale ?? 0,
            generator.maxScale ?? 0,
          ],
          ...[scales.length > 0 ? scalesAddress : 0, generator.aspectRatios.length, ratiosAddress],
          ...[
            generator.interpolatedScaleAspectRatio ?? 1,
            generator.reduceBoxesInLowestLayer === false ? 0 : 1,
          ],
        ),
      ),
    );
  }

  /**
   * @param {{boxes: number, scores: number}} heads indices of the outputs
   * @param {Float32Array} anchors [N, 4]
   * @param {import('./types.js').SsdSpec} ssd
   */
  useHeads(heads, anchors, { boxCoder, scores, background }) {
    const columns = /** @type {number} */ (this.outputs[heads.scores].shape.at(-1));
    this.#check(
      this.#guard(() =>
        this.#memory.withCopy(anchors, (address) =>
          this.#exports.ocl_use_heads(
            ...[heads.boxes, heads.scores, address, anchors.length / 4, columns, background ? 1 : 0],
            ...[CONVERTERS[scores], MAX_RESULTS],
            ...boxCoder,
          ),
        ),
      ),
    );
  }

  /**
   * Detections of the last run, best first: rows of x, y, width, height, score, class number.
   * @param {Required<import('./types.js').Thresholds>} thresholds
   * @param {Uint8Array | undefined} mask one byte per class: 0, left out
   * @param {Roi} roi what the network saw, in pixels of the upright image
   * @param {number} quarterTurns by which it was turned
   */
  detect(thresholds, mask, roi, quarterTurns) {
    const { scoreThreshold, iouThreshold, maxResults, maxPerClass, classAgnostic } = thresholds;
    /** @param {number} maskAddress */
    const call = (maskAddress) =>
      this.#exports.ocl_detect(
        ...[scoreThreshold, iouThreshold, maxPerClass, maxResults, classAgnostic ? 1 : 0, maskAddress],
        ...[roi.x, roi.y, roi.width, roi.height, quarterTurns],
      );
    const count = this.#guard(() => (mask ? this.#memory.withCopy(mask, call) : call(0)));
    if (count < 0) this.#check(-count);
    const rows = new Float32Array(
      this.#memory.read(this.#exports.ocl_detections(), count * DETECTION_BYTES).buffer,
    );
    const labelIds = new Int32Array(rows.buffer);
    for (let i = DETECTION_COLUMNS - 1; i < rows.length; i += DETECTION_COLUMNS) rows[i] = labelIds[i];
    return rows;
  }

  // ---- features ----

  /**
   * Says of what features are pooled: the output of an operator.
   * @param {number} step its index among the operators
   * @param {boolean} isCut nothing after it is to be run, and its output becomes the only one
   */
  useFeatures(step, isCut) {
    this.#check(this.#guard(() => this.#exports.ocl_features_use(step, isCut ? 1 : 0)));
  }

  /** Numbers of one vector; 0: nothing said yet. */
  get featuresLength() {
    return this.#exports.ocl_features_size();
  }

  /**
   * The features of the first images of the last run's batch, the mean over the plane.
   * @param {number} count of images
   * @returns {Float32Array} [count, length]
   */
  readFeatures(count) {
    return this.#pool(count, (address) => {
      for (let i = 0; i < count; i++)
        this.#check(this.#exports.ocl_features_of_image(i, address + i * this.featuresLength * 4));
    });
  }

  /**
   * The features of each of the last detections, the mean under its box.
   * @param {number} count of detections
   * @returns {Float32Array} [count, length]
   */
  readBoxFeatures(count) {
    return this.#pool(count, (address) => this.#check(this.#exports.ocl_features_of_boxes(address)));
  }

  /**
   * @param {number} count
   * @param {(address: number) => void} fill
   */
  #pool(count, fill) {
    const sizeBytes = count * this.featuresLength * 4;
    const address = this.#memory.alloc(Math.max(sizeBytes, 1));
    try {
      this.#guard(() => fill(address));
      return new Float32Array(this.#memory.read(address, sizeBytes).buffer);
    } finally {
      this.#exports.ocl_free(address);
    }
  }

  /** @returns {OperatorInfo[]} */
  get operators() {
    return Array.from({ length: this.#exports.ocl_step_count() }, (_, i) => {
      const record = this.#memory.struct(this.#exports.ocl_step(i), STEP_BYTES);
      return {
        operator: this.#memory.string(record.getInt32(0, true)),
        output: this.#memory.string(record.getInt32(4, true)),
        shape: Array.from({ length: record.getInt32(8, true) }, (_, d) => record.getInt32(12 + 4 * d, true)),
        dtype: DTYPES[record.getInt32(36, true)][0],
        multiplyAdds: record.getFloat64(40, true),
        ms: record.getFloat64(48, true) / 1000,
      };
    });
  }

  get network() {
    const record = this.#memory.struct(this.#exports.ocl_network(), GRAPH_BYTES);
    return {
      arenaBytes: record.getFloat64(0, true),
      parameters: record.getFloat64(8, true),
      multiplyAdds: record.getFloat64(16, true),
      dynamicBatch: record.getFloat64(24, true) !== 0,
    };
  }

  /** Multiply-adds per second of this engine on one thread, in 10^9: the FMA peak that a network's time is held to. */
  measurePeak() {
    return this.#guard(() => this.#exports.ocl_measure_peak());
  }

  /**
   * Milliseconds that as many multiply-adds take: of floats, and of bytes in dot products, four times as many each.
   * @returns {[number, number]} Infinity: dot products do not compute here what the network needs
   */
  timeProducts() {
    return this.#guard(() => [this.#exports.ocl_time_fma(), this.#exports.ocl_time_dot()]);
  }

  /** Sends the threads home. */
  close() {
    if (!this.#broken) this.#guard(() => this.#exports.ocl_stop());
  }
}

/** @param {number | number[]} value */
function perChannel(value) {
  return Array.isArray(value) ? value : [value, value, value];
}

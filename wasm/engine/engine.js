// An instance of the inference module with one model. All results are plain objects and copies.
import { DTYPES, NETWORK, STEP, TENSOR } from '../../dist/layout.js';
import { failure, OcelliError } from '../shared/errors.js';
import { roundEven } from '../shared/numbers.js';
import { Bridge } from './bridge.js';
import { Features } from './features.js';
import { Heads } from './heads.js';
import { host } from './host.js';
import { CurrentImage } from './image.js';
import { instantiate } from './instance.js';
import { readMetadata } from './metadata.js';
import { receive } from './receive.js';

/**
 * @typedef {keyof typeof DTYPES} Dtype
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
 * @property {number} ms time in the last profiled run
 *
 * @typedef {object} PixelArray
 * @property {Uint8Array | Uint8ClampedArray} data
 * @property {number} width in pixels
 * @property {number} height in pixels
 * @property {1 | 3 | 4} [channels] 1 grey, 3 RGB, 4 RGBA (alpha is ignored); default: computed from the length
 * @property {number} [stride] bytes from one row to the next
 *
 * @typedef {object} Roi A region of the upright image, in pixels.
 * @property {number} x
 * @property {number} y
 * @property {number} width
 * @property {number} height
 *
 * @typedef {object} Metadata The file's TFLite Metadata; an empty object if it has none.
 * @property {string} [name]
 * @property {string} [description]
 * @property {string} [version]
 * @property {string} [author]
 * @property {string} [license]
 * @property {{mean: number[], std: number[]}} [normalization] of the first input, per channel
 * @property {string} [labels] the text of the label file
 * @property {number} [scoreThreshold] scores below it are not results
 * @property {ScoreCalibration} [calibration] how scores become probabilities
 * @property {DetectorMetadata} [detector] MediaPipe's detector metadata
 * @property {string} [own] the JSON text of ocelli's converter
 *
 * @typedef {object} ScoreCalibration
 * @property {string} text CSV: scale, slope, offset and, if it has one, the least score of each class
 * @property {number} transform of scores before they are calibrated; one of SCORE_TRANSFORMS
 * @property {number} defaultScore of classes without calibration
 *
 * @typedef {object} DetectorMetadata
 * @property {Float32Array} anchors [N, 4]: y centre, x centre, height, width
 * @property {number[]} boxCoder scales of ty, tx, th, tw
 * @property {'exponential' | 'linear'} boxSizes
 * @property {number} numClasses
 * @property {boolean} isSigmoid scores are logits
 *
 * @typedef {object} InputSpec How to compute the network's input: value = pixel * scale + offset, pixel in [0, 255].
 * @property {number | number[]} scale one number, or one for each of R, G, B
 * @property {number | number[]} offset
 * @property {'legacy' | 'half-pixel'} resize
 * @property {'stretch' | 'crop' | 'contain'} [fit] how an image of another shape becomes the input: stretch it, crop its
 *   centre, or add black borders. Default: 'stretch'
 */

/** @type {Record<Dtype, {new (buffer: ArrayBuffer): TensorData}>} */
const VIEWS = {
  float32: Float32Array,
  float16: Uint16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

/** Dtypes by their numbers in C. */
const DTYPE_OF = /** @type {Record<number, Dtype>} */ (
  Object.fromEntries(Object.entries(DTYPES).map(([name, number]) => [number, name]))
);

const THREAD_STACK_BYTES = 1 << 18;

export class Engine {
  #bridge;
  #exports;
  #memory;
  /** Why a thread did not start. @type {unknown} */
  #threadFailure;
  #lacksThreads = false;
  /** Settles when all threads have started, or one could not. @type {Promise<unknown>} */
  started = Promise.resolve();

  /**
   * @param {import('./bridge.js').Exports} exports
   * @param {WebAssembly.Memory} memory
   */
  constructor(exports, memory) {
    this.#bridge = new Bridge(exports, memory);
    this.#exports = exports;
    this.#memory = this.#bridge.memory;
    this.image = new CurrentImage(this.#bridge);
    this.heads = new Heads(this.#bridge);
    this.features = new Features(this.#bridge);
  }

  /**
   * Does not wait for the threads: the network runs on those that are there, with the same results.
   * @param {{variant: import('./variant.js').Variant, threads: number, deterministic?: boolean,
   *   baseline?: boolean, assetsUrl?: string}} options baseline: use XNNPACK's kernels where it has them, for benchmarks
   */
  static async create({ variant, threads, deterministic = false, baseline = false, assetsUrl }) {
    const module = await host().loadModule(variant, assetsUrl);
    const { exports, memory } = await instantiate(module);
    const engine = new Engine(exports, memory);
    engine.#bridge.call(() => exports.ocl_start(threads, Number(deterministic), Number(baseline)));
    if (threads > 1) engine.#startThreads(module, memory, threads, assetsUrl);
    return engine;
  }

  /**
   * @param {WebAssembly.Module} module
   * @param {WebAssembly.Memory} memory
   * @param {number} threads
   * @param {string} [assetsUrl]
   */
  #startThreads(module, memory, threads, assetsUrl) {
    const { startThread } = host();
    if (!startThread) throw failure('THREADS_UNAVAILABLE');
    const pool = this.#exports.ocl_pool();
    const starts = Array.from({ length: threads - 1 }, (_, i) => ({
      module,
      memory,
      // Compiled code relies on stacks that are aligned to 16 bytes; allocations are aligned to 8.
      stackAddress: (this.#memory.alloc(THREAD_STACK_BYTES + 8) + 15) & ~15,
      stackSizeBytes: THREAD_STACK_BYTES,
      pool,
      index: i + 1,
    }));
    this.started = Promise.all(starts.map((start) => startThread(start, assetsUrl)));
    this.started.catch((error) => (this.#threadFailure = error));
  }

  /** Throws if a thread could not be started. The engine is broken then. */
  checkThreads() {
    if (!this.#threadFailure) return;
    this.#lacksThreads = true;
    throw this.#threadFailure;
  }

  /** True after a trap, which leaves the memory in an unknown state, or without a thread: do not use the engine again. */
  get isBroken() {
    return this.#bridge.isBroken || this.#lacksThreads;
  }

  /** Sizes of the whole memory and of the allocations in it. */
  get memoryUse() {
    return this.#bridge.memoryUse;
  }

  // ---- model ----

  /**
   * Writes a model's bytes into the module's memory as they arrive.
   * @param {import('./host.js').ByteSource} source
   * @param {import('./receive.js').ReceiveOptions} [options]
   */
  receiveModel(source, options = {}) {
    return receive(this.#bridge, source, options);
  }

  /**
   * Verifies the received bytes.
   * @param {string} [signature] the signature to run; default: the file's first subgraph
   * @returns {Metadata}
   */
  openModel(signature) {
    // A NUL inside of it would end the key.
    const key =
      signature === undefined
        ? undefined
        : new TextEncoder().encode(`${signature.replaceAll('\0', '\ufffd')}\0`);
    this.#bridge.call((put) => this.#exports.ocl_model_open(key === undefined ? 0 : put.data(key)));
    return readMetadata(this.#bridge);
  }

  /** The names of the opened model's signatures, until {@link Engine.closeModel}. */
  get signatures() {
    return Array.from({ length: this.#exports.ocl_model_signature_count() }, (_, i) =>
      this.#memory.string(this.#exports.ocl_model_signature(i)),
    );
  }

  /**
   * Builds the network (packs its weights), then calls {@link Engine.closeModel}.
   * @param {{keepFile?: boolean}} [options] keepFile: do not call it, so that the file can still be read
   */
  buildModel({ keepFile = false } = {}) {
    this.#bridge.call(() => this.#exports.ocl_model_build(1));
    if (!keepFile) this.closeModel();
  }

  /**
   * Makes the network compute only some columns of an output. Call it before {@link Engine.closeModel}.
   * @param {number} output
   * @param {Int32Array} columns ascending
   * @returns {boolean} false: the columns depend on each other, and the network does not change
   */
  keepColumns(output, columns) {
    return this.#bridge.guard((put) => {
      const isDone = put.space(1);
      const address = put.data(columns);
      this.#bridge.check(this.#exports.ocl_model_keep_columns(output, address, columns.length, isDone));
      return this.#memory.bytes[isDone] !== 0;
    });
  }

  /** Frees the received bytes and allocates memory for the activations. The network can run afterwards. */
  closeModel() {
    this.#bridge.call(() => this.#exports.ocl_model_close());
  }

  /** @param {number} batch */
  setBatch(batch) {
    this.#bridge.call(() => this.#exports.ocl_model_set_batch(batch));
  }

  // ---- tensors ----

  /** @returns {TensorInfo[]} */
  get inputs() {
    return Array.from(
      { length: this.#exports.ocl_input_count() },
      (_, i) => this.#tensor('ocl_input', i).info,
    );
  }

  /** @returns {(TensorInfo & {isConstant: boolean})[]} isConstant: does not depend on the input */
  get outputs() {
    return Array.from({ length: this.#exports.ocl_output_count() }, (_, i) => {
      const { info, isConstant } = this.#tensor('ocl_output', i);
      return { ...info, isConstant };
    });
  }

  /** @param {'ocl_input' | 'ocl_output'} read @param {number} index */
  #tensor(read, index) {
    const struct = this.#bridge.fill(TENSOR, (out) => this.#exports[read](index, out));
    const { name, rank, dims, scale, zeroPoint, ...tensor } = struct;
    const dtype = DTYPE_OF[tensor.dtype];
    /** @type {TensorInfo} */
    const info = {
      name,
      dtype,
      shape: dims.slice(0, rank),
      quantization: scale > 0 ? { scale, zeroPoint } : null,
    };
    return { ...tensor, info, View: VIEWS[dtype] };
  }

  /**
   * A tensor whose elements can be read or written.
   * @param {'ocl_input' | 'ocl_output'} read
   * @param {number} index
   */
  #placed(read, index) {
    const tensor = this.#tensor(read, index);
    if (tensor.data === 0)
      throw new OcelliError('INVALID_ARGUMENT', 'the network has no memory: call closeModel first');
    return tensor;
  }

  /**
   * @param {number} index
   * @param {TensorData} data in the input's dtype
   * @param {number} [batchIndex] the image that they are the values of; default: all images of the batch
   */
  writeInput(index, data, batchIndex) {
    const { info, View, sizeBytes, data: address } = this.#placed('ocl_input', index);
    const shape = batchIndex === undefined ? info.shape : [1, ...info.shape.slice(1)];
    if (!(data instanceof View) || data.byteLength * (info.shape[0] / shape[0] || 1) !== sizeBytes)
      throw failure('INVALID_INPUT', `input '${info.name}' must be ${info.dtype} [${shape}]`);
    this.#memory.write(address + (batchIndex ?? 0) * data.byteLength, data);
  }

  /**
   * Writes one image of the batch to input 0.
   * @param {Float32Array} values [H, W, 3]; for a quantized input: quantized values, not yet rounded
   * @param {number} batchIndex
   */
  writeImage(values, batchIndex) {
    const { info, View, sizeBytes, data: address } = this.#placed('ocl_input', 0);
    const [low, high] = info.dtype === 'int8' ? [-128, 127] : [0, 255];
    /** Rounds halves to even, as resize.c does, and saturates. @param {number} value */
    const store = (value) => Math.min(Math.max(roundEven(value), low), high);
    const stored = info.dtype === 'float32' ? values : new View(Uint8Array.from(values.map(store)).buffer);
    const [batch] = info.shape;
    if (
      !Number.isInteger(batchIndex) ||
      batchIndex < 0 ||
      batchIndex >= batch ||
      stored.byteLength !== sizeBytes / batch
    )
      throw failure(
        'INVALID_INPUT',
        `it does not fit image ${batchIndex} of input '${info.name}' [${info.shape}]`,
      );
    this.#memory.write(address + batchIndex * stored.byteLength, stored);
  }

  /**
   * A copy of an output's elements, as stored.
   * @param {number} index
   */
  readOutput(index) {
    const { info, View, sizeBytes, data: address } = this.#placed('ocl_output', index);
    return { ...info, data: new View(this.#memory.read(address, sizeBytes).buffer) };
  }

  // ---- running ----

  /** @param {boolean} [profile] record each operator's time */
  run(profile = false) {
    this.checkThreads();
    this.#bridge.call(() => this.#exports.ocl_run(Number(profile)));
  }

  /** @returns {OperatorInfo[]} */
  get operators() {
    return Array.from({ length: this.#exports.ocl_step_count() }, (_, i) => {
      const step = this.#bridge.fill(STEP, (out) => this.#exports.ocl_step(i, out));
      return {
        operator: step.operatorName,
        output: step.outputName,
        shape: step.dims.slice(0, step.rank),
        dtype: DTYPE_OF[step.outputDtype],
        multiplyAdds: step.multiplyAdds,
        ms: step.timeUs / 1000,
      };
    });
  }

  get network() {
    const network = this.#bridge.fill(NETWORK, (out) => this.#exports.ocl_network(out));
    const { arenaBytes, numParameters: parameters, multiplyAdds, isBatchFree: dynamicBatch } = network;
    return { arenaBytes, parameters, multiplyAdds, dynamicBatch };
  }

  /**
   * Measures the peak of one thread, in 10^9 multiply-adds per second.
   * @param {'float' | 'int8'} [precision]
   */
  measurePeak(precision = 'float') {
    return this.#bridge.guard(() => this.#exports.ocl_measure_peak(Number(precision === 'int8')));
  }

  /**
   * Times the kernels of both precisions.
   * @returns {[number, number]} milliseconds of as many multiply-adds in floats and in 8 bits
   */
  timeProducts() {
    return this.#bridge.guard(() => [this.#exports.ocl_time_float(), this.#exports.ocl_time_int8()]);
  }

  /** Frees the model and stops the threads. */
  close() {
    if (this.#bridge.isBroken || this.#bridge.isClosed) return;
    this.#bridge.guard(() => this.#exports.ocl_stop());
    this.#bridge.isClosed = true;
  }
}

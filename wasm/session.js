// One model in one instance of the module, in this thread. What a detector asks of it is a request that can be sent
// from thread to thread: the detector is beside it (detector.js), or at the other end of a port (remote.js, serve.js).
import { Engine } from './engine.js';
import { failure } from './errors.js';
import { host } from './host.js';
import { checkMaxPixels, decodeElsewhere, readSource, toPixels } from './input.js';
import { selectClasses } from './labels.js';
import {
  checkGenerator,
  DEFAULT_ENTRY,
  findHeads,
  findManifestEntry,
  resolveInput,
  resolveLabels,
  resolveLimits,
  resolveSsd,
} from './model_spec.js';
import { checkKeys, checkList } from './options.js';
import { chooseVariant } from './variant.js';

/**
 * @typedef {import('./detector.js').DetectorOptions} DetectorOptions
 * @typedef {import('./detector.js').RunInfo} RunInfo
 * @typedef {import('./engine.js').Roi} Roi
 * @typedef {import('./engine.js').TensorData} TensorData
 * @typedef {import('./input.js').ImageInput} ImageInput
 * @typedef {import('./model_spec.js').SsdSpec} SsdSpec
 *
 * @typedef {object} Request
 * @property {'detect' | 'heads' | 'profile'} kind
 * @property {ImageInput | {tensor: TensorData}} input
 * @property {Roi} [roi]
 * @property {number} turns quarter turns, clockwise
 * @property {boolean} exact whether a drawable is read at its own size
 * @property {Required<import('./detector.js').Thresholds>} [thresholds] to detect
 * @property {number} [minChange] mean difference, in levels of 255, from the last frame; less: not looked at
 *
 * @typedef {object} Answer
 * @property {any} result of 'detect': rows, see Engine.detect; undefined: the frame did not change. Of 'heads': Head[]; of
 *   'profile': OperatorInfo[]
 * @property {RunInfo} run
 * @property {{totalBytes: number, liveBytes: number}} memoryUse
 *
 * @typedef {object} Facts
 * @property {import('./labels.js').Label[]} labels
 * @property {{name: import('./variant.js').Variant, threads: number}} variant
 * @property {{width: number, height: number}} inputSize
 * @property {Partial<import('./detector.js').Thresholds>} limits what the file says of thresholds
 * @property {number} multiplyAdds of one run
 *
 * @typedef {object} Session
 * @property {Facts} facts
 * @property {Answer['memoryUse']} memoryUse
 * @property {(request: Request) => Promise<Answer>} run
 * @property {() => void} close
 *
 * @typedef {Awaited<ReturnType<typeof prepare>>} Model
 */

const SAMPLED_PIXELS = 16384;

/** @implements {Session} */
export class LocalSession {
  #options;
  #model;
  #isClosed = false;
  /** @type {Promise<Model> | undefined} */ #recovery;
  #lastSample = new Uint8Array(0);

  /**
   * @param {DetectorOptions} options
   * @param {Model} model
   */
  constructor(options, model) {
    this.#options = options;
    this.#model = model;
  }

  /** @param {DetectorOptions} options */
  static async create(options) {
    return new LocalSession(options, await prepare(options));
  }

  /** @returns {Facts} */
  get facts() {
    const { labels, variant, inputSize, limits, engine } = this.#model;
    const { multiplyAdds } = engine.network;
    const { threads = 1 } = this.#options;
    return { labels, limits, variant: { name: variant, threads }, inputSize, multiplyAdds };
  }

  get memoryUse() {
    return this.#model.engine.memoryUse;
  }

  close() {
    this.#isClosed = true;
    this.#model.engine.close();
  }

  /**
   * @param {Request} request
   * @returns {Promise<Answer>}
   */
  async run(request) {
    const { input } = request;
    const start = performance.now();
    if (isTensor(input)) return this.#answer(request, await this.#healthy(), input, start);
    const image = await toPixels(input, request.exact ? undefined : this.#fit(request));
    try {
      return this.#answer(request, await this.#healthy(), image, start);
    } catch (error) {
      const pixels = await decodeElsewhere(error, image, checkMaxPixels(this.#options.maxPixels));
      return this.#answer(request, await this.#healthy(), pixels, start);
    } finally {
      if ('release' in image) image.release?.();
    }
  }

  /** @param {Request} request */
  #fit({ roi, turns }) {
    const { width, height } = this.#model.inputSize;
    return { roi, size: turns % 2 ? { width: height, height: width } : { width, height } };
  }

  /** After a trap the instance is thrown away and the model loaded into a new one. */
  async #healthy() {
    if (this.#model.engine.isBroken && !this.#isClosed) {
      this.#recovery ??= prepare({ ...this.#options, signal: undefined, onProgress: undefined });
      try {
        this.#model = await this.#recovery;
      } finally {
        this.#recovery = undefined;
      }
      if (this.#isClosed) this.#model.engine.close();
    }
    if (this.#isClosed) throw failure('CLOSED');
    return this.#model.engine;
  }

  /**
   * Runs the network and reads what it left before any other call can run it: without an await.
   * @param {Request} request
   * @param {Engine} engine
   * @param {{tensor: TensorData} | Uint8Array | import('./input.js').Pixels} source
   * @param {number} start
   * @returns {Answer}
   */
  #answer({ kind, roi, turns, thresholds, minChange }, engine, source, start) {
    const times = [start];
    const lap = () => times.push(performance.now());
    /** @param {any} result @param {import('./host.js').Size} size */
    const answer = (result, { width, height }) => {
      while (times.length < 5) lap();
      const [decode, preprocess, network, postprocess] = times.slice(1).map((time, i) => time - times[i]);
      const run = { width, height, ms: { decode, preprocess, network, postprocess } };
      return { result, run, memoryUse: engine.memoryUse };
    };
    try {
      const size = this.#readImage(engine, source);
      lap();
      if (minChange && !this.#hasChanged(source, minChange)) return answer(undefined, size);
      const isScaled = 'scaledFrom' in source;
      if (!isTensor(source)) engine.preprocess(this.#model.input, isScaled ? undefined : roi, turns);
      lap();
      engine.run(kind === 'profile');
      lap();
      if (kind === 'heads')
        return answer(
          engine.outputs.map((_, index) => engine.readOutput(index)),
          size,
        );
      if (kind === 'profile' || !thresholds) return answer(engine.operators, size);
      const view = roi ?? { x: 0, y: 0, ...size };
      return answer(engine.detect(thresholds, this.#model.mask, view, turns), size);
    } finally {
      if (!engine.isBroken) engine.dropImage();
    }
  }

  /**
   * @param {Engine} engine
   * @param {{tensor: TensorData} | Uint8Array | import('./input.js').Pixels} source
   * @returns {import('./host.js').Size} of the image, upright
   */
  #readImage(engine, source) {
    if (isTensor(source)) {
      engine.writeInput(0, source.tensor);
      return { width: 0, height: 0 };
    }
    if (source instanceof Uint8Array) engine.decodeImage(source, checkMaxPixels(this.#options.maxPixels));
    else engine.setPixels(source);
    return 'scaledFrom' in source && source.scaledFrom ? source.scaledFrom : engine.imageSize;
  }

  /**
   * Whether a frame differs from the last one that was looked at.
   * @param {{tensor: TensorData} | Uint8Array | import('./input.js').Pixels} source
   * @param {number} minChange
   */
  #hasChanged(source, minChange) {
    if (!('data' in source)) return true;
    const before = this.#lastSample;
    const now = sample(source);
    const sum = now.reduce((total, value, i) => total + Math.abs(value - before[i]), 0);
    // Of another size, or none: not a number.
    if (sum < minChange * now.length) return false;
    this.#lastSample = now;
    return true;
  }
}

/**
 * Bytes of a frame, evenly spread: enough to tell whether it is another one.
 * @param {import('./input.js').Pixels} pixels
 */
function sample({ data, width, height, stride, channels }) {
  const step = Math.max(1, Math.floor(Math.sqrt((width * height) / SAMPLED_PIXELS)));
  const bytes = [];
  for (let y = 0; y < height; y += step) {
    for (let x = 0; x < width; x += step)
      bytes.push(data[y * stride + x * channels + (channels > 1 ? 1 : 0)]);
  }
  return Uint8Array.from(bytes);
}

/**
 * @param {ImageInput | {tensor: TensorData} | import('./input.js').Pixels} input
 * @returns {input is {tensor: TensorData}}
 */
export function isTensor(input) {
  return typeof input === 'object' && input !== null && 'tensor' in input;
}

/**
 * An engine with the model in it, and what is known of the model.
 * @param {DetectorOptions} options
 */
async function prepare(options) {
  const { threads = 1, deterministic = false, wasmUrl, signal, onProgress } = options;
  const { trustsRelaxed, locateModel } = host();
  const variant = chooseVariant({ threads, deterministic, trustsRelaxed });
  // The model is on its way while the module compiles.
  const creating = Engine.create({ variant, threads, deterministic, wasmUrl });
  const opening = readSource(options.model ?? locateModel(wasmUrl), signal);
  opening.catch(() => {});
  const engine = await creating;
  try {
    const received = await engine.receiveModel(await opening, { signal, onProgress });
    const entry = options.model === undefined ? DEFAULT_ENTRY : await findManifestEntry(received);
    const metadata = engine.openModel();
    engine.buildModel();
    const labelSource =
      options.labels instanceof URL || typeof options.labels === 'string'
        ? await readText(options.labels, signal)
        : options.labels;
    const labels = resolveLabels(labelSource, metadata, entry);
    if (engine.inputs.length !== 1)
      throw failure('MODEL_IS_NOT_A_DETECTOR', `${engine.inputs.length} inputs`);
    const input = resolveInput(options.input, metadata, entry, engine.inputs[0]);
    const numClasses = configureHeads(engine, options.ssd, metadata, entry);
    const mask = options.classes
      ? selectClasses(checkClasses(options.classes), labels, numClasses)
      : undefined;
    const [, height, width] = engine.inputs[0].shape;
    const limits = resolveLimits(metadata);
    return { engine, variant, labels, input, inputSize: { width, height }, mask, limits };
  } catch (error) {
    engine.close();
    throw error;
  }
}

/**
 * @param {Engine} engine
 * @param {Partial<SsdSpec> | undefined} option
 * @param {import('./engine.js').Metadata} metadata
 * @param {import('./model_spec.js').ManifestEntry | undefined} entry
 * @returns {number} of classes, without background
 */
function configureHeads(engine, option, metadata, entry) {
  if (engine.hasPostprocess) return engine.numClasses;
  const ssd = resolveSsd(option, metadata, entry);
  const anchors = ssd.anchors
    ? flatten(ssd.anchors)
    : engine.generateAnchors(checkGenerator(ssd.anchorGenerator));
  const heads = findHeads(engine.outputs, anchors.length / 4);
  engine.useHeads(heads, anchors, ssd);
  return engine.numClasses;
}

/** @param {Float32Array | number[][]} anchors */
function flatten(anchors) {
  const flat =
    anchors instanceof Float32Array
      ? anchors
      : Float32Array.from(checkList('ssd.anchors', Array.isArray(anchors) ? anchors.flat() : anchors));
  if (flat.length === 0 || flat.length % 4 !== 0)
    throw failure('INVALID_OPTION', 'ssd.anchors must be [N, 4]');
  return flat;
}

/** @param {NonNullable<DetectorOptions['classes']>} classes */
function checkClasses(classes) {
  checkKeys('classes', classes, ['allow', 'deny']);
  for (const list of [classes.allow, classes.deny]) {
    if (list !== undefined && !Array.isArray(list)) throw failure('INVALID_OPTION', 'classes takes lists');
  }
  return classes;
}

/**
 * @param {string | URL} source
 * @param {AbortSignal} [signal]
 */
async function readText(source, signal) {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of (await host().open(source, signal)).chunks)
    text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}

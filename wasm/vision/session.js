// Request -> answer, for one model in one module instance, in this thread. Requests can be posted between threads: they
// come from vision_model.js, or from another thread through platform/pool/remote.js and platform/pool/serve.js.
import { MAX_RESULTS } from '../../dist/layout.js';
import { CLASS_COLUMN, DETECTION_COLUMNS } from '../engine/heads.js';
import { failure } from '../shared/errors.js';
import { attempt, decodeOnHost, detach, isFloatImages, toPixels } from './input.js';
import { host } from '../engine/host.js';
import { prepare } from './prepare.js';
import { findLayer } from './prepare_features.js';
import { cutBoxes, isPlain, readView, resizeFloatView, seenRegion, writeView } from './view.js';

/**
 * @typedef {import('./types.js').Answer} Answer
 * @typedef {import('./types.js').Facts} Facts
 * @typedef {import('./types.js').Input} Input
 * @typedef {import('./types.js').Request} Request
 * @typedef {import('./types.js').Sample} Sample
 * @typedef {import('./types.js').Session} Session
 * @typedef {import('./prepare.js').SessionOptions} SessionOptions
 * @typedef {import('../engine/engine.js').TensorData} TensorData
 *
 * @typedef {import('../engine/engine.js').Engine} Engine
 *
 * @typedef {{numbers: Float32Array} & import('../engine/host.js').Size} Numbers `numbers`: values of the model's input;
 *   the size is that of the source image
 *
 * @typedef {{tensor: TensorData} | Numbers | Uint8Array<ArrayBuffer> | import('./input.js').Pixels} Image an input in a
 *   form that the engine takes
 *
 * @typedef {object} Job
 * @property {Request} request
 * @property {Image[]} images
 * @property {number} reading index of the image being read
 * @property {number} start time at which the call began, in ms
 *
 * @typedef {Awaited<ReturnType<typeof prepare>>} Model
 */

/** About how many pixels of a frame `minChange` compares. */
const SAMPLED_PIXELS = 16384;

/** @implements {Session} */
export class LocalSession {
  #options;
  #model;
  #isClosed = false;
  #isBusy = false;
  /** Calls that wait until no other runs, first come, first served. @type {((nothing: void) => void)[]} */ #waiting =
    [];

  /**
   * @param {SessionOptions} options
   * @param {Model} model
   */
  constructor(options, model) {
    this.#options = options;
    this.#model = model;
  }

  /** @param {SessionOptions} options */
  static async create(options) {
    return new LocalSession(options, await prepare(options));
  }

  /** @returns {Facts} */
  get facts() {
    const { variant, inputSize, multiplyAdds, precision, classifier, ...model } = this.#model;
    const { labels = [], limits = {}, batch = 1, length = 0 } = model;
    return {
      ...{ labels, limits, precision, inputSize, multiplyAdds, batch, length, classifier },
      variant: { name: variant, threads: this.#options.threads ?? 1 },
    };
  }

  get memoryUse() {
    return this.#model.engine.memoryUse;
  }

  /**
   * @param {Request} request
   * @param {import('./limits.js').CallLimit} [limit]
   */
  async runOnAll(request, limit) {
    return [await this.run(request, limit)];
  }

  close() {
    this.#isClosed = true;
    this.#model.engine.close();
  }

  /**
   * Runs follow each other, and the event loop turns between them, so that an abort can reach those that wait. Inputs in
   * memory are used before this function returns, or copied.
   * @param {Request} request
   * @param {import('./limits.js').CallLimit} [limit]
   * @returns {Promise<Answer>}
   */
  async run(request, limit) {
    const start = performance.now();
    const reading = request.inputs.map((input) => attempt(() => this.#toImage(input, request, limit)));
    const isReady = this.#suits(request) && !reading.some((image) => image instanceof Promise);
    const runsNow = isReady && !this.#isBusy;
    const images = runsNow
      ? /** @type {Image[]} */ (reading)
      : await Promise.all(reading.map((image) => detach(image)));
    if (this.#isBusy) await new Promise((resolve) => this.#waiting.push(resolve));
    this.#isBusy = true;
    const drawn = [...images];
    try {
      return await this.#runAlone({ request, images, reading: 0, start }, limit);
    } finally {
      for (const image of drawn) if ('release' in image) image.release?.();
      await this.#endRun();
    }
  }

  async #endRun() {
    await host().turn?.();
    const next = this.#waiting.shift();
    if (next) next();
    else this.#isBusy = false;
  }

  /**
   * @param {Job} job
   * @param {import('./limits.js').CallLimit} [limit]
   * @returns {Promise<Answer>}
   */
  async #runAlone(job, limit) {
    const { request, images } = job;
    for (;;) {
      try {
        while (!this.#suits(request)) await this.#reload(request);
        limit?.check();
        if (request.kind === 'facts')
          return { result: this.facts, run: emptyRun(), memoryUse: this.memoryUse };
        return this.#answer(job, this.#model.engine);
      } catch (error) {
        const refused = images[job.reading];
        images[job.reading] = await decodeOnHost(error, refused, request.reading.maxPixels);
      }
    }
  }

  /**
   * @param {Input} input
   * @param {Request} request
   * @param {import('./limits.js').CallLimit} [limit]
   * @returns {Image | Promise<Image>}
   */
  #toImage(input, request, limit) {
    const isNumbers = isTensor(input) || isFloatImages(input);
    if (isNumbers && (request.roi || request.turns > 0))
      throw failure('INVALID_INPUT', 'roi and rotation do not work with float pixels or a tensor');
    if (isTensor(input)) return input;
    if (isFloatImages(input)) return resizeFloatView(input, this.#model);
    const { maxPixels } = request.reading;
    const isDrawnWhole = request.exact || !isPlain(this.#model);
    const fit = isDrawnWhole ? undefined : this.#fit(request);
    return toPixels(input, { maxPixels, fit, limit });
  }

  /**
   * The size to draw at: the network's input, before the image is turned.
   * @param {Request} request
   */
  #fit({ roi, turns }) {
    const { width, height } = this.#model.inputSize;
    return { roi, size: turns % 2 ? { width: height, height: width } : { width, height } };
  }

  /**
   * Whether the engine can run the request: not after a trap, and only with the classes that its network was built for.
   * @param {Request} request
   */
  #suits({ classes }) {
    if (this.#isClosed) throw failure('CLOSED');
    if (this.#model.engine.isBroken) return false;
    const built = this.#options.classes;
    return built === classes || JSON.stringify(built) === JSON.stringify(classes);
  }

  /**
   * Loads the model again into a new engine, for the request's classes.
   * @param {Request} request
   */
  async #reload({ classes }) {
    const options = { ...this.#options, classes, signal: undefined, onProgress: undefined };
    const model = await prepare(options);
    this.#model.engine.close();
    this.#model = model;
    this.#options = options;
    if (this.#isClosed) model.engine.close();
  }

  /**
   * Runs the network and reads its results. There is no `await` in here, so no other call can run the network in
   * between.
   * @param {Job} job
   * @param {Engine} engine
   * @returns {Answer}
   */
  #answer(job, engine) {
    const { request, images, start } = job;
    const { kind, minChange, lastSample } = request;
    /** @type {Sample | undefined} */ let sample;
    const run = emptyRun();
    const { ms } = run;
    let last = start;
    /** @param {keyof typeof ms} stage */
    const lap = (stage) => {
      const now = performance.now();
      ms[stage] += now - last;
      last = now;
    };
    if (request.features && engine.features.length === 0)
      engine.features.use(findLayer(engine, this.#options.layer), false);
    // With a fixed batch, unused slots keep stale images; they are never read.
    engine.setBatch(this.#model.isBatchFixed ? 1 : images.length);
    try {
      for (const [i, image] of images.entries()) {
        job.reading = i;
        if (image instanceof Uint8Array) {
          this.#addFacts(run, readView(engine, this.#model, image, request, i));
          lap('decode');
        } else {
          run.size = this.#readImage(engine, image);
          lap('decode');
          if (minChange) {
            sample = takeSample(/** @type {import('./input.js').Pixels} */ (image));
            if (!hasChanged(sample, lastSample, minChange))
              return { result: undefined, run, memoryUse: engine.memoryUse };
          }
          this.#writeInput(engine, image, request, i);
        }
        lap('preprocess');
      }
      engine.run(kind === 'profile');
      lap('network');
      const found = this.#read(engine, request, run.size);
      lap('postprocess');
      return { ...found, sample, run, memoryUse: engine.memoryUse };
    } finally {
      if (!engine.isBroken) engine.image.drop();
    }
  }

  /**
   * @param {Answer['run']} run of one image or of a batch
   * @param {import('../engine/image.js').FileFacts} facts about one of its files
   */
  #addFacts(run, { width, height, scale, truncated }) {
    run.size = { width, height };
    if (scale > 1) run.decode = 'scaled';
    if (truncated) run.truncated = true;
  }

  /**
   * @param {Engine} engine
   * @param {Exclude<Image, Uint8Array>} image
   * @returns {import('../engine/host.js').Size} of the upright image; 0 x 0 for a tensor
   */
  #readImage(engine, image) {
    if (isTensor(image)) return { width: 0, height: 0 };
    if ('numbers' in image) return { width: image.width, height: image.height };
    engine.image.setPixels(image);
    return 'scaledFrom' in image && image.scaledFrom ? image.scaledFrom : engine.image.size;
  }

  /**
   * @param {Engine} engine
   * @param {Exclude<Image, Uint8Array>} image
   * @param {Request} request
   * @param {number} batchIndex
   */
  #writeInput(engine, image, { kind, roi, turns, reading }, batchIndex) {
    if (isTensor(image)) engine.writeInput(0, image.tensor, kind === 'features' ? batchIndex : undefined);
    else if ('numbers' in image) engine.writeImage(image.numbers, batchIndex);
    else {
      const region = 'scaledFrom' in image ? undefined : roi;
      writeView(engine, this.#model, { roi: region, turns, reading }, batchIndex);
    }
  }

  /**
   * Reads the results that the request asks for.
   * @param {Engine} engine
   * @param {Request} request
   * @param {import('../engine/host.js').Size} size
   * @returns {Pick<Answer, 'result' | 'features'>}
   */
  #read(engine, { kind, inputs, roi, turns, thresholds, features }, size) {
    if (kind === 'heads') return { result: engine.outputs.map((_, index) => engine.readOutput(index)) };
    if (kind === 'features') return { result: engine.features.read(inputs.length) };
    if (kind === 'profile' || !thresholds) return { result: engine.operators };
    const { mask, classIds, calibrate } = this.#model;
    const region = seenRegion(this.#model, roi, size, turns);
    // The threshold is one for calibrated scores.
    const wanted = calibrate ? { ...thresholds, scoreThreshold: 0, maxResults: MAX_RESULTS } : thresholds;
    const found = engine.heads.detect(wanted, mask, region, turns);
    const kept = cutBoxes(this.#model, roi, size, found);
    const seen = pickRows(found, DETECTION_COLUMNS, kept);
    const { rows, order } = calibrate ? calibrate(seen, thresholds) : { rows: seen, order: undefined };
    if (classIds)
      for (let i = CLASS_COLUMN; i < rows.length; i += DETECTION_COLUMNS) rows[i] = classIds[rows[i]];
    if (!features) return { result: rows };
    const { length } = engine.features;
    const ofBoxes = () => engine.features.readBoxes(found.length / DETECTION_COLUMNS);
    return {
      result: rows,
      features: {
        ...(features !== 'boxes' && { image: engine.features.read(1) }),
        ...(features !== 'image' && {
          boxes: pickRows(pickRows(ofBoxes(), length, kept), length, order),
        }),
      },
    };
  }
}

/**
 * @param {Float32Array} rows
 * @param {number} length of a row
 * @param {number[]} [order] those to return; default: all
 */
function pickRows(rows, length, order) {
  if (!order) return rows;
  const picked = new Float32Array(order.length * length);
  order.forEach((row, i) => picked.set(rows.subarray(row * length, (row + 1) * length), i * length));
  return picked;
}

/** What a run begins with. @returns {Answer['run']} */
export function emptyRun() {
  const ms = { decode: 0, preprocess: 0, network: 0, postprocess: 0 };
  return { ms, size: { width: 0, height: 0 } };
}

/**
 * Whether a frame differs enough from the last detected one.
 * @param {Sample} sample
 * @param {Sample | undefined} last
 * @param {number} minChange
 */
function hasChanged({ width, height, bytes }, last, minChange) {
  if (width !== last?.width || height !== last.height) return true;
  const sum = bytes.reduce((total, value, i) => total + Math.abs(value - last.bytes[i]), 0);
  return sum >= minChange * bytes.length;
}

/**
 * One byte (green or grey) of each of about SAMPLED_PIXELS pixels, evenly spread over a frame.
 * @param {import('./input.js').Pixels} pixels
 * @returns {Sample}
 */
function takeSample({ data, width, height, stride, channels }) {
  const step = Math.max(1, Math.floor(Math.sqrt((width * height) / SAMPLED_PIXELS)));
  const bytes = [];
  for (let y = 0; y < height; y += step) {
    for (let x = 0; x < width; x += step)
      bytes.push(data[y * stride + x * channels + (channels > 1 ? 1 : 0)]);
  }
  return { width, height, bytes: Uint8Array.from(bytes) };
}

/**
 * @param {Input | Image} input
 * @returns {input is {tensor: TensorData}}
 */
export function isTensor(input) {
  return typeof input === 'object' && input !== null && 'tensor' in input;
}

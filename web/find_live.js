// A trained detector -> boxes over the live picture, and what it says about them.
import { ObjectDetector } from 'ocelli';
import { element, make, makeDot, percent } from './page.js';
import { isMirrored } from './source.js';
import { drawBoxes } from './stage.js';

/** Objects that score less are not shown. */
export const SHOWN_FROM = 0.3;
/** The detector is unsure of what scores less. */
const SURE_FROM = 0.5;
/** Boxes that score less are not proposed. */
const PROPOSED_FROM = 0.3;

/**
 * @typedef {import('ocelli').Detection} Detection
 * @typedef {import('./detector_training.js').Trained} Trained
 */

const canvas = element('boxes', HTMLCanvasElement);
const seen = element('seen', HTMLElement);

/** @param {ObjectDetector} detector @param {Blob} image */
async function proposeBy(detector, image) {
  const { detections } = await detector.detect(image, { scoreThreshold: PROPOSED_FROM });
  return detections;
}

export class Live {
  #trained;
  #detector;
  /** @type {{detections: Detection[], size: {width: number, height: number}} | undefined} */ #last;

  /** @param {Trained} trained @param {ObjectDetector} detector */
  constructor(trained, detector) {
    this.#trained = trained;
    this.#detector = detector;
  }

  /** @param {Trained} trained */
  static async open(trained) {
    return new this(trained, await ObjectDetector.create({ model: trained.model, worker: true }));
  }

  close() {
    this.#detector.close();
  }

  /**
   * Detects in the source until the signal is aborted.
   * @param {import('./source.js').Source} source
   * @param {AbortSignal} signal
   */
  async watch(source, signal) {
    const options = { scoreThreshold: SHOWN_FROM, signal };
    if (source.kind === 'photo') {
      const result = await this.#detector.detect(source.blob, options);
      if (!signal.aborted) this.#show(result);
      return;
    }
    for await (const result of this.#detector.video(source.video, options))
      if (!signal.aborted) this.#show(result);
  }

  /** @param {Blob} image */
  propose(image) {
    return proposeBy(this.#detector, image);
  }

  /** @param {{detections: Detection[], size: {width: number, height: number}}} result */
  #show(result) {
    this.#last = result;
    canvas.hidden = false;
    this.redraw();
    say(result.detections, this.#trained.colors);
  }

  redraw() {
    if (!this.#last || canvas.hidden) return;
    const { colors } = this.#trained;
    drawBoxes(canvas, this.#last.detections, this.#last.size, isMirrored(), {
      colours: colors,
      labels: ({ label, score }) =>
        score < SURE_FROM ? `${label}? unsure, ${percent(score)}` : `${label} ${percent(score)}`,
    });
  }
}

export function clearLive() {
  canvas.hidden = true;
  seen.textContent = '';
}

/**
 * Says what is found, once for each class.
 * @param {Detection[]} found best first
 * @param {string[]} colors
 */
function say(found, colors) {
  const best = found.filter(({ label }, i) => found.findIndex((other) => other.label === label) === i);
  const parts = best.map(({ label, labelId, score }, i) =>
    make(
      'span',
      { className: 'found-one' },
      makeDot(colors[labelId]),
      make('bdi', {}, label),
      `${score < SURE_FROM ? ' (unsure)' : ''}${i < best.length - 1 ? ', ' : ''}`,
    ),
  );
  const next = make('span', {}, ...(parts.length > 0 ? parts : ['Finds nothing here']));
  // Write only changes, so that a screen reader does not read out every frame.
  if (seen.textContent !== next.textContent) seen.replaceChildren(...next.childNodes);
}

/** @type {Promise<ObjectDetector> | undefined} */
let known;

/**
 * What the detector of the package knows in the picture, before there is a trained one.
 * @param {Blob} image
 * @returns {Promise<Detection[]>}
 */
export async function proposeKnown(image) {
  known ??= ObjectDetector.create({ worker: true });
  try {
    return await proposeBy(await known, image);
  } catch (error) {
    known = undefined;
    throw error;
  }
}

/** Frees the detector of the package. */
export async function forgetKnown() {
  const detector = await known?.catch(() => undefined);
  known = undefined;
  detector?.close();
}

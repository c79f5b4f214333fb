// Pictures with boxes -> a trained detector as a file, with its model card and a text with its results.
import { createForPhotos, planForPhotos } from 'ocelli/train';
import { describeCosts } from './downloads.js';
import { describeEnd, fitUntilStopped, heldOut } from './fitting.js';

/** A training should see about so many views of the pictures. */
const ROWS = 500;
/** Bytes of feature maps: a phone has no more. */
const MAX_MEMORY = 2 ** 29;

/**
 * @typedef {import('./project.js').State} State
 * @typedef {Record<string, number>} Logs
 *
 * @typedef {object} Trained
 * @property {Uint8Array} model a .tflite file
 * @property {string[]} labels
 * @property {string[]} colors of the labels
 * @property {Record<string, string>} files the model card: texts by name; none of a training that was stopped
 * @property {Record<string, string>} facts time and energy
 *
 * @typedef {object} Following
 * @property {AbortSignal} signal
 * @property {(text: string, share?: number) => void} onProgress
 * @property {(epochs: number, isMeasured: boolean) => void} onStart isMeasured: on pictures that are held out
 * @property {(done: {epoch: number, epochs: number, logs: Logs}) => void} onEpoch
 * @property {(warnings: string[]) => void} onWarnings
 */

/**
 * @param {State} state
 * @param {number} steps
 * @param {Following & {colorOf: (id: number) => string}} following
 * @returns {Promise<{trained: Trained, outcome: string}>}
 */
export async function teachDetector({ classes, pictures }, steps, following) {
  const { signal, onProgress, colorOf } = following;
  onProgress('Loading the network …');
  const names = classes.map(({ name }) => name.trim());
  const about = { photos: pictures.length, labels: names };
  const learner = await createForPhotos(about, {
    labels: names,
    worker: true,
    signal,
    onProgress: ({ loaded, total }) => onProgress('Loading the network …', total && loaded / total),
  });
  try {
    const nameOf = new Map(classes.map(({ id }, i) => [id, names[i]]));
    for (const { blob, boxes } of pictures) {
      const examples = boxes.map(({ classId, x, y, width, height }) => ({
        label: /** @type {string} */ (nameOf.get(classId)),
        box: { x, y, width, height },
      }));
      await learner.addExample(new Uint8Array(await blob.arrayBuffer()), examples);
      signal.throwIfAborted();
    }
    following.onWarnings(learner.warnings);
    const validationSplit = heldOut(pictures.length);
    const plan = planForPhotos(learner, { steps, rows: ROWS, validationSplit, maxMemory: MAX_MEMORY });
    const ended = await fit(learner, plan, following);
    const model = learner.export();
    const trained = {
      model,
      labels: learner.labels,
      colors: learner.labels.map((label) => colorOf(classes[names.indexOf(label)].id)),
      // There is no report of a stopped training.
      files: ended.isStopped ? {} : await learner.report(aboutOf(names, model)),
      facts: ended.isStopped ? {} : describeCosts(await learner.describeFit()),
    };
    return { trained, outcome: describeEnd(ended, describe(ended.logs)) };
  } finally {
    learner.close();
  }
}

/**
 * What the card says beside the figures.
 * @param {string[]} names
 * @param {Uint8Array} model
 */
const aboutOf = (names, model) => ({
  project: `${names.join(', ')} detector`,
  backbone: "the feature maps of ocelli's default SSD-MobileNetV2",
  file: 'detector.tflite',
  energy: { modelBytes: model.length },
});

/**
 * @param {Awaited<ReturnType<typeof createForPhotos>>} learner
 * @param {ReturnType<typeof planForPhotos>} plan
 * @param {Following} following
 * @returns {Promise<import('./fitting.js').Ended>} if it is stopped after an epoch, the detector keeps what it learned
 */
function fit(learner, plan, following) {
  const { signal, onProgress, onStart } = following;
  onStart(plan.epochs, plan.validationSplit > 0);
  const run = (/** @type {Following['onEpoch']} */ onEpoch) =>
    learner.fit({
      ...plan,
      earlyStopping: false,
      signal,
      callbacks: {
        onView: ({ done, total }) => onProgress('Looking at the pictures …', done / total),
        onBatch: ({ epoch, epochs, batch, batches }) =>
          onProgress('', (epoch + (batch + 1) / batches) / epochs),
        onEpoch,
      },
    });
  return fitUntilStopped(run, following);
}

/** @param {Logs} logs */
export function describe({ loss, val_AP, val_AP50 }) {
  const measured =
    val_AP50 === undefined
      ? ''
      : `; on held-out pictures AP50 ${val_AP50.toFixed(2)}, AP ${val_AP.toFixed(2)}`;
  return `loss ${loss.toPrecision(2)}${measured}.`;
}

// What the trainings of both tasks share: how much is held out, and what came of one that the user may stop.
import { plural } from './page.js';

/** From so many examples on, some are held out to measure what was learnt. */
const MIN_TO_HOLD_OUT = 10;
const HELD_OUT = 0.2;

/** The option `validationSplit`. @param {number} examples */
export const heldOut = (examples) => (examples < MIN_TO_HOLD_OUT ? 0 : HELD_OUT);

/**
 * @typedef {{epoch: number, epochs: number, logs: Record<string, number>}} Done an epoch
 *
 * @typedef {object} Ended
 * @property {Record<string, number>} logs metrics of the last epoch
 * @property {number} epochs the number of finished epochs
 * @property {boolean} isStopped whether the user stopped it before the end
 */

/**
 * @param {(onEpoch: (done: Done) => void) => Promise<unknown>} fit rejects if the signal is aborted
 * @param {{signal: AbortSignal, onEpoch: (done: Done) => void}} following
 * @returns {Promise<Ended>} rejects if it is stopped before the first epoch ended
 */
export async function fitUntilStopped(fit, { signal, onEpoch }) {
  /** @type {Omit<Ended, 'isStopped'> | undefined} */
  let last;
  try {
    await fit((done) => {
      last = { logs: done.logs, epochs: done.epoch + 1 };
      onEpoch(done);
    });
  } catch (error) {
    if (!signal.aborted || !last) throw error;
    return { ...last, isStopped: true };
  }
  return { .../** @type {NonNullable<typeof last>} */ (last), isStopped: false };
}

/** @param {Ended} ended @param {string} results */
export const describeEnd = ({ epochs, isStopped }, results) =>
  `${isStopped ? 'Stopped after' : 'Trained for'} ${plural(epochs, 'epoch')}: ${results}`;

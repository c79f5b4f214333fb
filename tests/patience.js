import { setTimeout as sleep } from 'node:timers/promises';

/**
 * How long a test waits for something that must come, in milliseconds. A wait ends as soon as it comes; the limit only ends a
 * test that would never pass, and is beyond what a busy machine may take.
 */
export const PATIENCE_MS = 300_000;

/**
 * Waits until it is so.
 * @param {() => boolean | Promise<boolean>} isSo asked again and again
 * @param {number} [intervalMs]
 */
export async function until(isSo, intervalMs = 50) {
  for (const end = Date.now() + PATIENCE_MS; !(await isSo()); await sleep(intervalMs))
    if (Date.now() > end) throw new Error(`waited in vain until ${isSo}`);
}

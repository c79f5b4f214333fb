// The spec reporter of node:test, which fails a run that skips a test without need: tests/large-models.txt lists the only
// reasons.
import { relative } from 'node:path';
import { Readable } from 'node:stream';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { isListed, readList } from './large_models.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * @typedef {import('node:test/reporters').TestEvent} TestEvent
 * @typedef {{file: string, name: string, reason: string}} Skip
 */

/**
 * @param {AsyncIterable<TestEvent>} events
 * @param {Skip[]} skips what was skipped is added
 */
async function* watch(events, skips) {
  for await (const event of events) {
    if (event.type === 'test:pass' && event.data.skip !== undefined) {
      const { name, file = '', skip } = event.data;
      skips.push({ file: relative(ROOT, file), name, reason: String(skip) });
    }
    yield event;
  }
}

/** @param {AsyncIterable<TestEvent>} events */
export default async function* report(events) {
  /** @type {Skip[]} */
  const skips = [];
  yield* Readable.from(watch(events, skips)).pipe(new spec());
  if (skips.length > 0) yield `${skips.length} tests and suites were skipped\n`;
  const list = readList();
  const unlisted = skips.filter(({ file, reason }) => !isListed(file, reason, list));
  for (const { file, name, reason } of unlisted)
    yield `${file}: '${name}' was skipped, which tests/large-models.txt does not allow: ${reason}\n`;
  if (unlisted.length > 0) process.exitCode = 1;
}

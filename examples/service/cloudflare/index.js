// The entry of the Cloudflare Worker: handles HTTP requests and queue messages.
import { env } from 'cloudflare:workers';
import { ObjectDetector } from 'ocelli';
import { detectIn } from '../annotate.js';
import { createApp } from '../app.js';
import { readConfig } from '../config.js';
import { toLogLine } from '../log.js';
import openapi from '../openapi.json' with { type: 'json' };
import { consume, createBulk } from './bulk.js';

const config = readConfig(env);
const { maxPixels } = config;
const detector = await ObjectDetector.create({ maxPixels });
const log = (/** @type {Record<string, unknown>} */ entry) => console.log(toLogLine(entry));

/**
 * The last detection. Detections run one at a time: there is one thread, and memory for one large photo.
 * @type {Promise<unknown>}
 */
let last = Promise.resolve();
/** @type {import('../app.js').Parts['detect']} */
function detect(image, wanted) {
  const found = last.then(() => detectIn(detector, image, wanted, maxPixels));
  last = found.catch(() => {});
  return found;
}

const app = createApp({
  ...{ config, detect, openapi, log },
  health: () => ({ variant: detector.variant.name }),
  admit: async (client) => (await env.LIMITER.limit({ key: client })).success,
  bulk: createBulk(env),
});

export default {
  fetch: app.fetch,
  /** @param {{messages: readonly import('./bulk.js').QueueMessage[]}} batch */
  queue: (batch) => consume(batch, { env, config, detect, log }),
};

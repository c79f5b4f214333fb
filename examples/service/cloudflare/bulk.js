// Queue messages (R2's events, or keys posted to /bulk) -> one row of detections for each version of an object. The
// queue delivers a message at least once; the row's primary key (object key, version) prevents a second row.
import { describe } from '../errors.js';

/**
 * @typedef {object} Message As R2 sends it when an object is created.
 * @property {string} action
 * @property {string} bucket
 * @property {{key: string, size: number, eTag: string}} object
 *
 * @typedef {object} QueueMessage
 * @property {Message} body
 * @property {number} attempts
 * @property {() => void} ack
 * @property {(options: {delaySeconds: number}) => void} retry
 *
 * @typedef {object} Parts
 * @property {any} env the Worker's bindings
 * @property {import('../config.js').Config} config
 * @property {import('../app.js').Parts['detect']} detect
 * @property {(entry: Record<string, unknown>) => void} log
 */

const CREATED = ['PutObject', 'CopyObject', 'CompleteMultipartUpload'];
const MAX_ATTEMPTS = 5;
const RETRY_SECONDS = 10;
const WANTED = { threshold: 0.3, max: 100, annotate: false };

/** A failure that a retry cannot fix. */
class PermanentError extends Error {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** @param {any} env the Worker's bindings @returns {import('../app.js').Bulk} */
export function createBulk({ BUCKET, PHOTOS, RESULTS }) {
  return {
    async enqueue(keys) {
      const heads = await Promise.all(keys.map((key) => BUCKET.head(key)));
      const messages = heads.flatMap((head) => (head ? [{ body: toMessage(head) }] : []));
      if (messages.length > 0) await PHOTOS.sendBatch(messages);
      return { queued: messages.length, missing: keys.filter((_, i) => heads[i] === null) };
    },
    async result(key) {
      const head = await BUCKET.head(key);
      const row = await RESULTS.prepare('SELECT * FROM results WHERE key = ? AND version = ?')
        .bind(key, head?.etag ?? '')
        .first();
      if (!row) return undefined;
      const { version, width, height, detections } = row;
      return { key, version, width, height, detections: JSON.parse(detections) };
    },
  };
}

/** @param {{key: string, size: number, etag: string}} head @returns {Message} */
function toMessage({ key, size, etag }) {
  return { action: 'PutObject', bucket: 'photos', object: { key, size, eTag: etag } };
}

/**
 * @param {{messages: readonly QueueMessage[]}} batch
 * @param {Parts} parts
 */
export async function consume({ messages }, parts) {
  for (const message of messages) {
    try {
      const note = await handle(message.body, parts);
      parts.log({ queue: 'photos', key: message.body?.object?.key, note });
      message.ack();
    } catch (error) {
      await giveUpOrRetry(message, error, parts);
    }
  }
}

/**
 * @param {Message} message
 * @param {Parts} parts
 * @returns {Promise<'done' | 'already done' | 'outdated' | 'ignored'>}
 */
async function handle(message, { env, config, detect }) {
  const { action, object } = message ?? {};
  if (typeof action !== 'string' || typeof object?.key !== 'string' || typeof object.eTag !== 'string')
    throw new PermanentError('MESSAGE_MALFORMED', 'the message is not an R2 event notification');
  if (!CREATED.includes(action)) return 'ignored';
  const { key, eTag: version } = object;
  const known = 'SELECT 1 FROM results WHERE key = ? AND version = ?';
  if (await env.RESULTS.prepare(known).bind(key, version).first()) return 'already done';
  const stored = await env.BUCKET.get(key);
  if (!stored) throw new PermanentError('OBJECT_NOT_FOUND', 'the object was deleted');
  // A newer version has its own message.
  if (stored.etag !== version) return 'outdated';
  if (stored.size > config.maxBodyBytes)
    throw new PermanentError(
      'BODY_TOO_LARGE',
      `the object has ${stored.size} bytes, the limit is ${config.maxBodyBytes}`,
    );
  const { width, height, detections } = await detect(new Uint8Array(await stored.arrayBuffer()), WANTED);
  await env.RESULTS.prepare(
    'INSERT INTO results (key, version, width, height, detections) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
  )
    .bind(key, version, width, height, JSON.stringify(detections))
    .run();
  return 'done';
}

/**
 * Puts a message with a temporary failure back into the queue. Sends one with a permanent failure, or after its last
 * attempt, to the dead-letter queue.
 * @param {QueueMessage} message
 * @param {unknown} error
 * @param {Parts} parts
 */
async function giveUpOrRetry(message, error, { env, log }) {
  const isPermanent = error instanceof PermanentError;
  const {
    status,
    code,
    message: text,
  } = isPermanent ? { ...error, status: 422, message: error.message } : describe(error);
  log({ queue: 'photos', level: 'error', key: message.body?.object?.key, code, attempt: message.attempts });
  if (status >= 500 && message.attempts < MAX_ATTEMPTS) {
    message.retry({ delaySeconds: RETRY_SECONDS });
    return;
  }
  await env.DEAD_LETTERS.send({ message: message.body, code, reason: text });
  message.ack();
}

// The bindings of the Worker example, in memory: a bucket, a queue, a table, dead letters. And messages of the queue.
import assert from 'node:assert/strict';

/** The bindings, with objects of these sizes. @param {Record<string, number>} sizes by key */
export function makeEnvironment(sizes) {
  /** @type {Map<string, any>} */
  const rows = new Map();
  /** @type {any[]} */
  const [sent, dead] = [[], []];
  const head = (/** @type {string} */ key) =>
    key in sizes
      ? { key, size: sizes[key], etag: `${key}-1`, arrayBuffer: async () => new ArrayBuffer(sizes[key]) }
      : null;
  const prepare = (/** @type {string} */ sql) => ({
    bind: (/** @type {any[]} */ ...values) => ({
      first: async () => rows.get(values.slice(0, 2).join()) ?? null,
      run: async () => {
        const [key, version, width, height, detections] = values;
        const id = [key, version].join();
        assert.match(sql, /ON CONFLICT DO NOTHING/);
        if (!rows.has(id)) rows.set(id, { key, version, width, height, detections });
      },
    }),
  });
  const env = {
    BUCKET: {
      head: async (/** @type {string} */ key) => head(key),
      get: async (/** @type {string} */ key) => head(key),
    },
    PHOTOS: { sendBatch: async (/** @type {any[]} */ messages) => void sent.push(messages) },
    RESULTS: { prepare },
    DEAD_LETTERS: { send: async (/** @type {any} */ letter) => void dead.push(letter) },
  };
  return { env, rows, sent, dead };
}

/** @param {any} body @param {number} [attempts] */
export function messageOf(body, attempts = 1) {
  /** @type {any[]} */
  const ends = [];
  return {
    ends,
    body,
    attempts,
    ack: () => void ends.push('ack'),
    retry: (/** @type {any} */ how) => void ends.push(how),
  };
}

/** What R2 sends for a new object. @param {string} key @param {object} [more] */
export const created = (key, more = {}) => ({
  action: 'PutObject',
  bucket: 'photos',
  object: { key, size: 9, eTag: `${key}-1` },
  ...more,
});

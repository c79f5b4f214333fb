// Objects and what was found in them, in PostgreSQL. A version of an object has one row in `results` or one in `poison`.
import { createHash } from 'node:crypto';

/** Two workers that start at once must not both create the tables. */
const SCHEMA_LOCK = 725_119;
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS objects (
    key text NOT NULL, version text NOT NULL, body bytea NOT NULL, number bigserial,
    PRIMARY KEY (key, version));
  CREATE TABLE IF NOT EXISTS results (
    key text NOT NULL, version text NOT NULL, width integer NOT NULL, height integer NOT NULL, detections jsonb NOT NULL,
    detected_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (key, version), FOREIGN KEY (key, version) REFERENCES objects ON DELETE CASCADE);
  CREATE TABLE IF NOT EXISTS poison (
    key text NOT NULL, version text NOT NULL, code text NOT NULL, message text NOT NULL,
    refused_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (key, version), FOREIGN KEY (key, version) REFERENCES objects ON DELETE CASCADE)`;

/**
 * Runs statements in one transaction.
 * @template T
 * @param {import('pg').Pool} pool
 * @param {(client: import('pg').PoolClient) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function transact(pool, work) {
  const client = await pool.connect();
  /** @type {Error | undefined} */ let lost;
  const lose = (/** @type {Error} */ error) => (lost = error);
  client.on('error', lose); // Without a listener, a connection that breaks would end the process.
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(lose);
    throw error;
  } finally {
    client.off('error', lose);
    client.release(lost);
  }
}

/** @param {import('pg').Pool} pool */
export const createTables = (pool) =>
  transact(pool, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [SCHEMA_LOCK]);
    await client.query(SCHEMA);
  });

/**
 * @param {import('pg').PoolClient} client
 * @param {string} key
 * @param {Uint8Array} body
 * @returns {Promise<{version: string, isNew: boolean}>} the version is the hash of the bytes
 */
export async function addObject(client, key, body) {
  const version = createHash('sha256').update(body).digest('hex');
  const { rowCount } = await client.query(
    'INSERT INTO objects (key, version, body) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
    [key, version, body],
  );
  return { version, isNew: rowCount === 1 };
}

/**
 * @param {import('pg').Pool} pool
 * @param {{key: string, version: string}} object
 * @returns {Promise<Uint8Array<ArrayBuffer> | undefined>}
 */
export async function readObject(pool, { key, version }) {
  const { rows } = await pool.query('SELECT body FROM objects WHERE key = $1 AND version = $2', [
    key,
    version,
  ]);
  return rows[0]?.body;
}

/**
 * @param {import('pg').PoolClient} client
 * @param {{key: string, version: string}} object
 * @param {import('ocelli').DetectionResult} found
 */
export const addResult = (client, { key, version }, { size, detections }) =>
  client.query('INSERT INTO results (key, version, width, height, detections) VALUES ($1, $2, $3, $4, $5)', [
    ...[key, version, size.width, size.height, JSON.stringify(detections)],
  ]);

/**
 * @param {import('pg').PoolClient} client
 * @param {{key: string, version: string}} object
 * @param {{code: string, message: string}} reason
 */
export const setApart = (client, { key, version }, { code, message }) =>
  client.query(
    'INSERT INTO poison (key, version, code, message) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
    [...[key, version, code, message]],
  );

/**
 * @param {import('pg').Pool} pool
 * @param {string} key
 * @returns {Promise<Record<string, any> | undefined>} of the newest version
 */
export async function findResult(pool, key) {
  const { rows } = await pool.query(
    `SELECT key, version, width, height, detections, code, message FROM objects
     LEFT JOIN results USING (key, version) LEFT JOIN poison USING (key, version)
     WHERE key = $1 ORDER BY number DESC LIMIT 1`,
    [key],
  );
  return rows[0];
}

// Environment variables -> the settings of a worker, and of start.js.

/** The most that pg-boss takes. */
const MAX_JOB_SECONDS = 86_400;

/** @param {Record<string, string | undefined>} env */
export const readSettings = (env) => ({
  workers: readCount(env, 'WORKERS', 2),
  port: readCount(env, 'PORT', 8090, { least: 0 }),
  host: env.HOST,
  jobSeconds: readCount(env, 'JOB_SECONDS', 60, { most: MAX_JOB_SECONDS }),
  retries: readCount(env, 'RETRIES', 5, { least: 0 }),
  maxBodyBytes: readCount(env, 'MAX_BODY_BYTES', 20e6),
});

/**
 * @param {Record<string, string | undefined>} env
 * @param {string} name
 * @param {number} byDefault
 * @param {{least?: number, most?: number}} [range]
 */
function readCount(env, name, byDefault, { least = 1, most = Number.MAX_SAFE_INTEGER } = {}) {
  const text = env[name] ?? String(byDefault);
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < least || value > most)
    throw new Error(`${name} must be an integer from ${least} to ${most}, but is '${text}'`);
  return value;
}

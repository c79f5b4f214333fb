// Environment variables -> Config. Both examples use these names; the Worker's README explains them.

/**
 * @typedef {object} Config
 * @property {string} token bearer token that requests must send; '': requests need none
 * @property {string[]} origins origins whose pages may send requests; '*': all
 * @property {string[]} urlHosts hosts that `?url=` may name; if empty, `?url=` is refused
 * @property {number} maxBodyBytes
 * @property {number} maxBodiesBytes limit for the bodies of all requests together; over it, the slowest is answered with
 *   503
 * @property {number} maxPixels
 * @property {number} maxInFlight detections at the same time; further requests are answered with 503
 * @property {number} timeoutMs limit for a body to arrive, and for the answer of `?url=`
 */

const DEFAULTS = {
  MAX_BODY_BYTES: 10e6,
  MAX_BODIES_BYTES: 20e6,
  MAX_PIXELS: 16e6,
  MAX_IN_FLIGHT: 8,
  TIMEOUT_MS: 15000,
};
/** setTimeout waits for less than 2^31 ms, and the Node server for up to twice this time. */
const MAX_TIMEOUT_MS = 2 ** 30 - 1;

/**
 * @param {Record<string, unknown>} env
 * @returns {Config}
 */
export function readConfig(env) {
  /** @param {string} name */
  const list = (name) =>
    String(env[name] ?? '')
      .split(/[\s,]+/)
      .filter(Boolean);
  /** @param {keyof typeof DEFAULTS} name @param {{most?: number}} [range] */
  const count = (name, range) => readCount(env, name, DEFAULTS[name], range);
  const maxBodyBytes = count('MAX_BODY_BYTES');
  const maxBodiesBytes = count('MAX_BODIES_BYTES');
  if (maxBodiesBytes < maxBodyBytes)
    throw new Error(`MAX_BODIES_BYTES is ${maxBodiesBytes}, but a body may have ${maxBodyBytes}`);
  return {
    token: String(env.API_TOKEN ?? ''),
    origins: list('ALLOWED_ORIGINS'),
    urlHosts: list('URL_HOSTS'),
    maxBodyBytes,
    maxBodiesBytes,
    maxPixels: count('MAX_PIXELS'),
    maxInFlight: count('MAX_IN_FLIGHT'),
    timeoutMs: count('TIMEOUT_MS', { most: MAX_TIMEOUT_MS }),
  };
}

/**
 * @param {Record<string, unknown>} env
 * @param {string} name
 * @param {number} byDefault
 * @param {{least?: number, most?: number}} [range]
 */
export function readCount(env, name, byDefault, { least = 1, most = Number.MAX_SAFE_INTEGER } = {}) {
  const text = String(env[name] ?? byDefault);
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < least || value > most)
    throw new Error(`${name} must be an integer from ${least} to ${most}, but is '${text}'`);
  return value;
}

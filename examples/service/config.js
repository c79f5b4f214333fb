// Environment variables -> limits. Both examples read the same names; wrangler.jsonc and the README list them.

/**
 * @typedef {object} Config
 * @property {string} token bearer token that requests must bear; '': none
 * @property {string[]} origins that pages may ask from ('*': all)
 * @property {string[]} urlHosts hosts that `?url=` may name; none: no `?url=`
 * @property {number} maxBodyBytes
 * @property {number} maxPixels
 * @property {number} maxInFlight requests for detections at once; more are answered 503
 * @property {number} timeoutMs for a body to arrive, and for a URL's answer
 */

const DEFAULTS = { MAX_BODY_BYTES: 10e6, MAX_PIXELS: 16e6, MAX_IN_FLIGHT: 8, TIMEOUT_MS: 15000 };

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
  /** @param {keyof typeof DEFAULTS} name */
  const count = (name) => {
    const value = Number(env[name] ?? DEFAULTS[name]);
    if (!(Number.isInteger(value) && value > 0)) throw new Error(`${name} must be a whole number over 0`);
    return value;
  };
  return {
    token: String(env.API_TOKEN ?? ''),
    origins: list('ALLOWED_ORIGINS'),
    urlHosts: list('URL_HOSTS'),
    maxBodyBytes: count('MAX_BODY_BYTES'),
    maxPixels: count('MAX_PIXELS'),
    maxInFlight: count('MAX_IN_FLIGHT'),
    timeoutMs: count('TIMEOUT_MS'),
  };
}

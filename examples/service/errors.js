// Error codes of a request and their HTTP statuses. ocelli's own codes are passed on.

/** @type {Record<string, 400 | 401 | 403 | 404 | 408 | 413 | 415 | 422 | 429 | 500 | 501 | 502 | 503>} */
const STATUSES = {
  BAD_REQUEST: 400,
  UNAUTHORIZED: 401,
  URL_NOT_ALLOWED: 403,
  NOT_FOUND: 404,
  BODY_TOO_SLOW: 408,
  BODY_TOO_LARGE: 413,
  IMAGE_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  UNSUPPORTED_IMAGE_FORMAT: 415,
  IMAGE_CORRUPT: 422,
  IMAGE_EMPTY: 400,
  TOO_MANY_REQUESTS: 429,
  NOT_AVAILABLE: 501,
  URL_FAILED: 502,
  BUSY: 503,
};

export class ServiceError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * The error that the client gets. For an error without a known code it gets no details.
 * @param {unknown} error
 */
export function describe(error) {
  const { code = '', message = '' } = /** @type {{code?: string, message?: string}} */ (error ?? {});
  const status = Object.hasOwn(STATUSES, code) ? STATUSES[code] : 500;
  return status === 500
    ? { status, code: 'INTERNAL', message: 'internal error; the server log has the details' }
    : { status, code, message };
}

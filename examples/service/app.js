// The HTTP app that both examples run: image in, detections or the annotated picture out. The Worker and the Node
// server pass in what differs between them (`Parts`).
import { Hono } from 'hono';
import { cors } from 'hono/cors';
import { isAuthorized } from './auth.js';
import { readBytes, readImage } from './body.js';
import { describe, ServiceError } from './errors.js';
import { Intake } from './intake.js';

/**
 * @typedef {import('ocelli').Detection} Detection
 * @typedef {{width: number, height: number, detections: Detection[], picture?: Uint8Array<ArrayBuffer>}} Found `picture`:
 *   the annotated PNG, if requested
 * @typedef {{threshold?: number, max: number, annotate: boolean}} Wanted `threshold`: default is the detector's own
 * @typedef {{key: string, version: string, width: number, height: number, detections: Detection[]}} Result
 *
 * @typedef {object} Bulk Queued detection of stored objects.
 * @property {(keys: string[]) => Promise<{queued: number, missing: string[]}>} enqueue `missing`: keys without an
 *   object
 * @property {(key: string) => Promise<Result | undefined>} result of the object's newest version
 *
 * @typedef {object} Parts
 * @property {import('./config.js').Config} config
 * @property {(image: Uint8Array<ArrayBuffer>, wanted: Wanted) => Promise<Found>} detect
 * @property {object} openapi the content of openapi.json
 * @property {() => object} [health] further fields of /healthz
 * @property {(entry: Record<string, unknown>) => void} log called once for each request; entries contain no image data
 * @property {(client: string) => Promise<boolean>} [admit] resolves to false if this client sends too many requests
 * @property {Bulk} [bulk] without it /bulk and /results answer 501
 * @property {import('./body.js').OpenBody} [openBody] default: the request's stream
 * @property {() => Promise<{text: string, type: string}>} [monitoring] the answer of /metrics
 */

const MAX_KEYS = 100;

/** @param {Parts} parts */
export function createApp(parts) {
  const {
    config,
    detect,
    openapi,
    health = () => ({}),
    log,
    admit = async () => true,
    bulk,
    openBody,
    monitoring,
  } = parts;
  const reading = { ...config, openBody };
  const app = new Hono();
  const intake = new Intake(config.maxBodiesBytes);
  let inFlight = 0;

  app.use(async (context, next) => {
    const start = Date.now();
    await next();
    const { method, path } = context.req;
    const { status } = context.res;
    log({
      method,
      path,
      status,
      ms: Date.now() - start,
      code: context.res.headers.get('x-error') ?? undefined,
    });
  });
  if (config.origins.length > 0) {
    const origin = config.origins.includes('*') ? '*' : config.origins;
    app.use(cors({ origin, allowMethods: ['GET', 'POST'], allowHeaders: ['authorization', 'content-type'] }));
  }

  app.get('/healthz', (context) => context.json({ status: 'ok', ...health() }));
  app.get('/openapi.json', (context) => context.json(openapi));

  app.use(async (context, next) => {
    // The rate is limited first, so that nobody can try out tokens faster.
    if (!(await admit(context.req.header('cf-connecting-ip') ?? '')))
      throw new ServiceError('TOO_MANY_REQUESTS', 'too many requests; try again later');
    if (config.token && !(await isAuthorized(context.req.header('authorization'), config.token)))
      throw new ServiceError('UNAUTHORIZED', 'send the right token in "Authorization: Bearer …"');
    await next();
  });
  if (monitoring) {
    app.get('/metrics', async (context) => {
      const { text, type } = await monitoring();
      return context.body(text, 200, { 'content-type': type });
    });
  }

  /**
   * Runs a detection if few enough are under way.
   * @type {Parts['detect']}
   */
  async function detectInTurn(image, wanted) {
    if (inFlight >= config.maxInFlight)
      throw new ServiceError('BUSY', 'too many requests are being processed; try again later');
    inFlight++;
    try {
      return await detect(image, wanted);
    } finally {
      inFlight--;
    }
  }

  app.post('/detect', async (context) => {
    const annotate = wantsPicture(context.req.header('accept'));
    const wanted = { ...readThresholds(context.req.query()), annotate };
    const body = intake.open();
    try {
      const image = await readImage(context.req.raw, reading, body);
      const { picture, ...found } = await detectInTurn(image, wanted);
      return picture ? context.body(picture, 200, { 'content-type': 'image/png' }) : context.json(found);
    } finally {
      body.drop();
    }
  });

  app.post('/bulk', async (context) => {
    const { enqueue } = needBulk(bulk);
    const body = intake.open();
    try {
      return context.json(await enqueue(readKeys(await readBytes(context.req.raw, reading, body))), 202);
    } finally {
      body.drop();
    }
  });
  app.get('/results/:key{.+}', async (context) => {
    const found = await needBulk(bulk).result(context.req.param('key'));
    if (!found) throw new ServiceError('NOT_FOUND', 'there is no result for this object yet');
    return context.json(found);
  });

  app.notFound(() => {
    throw new ServiceError('NOT_FOUND', 'there is no such route; see /openapi.json');
  });
  app.onError((error, context) => {
    const { status, code, message } = describe(error);
    if (status === 500) log({ level: 'error', error: error.stack });
    context.header('x-error', code);
    if (status === 503) context.header('retry-after', '1');
    if (status === 401) context.header('www-authenticate', 'Bearer');
    return context.json({ code, message }, status);
  });
  return app;
}

/** @param {string | undefined} accept the header; the first of the two types in it decides */
function wantsPicture(accept = '') {
  return /image\/png|application\/json/.exec(accept)?.[0] === 'image/png';
}

/** @param {Record<string, string>} query */
function readThresholds({ threshold, max = '100' }) {
  const wanted = { max: Number(max), ...(threshold !== undefined && { threshold: Number(threshold) }) };
  const { threshold: score = 0 } = wanted;
  if (threshold === '' || !(score >= 0 && score < 1))
    throw new ServiceError('BAD_REQUEST', 'threshold must be a number, at least 0 and less than 1');
  if (!(Number.isInteger(wanted.max) && wanted.max >= 1 && wanted.max <= 1000))
    throw new ServiceError('BAD_REQUEST', 'max must be an integer from 1 to 1000');
  return wanted;
}

/** @param {Uint8Array} bytes @returns {string[]} */
function readKeys(bytes) {
  try {
    const { keys } = JSON.parse(new TextDecoder().decode(bytes));
    const isList = Array.isArray(keys) && keys.length > 0 && keys.length <= MAX_KEYS;
    if (isList && keys.every((key) => typeof key === 'string' && key !== '')) return keys;
  } catch {
    // not JSON
  }
  throw new ServiceError('BAD_REQUEST', `the body must be {"keys": [...]} with 1 to ${MAX_KEYS} names`);
}

/** @param {Bulk | undefined} bulk */
function needBulk(bulk) {
  if (!bulk) throw new ServiceError('NOT_AVAILABLE', 'this server has no object store and no queue');
  return bulk;
}

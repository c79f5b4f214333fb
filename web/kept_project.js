// Keeps a project in this browser (IndexedDB), so that a reload does not lose it. It never leaves the browser.
import { makeId } from './project.js';

/**
 * @typedef {import('./project.js').State} State
 * @typedef {import('./detector_training.js').Trained} Trained
 * @typedef {{state: State, trained?: Trained}} Kept
 */

const DATABASE = 'ocelli-teach';
/** The pictures' files by picture id; everything else under fixed keys. */
const PICTURES = 'pictures';
const REST = 'rest';

/** @type {Promise<IDBDatabase> | undefined} */
let opened;
/** What is written now, and what is to be written next. @type {Promise<void> | undefined} */
let writing;
/** @type {Kept | undefined} */
let waiting;
/**
 * Ids of models. A model is large: it is written only if another one is kept, perhaps by another tab.
 * @type {WeakMap<Uint8Array, string>}
 */
const modelIds = new WeakMap();

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
const finish = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

function open() {
  opened ??= openDatabase().catch((error) => {
    opened = undefined;
    throw error;
  });
  return opened;
}

/** @returns {Promise<IDBDatabase>} */
function openDatabase() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      for (const store of [PICTURES, REST]) request.result.createObjectStore(store);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @returns {Promise<Kept | undefined>} undefined: nothing is kept */
export async function recallProject() {
  const transaction = (await open()).transaction([PICTURES, REST]);
  const [pictures, rest] = [transaction.objectStore(PICTURES), transaction.objectStore(REST)];
  const [ids, blobs, state, trained, modelId] = await Promise.all([
    finish(pictures.getAllKeys()),
    finish(pictures.getAll()),
    finish(rest.get('state')),
    finish(rest.get('trained')),
    finish(rest.get('model id')),
  ]);
  if (!state) return undefined;
  if (trained && modelId) modelIds.set(trained.model, modelId);
  const files = new Map(ids.map((id, i) => [id, blobs[i]]));
  const kept = state.pictures.filter((/** @type {{id: string}} */ { id }) => files.has(id));
  return {
    state: {
      ...state,
      pictures: kept.map((/** @type {{id: string}} */ each) => ({ ...each, blob: files.get(each.id) })),
    },
    trained,
  };
}

/**
 * Keeps the newest state; states that come while another one is written replace each other.
 * @param {Kept} kept
 * @returns {Promise<void>} rejects if the browser has no room or forbids it
 */
export function keepProject(kept) {
  waiting = kept;
  writing ??= writeAll().finally(() => (writing = undefined));
  return writing;
}

async function writeAll() {
  while (waiting) {
    const next = waiting;
    waiting = undefined;
    try {
      await write(next);
    } catch (error) {
      if (!waiting) throw error;
    }
  }
}

/** @param {Kept} kept */
async function write({ state, trained }) {
  const transaction = (await open()).transaction([PICTURES, REST], 'readwrite');
  const done = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
  await Promise.all([fill(transaction, { state, trained }), done]);
}

/** @param {Uint8Array} model */
function idOf(model) {
  const id = modelIds.get(model) ?? makeId();
  modelIds.set(model, id);
  return id;
}

/** @param {IDBTransaction} transaction @param {Kept} kept */
async function fill(transaction, { state, trained }) {
  const [pictures, rest] = [transaction.objectStore(PICTURES), transaction.objectStore(REST)];
  try {
    const [known, keptModel] = await Promise.all([
      finish(pictures.getAllKeys()),
      finish(rest.get('model id')),
    ]);
    const ids = new Set(state.pictures.map(({ id }) => id));
    for (const id of known) if (!ids.has(/** @type {string} */ (id))) pictures.delete(id);
    for (const { id, blob } of state.pictures) if (!known.includes(id)) pictures.put(blob, id);
    rest.put({ ...state, pictures: state.pictures.map(({ blob, ...each }) => each) }, 'state');
    if (!trained) {
      rest.delete('trained');
      rest.delete('model id');
    } else if (idOf(trained.model) !== keptModel) {
      rest.put(trained, 'trained');
      rest.put(idOf(trained.model), 'model id');
    }
  } catch (error) {
    // Nothing of it is kept; it may have been aborted already.
    if (/** @type {Error} */ (error).name !== 'AbortError') transaction.abort();
    throw error;
  }
}

// As much of a browser as the pages need to start: elements that are there for every id and do nothing by themselves, and
// IndexedDB.

const any = (/** @type {unknown} */ value) => /** @type {any} */ (value);

class StubElement extends EventTarget {
  /** @type {any[]} */ children = [];
  /** @type {Map<string, string>} */ attributes = new Map();
  /** @type {Set<string>} */ classes = new Set();
  classList = {
    contains: (/** @type {string} */ name) => this.classes.has(name),
    remove: (/** @type {string} */ name) => void this.classes.delete(name),
    toggle: (/** @type {string} */ name, /** @type {boolean} */ isOn) =>
      void this.classes[isOn ? 'add' : 'delete'](name),
  };
  dataset = {};
  style = {};
  textContent = '';
  value = '';
  hidden = false;
  disabled = false;

  get firstElementChild() {
    return this.children.at(0);
  }
  get lastElementChild() {
    return this.children.at(-1);
  }
  /** @param {string} name */
  getAttribute = (name) => this.attributes.get(name) ?? null;
  /** @param {string} name @param {string} value */
  setAttribute = (name, value) => void this.attributes.set(name, value);
  /** @param {string} name */
  removeAttribute = (name) => void this.attributes.delete(name);
  append(/** @type {any[]} */ ...children) {
    this.children.push(...children);
  }
  replaceChildren(/** @type {any[]} */ ...children) {
    this.children = children;
  }
  contains() {
    return false;
  }
  insertBefore() {}
  replaceWith() {}
  remove() {}
  focus() {}
  select() {}
  // Of a video:
  async play() {}
  // Of a canvas: all that is drawn is lost.
  getContext = () => new Proxy({}, { get: () => () => {}, set: () => true });
}

/** Defines what the pages take from their window. Returns its elements by id. */
export function installPage() {
  /** @type {Map<string, any>} */
  const elements = new Map();
  const byId = (/** @type {string} */ id) => {
    if (!elements.has(id)) elements.set(id, Object.assign(new StubElement(), { id }));
    return elements.get(id);
  };
  const make = () => new StubElement();
  /** @type {Map<string, string>} */
  const kept = new Map();
  const names = ['', 'Anchor', 'Button', 'Canvas', 'Image', 'Input', 'Progress', 'Select', 'Video'];
  const globals = {
    ...Object.fromEntries(names.map((name) => [`HTML${name}Element`, StubElement])),
    document: { getElementById: byId, createElement: make, querySelectorAll: () => [], body: make() },
    location: { hash: '' },
    localStorage: {
      getItem: (/** @type {string} */ key) => kept.get(key) ?? null,
      setItem: (/** @type {string} */ key, /** @type {string} */ value) => kept.set(key, value),
    },
    addEventListener() {},
    createImageBitmap: async () => ({ width: 8, height: 8, close() {} }),
    devicePixelRatio: 1,
    getComputedStyle: make,
    matchMedia: make,
    navigator: globalThis.navigator ?? {}, // Node 20 has none.
    MediaStream: class {},
    Option: StubElement,
    ResizeObserver: class {
      observe() {}
    },
  };
  for (const [name, value] of Object.entries(globals))
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  return byId;
}

/**
 * IndexedDB with one database.
 * @param {Record<string, Map<string, any>>} stores
 * @param {() => void} onWritten called at the end of each transaction that may write
 */
export function installDatabase(stores, onWritten) {
  const answer = (/** @type {unknown} */ result) => {
    const request = any({ result });
    queueMicrotask(() => request.onsuccess());
    return request;
  };
  const open = (/** @type {Map<string, any>} */ store) => ({
    getAllKeys: () => answer([...store.keys()]),
    getAll: () => answer([...store.values()]),
    get: (/** @type {string} */ key) => answer(store.get(key)),
    put: (/** @type {any} */ value, /** @type {string} */ key) => void store.set(key, value),
    delete: (/** @type {string} */ key) => void store.delete(key),
  });
  function transaction(/** @type {string[]} */ _, /** @type {string} */ mode) {
    const made = any({ objectStore: (/** @type {string} */ name) => open(stores[name]) });
    setImmediate(() => {
      if (mode === 'readwrite') onWritten();
      made.oncomplete?.();
    });
    return made;
  }
  any(globalThis).indexedDB = { open: () => answer({ transaction }) };
}

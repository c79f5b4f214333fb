// As much of a page as <ocelli-detector> needs: elements with attributes and children, pictures and videos that load when a test
// says so, a canvas that notes what is drawn.

const any = (/** @type {unknown} */ value) => /** @type {any} */ (value);

export class StubElement extends EventTarget {
  /** @type {Map<string, string>} */ attributes = new Map();
  /** @type {any[]} */ children = [];
  /** @type {any} */ parent;
  /** @type {Set<string>} */ classes = new Set();
  classList = {
    toggle: (/** @type {string} */ name, /** @type {boolean} */ isOn) =>
      void this.classes[isOn ? 'add' : 'delete'](name),
  };
  dataset = {};
  textContent = '';
  isConnected = false;

  /** @param {string} name */
  getAttribute = (name) => this.attributes.get(name) ?? null;
  /** @param {string} name */
  hasAttribute = (name) => this.attributes.has(name);
  /** @param {string} name @param {string} value */
  setAttribute(name, value) {
    const before = this.getAttribute(name);
    this.attributes.set(name, value);
    any(this).attributeChangedCallback?.(name, before, value);
  }
  /** @param {string} name */
  removeAttribute(name) {
    const before = this.getAttribute(name);
    this.attributes.delete(name);
    any(this).attributeChangedCallback?.(name, before, null);
  }
  /** @param {any[]} children */
  append(...children) {
    for (const child of children) child.remove();
    this.children.push(...children);
    for (const child of children) child.parent = this;
  }
  /** @param {any} child */
  prepend(child) {
    child.remove();
    this.children.unshift(child);
    child.parent = this;
  }
  remove() {
    if (this.parent)
      this.parent.children = this.parent.children.filter((/** @type {any} */ each) => each !== this);
    this.parent = undefined;
  }
  attachShadow() {
    return any((this.shadow = new StubElement()));
  }
}

export class StubPicture extends StubElement {
  src = '';
  alt = '';
  naturalWidth = 400;
  decode = () => page.decode();
}

export class StubVideo extends StubElement {
  paused = true;
  videoWidth = 800;
  /** @type {any} */ error = null;
  loads = 0;
  play() {
    this.paused = false;
    this.dispatchEvent(new Event('play'));
    return Promise.resolve();
  }
  pause() {
    this.paused = true;
    this.dispatchEvent(new Event('pause'));
  }
  load() {
    this.loads++;
  }
}

class StubCanvas extends StubElement {
  clientWidth = 200;
  clientHeight = 100;
  height = 0;
  /** @type {any[]} */ drawn = [];
  #width = 0;
  get width() {
    return this.#width;
  }
  set width(width) {
    this.#width = width;
    this.drawn.length = 0; // as a canvas does
  }
  getContext = () => makeContext(this, this.drawn);
}

/** A context that notes its calls and settings. @param {{width: number, height: number}} canvas @param {any[]} drawn */
export function makeContext({ width, height }, drawn) {
  const get = (/** @type {any} */ kept, /** @type {string} */ name) =>
    kept[name] ?? ((/** @type {any[]} */ ...args) => (drawn.push([name, ...args]), { width: 5 }));
  const set = (/** @type {any} */ kept, /** @type {string} */ name, /** @type {any} */ value) =>
    drawn.push([name, value]) > 0 && Reflect.set(kept, name, value);
  return any(new Proxy({ canvas: { width, height } }, { get, set }));
}

class StubErrorEvent extends Event {
  /** @param {string} type @param {{error: unknown, message: string}} init */
  constructor(type, { error, message }) {
    super(type);
    Object.assign(this, { error, message });
  }
}

/** What the page was asked for. */
export const page = {
  /** @type {StubVideo[]} */ videos: [],
  /** @type {StubPicture[]} */ pictures: [],
  /** Called when the stage has another size. @type {() => void} */ resize: () => {},
  observed: /** @type {any[]} */ ([]),
  isStillWanted: false,
  /** Decodes a picture. */
  decode: async () => {},
  /** @type {any} */ media: undefined,
};

const KINDS = /** @type {Record<string, typeof StubElement>} */ ({ video: StubVideo, canvas: StubCanvas });
const stubs = {
  HTMLElement: StubElement,
  HTMLImageElement: StubPicture,
  HTMLVideoElement: StubVideo,
  Image: class extends StubPicture {
    constructor() {
      super();
      page.pictures.push(this);
    }
  },
  ErrorEvent: StubErrorEvent,
  CSSStyleSheet: class {
    /** @param {string} text */
    replaceSync = (text) => void Object.assign(this, { text });
  },
  ResizeObserver: class {
    /** @param {() => void} resize */
    constructor(resize) {
      page.resize = resize;
    }
    observe = (/** @type {any} */ element) => void page.observed.push(element);
  },
  document: {
    createElement(/** @type {string} */ name) {
      const made = new (KINDS[name] ?? StubElement)();
      if (made instanceof StubVideo) page.videos.push(made);
      return made;
    },
  },
  devicePixelRatio: 2,
  matchMedia: (/** @type {string} */ query) => ({
    matches: page.isStillWanted && query === '(prefers-reduced-motion: reduce)',
  }),
  navigator: {
    get mediaDevices() {
      return page.media;
    },
  },
};
for (const [name, value] of Object.entries(stubs))
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });

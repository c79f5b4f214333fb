// A picture with boxes that the user draws, selects, moves, resizes and deletes: by mouse, touch and keyboard. It shows what
// it is given and reports what the user wants; boxes are in pixels of the picture.
import { contains, handleAt, MIN_PX, move, resize, span } from './boxes.js';
import { make } from './page.js';

/** A pointer that moves less, in CSS pixels, has clicked. */
const CLICK_PX = 5;
/** How near to an edge, in CSS pixels, it can be dragged. */
const REACH_PX = { mouse: 10, touch: 22 };
/** A step of the arrow keys is this share of the picture's longer side. */
const STEP = 0.005;
/** A tag is about this share of the picture high. */
const TAG_ROOM = 0.06;
const ARROWS = /** @type {Record<string, Point>} */ ({
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
});

/**
 * @typedef {import('./boxes.js').Point} Point
 * @typedef {import('./boxes.js').Rect} Rect
 *
 * @typedef {Rect & {id: number, name: string, color: string, score?: number}} Shown a score: the box is only proposed
 *
 * @typedef {object} View
 * @property {string} key of the picture; another one drops the selection
 * @property {string} url
 * @property {number} width
 * @property {number} height
 * @property {Shown[]} boxes
 *
 * @typedef {object} Events
 * @property {(box: Rect) => void} onDraw
 * @property {(id: number, box: Rect, isStep: boolean) => void} onReshape isStep: by a key, many of which make one change
 * @property {(id: number) => void} onDelete
 * @property {(id: number) => void} onAccept of a proposed box
 * @property {(number: number) => void} onClass the number of a class, from 0, for the selected box
 * @property {(id?: number) => void} onSelect
 */

export class BoxEditor {
  #root;
  #events;
  #frame = make('div', { className: 'frame' });
  #image = make('img', { alt: '' });
  /** @type {Map<number, HTMLElement>} */ #elements = new Map();
  /** @type {View | undefined} */ #view;
  /** @type {number | undefined} */ #selected;
  /** What the pointer does now. @type {Drag | undefined} */ #drag;
  #draft = make('div', { className: 'box draft', hidden: true });

  /**
   * @param {HTMLElement} root covers the area that the picture is fitted into
   * @param {Events} events
   */
  constructor(root, events) {
    this.#root = root;
    this.#events = events;
    this.#frame.append(this.#image, this.#draft);
    root.append(this.#frame);
    new ResizeObserver(() => this.#layOut()).observe(root);
    root.addEventListener('pointerdown', (event) => this.#press(event));
    root.addEventListener('pointermove', (event) => this.#pull(event));
    root.addEventListener('pointerup', (event) => this.#release(event));
    root.addEventListener('pointercancel', () => this.#cancel());
    root.addEventListener('keydown', (event) => this.#pressKey(event));
    this.#image.draggable = false;
  }

  /** The selected box, if any: never a proposed one. */
  get selected() {
    return this.#selected;
  }

  /** @param {View} [view] nothing: the editor is hidden */
  show(view) {
    this.#root.hidden = !view;
    if (view?.key !== this.#view?.key) this.#reset(view?.url);
    this.#view = view;
    const boxes = view?.boxes ?? [];
    if (!boxes.some(({ id }) => id === this.#selected)) this.#setSelected(undefined);
    this.#removeElements(new Set(boxes.map(({ id }) => id)));
    boxes.forEach((box, i) => this.#showBox(box, i));
    this.#layOut();
  }

  /** @param {string} [url] */
  #reset(url) {
    this.#cancel();
    this.#selected = undefined;
    if (url) this.#image.src = url;
    else this.#image.removeAttribute('src');
  }

  /** The focus goes to a neighbour of the box that had it. @param {Set<number>} kept */
  #removeElements(kept) {
    for (const [id, element] of this.#elements) {
      if (kept.has(id)) continue;
      const ids = [...this.#elements.keys()];
      const at = ids.indexOf(id);
      const next = [...ids.slice(at + 1), ...ids.slice(0, at).reverse()].find((other) => kept.has(other));
      const hadFocus = element === document.activeElement;
      element.remove();
      this.#elements.delete(id);
      if (!hadFocus) continue;
      if (next === undefined) this.#root.dispatchEvent(new Event('emptied'));
      else this.#elements.get(next)?.focus();
    }
  }

  /** @param {Shown} box @param {number} at */
  #showBox(box, at) {
    const element = this.#elements.get(box.id) ?? this.#makeElement(box);
    const { name, color, score } = box;
    element.style.setProperty('--color', color);
    this.#place(element, box);
    // Above the box, or in it where there is no room.
    element.classList.toggle('high', box.y < TAG_ROOM * (this.#view?.height ?? 0));
    const tag = /** @type {HTMLElement} */ (element.firstElementChild);
    tag.textContent = name;
    const where = `${box.width} × ${box.height} pixels at ${box.x}, ${box.y}`;
    // Isolated, so that a name in another direction does not turn the numbers round.
    const isolated = `\u2068${name}\u2069`;
    if (score === undefined) mark(element, box.id === this.#selected);
    const label =
      score === undefined
        ? `${isolated}, box ${at + 1}: ${where}`
        : `Proposed: ${isolated}, ${Math.round(100 * score)} %. Accept it`;
    element.setAttribute('aria-label', label);
  }

  /** @param {Shown} box */
  #makeElement({ id, score }) {
    const tag = make('bdi', { className: 'tag' });
    const isProposed = score !== undefined;
    const element = isProposed
      ? make('button', { type: 'button', className: 'box proposed' }, tag)
      : make('div', { className: 'box', tabIndex: 0 }, tag);
    if (!isProposed) {
      element.setAttribute('role', 'button');
      element.setAttribute('aria-roledescription', 'box');
      for (const corner of ['nw', 'ne', 'sw', 'se']) element.append(make('i', { className: corner }));
      element.addEventListener('focus', () => this.select(id));
    } else element.addEventListener('click', () => this.#events.onAccept(id));
    element.dataset.id = String(id);
    this.#elements.set(id, element);
    this.#frame.append(element);
    return element;
  }

  /** @param {HTMLElement} element @param {Rect} box */
  #place({ style }, { x, y, width, height }) {
    if (!this.#view) return;
    style.left = `${(100 * x) / this.#view.width}%`;
    style.top = `${(100 * y) / this.#view.height}%`;
    style.width = `${(100 * width) / this.#view.width}%`;
    style.height = `${(100 * height) / this.#view.height}%`;
  }

  /** Fits the picture into the area, in the middle. */
  #layOut() {
    if (!this.#view) return;
    const { clientWidth, clientHeight } = this.#root;
    const { width, height } = this.#view;
    const scale = Math.min(clientWidth / width, clientHeight / height);
    const { style } = this.#frame;
    style.width = `${width * scale}px`;
    style.height = `${height * scale}px`;
    style.left = `${(clientWidth - width * scale) / 2}px`;
    style.top = `${(clientHeight - height * scale) / 2}px`;
  }

  /** @param {number} [id] */
  select(id) {
    if (id === this.#selected) return;
    this.#setSelected(id);
    this.#events.onSelect(id);
  }

  /** @param {number} [id] */
  #setSelected(id) {
    this.#selected = id;
    for (const [each, element] of this.#elements) mark(element, each === id);
  }

  /** @param {number} id of a box that is shown */
  focus(id) {
    this.#elements.get(id)?.focus();
  }

  #selectedBox() {
    return this.#view?.boxes.find(({ id }) => id === this.#selected);
  }

  // ---- pointer

  /** The place in pixels of the picture. @param {PointerEvent} event @returns {Point} */
  #pointOf({ clientX, clientY }) {
    const { left, top, width } = this.#frame.getBoundingClientRect();
    const scale = (this.#view?.width ?? 1) / width;
    return { x: (clientX - left) * scale, y: (clientY - top) * scale };
  }

  /** Pixels of the picture for a CSS pixel. */
  #scale() {
    return (this.#view?.width ?? 1) / this.#frame.clientWidth;
  }

  /** @param {PointerEvent} event */
  #press(event) {
    const isProposal = event.target instanceof Element && event.target.closest('.proposed');
    if (event.button !== 0 || !event.isPrimary || !this.#view || isProposal) return;
    // Keeps the focus and the text selection as they are; the release sets the focus.
    event.preventDefault();
    this.#root.setPointerCapture(event.pointerId);
    const from = this.#pointOf(event);
    const box = this.#selectedBox();
    const reach = REACH_PX[event.pointerType === 'mouse' ? 'mouse' : 'touch'] * this.#scale();
    const handle = box && handleAt(box, from, reach);
    if (box && handle) this.#drag = { kind: 'resize', from, box, handle };
    else if (box && contains(box, from)) this.#drag = { kind: 'move', from, box };
    else this.#drag = { kind: 'draw', from };
  }

  /** @param {PointerEvent} event */
  #pull(event) {
    if (!event.isPrimary || !this.#view) return;
    const to = this.#pointOf(event);
    if (!this.#drag) {
      this.#root.style.cursor = this.#cursorAt(to);
      return;
    }
    const result = this.#drop(to);
    const { box } = this.#drag;
    const shown = box ? /** @type {HTMLElement} */ (this.#elements.get(box.id)) : this.#draft;
    this.#draft.hidden = box !== undefined || !result;
    if (result ?? box) this.#place(shown, /** @type {Rect} */ (result ?? box));
  }

  /** @param {PointerEvent} event */
  #release(event) {
    const drag = this.#drag;
    if (!event.isPrimary || !drag) return;
    const to = this.#pointOf(event);
    const result = this.#drop(to);
    this.#drag = undefined;
    this.#draft.hidden = true;
    if (!result) this.#click(to);
    else if (drag.box) this.#events.onReshape(drag.box.id, result, false);
    else this.#events.onDraw(result);
  }

  #cancel() {
    const box = this.#drag?.box;
    this.#drag = undefined;
    this.#draft.hidden = true;
    const element = box && this.#elements.get(box.id);
    if (box && element) this.#place(element, box);
  }

  /** What comes of the drag if it ends here; undefined: it is a click. @param {Point} to @returns {Rect | undefined} */
  #drop(to) {
    const [drag, view] = [this.#drag, this.#view];
    if (!drag || !view) return undefined;
    const by = { x: to.x - drag.from.x, y: to.y - drag.from.y };
    drag.isMoved ||= Math.hypot(by.x, by.y) >= CLICK_PX * this.#scale();
    if (!drag.isMoved) return undefined;
    if (drag.kind === 'draw') return span(drag.from, to, view);
    return drag.kind === 'move' ? move(drag.box, by, view) : resize(drag.box, drag.handle, by, view);
  }

  /** Selects the smallest box here; a further click the next larger one. @param {Point} at */
  #click(at) {
    const boxes = (this.#view?.boxes ?? [])
      .filter((box) => box.score === undefined && contains(box, at))
      .sort((a, b) => a.width * a.height - b.width * b.height);
    const next = boxes[(boxes.findIndex(({ id }) => id === this.#selected) + 1) % boxes.length];
    if (next) {
      this.focus(next.id);
      this.select(next.id);
    } else this.#deselect();
  }

  #deselect() {
    if (this.#root.contains(document.activeElement))
      /** @type {HTMLElement} */ (document.activeElement).blur();
    this.select(undefined);
  }

  /** @param {Point} at */
  #cursorAt(at) {
    const box = this.#selectedBox();
    const handle = box && handleAt(box, at, REACH_PX.mouse * this.#scale());
    if (handle) {
      if (handle.x === 0) return 'ns-resize';
      if (handle.y === 0) return 'ew-resize';
      return handle.x === handle.y ? 'nwse-resize' : 'nesw-resize';
    }
    return box && contains(box, at) ? 'move' : 'crosshair';
  }

  // ---- keyboard

  /** @param {KeyboardEvent} event */
  #pressKey(event) {
    const box = this.#selectedBox();
    if (!box || event.ctrlKey || event.metaKey || event.altKey || !this.#obey(event, box)) return;
    event.preventDefault();
  }

  /**
   * @param {KeyboardEvent} event
   * @param {Shown} box
   * @returns {boolean} whether the key means something
   */
  #obey({ key, shiftKey }, box) {
    const arrow = ARROWS[key];
    if (arrow) this.#step(box, arrow, shiftKey);
    else if (key === 'Delete' || key === 'Backspace') this.#events.onDelete(box.id);
    else if (key === 'Escape') this.#deselect();
    else if (/^[1-9]$/.test(key)) this.#events.onClass(Number(key) - 1);
    else return false;
    return true;
  }

  /** @param {Shown} box @param {Point} arrow @param {boolean} resizes moves the right or the lower edge only */
  #step(box, arrow, resizes) {
    const view = /** @type {View} */ (this.#view);
    const length = Math.max(1, Math.round(STEP * Math.max(view.width, view.height)));
    const by = { x: arrow.x * length, y: arrow.y * length };
    const kept = { x: Math.max(by.x, MIN_PX - box.width), y: Math.max(by.y, MIN_PX - box.height) };
    const result = resizes ? resize(box, { x: 1, y: 1 }, kept, view) : move(box, by, view);
    this.#events.onReshape(box.id, result, true);
  }
}

/** @param {HTMLElement} element @param {boolean} isSelected */
function mark(element, isSelected) {
  element.classList.toggle('selected', isSelected);
  if (element.hasAttribute('aria-roledescription')) element.setAttribute('aria-pressed', String(isSelected));
}

/**
 * @typedef {{kind: 'draw', from: Point, box?: undefined, isMoved?: boolean}} Drawing
 * @typedef {{kind: 'move', from: Point, box: Shown, isMoved?: boolean}} Moving
 * @typedef {{kind: 'resize', from: Point, box: Shown, handle: import('./boxes.js').Handle, isMoved?: boolean}} Resizing
 * @typedef {Drawing | Moving | Resizing} Drag
 */

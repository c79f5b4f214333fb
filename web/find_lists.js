// The lists beside the picture: the classes, and the pictures with their boxes.
import { drawThumbnail, toPicture } from './classes.js';
import { element, make, makeDot, plural, setLabel } from './page.js';
import { countBoxes, MAX_NAME } from './project.js';
import { colorOf } from './stage.js';

/**
 * @typedef {import('./project.js').Class} Class
 * @typedef {import('./project.js').Picture} Picture
 * @typedef {import('./project.js').State} State
 *
 * @typedef {object} Events
 * @property {(id: number, name: string) => void} onRename
 * @property {(id: number) => void} onRemove
 * @property {(id: string) => void} onOpen
 */

export class FindLists {
  #classes = element('find-classes', HTMLElement);
  #pictures = element('pictures', HTMLElement);
  /** @type {Map<number, ClassRow>} */ #rows = new Map();
  /** @type {Map<string, HTMLElement>} */ #thumbnails = new Map();
  #events;

  /** @param {Events} events */
  constructor(events) {
    this.#events = events;
  }

  /**
   * @param {State} state
   * @param {string} [opened] the picture that is edited
   */
  show(state, opened) {
    const counts = countBoxes(state);
    keepOnly(this.#rows, state.classes);
    for (const each of state.classes) {
      const row = this.#rows.get(each.id) ?? new ClassRow(each.id, this.#events);
      this.#rows.set(each.id, row);
      const isDouble = state.classes.some(
        ({ id, name }) => id !== each.id && name.trim() === each.name.trim(),
      );
      row.show(each, counts.get(each.id) ?? 0, isDouble);
      if (!row.element.isConnected) this.#classes.append(row.element);
    }
    this.#classes.hidden = state.classes.length === 0;
    keepOnly(this.#thumbnails, state.pictures);
    state.pictures.forEach((picture, i) => this.#showPicture(picture, i, picture.id === opened));
    this.#pictures.hidden = state.pictures.length === 0;
  }

  /**
   * @param {Picture} picture
   * @param {number} at
   * @param {boolean} isOpened
   */
  #showPicture({ id, name, blob, boxes }, at, isOpened) {
    const item = this.#thumbnails.get(id) ?? this.#makeThumbnail(id, blob);
    const button = /** @type {HTMLButtonElement} */ (item.firstElementChild);
    button.setAttribute('aria-pressed', String(isOpened));
    const text = plural(boxes.length, 'box', 'boxes');
    setLabel(button, `Picture ${at + 1}, \u2068${name}\u2069: ${text}`);
    const count = /** @type {HTMLElement} */ (button.lastElementChild);
    count.textContent = text;
    count.classList.toggle('none', boxes.length === 0);
    if (this.#pictures.children[at] !== item) this.#pictures.insertBefore(item, this.#pictures.children[at]);
  }

  /** @param {string} id @param {Blob} blob */
  #makeThumbnail(id, blob) {
    const button = make('button', { type: 'button' }, drawThumbnail(), make('span'));
    toPicture(blob).then((picture) => button.firstElementChild?.replaceWith(drawThumbnail(picture)));
    button.addEventListener('click', () => this.#events.onOpen(id));
    const item = make('li', {}, button);
    this.#thumbnails.set(id, item);
    return item;
  }

  /** @param {string} id */
  focusPicture(id) {
    this.#thumbnails.get(id)?.querySelector('button')?.focus();
  }

  /** Puts the focus on the name, ready to be overwritten. @param {number} id */
  focusClass(id) {
    this.#rows.get(id)?.focus();
  }
}

/** A line for a class: its name, which can be edited, and how many boxes it has. */
class ClassRow {
  #name = make('input', { type: 'text', maxLength: MAX_NAME, required: true, dir: 'auto' });
  #count = make('span', { className: 'muted' });
  #remove = make('button', { type: 'button', className: 'small plain' }, '✕');

  /** @param {number} id @param {Events} events */
  constructor(id, { onRename, onRemove }) {
    setLabel(this.#name, 'Name of the class');
    const row = make(
      'div',
      { className: 'row' },
      makeDot(colorOf(id)),
      this.#name,
      this.#count,
      this.#remove,
    );
    this.element = make('li', { className: 'card' }, row);
    this.#name.addEventListener('input', () => onRename(id, this.#name.value));
    this.#remove.addEventListener('click', () => onRemove(id));
  }

  /** @param {Class} shown @param {number} count @param {boolean} isDouble */
  show({ name }, count, isDouble) {
    if (this.#name.value !== name) this.#name.value = name;
    this.#name.setAttribute('aria-invalid', String(name.trim() === '' || isDouble));
    this.#count.textContent = plural(count, 'box', 'boxes');
    setLabel(this.#remove, `Remove the class “\u2068${name.trim() || 'no name'}\u2069” and its boxes`);
  }

  focus() {
    this.#name.focus();
    this.#name.select();
  }
}

/**
 * Removes the elements of what is gone. The focus goes to a neighbour.
 * @template Id
 * @param {Map<Id, HTMLElement | {element: HTMLElement}>} shown
 * @param {readonly {id: Id}[]} kept
 */
function keepOnly(shown, kept) {
  for (const [id, each] of shown) {
    if (kept.some((other) => other.id === id)) continue;
    const item = each instanceof HTMLElement ? each : each.element;
    const neighbour = item.nextElementSibling ?? item.previousElementSibling;
    const hadFocus = item.contains(document.activeElement);
    item.remove();
    shown.delete(id);
    if (hadFocus) {
      const target = neighbour?.querySelector('input, button') ?? element('find-add-class', HTMLElement);
      /** @type {HTMLElement} */ (target).focus();
    }
  }
}

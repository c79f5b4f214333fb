// What the user teaches a detector: classes, and pictures with boxes. A state never changes; each change makes another one,
// so that undoing is going back to an earlier one.

/**
 * @typedef {import('./boxes.js').Rect} Rect
 * @typedef {{id: number, name: string}} Class
 * @typedef {Rect & {id: number, classId: number}} Box in pixels of its picture
 * @typedef {{id: string, name: string, blob: Blob, width: number, height: number, boxes: readonly Box[]}} Picture
 * @typedef {{classes: readonly Class[], pictures: readonly Picture[]}} State
 */

/** @type {State} */
const START = { classes: [{ id: 0, name: 'Class 1' }], pictures: [] };
const MAX_PAST = 200;
/** The longest name of a class. */
export const MAX_NAME = 60;

export class Project {
  #state = START;
  /** @type {State[]} */ #past = [];
  /** Changes of the same name and without another in between are undone together. */
  #last = '';
  #onChange;
  #boxIds = 0;
  #classIds = 1;

  /** @param {() => void} onChange */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  get state() {
    return this.#state;
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  /** The same names count once. @param {string} name */
  idOf(name) {
    return this.#state.classes.find((each) => each.name.trim() === name)?.id;
  }

  /** @param {number} id */
  nameOf(id) {
    return this.#state.classes.find((each) => each.id === id)?.name.trim() ?? '';
  }

  /** @param {string} id */
  picture(id) {
    return this.#state.pictures.find((each) => each.id === id);
  }

  /** Replaces everything; it cannot be undone. @param {State} [state] */
  open(state = START) {
    this.#past = [];
    this.#last = '';
    this.#boxIds = 1 + Math.max(-1, ...state.pictures.flatMap(({ boxes }) => boxes.map(({ id }) => id)));
    this.#classIds = 1 + Math.max(-1, ...state.classes.map(({ id }) => id));
    this.#state = state;
    this.#onChange();
  }

  /** Removes everything. */
  clear() {
    this.#change(START);
  }

  undo() {
    const state = this.#past.pop();
    if (!state) return;
    this.#last = '';
    this.#state = state;
    this.#onChange();
  }

  /**
   * @param {Partial<State>} change
   * @param {string} [kind] a change of the same kind as the one before is undone with it
   */
  #change(change, kind = '') {
    if (kind === '' || kind !== this.#last) this.#past.push(this.#state);
    if (this.#past.length > MAX_PAST) this.#past.shift();
    this.#last = kind;
    this.#state = { ...this.#state, ...change };
    this.#onChange();
  }

  // ---- classes

  /** @param {string} [name] @returns {number} */
  addClass(name) {
    const { classes } = this.#state;
    const id = this.#classIds++;
    this.#change({ classes: [...classes, { id, name: name ?? `Class ${id + 1}` }] });
    return id;
  }

  /** Another class of this name; it replaces the class of a new project if that has no box yet. @param {string} name */
  nameClass(name) {
    const { classes, pictures } = this.#state;
    const isUntouched = classes === START.classes && pictures.every(({ boxes }) => boxes.length === 0);
    if (!isUntouched) return this.addClass(name);
    this.renameClass(0, name);
    return 0;
  }

  /** @param {number} id @param {string} name */
  renameClass(id, name) {
    const classes = this.#state.classes.map((each) => (each.id === id ? { ...each, name } : each));
    this.#change({ classes }, `name ${id}`);
  }

  /** Removes the class with its boxes. @param {number} id */
  removeClass(id) {
    const { classes, pictures } = this.#state;
    this.#change({
      classes: classes.filter((each) => each.id !== id),
      pictures: pictures.map((picture) =>
        picture.boxes.some(({ classId }) => classId === id)
          ? { ...picture, boxes: picture.boxes.filter(({ classId }) => classId !== id) }
          : picture,
      ),
    });
  }

  // ---- pictures

  /** @param {Omit<Picture, 'id' | 'boxes'>} picture @returns {string} its id */
  addPicture(picture) {
    const id = makeId();
    this.#change({ pictures: [...this.#state.pictures, { ...picture, id, boxes: [] }] });
    return id;
  }

  /** @param {string} id */
  removePicture(id) {
    this.#change({ pictures: this.#state.pictures.filter((each) => each.id !== id) });
  }

  // ---- boxes

  /**
   * @param {string} picture
   * @param {readonly Omit<Box, 'id'>[]} boxes
   * @returns {number[]} their ids
   */
  addBoxes(picture, boxes) {
    const added = boxes.map((box) => ({ ...box, id: this.#boxIds++ }));
    this.#setBoxes(picture, (old) => [...old, ...added]);
    return added.map(({ id }) => id);
  }

  /**
   * @param {string} picture
   * @param {number} id
   * @param {Partial<Omit<Box, 'id'>>} change
   * @param {string} [kind] as of the keyboard's steps, which are undone together
   */
  changeBox(picture, id, change, kind) {
    this.#setBoxes(picture, (old) => old.map((box) => (box.id === id ? { ...box, ...change } : box)), kind);
  }

  /** @param {string} picture @param {number} id */
  removeBox(picture, id) {
    this.#setBoxes(picture, (old) => old.filter((box) => box.id !== id));
  }

  /**
   * @param {string} id
   * @param {(old: readonly Box[]) => readonly Box[]} edit
   * @param {string} [kind]
   */
  #setBoxes(id, edit, kind) {
    const pictures = this.#state.pictures.map((each) =>
      each.id === id ? { ...each, boxes: edit(each.boxes) } : each,
    );
    this.#change({ pictures }, kind);
  }
}

/** An id that no other page of this browser has given. */
export function makeId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * The number of boxes of each class.
 * @param {State} state
 * @returns {Map<number, number>} by class id
 */
export function countBoxes({ classes, pictures }) {
  const counts = new Map(classes.map(({ id }) => [id, 0]));
  for (const { boxes } of pictures)
    for (const { classId } of boxes) counts.set(classId, (counts.get(classId) ?? 0) + 1);
  return counts;
}

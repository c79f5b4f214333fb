// The picture that is edited, with the buttons under it: its boxes, their classes, and the boxes that a detector proposes.
import { BoxEditor } from './box_editor.js';
import { fit, middle, overlap } from './boxes.js';
import { element, explain } from './page.js';
import { colorOf } from './stage.js';

/** A proposed box that covers a box by more is left out. */
const SAME = 0.5;

/**
 * @typedef {import('./project.js').Project} Project
 * @typedef {import('ocelli').Detection} Detection
 *
 * @typedef {object} Events
 * @property {() => void} onOpen another picture was opened, or none
 * @property {(id?: string) => void} onLeave the user is done with this picture, or removed the last one
 * @property {(image: Blob) => Promise<Detection[]>} propose
 */

const stage = element('stage', HTMLElement);
const bar = element('editing', HTMLElement);
const classes = element('box-class', HTMLSelectElement);
const status = element('editor-status', HTMLElement);
const accept = element('accept', HTMLButtonElement);
const propose = element('propose', HTMLButtonElement);
const newBox = element('new-box', HTMLButtonElement);
const deleteBox = element('delete-box', HTMLButtonElement);

export class PictureEditing {
  #project;
  #events;
  #editor;
  /** @type {string | undefined} */ #opened;
  #url = '';
  /** Ids below 0. @type {import('./box_editor.js').Shown[]} */ #proposed = [];
  /** Class of the next box. */
  #classId = 0;

  /** @param {Project} project @param {Events} events */
  constructor(project, events) {
    this.#project = project;
    this.#events = events;
    const root = element('editor', HTMLElement);
    this.#editor = new BoxEditor(root, {
      onDraw: (box) => this.#addBox(box),
      onReshape: (id, box, isStep) =>
        project.changeBox(this.#id(), id, pick(box), isStep ? `box ${id}` : undefined),
      onDelete: (id) => this.#delete(id),
      onAccept: (id) => this.#accept(this.#proposed.filter((each) => each.id === id)),
      onClass: (number) => this.#setClass(project.state.classes[number]?.id),
      onSelect: () => this.refresh(),
    });
    root.addEventListener('emptied', () => newBox.focus());
    this.#listen();
  }

  /** The id of the picture that is edited. */
  get opened() {
    return this.#opened;
  }

  /** @param {string} [id] nothing: no picture is edited any more */
  open(id) {
    if (id === this.#opened) return;
    if (this.#url) URL.revokeObjectURL(this.#url);
    const picture = id === undefined ? undefined : this.#project.picture(id);
    this.#opened = picture && id;
    this.#url = picture ? URL.createObjectURL(picture.blob) : '';
    this.#proposed = [];
    status.textContent = '';
    this.refresh();
    this.#events.onOpen();
  }

  /** Puts the focus on the picture's buttons. */
  focus() {
    newBox.focus();
  }

  /** Shows the project as it is now. */
  refresh() {
    const { classes: all, pictures } = this.#project.state;
    const at = pictures.findIndex(({ id }) => id === this.#opened);
    if (this.#opened !== undefined && at < 0) return this.open(undefined);
    const picture = pictures[at];
    stage.classList.toggle('editing', picture !== undefined);
    bar.hidden = !picture;
    const nameOf = (/** @type {number} */ id) => this.#project.nameOf(id) || 'no name';
    const shown = picture?.boxes.map(({ classId, ...box }) => ({
      ...{ ...box, name: nameOf(classId), color: colorOf(classId) },
    }));
    this.#editor.show(
      picture && {
        ...{ key: picture.id, url: this.#url, width: picture.width, height: picture.height },
        boxes: [...(shown ?? []), ...this.#proposed],
      },
    );
    if (!all.some(({ id }) => id === this.#classId)) this.#classId = all[0]?.id ?? 0;
    const selected = picture?.boxes.find(({ id }) => id === this.#editor.selected);
    if (selected) this.#classId = selected.classId;
    classes.replaceChildren(...all.map(({ id }) => new Option(nameOf(id), String(id))));
    classes.value = String(this.#classId);
    classes.disabled = all.length === 0;
    deleteBox.disabled = !selected;
    accept.hidden = this.#proposed.length === 0;
    for (const [id, to] of /** @type {const} */ ([
      ['previous', at - 1],
      ['next', at + 1],
    ]))
      element(id, HTMLButtonElement).disabled = !pictures[to];
  }

  #id() {
    return /** @type {string} */ (this.#opened);
  }

  /** @param {import('./boxes.js').Rect} box */
  #addBox(box) {
    const { classes: all } = this.#project.state;
    const classId = all.length > 0 ? this.#classId : this.#project.addClass();
    const [id] = this.#project.addBoxes(this.#id(), [{ ...box, classId }]);
    this.#editor.focus(id);
    this.#editor.select(id);
  }

  /** @param {number} [id] of a box */
  #delete(id = this.#editor.selected) {
    if (id !== undefined) this.#project.removeBox(this.#id(), id);
  }

  /** @param {number} [id] of a class, for the selected box and the next one */
  #setClass(id) {
    if (id === undefined) return;
    this.#classId = id;
    const { selected } = this.#editor;
    if (selected === undefined) this.refresh();
    else this.#project.changeBox(this.#id(), selected, { classId: id });
  }

  // ---- proposals

  async #propose() {
    const id = this.#id();
    const picture = this.#project.picture(id);
    if (!picture) return;
    propose.disabled = true;
    status.textContent = 'Looking …';
    try {
      const found = await this.#events.propose(picture.blob);
      if (this.#opened === id) this.#showProposals(found);
    } catch (error) {
      if (this.#opened === id) status.textContent = explain(error).join(': ');
    }
    propose.disabled = false;
  }

  /** @param {Detection[]} found */
  #showProposals(found) {
    const picture = this.#project.picture(this.#id());
    if (!picture) return;
    const isNew = (/** @type {Detection} */ { box }) =>
      picture.boxes.every((other) => overlap(box, other) < SAME);
    this.#proposed = found.filter(isNew).map(({ label, score, box }, i) => ({
      ...{ id: -1 - i, name: label, score, ...fit(box, picture) },
      color: colorOf(this.#project.idOf(label) ?? this.#project.state.classes.length),
    }));
    const count = this.#proposed.length;
    status.textContent =
      count === 0
        ? 'It proposes nothing more here.'
        : `Proposed: ${count} box${count === 1 ? '' : 'es'}. Click those that are right.`;
    this.refresh();
  }

  /** @param {import('./box_editor.js').Shown[]} accepted */
  #accept(accepted) {
    const picture = this.#project.picture(this.#id());
    if (!picture) return;
    const boxes = accepted.map(({ name, x, y, width, height }) => {
      const classId = this.#project.idOf(name) ?? this.#project.nameClass(name);
      return { x, y, width, height, classId };
    });
    this.#proposed = this.#proposed.filter((each) => !accepted.includes(each));
    const ids = this.#project.addBoxes(picture.id, boxes);
    status.textContent = '';
    if (ids.length === 1) this.#editor.focus(ids[0]);
    else if (ids.length > 1) propose.focus();
  }

  // ---- controls

  #listen() {
    classes.addEventListener('change', () => this.#setClass(Number(classes.value)));
    newBox.addEventListener('click', () => {
      const picture = this.#project.picture(this.#id());
      if (picture) this.#addBox(middle(picture));
    });
    deleteBox.addEventListener('click', () => this.#delete());
    propose.addEventListener('click', () => this.#propose());
    accept.addEventListener('click', () => this.#accept(this.#proposed));
    element('done', HTMLButtonElement).addEventListener('click', () => {
      const id = this.#opened;
      this.open(undefined);
      this.#events.onLeave(id);
    });
    element('remove-picture', HTMLButtonElement).addEventListener('click', () => this.#removePicture());
    element('previous', HTMLButtonElement).addEventListener('click', () => this.#go(-1));
    element('next', HTMLButtonElement).addEventListener('click', () => this.#go(1));
  }

  /** @param {number} by */
  #go(by) {
    const { pictures } = this.#project.state;
    this.open(pictures[pictures.findIndex(({ id }) => id === this.#opened) + by]?.id);
  }

  /** The next picture is opened instead, or the one before. */
  #removePicture() {
    const { pictures } = this.#project.state;
    const at = pictures.findIndex(({ id }) => id === this.#opened);
    const [removed, next] = [this.#id(), pictures[at + 1] ?? pictures[at - 1]];
    this.open(next?.id);
    this.#project.removePicture(removed);
    if (!next) this.#events.onLeave();
  }
}

/** @param {import('./boxes.js').Rect} box */
const pick = ({ x, y, width, height }) => ({ x, y, width, height });

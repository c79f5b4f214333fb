// Teaching to find: pictures with boxes that the user draws -> a trained detector -> boxes over the live picture, and the
// detector as a file. It uses the published package.
import { Curves } from './curves.js';
import { describe, teachDetector } from './detector_training.js';
import { writeCode } from './code.js';
import { listenForCopy } from './copy.js';
import { fileButtons, save } from './downloads.js';
import { clearLive, forgetKnown, Live, proposeKnown, SHOWN_FROM } from './find_live.js';
import { FindLists } from './find_lists.js';
import { keepProject, recallProject } from './kept_project.js';
import { element, explain, make, makeFacts, plural, showState, showValue } from './page.js';
import { readFrame, readPicture } from './picture_files.js';
import { PictureEditing } from './picture_editing.js';
import { countBoxes, Project } from './project.js';
import { showFile } from './source.js';
import { colorOf, listenForColors } from './stage.js';

/** A class with fewer boxes is noted. */
const FEW = 3;

const take = element('take', HTMLButtonElement);
const steps = element('steps', HTMLInputElement);
const train = element('find-train', HTMLButtonElement);
const training = element('find-training', HTMLElement);
const progress = element('find-progress', HTMLProgressElement);
const warnings = element('find-warnings', HTMLElement);
const reading = element('find-reading', HTMLElement);
const model = element('find-model', HTMLButtonElement);
const trial = element('try', HTMLButtonElement);
const opening = element('open-project', HTMLButtonElement);
const opener = element('project-file', HTMLInputElement);
const curves = new Curves({
  AP50: element('find-ap', HTMLCanvasElement),
  loss: element('find-loss', HTMLCanvasElement),
});

const project = new Project(showProject);
const lists = new FindLists({
  onRename: (id, name) => project.renameClass(id, name),
  onRemove: (id) => project.removeClass(id),
  onOpen(id) {
    editing.open(id);
    editing.focus();
  },
});
const editing = new PictureEditing(project, {
  onOpen() {
    lists.show(project.state, editing.opened);
    if (isShown) show(source);
    if (isShown) watch();
  },
  onLeave(id) {
    if (id === undefined) element('add-photos', HTMLButtonElement).focus();
    else lists.focusPicture(id);
  },
  propose: (image) => live?.propose(image) ?? proposeKnown(image),
});

/** @type {import('./source.js').Source | undefined} */
let source;
/** @type {import('./detector_training.js').Trained | undefined} */
let trained;
/** Runs what was trained, as soon as it is loaded. @type {Live | undefined} */
let live;
let isShown = false;
/** Whether what this browser keeps is read: before, nothing is written over it. */
let isRead = false;
/** Aborted when the project is replaced or removed: what was begun for it is not for the next one. */
let replacing = new AbortController();
/** Aborts the loop over the source's frames. */
let watching = new AbortController();
/** Aborts the training, if one runs. @type {AbortController | undefined} */
let fitting;
/** What the last training warned of, until the project changes. @type {string[] | undefined} */
let warned;

// ---- the picture

/** @param {import('./source.js').Source} [next] */
function show(next) {
  // A camera or a photo that is opened while a picture is edited takes its place.
  if (next !== source && next && editing.opened !== undefined) {
    source = next;
    return editing.open(undefined);
  }
  source = next;
  isShown = true;
  take.hidden = !source || editing.opened !== undefined;
  clearLive();
  if (source || editing.opened !== undefined) showState('ready');
  else showState('empty', 'Show it something', 'Start the camera, or add photos that show your objects.');
}

/** Shows what the trained detector finds in the source. */
async function watch() {
  watching.abort();
  watching = new AbortController();
  const { signal } = watching;
  if (!live || !source || editing.opened !== undefined) return;
  try {
    await live.watch(source, signal);
  } catch (error) {
    if (!signal.aborted) showState('failed', ...explain(error));
  }
}

function leave() {
  watching.abort();
  isShown = false;
  take.hidden = true;
  clearLive();
  editing.open(undefined);
}

/** Adds the picture that is shown now. */
async function takePicture() {
  if (!source) return;
  const { signal } = replacing;
  try {
    const still = await (source.kind === 'photo' ? readPicture(source.blob) : readFrame(source.video));
    if (signal.aborted) return;
    const number = project.state.pictures.length + 1;
    project.addPicture({ ...still, name: `picture ${number}` });
    say(`Picture ${number} is taken. Choose it to draw boxes.`);
  } catch (error) {
    say(explain(error).join(': '));
  }
}

/**
 * Photos become pictures to draw on, a video a source, a project file replaces everything.
 * @param {File[]} files
 * @param {import('./teach.js').Use} use
 */
async function open(files, use) {
  const saved = files.find(({ name }) => /\.zip$/i.test(name));
  if (saved && !fitting) return openProject(saved);
  const video = files.find(({ type }) => type.startsWith('video/'));
  if (video) await use(showFile(video));
  const photos = files.filter(({ type }) => !type.startsWith('video/'));
  if (photos.length > 0) await addPhotos(photos);
}

/** @param {File[]} files */
async function addPhotos(files) {
  const { signal } = replacing;
  /** @type {string[]} */
  const refused = [];
  /** @type {string | undefined} */
  let first;
  for (const [i, file] of files.entries()) {
    if (files.length > 1) say(`Reading ${i + 1} of ${files.length} …`);
    const still = await readPicture(file).catch(
      ({ message }) => void refused.push(`\u2068${file.name}\u2069: ${message}`),
    );
    if (signal.aborted) return;
    const id = still && project.addPicture({ ...still, name: file.name });
    first ??= id;
  }
  say(refused.join(' '));
  if (first !== undefined && isShown) editing.open(first);
}

/** @param {string} text about pictures */
const say = (text) => (reading.textContent = text);

// ---- the project

function showProject() {
  warned = undefined;
  editing.refresh();
  lists.show(project.state, editing.opened);
  for (const button of document.querySelectorAll('.undo'))
    /** @type {HTMLButtonElement} */ (button).disabled = !project.canUndo;
  for (const id of ['coco', 'yolo', 'save-project', 'clear-project'])
    element(id, HTMLButtonElement).disabled = project.state.pictures.length === 0;
  showWhetherReady();
  keepAll();
}

async function keepAll() {
  if (!isRead) return;
  try {
    await keepProject({ state: project.state, trained });
    sayKept('');
  } catch (error) {
    const { name, message } = /** @type {Error} */ (error ?? {});
    const why = name === 'QuotaExceededError' ? 'it has no room left' : message;
    sayKept(`This browser cannot keep the project (${why}). Save it as a file before you close the page.`);
  }
}

async function recallAll() {
  try {
    const kept = await recallProject();
    // The page need not wait for the detector.
    if (kept) adoptProject(kept).catch((error) => showFileStatus(explain(error).join(': ')));
    isRead = true;
  } catch (error) {
    const why = /** @type {Error} */ (error).message;
    sayKept(
      `Nothing is kept: this browser cannot read what it has kept (${why}). Reload the page, or save the project as a file.`,
    );
  }
}

/** @param {string} text about what the browser keeps */
const sayKept = (text) => (element('kept', HTMLElement).textContent = text);

/**
 * Leaves the project for another one, which has this detector.
 * @param {import('./detector_training.js').Trained} [next]
 */
function leaveProject(next) {
  replacing.abort();
  replacing = new AbortController();
  fitting?.abort();
  editing.open(undefined);
  say('');
  adopt(next);
}

/** @param {import('./kept_project.js').Kept} kept */
async function adoptProject(kept) {
  leaveProject(kept.trained);
  project.open(kept.state);
  await load();
}

/** What is still missing before training can start; '' if nothing. */
function findMissing() {
  const { classes, pictures } = project.state;
  const names = classes.map(({ name }) => name.trim());
  const double = names.find((name, i) => names.indexOf(name) < i);
  if (pictures.length === 0) return 'Add pictures that show your objects.';
  if (names.includes('')) return 'Each class needs a name.';
  if (double !== undefined) return `Two classes have the same name, “\u2068${double}\u2069”.`;
  const counts = countBoxes(project.state);
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  if (total === 0) return 'Draw a box around each object.';
  const empty = classes.find(({ id }) => counts.get(id) === 0);
  return empty ? `“\u2068${empty.name}\u2069” has no box yet.` : '';
}

/** Classes with few boxes. */
function findFew() {
  const counts = countBoxes(project.state);
  return project.state.classes
    .map(({ id, name }) => ({ name, count: counts.get(id) ?? 0 }))
    .filter(({ count }) => count < FEW)
    .map(
      ({ name, count }) =>
        `“\u2068${name}\u2069” has ${plural(count, 'box', 'boxes')}; give it ${FEW} or more.`,
    );
}

/** Pictures without a box. */
function findBare() {
  const bare = project.state.pictures.filter(({ boxes }) => boxes.length === 0).length;
  if (bare === 0) return [];
  return [`${plural(bare, 'picture has', 'pictures have')} no box and will be learned as background.`];
}

function showWhetherReady() {
  if (fitting) return;
  const missing = findMissing();
  train.disabled = missing !== '';
  training.textContent = missing || 'Ready to train.';
  showWarnings(missing ? [] : [...(warned ?? findFew()), ...findBare()]);
}

/** @param {string[]} texts */
function showWarnings(texts) {
  warnings.replaceChildren(...texts.map((text) => make('li', {}, text)));
  warnings.hidden = texts.length === 0;
}

// ---- training

async function startTraining() {
  const { state } = project;
  const { signal: replaced } = replacing;
  fitting = new AbortController();
  const { signal } = fitting;
  train.textContent = 'Stop';
  opening.disabled = true;
  progress.hidden = false;
  /** @type {string} */
  let outcome;
  try {
    await forgetKnown();
    const taught = await teachDetector(state, Number(steps.value), {
      ...{ signal, colorOf, onProgress },
      onWarnings(texts) {
        warned = texts;
        showWarnings([...texts, ...findBare()]);
      },
      onStart(epochs, isMeasured) {
        element('find-curves', HTMLElement).hidden = false;
        element('find-ap-figure', HTMLElement).hidden = !isMeasured;
        element('find-unmeasured', HTMLElement).hidden = isMeasured;
        curves.begin(epochs);
      },
      onEpoch({ epoch, epochs, logs }) {
        curves.add(logs);
        training.textContent = `Epoch ${epoch + 1} of ${epochs}: ${describe(logs)}`;
      },
    });
    outcome = taught.outcome;
    if (!replaced.aborted) {
      adopt(taught.trained);
      await Promise.all([keepAll(), load()]);
    }
  } catch (error) {
    outcome = signal.aborted ? 'Stopped before the first epoch ended.' : explain(error).join(': ');
  }
  fitting = undefined;
  progress.hidden = true;
  opening.disabled = false;
  train.textContent = 'Train again';
  showWhetherReady();
  training.textContent = replaced.aborted ? 'Stopped, because its project was removed or replaced.' : outcome;
}

/** @param {string} text @param {number} [share] */
function onProgress(text, share) {
  if (text && training.textContent !== text) training.textContent = text;
  if (share === undefined) progress.removeAttribute('value');
  else progress.value = share;
}

/**
 * Makes this detector the project's, instead of the one before.
 * @param {import('./detector_training.js').Trained} [next]
 */
function adopt(next) {
  watching.abort();
  live?.close();
  clearLive();
  [trained, live] = [next, undefined];
  model.disabled = !trained;
  trial.disabled = true;
  element('find-use', HTMLElement).hidden = true;
  element('find-card', HTMLElement).hidden = !trained || Object.keys(trained.files).length === 0;
  element('find-card-files', HTMLElement).replaceChildren(...fileButtons(trained?.files ?? {}));
  element('find-facts', HTMLElement).replaceChildren(...makeFacts(trained?.facts ?? {}));
}

/** Loads the project's detector, and uses it for the live picture and for proposals. */
async function load() {
  const wanted = trained;
  if (!wanted) return;
  const opened = await Live.open(wanted);
  // Another one may have taken its place meanwhile.
  if (trained !== wanted) return opened.close();
  live = opened;
  trial.disabled = false;
  if (isShown) watch();
}

// ---- files

function saveModel() {
  if (!trained) return;
  save('detector.tflite', /** @type {Uint8Array<ArrayBuffer>} */ (trained.model));
  element('find-code', HTMLElement).textContent = writeCode({
    ...{ isClassifier: false, isVideo: true, isTiled: false, isTracked: false },
    scoreThreshold: SHOWN_FROM,
    options: { model: 'detector.tflite', scoreThreshold: SHOWN_FROM },
  });
  element('find-use', HTMLElement).hidden = false;
}

/**
 * Loads the code that packs files when it is needed first.
 * @param {string} name
 * @param {(files: typeof import('./project_files.js')) => Promise<Uint8Array<ArrayBuffer>>} write
 */
async function saveFiles(name, write) {
  try {
    save(name, await write(await import('./project_files.js')));
    showFileStatus('');
  } catch (error) {
    showFileStatus(explain(error).join(': '));
  }
}

/** @param {File} file */
async function openProject(file) {
  showFileStatus('Opening …');
  try {
    const { openProjectFile } = await import('./project_files.js');
    await adoptProject(await openProjectFile(file));
    showFileStatus(`\u2068${file.name}\u2069 is open.`);
  } catch (error) {
    showFileStatus(explain(error).join(': '));
  }
}

/** @param {string} text */
const showFileStatus = (text) => (element('project-status', HTMLElement).textContent = text);

// ---- controls

/** Ctrl+Z undoes, but in a field, which has its own. @param {KeyboardEvent} event */
function undoByKey(event) {
  const { target, key, ctrlKey, metaKey, shiftKey, altKey } = event;
  const isField = target instanceof HTMLInputElement && target.type === 'text';
  if (!isShown || isField || key.toLowerCase() !== 'z' || !(ctrlKey || metaKey) || shiftKey || altKey) return;
  event.preventDefault();
  project.undo();
}

/** @param {string} id @param {() => void} act */
const onClick = (id, act) => element(id, HTMLButtonElement).addEventListener('click', act);

function listen() {
  onClick('take', takePicture);
  onClick('find-add-class', () => lists.focusClass(project.addClass()));
  onClick('add-photos', () => element('photos', HTMLInputElement).click());
  onClick('find-train', () => (fitting ? fitting.abort() : startTraining()));
  onClick('find-model', saveModel);
  onClick('coco', () => saveFiles('coco.zip', ({ toCoco }) => toCoco(project.state)));
  onClick('yolo', () => saveFiles('yolo.zip', ({ toYolo }) => toYolo(project.state)));
  onClick('save-project', () =>
    saveFiles('project.ocelli.zip', ({ toProjectFile }) => toProjectFile({ state: project.state, trained })),
  );
  onClick('clear-project', () => {
    leaveProject();
    project.clear();
  });
  onClick('open-project', () => opener.click());
  onClick('try', () => element('try-file', HTMLInputElement).click());
  for (const button of document.querySelectorAll('.undo'))
    button.addEventListener('click', () => project.undo());
  addEventListener('keydown', undoByKey);
  steps.addEventListener('input', () => showValue(steps, steps.value));
  showValue(steps, steps.value);
  listenForCopy(element('copy-find-code', HTMLButtonElement), element('find-code', HTMLElement));
  const redraw = () => {
    curves.draw();
    live?.redraw();
  };
  for (const id of ['find-curves', 'stage']) new ResizeObserver(redraw).observe(element(id, HTMLElement));
  listenForColors(redraw);
}

/** @param {HTMLInputElement} input @param {(files: File[]) => void} pass */
function listenForChoice(input, pass) {
  input.addEventListener('change', () => {
    const files = [...(input.files ?? [])];
    input.value = '';
    if (files.length > 0) pass(files);
  });
}

/** @type {import('./teach.js').Task} */
export const findIt = {
  async start(use) {
    listen();
    listenForChoice(element('photos', HTMLInputElement), addPhotos);
    listenForChoice(opener, ([file]) => openProject(file));
    listenForChoice(element('try-file', HTMLInputElement), ([file]) => use(showFile(file)));
    showProject();
    await recallAll();
  },
  show,
  watch,
  stop: () => watching.abort(),
  leave,
  open,
};

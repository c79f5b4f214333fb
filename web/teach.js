// The page that learns: which of its tasks is shown, and the picture that both look at.
import { listenForCameras } from './cameras.js';
import { listenForKeys } from './keys.js';
import { element, explain, showState } from './page.js';
import { offerPause } from './pause.js';
import { closeSource, isOpen, listenForFiles, openNewest, showCamera } from './source.js';
import { keep, recall } from './storage.js';

/**
 * @typedef {import('./source.js').Source} Source
 * @typedef {(open: import('./source.js').Open) => Promise<void>} Use shows what it opens
 *
 * @typedef {object} Task
 * @property {(use: Use) => unknown} start called once, before the first `show`, which waits for it
 * @property {(source?: Source) => void} show the task, or another source
 * @property {() => Promise<void>} watch the source that is shown; ends when the task is left or shows another source
 * @property {() => void} stop watching
 * @property {() => void} leave hides the task
 * @property {(files: File[], use: Use) => unknown} open what the user opened, dropped or pasted: at least one file
 *
 * @typedef {keyof typeof TASKS} Name
 */

const KEPT_AS = 'ocelli-task';
const TASKS = {
  name: async () => (await import('./name_it.js')).nameIt,
  find: async () => (await import('./find_it.js')).findIt,
};

const camera = element('camera', HTMLButtonElement);

/** @type {Map<Name, Promise<Task>>} */
const started = new Map();
/** @type {Name | undefined} */
let chosen;
/** @type {Task | undefined} */
let task;
/** @type {Source | undefined} */
let source;

/** @param {string | null} text @returns {text is Name} */
const isName = (text) => text !== null && Object.hasOwn(TASKS, text);

/** Shows the task of the page's link, or the one that was shown last. */
async function choose() {
  const [linked, kept] = [location.hash.slice(1), recall(KEPT_AS)];
  const name = isName(linked) ? linked : isName(kept) ? kept : 'name';
  if (name === chosen) return;
  chosen = name;
  keep(KEPT_AS, name);
  showChoice(name);
  task?.leave();
  task = undefined;
  const starting = started.get(name) ?? start(name);
  started.set(name, starting);
  const next = await starting;
  // The user may have chosen again meanwhile.
  if (chosen !== name) return;
  task = next;
  next.show(source);
  await next.watch();
}

/** @param {Name} name */
async function start(name) {
  const started = await TASKS[name]();
  await started.start(use);
  return started;
}

/** @param {Name} name */
function showChoice(name) {
  for (const each of /** @type {Name[]} */ (Object.keys(TASKS))) {
    const link = element(`task-${each}`, HTMLAnchorElement);
    if (each === name) link.setAttribute('aria-current', 'true');
    else link.removeAttribute('aria-current');
    element(`${each}-it`, HTMLElement).hidden = each !== name;
  }
  document.body.dataset.task = name;
  element('file', HTMLInputElement).multiple = name === 'find';
}

/** @type {Use} */
async function use(open) {
  task?.stop();
  try {
    const opened = await openNewest(open);
    if (!opened) return;
    source = opened;
    showSource();
  } catch (error) {
    if (!isOpen()) source = undefined;
    showSource();
    showState('failed', ...explain(error));
  }
  await task?.watch();
}

function closeCamera() {
  task?.stop();
  closeSource();
  source = undefined;
  showSource();
}

function showSource() {
  camera.setAttribute('aria-pressed', String(source?.kind === 'camera'));
  offerPause(source);
  task?.show(source);
}

camera.addEventListener('click', () => {
  if (source?.kind === 'camera') closeCamera();
  else use(showCamera);
});
listenForFiles((files) => task?.open(files, use));
listenForCameras(() => source?.kind === 'camera' && use(showCamera));
listenForKeys({
  c: camera,
  o: element('open', HTMLButtonElement),
  p: element('pause', HTMLButtonElement),
  t: element('take', HTMLButtonElement),
  n: element('new-box', HTMLButtonElement),
});
addEventListener('hashchange', choose);
await choose();

// Teaching to name: examples from a camera or files -> a head trained on the backbone's features -> live predictions, and
// the classifier as a file. It uses the published package.
import { Backbone } from 'ocelli/train';
import { ClassCard, toPicture } from './classes.js';
import { Curves } from './curves.js';
import { offerDownloads } from './downloads.js';
import { describeEnd } from './fitting.js';
import { element, explain, make, makeDot, percent, showProgress, showState, showValue } from './page.js';
import { nextFrame, showFile } from './source.js';
import { listenForColors } from './stage.js';
import { describe, teach } from './training.js';

const epochs = element('epochs', HTMLInputElement);
const train = element('train', HTMLButtonElement);
const training = element('training', HTMLElement);
const list = element('cards', HTMLElement);
const addButton = element('add-class', HTMLButtonElement);
const predictions = element('predictions', HTMLElement);
const seen = element('seen', HTMLElement);
const curves = new Curves({
  accuracy: element('accuracy', HTMLCanvasElement),
  loss: element('loss', HTMLCanvasElement),
});

/** @type {Backbone | undefined} */
let backbone;
/**
 * Result of the last training, and the classes' colours.
 * @type {(import('./training.js').Taught & {colors: string[]}) | undefined}
 */
let trained;
/** @type {ClassCard[]} */
let cards = [];
let nextClass = 0;
/** @type {import('./source.js').Source | undefined} */
let source;
/** Aborts the loop over the source's frames. */
let watching = new AbortController();
/** Aborts the training, if one runs. @type {AbortController | undefined} */
let fitting;

/** Why the network could not be loaded. @type {unknown} */
let failure;
let isShown = false;

async function load() {
  failure = undefined;
  if (isShown) showState('loading', 'Loading the network');
  try {
    backbone = await Backbone.create({ worker: true, onProgress: (bytes) => isShown && showProgress(bytes) });
  } catch (error) {
    failure = error;
  }
  if (!isShown) return;
  show(source);
  await watch();
}

/** @param {import('./source.js').Source} [next] */
function show(next) {
  source = next;
  isShown = true;
  predictions.hidden = true;
  seen.textContent = '';
  for (const card of cards) card.setSource(canCapture());
  if (failure) showState('failed', ...explain(failure), { name: 'Try again', run: load });
  else if (!backbone) showState('loading', 'Loading the network');
  else if (source) showState('ready');
  else
    showState('empty', 'Show it something', 'Start the camera, open a photo, or add photos to the classes.');
}

/** What was asked of this source is not done to the next one; what is asked from now on is. */
function stop() {
  watching.abort();
  source = undefined;
  for (const card of cards) card.dropPress();
}

const canCapture = () => backbone !== undefined && source !== undefined;

// ---- the picture

/** Watches the source: captures pictures that a class asks for, and shows the trained classifier's predictions. */
async function watch() {
  watching.abort();
  watching = new AbortController();
  const { signal } = watching;
  if (!backbone || !source) return;
  try {
    if (source.kind === 'photo') return await handlePicture(source.blob, signal);
    // A paused video shows no further frame.
    if (source.video.paused) await handlePicture(source.video, signal);
    while (!signal.aborted) {
      await nextFrame(source.video, signal);
      const isNeeded = trained || cards.some(({ wantsPicture }) => wantsPicture);
      if (isNeeded && !signal.aborted) await handlePicture(source.video, signal);
    }
  } catch (error) {
    if (!signal.aborted) showState('failed', ...explain(error));
  }
}

/** Whether the picture stays as it is. */
const isStill = () => source !== undefined && (source.kind === 'photo' || source.video.paused);

/**
 * @param {Blob | HTMLVideoElement} image
 * @param {AbortSignal} signal
 */
async function handlePicture(image, signal) {
  const card = cards.find(({ wantsPicture }) => wantsPicture);
  if (!backbone) return;
  const picture = card && (await toPicture(image));
  const { data } = await backbone.extractBatch([image]);
  if (signal.aborted) return;
  card?.add(data, picture);
  if (trained) showPredictions(await trained.learner.predict({ features: data }), trained.colors);
}

/**
 * @param {import('ocelli/train').Prediction[]} found best first
 * @param {string[]} colors
 */
function showPredictions(found, colors) {
  const rows = [...found]
    .sort((a, b) => a.labelId - b.labelId)
    .map(({ label, labelId, score }) => {
      const bar = make('span', { className: 'bar' });
      bar.style.width = `${100 * score}%`;
      bar.style.background = colors[labelId];
      return make('li', {}, bar, make('span', {}, label), make('span', {}, percent(score)));
    });
  predictions.replaceChildren(...rows);
  predictions.hidden = false;
  const text = `Looks like ${found[0].label}`;
  // Write only changes, so that a screen reader does not read out every frame.
  if (seen.textContent !== text) seen.replaceChildren(makeDot(colors[found[0].labelId]), text);
}

// ---- the classes

function addClass() {
  const card = new ClassCard(nextClass++, {
    onChange: showWhetherReady,
    // While a video or the camera plays, the next frame is captured.
    onPress: () => isStill() && watch(),
    onFiles: (files) => addFiles(card, files),
    onRemove: () => removeClass(card),
  });
  card.setSource(canCapture());
  cards.push(card);
  showCards();
  return card;
}

/** @param {ClassCard} card */
function removeClass(card) {
  const at = cards.indexOf(card);
  cards.splice(at, 1);
  showCards();
  const neighbour = cards[at] ?? cards[at - 1];
  if (neighbour) neighbour.focus();
  else addButton.focus();
}

function showCards() {
  list.replaceChildren(...cards.map((card) => card.element));
  list.hidden = cards.length === 0;
  showWhetherReady();
}

/**
 * @param {ClassCard} card
 * @param {File[]} files
 */
async function addFiles(card, files) {
  /** @type {string[]} */
  const refused = [];
  for (const [i, file] of files.entries()) {
    card.showStatus(`Reading ${i + 1} of ${files.length} …`);
    try {
      if (!backbone) throw new Error('The network is not loaded yet.');
      const { data } = await backbone.extractBatch([file]);
      card.add(data, await toPicture(file));
    } catch (error) {
      refused.push(`${file.name}: ${/** @type {Error} */ (error).message}`);
    }
  }
  card.showStatus(refused.join(' '));
}

/** What is still missing before training can start; '' if nothing. */
function findMissing() {
  const names = cards.map(({ name }) => name);
  const double = names.find((name, i) => names.indexOf(name) < i);
  if (cards.length < 2) return 'Add at least two classes.';
  if (names.includes('')) return 'Each class needs a name.';
  if (double !== undefined) return `Two classes have the same name, “${double}”.`;
  const empty = cards.find(({ examples }) => examples.length === 0);
  return empty ? `“${empty.name}” has no example yet.` : '';
}

function showWhetherReady() {
  for (const card of cards)
    card.markName(card.name === '' || cards.some((other) => other !== card && other.name === card.name));
  if (fitting) return;
  const missing = findMissing();
  train.disabled = missing !== '';
  training.textContent = missing || 'Ready to train.';
}

// ---- training

async function startTraining() {
  fitting = new AbortController();
  const { signal } = fitting;
  const colors = cards.map(({ color }) => color);
  train.textContent = 'Stop';
  element('curves', HTMLElement).hidden = false;
  const options = { extractor: backbone, epochs: Number(epochs.value), signal, onEpoch: showEpoch };
  curves.begin(options.epochs);
  /** @type {string} */
  let outcome;
  try {
    outcome = await adopt(await teach(cards, options), colors);
  } catch (error) {
    outcome = signal.aborted ? 'Stopped before the first epoch ended.' : explain(error).join(': ');
  }
  fitting = undefined;
  train.textContent = 'Train again';
  showWhetherReady();
  training.textContent = outcome;
}

/** @param {Parameters<import('./training.js').OnEpoch>[0]} done */
function showEpoch({ epoch, epochs, logs }) {
  curves.add(logs);
  training.textContent = `Epoch ${epoch + 1} of ${epochs}: ${describe(logs)}`;
}

/**
 * Uses this result for predictions and downloads from now on.
 * @param {import('./training.js').Taught} taught
 * @param {string[]} colors
 */
async function adopt(taught, colors) {
  trained?.learner.close();
  trained = { ...taught, colors };
  await offerDownloads(taught);
  if (isShown && isStill()) watch();
  return describeEnd(taught, describe(taught.logs));
}

// ---- controls

function listen() {
  addButton.addEventListener('click', () => addClass().focus());
  train.addEventListener('click', () => (fitting ? fitting.abort() : startTraining()));
  epochs.addEventListener('input', () => showValue(epochs, epochs.value));
  new ResizeObserver(() => curves.draw()).observe(element('curves', HTMLElement));
  listenForColors(() => curves.draw());
}

/** @type {import('./teach.js').Task} */
export const nameIt = {
  start() {
    listen();
    showValue(epochs, epochs.value);
    addClass();
    addClass();
    load();
  },
  show,
  watch,
  stop,
  leave() {
    stop();
    isShown = false;
    predictions.hidden = true;
  },
  open: ([file], use) => use(showFile(file)),
};

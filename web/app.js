// The demo page: photo, video or camera -> a model in a worker -> boxes and the panel. It uses the published package.
import { ObjectDetector } from 'ocelli';
import { listenForCameras } from './cameras.js';
import { writeCode } from './code.js';
import { listenForCopy } from './copy.js';
import { listenForKeys } from './keys.js';
import { findModel, openModel } from './model.js';
import { element, explain, make, makeDot, showProgress, showState } from './page.js';
import { offerPause } from './pause.js';
import { clearFound, clearSpeed, drawSpeed, showEngine, showFound, showSpeed } from './results.js';
import * as settings from './settings.js';
import { isMirrored, isOpen, listenForFiles, openNewest, showCamera, showFile } from './source.js';
import { colorOf, drawBoxes, listenForColors } from './stage.js';

/** @typedef {import('ocelli').Detection} Detection */

const SAMPLES = ['astronaut', 'chelsea', 'coffee'];
const NOTHING_YET = 'Nothing yet.';
const boxes = element('boxes', HTMLCanvasElement);
const camera = element('camera', HTMLButtonElement);
const openButton = element('open-model', HTMLButtonElement);
const values = element('values', HTMLSelectElement);

/** @type {Awaited<ReturnType<typeof openModel>> | undefined} */
let model;
/** Files of the user. @type {import('./model.js').Chosen} */
let chosen = {};
/** Aborts the loading of the model. */
let loading = new AbortController();
/** @type {import('./source.js').Source | undefined} */
let source;
/** Name of the sample photo, if the source is one. @type {string | undefined} */
let sample;
/** Aborts the detection that runs on the source. */
let detecting = new AbortController();
/** @type {import('./model.js').Result | undefined} */
let last;
let modelBytes = 0;

// ---- the model ----

async function load() {
  close();
  loading = new AbortController();
  const { signal } = loading;
  showState('loading', chosen.model ? 'Loading your model' : 'Loading the detector');
  try {
    const opened = await openModel(chosen, { ...modelOptions(), worker: true, signal, onProgress });
    if (signal.aborted) return opened.close();
    model = opened;
  } catch (error) {
    if (!signal.aborted) showFailedModel(error);
    return;
  }
  showState('ready');
  showModel();
  showClasses();
  showCode();
  await detect();
}

/** Ends the model and what it was doing. */
function close() {
  loading.abort();
  detecting.abort();
  model?.close();
  model = undefined;
  forget(NOTHING_YET);
  showModel();
}

function modelOptions() {
  const isOwn = chosen.model !== undefined;
  const input = /** @type {'[-1,1]' | '[0,1]' | '[0,255]' | 'imagenet' | ''} */ (values.value);
  return { ...settings.loadingOptions(isOwn), ...(isOwn && input && { input }) };
}

/** @param {{loaded: number, total?: number}} progress */
function onProgress(progress) {
  modelBytes = progress.loaded;
  showProgress(progress);
}

/** @param {unknown} error */
function showFailedModel(error) {
  const isOwn = chosen.model !== undefined || chosen.labels !== undefined;
  const [title, text] = explain(error);
  if (isOwn)
    showState('failed', 'This model cannot be used', text, { name: 'ocelli’s own', run: useBuiltIn });
  else showState('failed', title, text, { name: 'Try again', run: load });
}

/** @param {File[]} files at least one */
async function openModelFiles(files) {
  const found = await findModel(files);
  // What is neither is refused by what it has instead of a model.
  if (!found.model && !found.labels) found.model = files[0];
  chosen = found.model ? found : { ...chosen, labels: found.labels };
  values.value = '';
  await load();
}

function useBuiltIn() {
  chosen = {};
  openButton.focus();
  return load();
}

function showModel() {
  const names = [chosen.model?.name ?? 'SSD-MobileNetV2, ocelli’s own', chosen.labels?.name];
  const count = model && (model.labels.length ? `${model.labels.length} classes` : 'no class names');
  element('model-name', HTMLElement).textContent = [...names, count].filter(Boolean).join(', ');
  element('built-in', HTMLButtonElement).hidden = !chosen.model && !chosen.labels;
  element('values-row', HTMLElement).hidden = !chosen.model;
  // A model of the user's own has one precision.
  element('precision', HTMLSelectElement).disabled = chosen.model !== undefined;
  for (const view of settings.VIEWS) view.disabled = isClassifier();
}

const isClassifier = () => model !== undefined && !(model instanceof ObjectDetector);

// ---- detection ----

/** Detects in the current source with the current settings; ends an earlier detection. */
async function detect() {
  detecting.abort();
  detecting = new AbortController();
  const { signal } = detecting;
  if (!model || !source) return;
  const thresholds = settings.thresholds();
  try {
    if (source.kind === 'photo') {
      const tiles = settings.isTiled() ? { onProgress: showTiles } : undefined;
      const result = await model.detect(source.blob, { ...thresholds, tiles, signal });
      if (!signal.aborted) show(result);
      return;
    }
    const track = settings.isTracked();
    for await (const result of model.video(source.video, { ...thresholds, track, signal }))
      if (!signal.aborted) show(result);
  } catch (error) {
    if (signal.aborted) return;
    forget(NOTHING_YET);
    showState('failed', ...explain(error));
  }
}

/** Says once how long it may take. @param {{done: number, total: number}} progress */
function showTiles({ done, total }) {
  if (done === 1) clearFound(`Looking in ${total} tiles …`);
}

/** @param {import('./model.js').Result} result */
function show(result) {
  last = result;
  redraw();
  showSpeed(result, source?.kind !== 'photo');
  showFacts();
}

/**
 * Takes away the result, which is not that of the picture any more.
 * @param {string} text what to say instead
 */
function forget(text) {
  last = undefined;
  boxes.width = 0;
  clearFound(text);
  clearSpeed();
}

function redraw() {
  if (!last) return;
  const found = last.detections.filter(({ label }) => settings.isShown(label));
  const boxed = /** @type {Detection[]} */ (found.filter(({ box }) => box));
  drawBoxes(boxes, boxed, last.size, isMirrored());
  showFound(
    found,
    settings.isAnyShown(model?.labels ?? [])
      ? 'Nothing above the threshold.'
      : 'No class is ticked, so nothing is shown.',
  );
}

function showFacts() {
  if (!model || !last) return;
  const { name, threads } = last.variant;
  const arithmetic = name.startsWith('relaxed') ? 'relaxed SIMD' : 'plain SIMD';
  showEngine({
    Model: chosen.model ? chosen.model.name : 'SSD-MobileNetV2',
    'Model file': `${((chosen.model?.size ?? modelBytes) / 1e6).toFixed(1)} MB`,
    Precision: last.precision === 'int8' ? '8 bits' : 'float',
    WebAssembly: `${arithmetic}, ${threads} thread${threads > 1 ? 's' : ''}`,
    Where: 'a worker of this page',
    Memory: `${(model.memoryUse.totalBytes / 2 ** 20).toFixed(0)} MiB`,
    Picture: `${last.size.width} × ${last.size.height}`,
    ...(last.tiles !== undefined && { Tiles: String(last.tiles || 'none, the photo is small') }),
  });
}

// ---- sources ----

/**
 * @param {import('./source.js').Open} open
 * @param {string} [name] of a sample photo
 */
async function use(open, name) {
  detecting.abort();
  try {
    const opened = await openNewest(open);
    if (!opened) return;
    source = opened;
    sample = name;
    forget('Looking …');
    if (model) showState('ready');
  } catch (error) {
    if (!isOpen()) source = sample = undefined;
    forget(NOTHING_YET);
    showState('failed', ...explain(error));
  }
  showSource();
  showCode();
  await detect();
}

/** @param {string} name of a sample */
const pathOf = (name) => `samples/${name}${element('samples', HTMLElement).dataset.ending}`;

/** @param {string} name */
const useSample = (name) =>
  use(async (signal) => showFile(await (await fetch(pathOf(name), { signal })).blob())(signal), name);

/** @param {File[]} files at least one */
async function openFiles(files) {
  const { model, labels } = await findModel(files);
  if (model || labels) await openModelFiles(files);
  else await use(showFile(files[0]));
}

function showSource() {
  camera.setAttribute('aria-pressed', String(source?.kind === 'camera'));
  offerPause(source);
  for (const button of document.querySelectorAll('#samples button')) {
    button.setAttribute('aria-pressed', String(button.id === `sample-${sample}`));
  }
}

// ---- controls ----

function showClasses() {
  const labels = model?.labels ?? [];
  const rows = labels.map(({ name }, id) => {
    const box = make('input', { type: 'checkbox', checked: settings.isShown(name) });
    box.addEventListener('change', () => {
      settings.setShown(name, box.checked);
      applyClasses();
    });
    return make('li', {}, make('label', {}, box, makeDot(colorOf(id)), make('span', {}, name)));
  });
  element('classes', HTMLElement).replaceChildren(...rows);
  showClassCount();
}

function applyClasses() {
  settings.keepSettings();
  showClassCount();
  showCode();
  redraw();
}

function showClassCount() {
  const labels = model?.labels ?? [];
  const count = labels.filter(({ name }) => settings.isShown(name)).length;
  element('classes-count', HTMLElement).textContent =
    labels.length === 0
      ? ''
      : count === labels.length
        ? `all ${count}`
        : `${count || 'none'} of ${labels.length}`;
}

/** @param {boolean} areShown */
function setAllClasses(areShown) {
  settings.setAllShown(areShown);
  showClasses();
  applyClasses();
}

/** Writes code and a link for the current settings. */
function showCode() {
  const { threads, deterministic, ...rest } = modelOptions();
  const { precision, input } = /** @type {{precision?: string, input?: string}} */ (rest);
  const { scoreThreshold, iouThreshold } = settings.thresholds();
  const options = {
    model: chosen.model?.name,
    labels: chosen.labels?.name,
    input,
    precision: precision === 'float' ? undefined : precision,
    threads: threads > 1 ? threads : undefined,
    deterministic: deterministic || undefined,
    worker: true,
    ...(!isClassifier() && {
      scoreThreshold,
      iouThreshold,
      classes: settings.classSelection(model?.labels ?? []),
    }),
  };
  const isVideo = source !== undefined && source.kind !== 'photo';
  element('code', HTMLElement).textContent = writeCode({
    ...{ isClassifier: isClassifier(), isVideo, scoreThreshold, options },
    ...{ isTiled: settings.isTiled(), isTracked: settings.isTracked() },
  });
  const link = new URLSearchParams(settings.writeSettings());
  if (sample) link.set('sample', sample);
  element('link', HTMLElement).textContent = `${location.origin}${location.pathname}#${link}`;
}

/** Takes over the settings of a link, or what was kept. */
async function start() {
  const wanted = settings.startSettings() ?? '';
  close();
  // The photo first: it is small, and there is something to see while the model loads.
  await useSample(SAMPLES.includes(wanted) ? wanted : SAMPLES[0]);
  await load();
}

function listen() {
  for (const slider of settings.SLIDERS) {
    slider.addEventListener('input', () => {
      settings.showSliders();
      showCode();
      detect();
    });
    slider.addEventListener('change', settings.keepSettings);
  }
  for (const view of settings.VIEWS) {
    view.addEventListener('change', () => {
      settings.keepSettings();
      showCode();
      detect();
    });
  }
  for (const choice of settings.CHOICES) {
    choice.addEventListener('change', () => {
      settings.keepSettings();
      load();
    });
  }
  element('defaults', HTMLButtonElement).addEventListener('click', () => {
    settings.readSettings('');
    settings.keepSettings();
    load();
  });
  element('classes-all', HTMLButtonElement).addEventListener('click', () => setAllClasses(true));
  element('classes-none', HTMLButtonElement).addEventListener('click', () => setAllClasses(false));
  listenForModels();
  camera.addEventListener('click', () => {
    if (source?.kind === 'camera') useSample(SAMPLES[0]);
    else use(showCamera);
  });
  listenForFiles(openFiles);
  listenForCameras(() => source?.kind === 'camera' && use(showCamera));
  listenForKeys({
    c: camera,
    o: element('open', HTMLButtonElement),
    p: element('pause', HTMLButtonElement),
  });
  for (const id of ['code', 'link'])
    listenForCopy(element(`copy-${id}`, HTMLButtonElement), element(id, HTMLElement));
  addEventListener('hashchange', () => location.hash && start());
  new ResizeObserver(() => {
    redraw();
    drawSpeed();
  }).observe(boxes);
  listenForColors(drawSpeed);
}

function listenForModels() {
  const file = element('model-file', HTMLInputElement);
  openButton.addEventListener('click', () => file.click());
  file.addEventListener('change', () => {
    if (file.files?.length) openModelFiles([...file.files]);
    file.value = '';
  });
  element('built-in', HTMLButtonElement).addEventListener('click', useBuiltIn);
  values.addEventListener('change', load);
}

function offerSamples() {
  const buttons = SAMPLES.map((name) => {
    const image = make('img', { src: pathOf(name), alt: `Sample: ${name}` });
    const button = make('button', { id: `sample-${name}`, type: 'button' }, image);
    button.addEventListener('click', () => useSample(name));
    return make('li', {}, button);
  });
  element('samples', HTMLElement).replaceChildren(...buttons);
}

listen();
offerSamples();
await start();

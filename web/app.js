// The demo page: photo, video or camera -> a detector in a worker -> boxes and the panel. It uses the published
// package.
import { DEFAULT_THRESHOLDS, ObjectDetector } from 'ocelli';
import { listenForKeys } from './keys.js';
import { element, explain, make, makeDot, percent, showProgress, showState, showValue } from './page.js';
import { offerPause } from './pause.js';
import { clearFound, clearSpeed, drawSpeed, showEngine, showFound, showSpeed } from './results.js';
import { isMirrored, isOpen, listenForFiles, showCamera, showFile } from './source.js';
import { colorOf, drawBoxes, listenForColors } from './stage.js';

/** @typedef {import('ocelli').DetectResult} DetectResult */

const SAMPLES = ['astronaut', 'chelsea', 'coffee'];
const boxes = element('boxes', HTMLCanvasElement);
const score = element('score', HTMLInputElement);
const iou = element('iou', HTMLInputElement);
const threads = element('threads', HTMLSelectElement);
const deterministic = element('deterministic', HTMLSelectElement);
const camera = element('camera', HTMLButtonElement);

/** @type {ObjectDetector | undefined} */
let detector;
/** @type {import('./source.js').Source | undefined} */
let source;
/** Name of the sample photo, if the source is one. @type {string | undefined} */
let sample;
/** Aborts the detection that runs on the source. */
let detecting = new AbortController();
/** @type {DetectResult | undefined} */
let last;
let modelBytes = 0;
/** @type {Set<string>} */
const hidden = new Set();

// ---- the detector ----

async function load() {
  detecting.abort();
  detector?.close();
  detector = undefined;
  showState('loading', 'Loading the detector', '10 MB, once');
  try {
    detector = await ObjectDetector.create({
      worker: true,
      threads: Number(threads.value),
      deterministic: deterministic.value !== '',
      onProgress: (progress) => {
        modelBytes = progress.loaded;
        showProgress(progress);
      },
    });
  } catch (error) {
    showState('failed', ...explain(error), load);
    return;
  }
  showState('ready');
  clearSpeed();
  showClasses();
  await detect();
}

function thresholds() {
  return { scoreThreshold: Number(score.value), iouThreshold: Number(iou.value) };
}

/** Detects in the current source with the current settings; ends an earlier detection. */
async function detect() {
  detecting.abort();
  detecting = new AbortController();
  const { signal } = detecting;
  if (!detector || !source) return;
  try {
    if (source.kind === 'photo') {
      const result = await detector.detect(source.blob, thresholds());
      if (!signal.aborted) show(result);
    } else {
      for await (const result of detector.video(source.video, { ...thresholds(), signal })) show(result);
    }
  } catch (error) {
    if (!signal.aborted) showState('failed', ...explain(error));
  }
}

/** @param {DetectResult} result */
function show(result) {
  last = result;
  redraw();
  showSpeed(result, source?.kind !== 'photo');
  showFacts();
}

function redraw() {
  if (!last) {
    boxes.width = 0;
    return;
  }
  const found = last.detections.filter(({ label }) => !hidden.has(label));
  drawBoxes(boxes, found, last.size, isMirrored());
  showFound(found);
}

function showFacts() {
  if (!detector || !last) return;
  const { name, threads } = detector.variant;
  const arithmetic = name.startsWith('relaxed') ? 'relaxed SIMD' : 'plain SIMD';
  showEngine({
    Model: `SSD-MobileNetV2, ${detector.labels.length} classes`,
    'Model file': `${(modelBytes / 1e6).toFixed(1)} MB`,
    WebAssembly: `${arithmetic}, ${threads} thread${threads > 1 ? 's' : ''}`,
    Where: 'a worker of this page',
    Memory: `${(detector.memoryUse.totalBytes / 2 ** 20).toFixed(0)} MiB`,
    Picture: `${last.size.width} × ${last.size.height}`,
  });
}

// ---- sources ----

/**
 * @param {() => Promise<import('./source.js').Source>} open
 * @param {string} [name] of a sample photo
 */
async function use(open, name) {
  detecting.abort();
  try {
    source = await open();
    sample = name;
    if (detector) showState('ready');
  } catch (error) {
    if (!isOpen()) {
      source = sample = undefined;
      clearFound();
    }
    showState('failed', ...explain(error));
  }
  last = undefined;
  redraw();
  showSource();
  clearSpeed();
  await detect();
}

/** @param {string} name */
const useSample = (name) =>
  use(async () => showFile(await (await fetch(`samples/${name}.png`)).blob()), name);

function showSource() {
  camera.setAttribute('aria-pressed', String(source?.kind === 'camera'));
  offerPause(source);
  for (const button of document.querySelectorAll('#samples button')) {
    button.setAttribute('aria-pressed', String(button.id === `sample-${sample}`));
  }
}

// ---- controls ----

function showClasses() {
  const labels = detector?.labels ?? [];
  const rows = labels.map(({ name }, id) => {
    const box = make('input', { type: 'checkbox', checked: !hidden.has(name) });
    box.addEventListener('change', () => {
      if (box.checked) hidden.delete(name);
      else hidden.add(name);
      showClassCount();
      redraw();
    });
    return make('li', {}, make('label', {}, box, makeDot(colorOf(id)), make('span', {}, name)));
  });
  element('classes', HTMLElement).replaceChildren(...rows);
  showClassCount();
}

function showClassCount() {
  const count = detector?.labels.length ?? 0;
  element('classes-count', HTMLElement).textContent = hidden.size
    ? `${count - hidden.size} of ${count}`
    : `all ${count}`;
}

/** @param {boolean} isShown */
function setAllClasses(isShown) {
  hidden.clear();
  if (!isShown) for (const { name } of detector?.labels ?? []) hidden.add(name);
  showClasses();
  redraw();
}

function setThresholds() {
  score.value = String(DEFAULT_THRESHOLDS.scoreThreshold);
  iou.value = String(DEFAULT_THRESHOLDS.iouThreshold);
  showThresholds();
}

function showThresholds() {
  for (const slider of [score, iou]) showValue(slider, percent(Number(slider.value)));
}

function listen() {
  for (const input of [score, iou]) {
    input.addEventListener('input', () => {
      showThresholds();
      detect();
    });
  }
  threads.addEventListener('change', load);
  deterministic.addEventListener('change', load);
  element('classes-all', HTMLButtonElement).addEventListener('click', () => setAllClasses(true));
  element('classes-none', HTMLButtonElement).addEventListener('click', () => setAllClasses(false));
  camera.addEventListener('click', () => {
    if (source?.kind === 'camera') useSample(SAMPLES[0]);
    else use(showCamera);
  });
  listenForFiles((blob) => use(() => showFile(blob)));
  listenForKeys({
    c: camera,
    o: element('open', HTMLButtonElement),
    p: element('pause', HTMLButtonElement),
  });
  new ResizeObserver(() => {
    redraw();
    drawSpeed();
  }).observe(boxes);
  listenForColors(drawSpeed);
}

function offerThreads() {
  const most = globalThis.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, 8) : 1;
  for (let count = 1; count <= most; count++) threads.append(make('option', {}, String(count)));
  threads.disabled = most === 1;
  if (most === 1)
    threads.title = 'More threads need a cross-origin isolated page and more than one processor.';
}

function offerSamples() {
  const buttons = SAMPLES.map((name) => {
    const image = make('img', { src: `samples/${name}.png`, alt: `Sample: ${name}` });
    const button = make('button', { id: `sample-${name}`, type: 'button' }, image);
    button.addEventListener('click', () => useSample(name));
    return make('li', {}, button);
  });
  element('samples', HTMLElement).replaceChildren(...buttons);
}

listen();
setThresholds();
offerThreads();
offerSamples();
await Promise.all([load(), useSample(SAMPLES[0])]);

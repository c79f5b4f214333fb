// The settings of the page that detects, in three places: its controls, what the browser keeps, and a link. As a text they
// are a query with what differs from the defaults: score=0.4&threads=2&only=Person&only=Cat
import { DEFAULT_THRESHOLDS } from 'ocelli';
import { element, percent, showValue } from './page.js';
import { keep, recall } from './storage.js';

const KEPT_AS = 'ocelli-settings';

const score = element('score', HTMLInputElement);
const iou = element('iou', HTMLInputElement);
const precision = element('precision', HTMLSelectElement);
const threads = element('threads', HTMLSelectElement);
const deterministic = element('deterministic', HTMLSelectElement);
const tiles = element('tiles', HTMLSelectElement);
const track = element('track', HTMLSelectElement);

score.defaultValue = String(DEFAULT_THRESHOLDS.scoreThreshold);
iou.defaultValue = String(DEFAULT_THRESHOLDS.iouThreshold);
offerThreads();

/** Settings of a call. */
export const SLIDERS = [score, iou];
export const VIEWS = [tiles, track];
/** Settings that load the model again. */
export const CHOICES = [precision, threads, deterministic];
const CONTROLS = [...SLIDERS, ...VIEWS, ...CHOICES];

/** The named classes are shown only, or all but them. */
let isOnly = false;
/** @type {Set<string>} */
let names = new Set();

/** @param {string} name of a class */
export const isShown = (name) => names.has(name) === isOnly;

/** @param {{name: string}[]} labels of the model, none if it names no classes */
export const isAnyShown = (labels) =>
  labels.length > 0 ? labels.some(({ name }) => isShown(name)) : !isOnly;

/**
 * @param {string} name
 * @param {boolean} isWanted
 */
export function setShown(name, isWanted) {
  if (isWanted === isOnly) names.add(name);
  else names.delete(name);
}

/** @param {boolean} areShown */
export function setAllShown(areShown) {
  isOnly = !areShown;
  names = new Set();
}

/** @returns {{scoreThreshold: number, iouThreshold: number}} */
export const thresholds = () => ({ scoreThreshold: Number(score.value), iouThreshold: Number(iou.value) });

/** Photos are also searched in tiles. */
export const isTiled = () => tiles.value !== '';
/** Objects of videos are followed from frame to frame. */
export const isTracked = () => track.value !== '';

/** Options of `create`; a model of the user's own has its own precision. @param {boolean} isOwnModel */
export function loadingOptions(isOwnModel) {
  return {
    threads: Number(threads.value),
    deterministic: deterministic.value !== '',
    ...(!isOwnModel && { precision: /** @type {'float' | 'int8' | 'auto'} */ (precision.value) }),
  };
}

/** Which classes, as the option of `create`: undefined for all. @param {{name: string}[]} labels of the model */
export function classSelection(labels) {
  const known = labels.map(({ name }) => name).filter((name) => names.has(name));
  if (isOnly) return { allow: known };
  return known.length > 0 ? { deny: known } : undefined;
}

/** Offers as many threads as this browser can start. */
function offerThreads() {
  const most = globalThis.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, 8) : 1;
  for (let count = 1; count <= most; count++) threads.add(new Option(String(count)));
  threads.disabled = most === 1;
  if (most === 1)
    threads.title = 'More threads need a cross-origin isolated page and more than one processor.';
}

/** @returns {string} the settings as a text */
export function writeSettings() {
  const text = new URLSearchParams();
  for (const control of CONTROLS)
    if (control.value !== defaultOf(control)) text.set(control.id, control.value);
  for (const name of names) text.append(isOnly ? 'only' : 'without', name);
  if (isOnly && names.size === 0) text.set('only', '');
  return String(text);
}

/**
 * Sets the controls. What the text does not say, or what this browser does not offer, gets its default.
 * @param {string} text
 */
export function readSettings(text) {
  const given = new URLSearchParams(text);
  for (const control of CONTROLS) {
    const value = given.get(control.id) ?? '';
    control.value = offers(control, value) ? value : defaultOf(control);
  }
  isOnly = given.has('only');
  names = new Set(given.getAll(isOnly ? 'only' : 'without').filter((name) => name !== ''));
  showSliders();
}

/** @param {HTMLInputElement | HTMLSelectElement} control */
const defaultOf = (control) =>
  control instanceof HTMLSelectElement ? control.options[0].value : control.defaultValue;

/**
 * @param {HTMLInputElement | HTMLSelectElement} control
 * @param {string} value
 */
function offers(control, value) {
  if (control instanceof HTMLSelectElement) return [...control.options].some((each) => each.value === value);
  const { min, max } = control;
  return value !== '' && Number(value) >= Number(min) && Number(value) <= Number(max);
}

export function showSliders() {
  for (const slider of SLIDERS) showValue(slider, percent(Number(slider.value)));
}

/** The settings that the page begins with, and the name of a photo: those of its link, or those that were kept. */
export function startSettings() {
  readSettings(location.hash.slice(1) || (recall(KEPT_AS) ?? ''));
  return new URLSearchParams(location.hash.slice(1)).get('sample');
}

/** Keeps what the user has set. The address loses the settings of a link, which are no longer those of the page. */
export function keepSettings() {
  keep(KEPT_AS, writeSettings());
  if (location.hash) history.replaceState(null, '', location.pathname + location.search);
}

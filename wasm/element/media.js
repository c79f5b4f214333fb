// A URL or a camera -> a picture or a video that the element shows.
import { loadLibrary } from './library.js';

/**
 * @typedef {object} Media
 * @property {HTMLImageElement | HTMLVideoElement} shown
 * @property {Blob} [file] of a picture: the module reads it as it is, so that every browser gets the same result
 * @property {boolean} [isLive] a camera
 * @property {boolean} [isMirrored]
 */

/** Servers give some videos no type. */
const VIDEO_NAME = /\.(mp4|m4v|mov|webm|ogv|mkv)$/i;

/**
 * @param {'IMAGE_NOT_FOUND' | 'INVALID_INPUT'} code
 * @param {string} message
 * @param {unknown} [cause]
 */
async function failure(code, message, cause) {
  const { OcelliError } = await loadLibrary();
  return new OcelliError(code, message, { cause });
}

/**
 * Its memory and network connection are released when `signal` is aborted.
 * @param {string} url
 * @param {AbortSignal} signal
 * @returns {Promise<Media>}
 */
export async function openUrl(url, signal) {
  const reading = new AbortController();
  signal.addEventListener('abort', () => reading.abort());
  const unread = (/** @type {unknown} */ cause) => failure('IMAGE_NOT_FOUND', `${url} cannot be read`, cause);
  const response = await fetch(url, { signal: reading.signal }).catch(async (cause) => {
    throw await unread(cause);
  });
  if (!response.ok) throw await failure('IMAGE_NOT_FOUND', `${url}: the server answers ${response.status}`);
  if (isVideo(response)) {
    reading.abort(); // the video element reads the parts that it needs
    return { shown: await openVideo(url, signal) };
  }
  const file = await response.blob().catch(async (cause) => {
    throw await unread(cause);
  });
  return { file, shown: await openPicture(file, url, signal) };
}

/** @param {Response} response */
function isVideo({ url, headers }) {
  const type = String(headers.get('content-type'));
  return /^video\//i.test(type) || (!/^image\//i.test(type) && VIDEO_NAME.test(new URL(url).pathname));
}

/**
 * @param {Blob} file
 * @param {string} url
 * @param {AbortSignal} signal
 */
async function openPicture(file, url, signal) {
  const picture = new Image();
  picture.src = URL.createObjectURL(file);
  signal.addEventListener('abort', () => URL.revokeObjectURL(picture.src));
  await picture.decode().catch(async (cause) => {
    throw await failure('IMAGE_NOT_FOUND', `the browser cannot show ${url}`, cause);
  });
  return picture;
}

function createVideo() {
  const video = document.createElement('video');
  return Object.assign(video, { muted: true, playsInline: true });
}

/** Rejects when there is no first frame to come. @param {HTMLVideoElement} video @param {AbortSignal} signal */
const firstFrame = (video, signal) =>
  new Promise((resolve, reject) => {
    video.addEventListener('loadeddata', resolve);
    video.addEventListener('error', () => reject(video.error));
    signal.addEventListener('abort', () => reject(signal.reason));
  });

/**
 * @param {string} url
 * @param {AbortSignal} signal
 */
async function openVideo(url, signal) {
  const video = createVideo();
  signal.addEventListener('abort', () => {
    video.removeAttribute('src');
    video.load();
  });
  Object.assign(video, { crossOrigin: 'anonymous', controls: true, preload: 'auto', src: url });
  await firstFrame(video, signal).catch(async (cause) => {
    throw await failure('IMAGE_NOT_FOUND', `the browser cannot play ${url}`, cause);
  });
  return video;
}

/**
 * @param {string} choice empty: any camera; `user` (mirrored) or `environment`; else a device id
 * @param {AbortSignal} signal
 * @returns {Promise<Media>}
 */
export async function openCamera(choice, signal) {
  if (!navigator.mediaDevices)
    throw await failure(
      'INVALID_INPUT',
      'no camera here: the page must be served with HTTPS, or from localhost',
    );
  const stream = await navigator.mediaDevices.getUserMedia({ video: constraints(choice) });
  const stop = () => stream.getTracks().forEach((track) => track.stop());
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  signal.throwIfAborted();
  const video = createVideo();
  video.srcObject = stream;
  await firstFrame(video, signal);
  return { shown: video, isLive: true, isMirrored: choice === 'user' };
}

/** @param {string} choice @returns {MediaTrackConstraints | true} */
function constraints(choice) {
  if (choice === '') return true;
  if (choice === 'user' || choice === 'environment') return { facingMode: choice };
  return { deviceId: { exact: choice } };
}

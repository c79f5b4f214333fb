// The source of pictures: a photo, a video file or the camera.
import { offerCameras, wantedCamera } from './cameras.js';
import { element } from './page.js';

const photo = element('photo', HTMLImageElement);
const video = element('video', HTMLVideoElement);
const stage = element('stage', HTMLElement);

/**
 * @typedef {{kind: 'photo', blob: Blob} | {kind: 'video' | 'camera', video: HTMLVideoElement}} Source
 *
 * @typedef {(signal: AbortSignal) => Promise<Source>} Open opens a source, unless `signal` is aborted meanwhile
 */

let opening = new AbortController();

/**
 * Opens a source instead of the one that is being opened, such as a camera that waits for the user's permission.
 * @param {Open} open
 * @returns {Promise<Source | undefined>} undefined: another one is being opened by now
 */
export async function openNewest(open) {
  opening.abort();
  const { signal } = (opening = new AbortController());
  try {
    const source = await open(signal);
    return signal.aborted ? undefined : source;
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/**
 * @param {Blob} blob a photo or a video
 * @returns {Open}
 */
export const showFile = (blob) => async (signal) => {
  signal.throwIfAborted();
  clear();
  const url = URL.createObjectURL(blob);
  if (!blob.type.startsWith('video/')) {
    photo.src = url;
    photo.hidden = false;
    // If the browser cannot decode it (a TIFF, for example), the detector reports the format.
    await photo.decode().catch(() => {});
    return { kind: 'photo', blob };
  }
  video.src = url;
  video.hidden = false;
  await play(signal);
  return { kind: 'video', video };
};

/** @type {Open} */
export async function showCamera(signal) {
  signal.throwIfAborted();
  if (!navigator.mediaDevices) throw new Error('The camera needs a secure page (https).');
  // Some phones open a camera only after the other one is closed.
  if (video.srcObject) clear();
  const id = wantedCamera();
  const stream = await openCamera(id);
  if (signal.aborted) stop(stream);
  signal.throwIfAborted();
  clear();
  video.srcObject = stream;
  video.hidden = false;
  const isFront = stream.getVideoTracks()[0].getSettings().facingMode !== 'environment';
  stage.classList.toggle('mirrored', isFront);
  await Promise.all([play(signal), offerCameras()]);
  // Another one may have been chosen while this one opened.
  if (wantedCamera() !== id) return showCamera(signal);
  return { kind: 'camera', video };
}

/**
 * @param {string} id of the camera, '' for the one that the browser chooses
 * @returns {Promise<MediaStream>}
 */
async function openCamera(id) {
  const size = { width: { ideal: 1280 }, height: { ideal: 720 } };
  const which = id ? { deviceId: { exact: id } } : { facingMode: 'environment' };
  try {
    return await navigator.mediaDevices.getUserMedia({ video: { ...size, ...which } });
  } catch (error) {
    // The wanted camera is not there any more.
    if (id && /** @type {Error} */ (error).name === 'OverconstrainedError') return openCamera('');
    throw error;
  }
}

/** @param {AbortSignal} signal */
async function play(signal) {
  try {
    await video.play();
  } catch (error) {
    if (!signal.aborted) clear();
    throw error;
  }
}

/** Whether a source is shown. It stays so if opening another one failed. */
export const isOpen = () => !photo.hidden || !video.hidden;

export const isMirrored = () => stage.classList.contains('mirrored');

/** @param {MediaStream} stream */
const stop = (stream) => stream.getTracks().forEach((track) => track.stop());

/** Closes the source, and the one that is being opened. */
export function closeSource() {
  opening.abort();
  clear();
}

function clear() {
  const { srcObject } = video;
  if (srcObject instanceof MediaStream) stop(srcObject);
  for (const url of [photo.src, video.src]) if (url) URL.revokeObjectURL(url);
  video.srcObject = null;
  video.removeAttribute('src');
  photo.removeAttribute('src');
  photo.hidden = true;
  video.hidden = true;
  stage.classList.remove('mirrored');
}

/**
 * Waits for the video's next frame, or until the signal is aborted: a paused video has no next one.
 * @param {HTMLVideoElement} video
 * @param {AbortSignal} signal
 */
export function nextFrame(video, signal) {
  return new Promise((resolve) => {
    const frame = video.requestVideoFrameCallback(resolve);
    signal.addEventListener('abort', () => {
      video.cancelVideoFrameCallback(frame);
      resolve(undefined);
    });
  });
}

/**
 * Passes files that the user chooses, drops or pastes to `use`: at least one.
 * @param {(files: File[]) => void} use
 */
export function listenForFiles(use) {
  const file = element('file', HTMLInputElement);
  const pass = (/** @type {FileList | null | undefined} */ files) => files?.length && use([...files]);
  element('open', HTMLButtonElement).addEventListener('click', () => file.click());
  file.addEventListener('change', () => {
    pass(file.files);
    file.value = '';
  });
  // If an element of the page handles the drop itself (`defaultPrevented`), ignore it here.
  addEventListener('dragover', (event) => {
    stage.classList.toggle('dropping', !event.defaultPrevented);
    event.preventDefault();
  });
  addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) stage.classList.remove('dropping');
  });
  addEventListener('drop', (event) => {
    stage.classList.remove('dropping');
    if (event.defaultPrevented) return;
    event.preventDefault();
    pass(event.dataTransfer?.files);
  });
  addEventListener('paste', (event) => {
    pass(event.clipboardData?.files);
  });
}

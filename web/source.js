// The source of pictures: a photo, a video file or the camera.
import { element } from './page.js';

const photo = element('photo', HTMLImageElement);
const video = element('video', HTMLVideoElement);
const stage = element('stage', HTMLElement);

/**
 * @typedef {{kind: 'photo', blob: Blob} | {kind: 'video' | 'camera', video: HTMLVideoElement}} Source
 */

/**
 * @param {Blob} blob a photo or a video
 * @returns {Promise<Source>}
 */
export async function showFile(blob) {
  closeSource();
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
  await play();
  return { kind: 'video', video };
}

/** @returns {Promise<Source>} */
export async function showCamera() {
  if (!navigator.mediaDevices) throw new Error('The camera needs a secure page (https).');
  const size = { width: { ideal: 1280 }, height: { ideal: 720 } };
  const stream = await navigator.mediaDevices.getUserMedia({ video: { ...size, facingMode: 'environment' } });
  closeSource();
  video.srcObject = stream;
  video.hidden = false;
  const isFront = stream.getVideoTracks()[0].getSettings().facingMode !== 'environment';
  stage.classList.toggle('mirrored', isFront);
  await play();
  return { kind: 'camera', video };
}

async function play() {
  try {
    await video.play();
  } catch (error) {
    closeSource();
    throw error;
  }
}

/** Whether a source is shown. It stays so if opening another one failed. */
export const isOpen = () => !photo.hidden || !video.hidden;

export const isMirrored = () => stage.classList.contains('mirrored');

export function closeSource() {
  const { srcObject } = video;
  if (srcObject instanceof MediaStream) srcObject.getTracks().forEach((track) => track.stop());
  for (const url of [photo.src, video.src]) if (url) URL.revokeObjectURL(url);
  video.srcObject = null;
  video.removeAttribute('src');
  photo.removeAttribute('src');
  photo.hidden = true;
  video.hidden = true;
  stage.classList.remove('mirrored');
}

/**
 * Passes photos and videos that the user chooses, drops or pastes to `use`.
 * @param {(blob: Blob) => void} use
 */
export function listenForFiles(use) {
  const file = element('file', HTMLInputElement);
  element('open', HTMLButtonElement).addEventListener('click', () => file.click());
  file.addEventListener('change', () => {
    if (file.files?.[0]) use(file.files[0]);
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
    const [dropped] = event.dataTransfer?.files ?? [];
    if (dropped) use(dropped);
  });
  addEventListener('paste', (event) => {
    const [pasted] = event.clipboardData?.files ?? [];
    if (pasted) use(pasted);
  });
}

// Which camera: a choice that is shown as soon as the browser tells of more than one, which it does after the first use.
import { element } from './page.js';
import { keep, recall } from './storage.js';

const KEPT_AS = 'ocelli-camera';

const list = element('cameras', HTMLSelectElement);

/** The id of the camera that the user wants, '' for the one that the browser chooses. */
export const wantedCamera = () => recall(KEPT_AS) ?? '';

export async function offerCameras() {
  const devices = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
  const cameras = devices.filter(({ kind, deviceId }) => kind === 'videoinput' && deviceId !== '');
  const options = cameras.map(({ label, deviceId }, i) => new Option(label || `Camera ${i + 1}`, deviceId));
  list.replaceChildren(new Option('Any camera', ''), ...options);
  list.value = wantedCamera();
  if (list.selectedIndex < 0) list.value = '';
  list.hidden = cameras.length < 2;
}

/** @param {() => unknown} use called when the user has chosen another camera */
export function listenForCameras(use) {
  list.addEventListener('change', () => {
    keep(KEPT_AS, list.value);
    use();
  });
  navigator.mediaDevices?.addEventListener('devicechange', offerCameras);
  offerCameras();
}

// The button that pauses a video or the camera.
import { element } from './page.js';

const pause = element('pause', HTMLButtonElement);
const video = element('video', HTMLVideoElement);

/** @param {import('./source.js').Source} [source] what is shown now */
export function offerPause(source) {
  const isStill = !source || source.kind === 'photo';
  // The focus stays in the row of buttons when this one goes.
  if (isStill && document.activeElement === pause) element('camera', HTMLButtonElement).focus();
  pause.hidden = isStill;
  pause.setAttribute('aria-pressed', String(video.paused));
}

pause.addEventListener('click', () => {
  const isPaused = pause.getAttribute('aria-pressed') === 'false';
  pause.setAttribute('aria-pressed', String(isPaused));
  if (isPaused) video.pause();
  // Playing fails if the source is closed meanwhile.
  else video.play().catch(() => {});
});

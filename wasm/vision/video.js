// A playing video -> the newest frame, each time the caller is ready for one.

/**
 * @typedef {import('../shared/platform.js').Global<'HTMLVideoElement'>} Video
 *
 * @typedef {object} VideoFrameInfo
 * @property {number} mediaTime in seconds
 * @property {number} dropped frames skipped since the last one
 */

/**
 * Yields frames until one of the signals is aborted. Skips the frames that the video shows while the caller is busy,
 * and all frames while the page is hidden.
 * @param {HTMLVideoElement} video
 * @param {AbortSignal[]} signals
 * @returns {AsyncGenerator<VideoFrameInfo>}
 */
export async function* newestFrames(video, signals) {
  const page = video.ownerDocument;
  let isDone = signals.some(({ aborted }) => aborted);
  let wake = () => {};
  let shown = 0;
  // A paused video shows a frame, but calls back for none.
  /** @type {number | undefined} */
  let mediaTime = video.readyState >= 2 ? video.currentTime : undefined;
  /** @type {VideoFrameRequestCallback} */
  const onFrame = (_, frame) => {
    if (isDone) return;
    mediaTime = frame.mediaTime;
    shown++;
    video.requestVideoFrameCallback(onFrame);
    wake();
  };
  const onAbort = () => {
    isDone = true;
    wake();
  };
  const onVisible = () => wake();
  video.requestVideoFrameCallback(onFrame);
  for (const signal of signals) signal.addEventListener('abort', onAbort);
  page.addEventListener('visibilitychange', onVisible);
  try {
    while (!isDone) {
      // While its source changes, the video has no pixels (readyState < 2).
      if (mediaTime === undefined || page.hidden || video.readyState < 2) {
        await new Promise((resolve) => (wake = () => resolve(undefined)));
        continue;
      }
      const frame = { mediaTime, dropped: Math.max(0, shown - 1) };
      mediaTime = undefined;
      shown = 0;
      yield frame;
    }
  } finally {
    isDone = true;
    for (const signal of signals) signal.removeEventListener('abort', onAbort);
    page.removeEventListener('visibilitychange', onVisible);
  }
}

// ocelli detect VIDEO --track: detects in each frame, numbers the objects, and prints or draws them.
import { drawDetections } from '../../wasm/draw/draw.js';
import { failure } from '../../wasm/shared/errors.js';
import { safeJson } from '../../wasm/shared/text.js';
import { formatMot } from '../../wasm/track/mot.js';
import { Tracker } from '../../wasm/track/tracker.js';
import { attempt } from '../common.js';
import { print } from '../output.js';
import { toTrackerOptions } from '../tracking.js';
import { openVideo } from './open.js';
import { createVideo } from './write.js';

/**
 * @typedef {import('../../wasm/vision/detector.js').ObjectDetector} ObjectDetector
 * @typedef {import('../../wasm/vision/types.js').Detection} Detection
 * @typedef {import('./open.js').Picture} Picture
 */

/**
 * @param {ObjectDetector} detector
 * @param {string} file
 * @param {any} values
 */
export async function trackVideo(detector, file, values) {
  await attempt(file, async () => {
    const tracker = new Tracker(toTrackerOptions(values));
    const video = await openVideo(file, values['max-pixels']);
    /** @type {import('./write.js').VideoWriter | undefined} */
    let writer;
    try {
      if (values.video !== undefined) writer = createVideo(values.video, video.rate);
      let frame = 0;
      for await (const picture of video.frames) {
        const { detections } = await detector.detect(
          picture,
          values.tiles === undefined ? {} : { tiles: { size: values.tiles } },
        );
        const tracked = tracker.update(detections);
        frame++;
        show(frame, picture, tracked, values.json);
        if (writer) await writer.add(draw(picture, tracked));
      }
      if (frame === 0) throw failure('INVALID_INPUT', 'the video has no frames');
      await writer?.end();
    } catch (error) {
      await writer?.abandon();
      throw error;
    } finally {
      video.close();
    }
  });
}

/**
 * @param {number} frame
 * @param {Picture} picture
 * @param {Detection[]} detections
 * @param {boolean} json
 */
function show(frame, { width, height }, detections, json) {
  if (json) return print(safeJson({ frame, width, height, detections }));
  const lines = detections.flatMap(({ trackId, box, score }) =>
    trackId === undefined ? [] : [formatMot(frame, trackId, { box, score })],
  );
  if (lines.length > 0) print(lines.join('\n'));
}

/**
 * @param {Picture} picture drawn into
 * @param {Detection[]} detections
 */
function draw(picture, detections) {
  drawDetections(
    picture,
    detections.filter(({ trackId }) => trackId !== undefined),
  );
  return picture;
}

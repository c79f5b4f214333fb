// What one detector finds of another's detections; frames of a street that no detector of ours was calibrated on.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { samplePath } from './shared.js';

/** @typedef {import('../../wasm/vision/types.js').Detection} Detection */

/** @param {Detection['box']} a @param {Detection['box']} b */
function iou(a, b) {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  const both = Math.max(0, width) * Math.max(0, height);
  return both / (a.width * a.height + b.width * b.height - both);
}

/**
 * Of what scores over 0.4 in `some`, how much is in `others` over 0.2, and by how much the scores differ.
 * @param {Detection[][]} some of each image
 * @param {Detection[][]} others
 */
export function match(some, others) {
  const strong = some.flatMap((list, i) =>
    list.filter(({ score }) => score > 0.4).map((one) => ({ one, i })),
  );
  const differences = strong.flatMap(({ one, i }) => {
    const same = others[i].filter(
      ({ labelId, box, score }) => labelId === one.labelId && score > 0.2 && iou(box, one.box) >= 0.8,
    );
    const [best] = same.sort((a, b) => iou(b.box, one.box) - iou(a.box, one.box));
    return best ? [Math.abs(best.score - one.score)] : [];
  });
  const sum = differences.reduce((a, b) => a + b, 0);
  return {
    found: strong.length,
    matched: differences.length,
    part: differences.length / strong.length,
    difference: sum / differences.length,
  };
}

export const hasDecoder = existsSync('/usr/bin/ffmpeg') ? {} : { skip: 'no ffmpeg' };

/** Every tenth frame of a street. */
export function streetFrames() {
  const [width, height] = [768, 576];
  const filter = ['-vf', 'select=not(mod(n\\,10))', '-fps_mode', 'passthrough'];
  const raw = execFileSync(
    'ffmpeg',
    ['-v', 'error', '-i', samplePath('vtest.avi'), ...filter, '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'],
    { maxBuffer: 2 ** 28 },
  );
  const size = width * height * 3;
  return Array.from({ length: raw.length / size }, (_, i) => ({
    data: new Uint8Array(raw.subarray(i * size, (i + 1) * size)),
    width,
    height,
    channels: /** @type {const} */ (3),
  }));
}

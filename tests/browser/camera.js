// A file that Chromium plays as its camera (Y4M, 4:2:0): a street with people, or a photo after the other, moving.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { ROOT } from './shared.js';

const WIDTH = 640;
const HEIGHT = 480;

/** Of the street. The long test has a camera's usual size. */
export const STREET = process.env.OCELLI_SOAK ? { width: 1280, height: 720 } : { width: 768, height: 576 };
const STREET_SECONDS = 6;

/**
 * OpenCV's vtest.avi, 10 frames a second, three times as fast.
 * @param {number} seconds
 * @param {string[]} output
 */
function writeStreet(seconds, ...output) {
  const samples = execFileSync(`${ROOT}tools/samples.sh`, { encoding: 'utf8' }).trim();
  const filter = `setpts=PTS/3,scale=${STREET.width}:${STREET.height}`;
  const input = ['-i', `${samples}/vtest.avi`, '-vf', filter, '-r', '30', '-t', `${seconds}`];
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...input, ...output]);
}

/** @param {string} path */
export const writeStreetFile = (path) => writeStreet(STREET_SECONDS, '-pix_fmt', 'yuv420p', path);

/** A video file that every browser plays. @param {string} path of a .webm */
export const writeStreetVideo = (path) =>
  writeStreet(2, ...'-c:v libvpx -deadline realtime -cpu-used 8 -b:v 2M'.split(' '), path);

/**
 * @typedef {object} Photo
 * @property {Uint8Array} data RGB
 * @property {number} width
 * @property {number} height
 */

/**
 * @param {string} path
 * @param {Photo[]} photos
 * @param {number} framesEach
 * @param {number} [fps]
 */
export function writeCameraFile(path, photos, framesEach, fps = 30) {
  const frames = photos.flatMap((photo) =>
    Array.from({ length: framesEach }, (_, i) => [Buffer.from('FRAME\n'), toPlanes(photo, i)]),
  );
  const header = Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F${fps}:1 Ip A1:1 C420jpeg\n`);
  writeFileSync(path, Buffer.concat([header, ...frames.flat()]));
}

/**
 * The photo stretched to the frame, `shift` pixels to the left, as planes of Y, U and V (BT.601, video range).
 * @param {Photo} photo
 * @param {number} shift
 */
function toPlanes({ data, width, height }, shift) {
  const planes = new Uint8Array((WIDTH * HEIGHT * 3) / 2);
  for (let y = 0; y < HEIGHT; y++) {
    const row = Math.floor((y * height) / HEIGHT) * width;
    for (let x = 0; x < WIDTH; x++) {
      const at = 3 * (row + (Math.floor((x * width) / WIDTH + shift) % width));
      const [r, g, b] = [data[at], data[at + 1], data[at + 2]];
      planes[y * WIDTH + x] = 16 + 0.257 * r + 0.504 * g + 0.098 * b;
      if (y % 2 || x % 2) continue;
      const chroma = WIDTH * HEIGHT + (y >> 1) * (WIDTH >> 1) + (x >> 1);
      planes[chroma] = 128 - 0.148 * r - 0.291 * g + 0.439 * b;
      planes[chroma + (WIDTH * HEIGHT) / 4] = 128 + 0.439 * r - 0.368 * g - 0.071 * b;
    }
  }
  return planes;
}

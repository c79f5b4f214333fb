// A video -> its frames: .y4m and MJPEG are read here, all else by ffmpeg if it is installed.
import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { decodeImage } from '../../wasm/platform/node.js';
import { failures } from '../../wasm/shared/errors.js';
import { readFiles } from './mjpeg.js';
import { Reader } from './reader.js';
import { readFrames, readHeader, SIGNATURE } from './y4m.js';

/**
 * @typedef {object} Picture
 * @property {Uint8Array | Uint8ClampedArray} data RGB
 * @property {number} width
 * @property {number} height
 * @property {3} channels
 *
 * @typedef {object} Video
 * @property {string} rate frames a second, as a fraction
 * @property {AsyncIterable<Picture>} frames
 * @property {() => void} close
 */

export const failure = failures({
  FFMPEG_MISSING: 'ffmpeg is not installed; without it, .y4m files and MJPEG can be read',
  FFMPEG_FAILED: 'ffmpeg cannot read or write the video',
});
/** MJPEG does not say it. */
const MJPEG_RATE = '30/1';
/** The last lines say why. */
const MAX_NOTES = 2000;

/**
 * @param {string} file - is standard input
 * @param {number} maxPixels
 * @returns {Promise<Video>}
 */
export async function openVideo(file, maxPixels) {
  if (file !== '-') await access(file, constants.R_OK);
  const stream = file === '-' ? process.stdin : createReadStream(file);
  const reader = new Reader(stream);
  const close = () => void stream.destroy();
  const head = await reader.peek(SIGNATURE.length);
  if (head.toString('latin1', 0, SIGNATURE.length) === SIGNATURE) return openY4m(reader, maxPixels, close);
  if (head[0] === 0xff && head[1] === 0xd8)
    return { rate: MJPEG_RATE, frames: decodeFiles(reader, maxPixels), close };
  close();
  if (file === '-') throw failure('FFMPEG_FAILED', 'standard input is neither .y4m nor MJPEG');
  return openByFfmpeg(file, maxPixels);
}

/**
 * @param {Reader} reader
 * @param {number} maxPixels
 * @param {() => void} close
 */
async function openY4m(reader, maxPixels, close) {
  try {
    const layout = await readHeader(reader, maxPixels);
    return { rate: layout.rate, frames: readFrames(reader, layout), close };
  } catch (error) {
    close();
    throw error;
  }
}

/**
 * @param {Reader} reader
 * @param {number} maxPixels
 * @returns {AsyncGenerator<Picture>}
 */
async function* decodeFiles(reader, maxPixels) {
  for await (const file of readFiles(reader)) {
    const { data, width, height } = await decodeImage(file, { maxPixels });
    yield { data, width, height, channels: 3 };
  }
}

/**
 * @param {string} file
 * @param {number} maxPixels
 */
async function openByFfmpeg(file, maxPixels) {
  const colors = ['-vf', 'scale=out_color_matrix=bt601:out_range=tv', '-pix_fmt', 'yuv444p'];
  const { child, ended } = start(['-i', `file:${file}`, ...colors, '-f', 'yuv4mpegpipe', '-']);
  // It may be waiting until somebody reads the next frame: then it does not end at other signals.
  const close = () => void child.kill('SIGKILL');
  const reader = new Reader(child.stdout);
  if ((await reader.peek(1)).length === 0) {
    await ended;
    throw failure('FFMPEG_FAILED', 'the file has no frames');
  }
  const video = await openY4m(reader, maxPixels, close);
  return { ...video, frames: followed(video.frames, ended) };
}

/**
 * @template T
 * @param {AsyncIterable<T>} frames
 * @param {Promise<void>} ended
 */
async function* followed(frames, ended) {
  yield* frames;
  await ended;
}

/**
 * Starts ffmpeg.
 * @param {string[]} args
 * @returns {{child: import('node:child_process').ChildProcessWithoutNullStreams, ended: Promise<void>}}
 */
export function start(args) {
  const child = spawn('ffmpeg', ['-hide_banner', '-v', 'error', '-y', ...args]);
  let notes = '';
  child.stderr.on('data', (text) => (notes = (notes + text).slice(-MAX_NOTES)));
  /** @type {Promise<void>} */
  const ended = new Promise((resolve, reject) => {
    child.on('error', (error) => reject(failure('FFMPEG_MISSING', undefined, error)));
    child.on('close', (code, signal) =>
      code === 0 || child.killed
        ? resolve()
        : reject(failure('FFMPEG_FAILED', notes.trim() || `${signal ?? code} ended it`)),
    );
  });
  ended.catch(() => {}); // whoever waits for it gets the error
  return { child, ended };
}

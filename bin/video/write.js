// Frames with boxes -> a video: .mp4 by ffmpeg, or uncompressed on standard output.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { realpathSync, rmSync, statSync } from 'node:fs';
import { chmod, rm, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { failure } from '../../wasm/shared/errors.js';
import { onEnding } from '../files.js';
import { announce } from '../output.js';
import { VIDEO_TEXT } from '../written.js';
import { start } from './open.js';
import { writeFrame, writeHeader } from './y4m.js';

/** @typedef {import('./open.js').Picture} Picture */

/**
 * @param {string} out
 * @param {string} rate
 * @returns {VideoWriter}
 */
export function createVideo(out, rate) {
  return out === '-' ? new Uncompressed(process.stdout, rate) : new Mp4(out, rate);
}

/**
 * @typedef {object} VideoWriter
 * @property {(picture: Picture) => Promise<void>} add
 * @property {() => Promise<void>} end
 * @property {() => Promise<void>} abandon
 */

/** @implements {VideoWriter} */
class Uncompressed {
  #stream;
  #rate;
  /** @type {Picture | undefined} */
  #first;

  /**
   * @param {import('node:stream').Writable} stream
   * @param {string} rate
   */
  constructor(stream, rate) {
    this.#stream = stream;
    this.#rate = rate;
  }

  /** @param {Picture} picture */
  async add(picture) {
    if (!this.#first) this.#stream.write(writeHeader(picture, this.#rate));
    this.#first ??= picture;
    checkSize(this.#first, picture);
    if (!this.#stream.write(writeFrame(picture))) await once(this.#stream, 'drain');
  }

  async end() {}

  async abandon() {}
}

/** Written under another name and then renamed, so that it is never an incomplete file. @implements {VideoWriter} */
class Mp4 {
  #out;
  /** Where links lead to. */
  #target;
  /** Of the file that is replaced. @type {number | undefined} */
  #mode;
  #partial;
  #rate;
  /** @type {ReturnType<typeof start> | undefined} */
  #encoder;
  #stopWatching = () => {};
  /** @type {Picture | undefined} */
  #first;

  /**
   * @param {string} out
   * @param {string} rate
   */
  constructor(out, rate) {
    this.#out = out;
    this.#mode = statSync(out, { throwIfNoEntry: false })?.mode;
    this.#target = this.#mode === undefined ? out : realpathSync(out);
    this.#partial = join(dirname(this.#target), `.${randomBytes(6).toString('hex')}.partial`);
    this.#rate = rate;
  }

  /** @param {Picture} picture */
  async add(picture) {
    this.#first ??= picture;
    checkSize(this.#first, picture);
    const { child, ended } = (this.#encoder ??= this.#start(picture));
    const isFull = !child.stdin.write(picture.data);
    // An error of the pipe only says that ffmpeg has ended: why, says `ended`.
    if (isFull) await Promise.race([once(child.stdin, 'drain').catch(() => ended), ended]);
  }

  /** @param {Picture} picture */
  #start({ width, height }) {
    const input = ['-f', 'rawvideo', '-pixel_format', 'rgb24', '-video_size', `${width}x${height}`];
    // A width or height that is odd cannot be encoded.
    const even = ['-vf', 'pad=ceil(iw/2)*2:ceil(ih/2)*2', '-pix_fmt', 'yuv420p'];
    const output = ['-metadata', `comment=${VIDEO_TEXT}`, '-f', 'mp4', `file:${this.#partial}`];
    const encoder = start([...input, '-framerate', this.#rate, '-i', '-', ...even, ...output]);
    encoder.child.stdin.on('error', () => {}); // `ended` says why
    this.#stopWatching = onEnding(() => rmSync(this.#partial, { force: true }));
    return encoder;
  }

  async end() {
    if (!this.#encoder) return;
    this.#encoder.child.stdin.end();
    await this.#encoder.ended;
    if (this.#mode !== undefined) await chmod(this.#partial, this.#mode);
    await rename(this.#partial, this.#target);
    this.#stopWatching();
    announce(this.#out);
  }

  async abandon() {
    // At other signals, ffmpeg waits for the next frame first.
    this.#encoder?.child.kill('SIGKILL');
    await this.#encoder?.ended.catch(() => {});
    await rm(this.#partial, { force: true });
    this.#stopWatching();
  }
}

/**
 * @param {Picture} first
 * @param {Picture} next
 */
function checkSize(first, next) {
  if (next.width === first.width && next.height === first.height) return;
  throw failure(
    'INVALID_INPUT',
    `a frame has ${next.width} x ${next.height} pixels, the first one ${first.width} x ${first.height}`,
  );
}

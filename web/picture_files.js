// Files and video frames -> pictures as they are kept: upright JPEG or PNG files of moderate size.
import { make } from './page.js';

/** Larger pictures are made smaller: a detector looks at 300 x 300 pixels. */
const MAX_SIDE = 1280;
const QUALITY = 0.92;
/** The first bytes of the formats that every reader of data sets has. */
const MARKS = { 'image/jpeg': [0xff, 0xd8, 0xff], 'image/png': [0x89, 0x50, 0x4e, 0x47] };

/** @typedef {{blob: Blob, width: number, height: number}} Still */

/**
 * @param {Blob} file
 * @returns {Promise<Still>}
 */
export async function readPicture(file) {
  const type = await findType(file);
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Error('This browser cannot read it as a picture.');
  });
  try {
    const { width, height } = bitmap;
    const isKept = type !== undefined && Math.max(width, height) <= MAX_SIDE;
    if (!isKept) return await toJpeg(bitmap, bitmap);
    // A copy: the file may change on the disk.
    return { blob: new Blob([await file.arrayBuffer()], { type }), width, height };
  } finally {
    bitmap.close();
  }
}

/**
 * The picture that a video shows now.
 * @param {HTMLVideoElement} video
 * @returns {Promise<Still>}
 */
export async function readFrame(video) {
  const { videoWidth: width, videoHeight: height } = video;
  if (width === 0) throw new Error('The video shows nothing yet.');
  return toJpeg(video, { width, height });
}

/** @param {Blob} file */
async function findType(file) {
  const bytes = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  return Object.entries(MARKS).find(([, mark]) => mark.every((byte, i) => bytes[i] === byte))?.[0];
}

/**
 * @param {CanvasImageSource} image
 * @param {import('./boxes.js').Size} size
 * @returns {Promise<Still>}
 */
async function toJpeg(image, size) {
  const scale = Math.min(1, MAX_SIDE / Math.max(size.width, size.height));
  const [width, height] = [size.width, size.height].map((side) => Math.max(1, Math.round(side * scale)));
  const canvas = make('canvas', { width, height });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  // A JPEG has no transparency.
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(image, 0, 0, width, height);
  const blob = await new Promise((/** @type {BlobCallback} */ done) =>
    canvas.toBlob(done, 'image/jpeg', QUALITY),
  );
  if (!blob) throw new Error('The picture is too large for this browser.');
  return { blob, width, height };
}

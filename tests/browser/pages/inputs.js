// One photo as everything that a browser has for pictures. Import maps are for pages that a person wrote.
export { ObjectDetector } from './ocelli/dist/web/browser.js';

/** @param {string} url */
export async function makeInputs(url) {
  const blob = await (await fetch(url)).blob();
  const image = new Image();
  image.src = url;
  await image.decode();
  const bitmap = await createImageBitmap(blob);
  const { width, height } = bitmap;
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const context = canvas.getContext('2d');
  context.drawImage(bitmap, 0, 0);
  const offscreen = new OffscreenCanvas(width, height);
  offscreen.getContext('2d').drawImage(bitmap, 0, 0);
  return {
    Blob: blob,
    File: new File([blob], 'photo.png'),
    ArrayBuffer: await blob.arrayBuffer(),
    Uint8Array: new Uint8Array(await blob.arrayBuffer()),
    ImageData: context.getImageData(0, 0, width, height),
    ImageBitmap: bitmap,
    HTMLImageElement: image,
    HTMLCanvasElement: canvas,
    OffscreenCanvas: offscreen,
    VideoFrame: new VideoFrame(canvas, { timestamp: 0 }),
  };
}

/**
 * A picture as a file of a format that the browser writes.
 * @param {ImageBitmap} bitmap
 * @param {string} type
 * @param {boolean} isTurned stored as it is not to be shown: a quarter counter-clockwise
 */
async function encode(bitmap, type, isTurned) {
  const { width, height } = bitmap;
  const canvas = isTurned ? new OffscreenCanvas(height, width) : new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  if (isTurned) context.setTransform(0, -1, 1, 0, 0, width);
  context.drawImage(bitmap, 0, 0);
  return canvas.convertToBlob({ type, quality: 0.95 });
}

/** @param {ImageBitmap} bitmap */
export const makeWebp = (bitmap) => encode(bitmap, 'image/webp', false);

/**
 * A JPEG file with EXIF orientation 6: to be turned a quarter, clockwise.
 * @param {ImageBitmap} bitmap
 */
export async function makeTurnedJpeg(bitmap) {
  const file = await encode(bitmap, 'image/jpeg', true);
  const letters = (text) => [...text].map((letter) => letter.charCodeAt(0));
  const entry = [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0];
  const exif = [...letters('Exif\0\0MM\0*'), 0, 0, 0, 8, 0, 1, ...entry, 0, 0, 0, 0];
  const segment = Uint8Array.from([0xff, 0xe1, 0, exif.length + 2, ...exif]);
  return new Blob([file.slice(0, 2), segment, file.slice(2)], { type: 'image/jpeg' });
}

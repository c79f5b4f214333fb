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
 * What a canvas shows as planes of Y, U and V (BT.601, video range), an even number of columns and rows of it.
 * @param {HTMLCanvasElement} canvas
 */
export function makeYuvFrame(canvas) {
  const [width, height] = [canvas.width & ~1, canvas.height & ~1];
  const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
  const planes = new Uint8Array((width * height * 3) / 2);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [r, g, b] = data.subarray(4 * (y * width + x));
      planes[y * width + x] = 16 + 0.257 * r + 0.504 * g + 0.098 * b;
      const chroma = width * height + (y >> 1) * (width >> 1) + (x >> 1);
      planes[chroma] = 128 - 0.148 * r - 0.291 * g + 0.439 * b;
      planes[chroma + (width * height) / 4] = 128 + 0.439 * r - 0.368 * g - 0.071 * b;
    }
  return new VideoFrame(planes, {
    format: 'I420',
    codedWidth: width,
    codedHeight: height,
    timestamp: 0,
    colorSpace: { primaries: 'bt709', transfer: 'bt709', matrix: 'smpte170m', fullRange: false },
  });
}

/**
 * A picture as a JPEG file, stored as it is not to be shown: a quarter counter-clockwise.
 * @param {ImageBitmap} bitmap
 */
async function encodeTurned(bitmap) {
  const { width, height } = bitmap;
  const canvas = new OffscreenCanvas(height, width);
  const context = canvas.getContext('2d');
  context.setTransform(0, -1, 1, 0, 0, width);
  context.drawImage(bitmap, 0, 0);
  return canvas.convertToBlob({ type: 'image/jpeg', quality: 0.95 });
}

/**
 * A JPEG file with EXIF orientation 6: to be turned a quarter, clockwise.
 * @param {ImageBitmap} bitmap
 */
export async function makeTurnedJpeg(bitmap) {
  const file = await encodeTurned(bitmap);
  const letters = (text) => [...text].map((letter) => letter.charCodeAt(0));
  const entry = [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0];
  const exif = [...letters('Exif\0\0MM\0*'), 0, 0, 0, 8, 0, 1, ...entry, 0, 0, 0, 0];
  const segment = Uint8Array.from([0xff, 0xe1, 0, exif.length + 2, ...exif]);
  return new Blob([file.slice(0, 2), segment, file.slice(2)], { type: 'image/jpeg' });
}

// What a browser can draw, as pixels: in pages, workers and service workers.

/**
 * Sizes in pixels, by class name; by name, because an <iframe> has classes of its own.
 * @type {Record<string, (source: any) => [number, number]>}
 */
const SIZES = {
  HTMLVideoElement: (video) => (video.readyState >= 2 ? [video.videoWidth, video.videoHeight] : [0, 0]),
  HTMLImageElement: (image) => (image.complete ? [image.naturalWidth, image.naturalHeight] : [0, 0]),
  HTMLCanvasElement: ({ width, height }) => [width, height],
  OffscreenCanvas: ({ width, height }) => [width, height],
  ImageBitmap: ({ width, height }) => [width, height],
  VideoFrame: ({ displayWidth, displayHeight }) => [displayWidth, displayHeight],
};

/** @type {OffscreenCanvasRenderingContext2D | undefined} */
let context;

/** @param {import('../host.js').Size} size */
function prepareContext({ width, height }) {
  // Kept, as what reads it back again and again is faster in memory than on a graphics card.
  context ??= /** @type {OffscreenCanvasRenderingContext2D} */ (
    new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })
  );
  const { canvas } = context;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  context.globalCompositeOperation = 'copy';
  return context;
}

/** @type {import('../host.js').Drawing} */
export const drawing = {
  measure(source) {
    const measure = SIZES[/** @type {any} */ (source)?.[Symbol.toStringTag]];
    if (!measure) return undefined;
    const [width, height] = measure(source);
    return { width, height };
  },

  read(source, { x, y, width, height }, size) {
    const target = prepareContext(size);
    target.drawImage(source, x, y, width, height, 0, 0, size.width, size.height);
    return target.getImageData(0, 0, size.width, size.height).data;
  },

  async decode(bytes) {
    const options = /** @type {const} */ ({ imageOrientation: 'from-image', colorSpaceConversion: 'none' });
    try {
      return await createImageBitmap(new Blob([bytes]), options);
    } catch {
      return undefined;
    }
  },
};

/**
 * What a source shows now, to be sent to a worker: without a copy of its pixels, where that is possible.
 * @param {any} source
 */
export async function capture(source) {
  return typeof VideoFrame === 'undefined'
    ? createImageBitmap(source)
    : new VideoFrame(source, { timestamp: 0 });
}

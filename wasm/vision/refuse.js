// Something that is no input -> words that say what would work.
import { tagOf } from '../shared/platform.js';

/** What to pass instead of an object, by its class. @type {Record<string, string>} */
const INSTEAD = {
  Promise: 'await it first',
  FileList: 'pass one of its files, such as files[0]',
  HTMLInputElement: 'pass one of its files, such as input.files[0]',
  HTMLPictureElement: 'pass the <img> in it',
  SVGSVGElement: 'draw it on a canvas first',
  CanvasRenderingContext2D: 'pass its canvas',
  OffscreenCanvasRenderingContext2D: 'pass its canvas',
  WebGLRenderingContext: 'pass its canvas',
  WebGL2RenderingContext: 'pass its canvas',
  MediaStream: 'set it as srcObject of a <video> and pass that',
  MediaStreamTrack: 'play it in a <video> and pass that',
  FileSystemFileHandle: 'pass `await handle.getFile()`',
  Headers: 'pass the whole Response',
  FormData: "pass one of its files, such as form.get('image')",
  String: 'pass a string, not a String object',
  Float32Array: 'pass {data, shape: [height, width, 3]} with values from 0 to 1',
  Float64Array: 'pass {data: Float32Array.from(values), shape: [height, width, 3]} with values from 0 to 1',
};

/** @param {unknown} value */
export function nameOf(value) {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value !== 'object') return value === undefined ? 'undefined' : `a ${typeof value}`;
  const tag = tagOf(value) ?? value.constructor?.name;
  return tag && tag !== 'Object' ? `a ${tag}` : 'an object';
}

/**
 * Says what the value is, and what would work.
 * @param {any} value that is no image
 */
export function describeRefused(value) {
  return `it is ${nameOf(value)}; ${instead(value)}`;
}

/** Says what to do with something that is no video. @param {any} value */
export function describeNoVideo(value) {
  const isPicture = /^(HTMLCanvasElement|OffscreenCanvas|HTMLImageElement|ImageBitmap|VideoFrame)$/.test(
    tagOf(value) ?? '',
  );
  if (isPicture) return `it is ${nameOf(value)}: call detect with it for each picture`;
  const hint = /^MediaStream/.test(tagOf(value) ?? '') ? `; ${instead(value)}` : '';
  return `it is ${nameOf(value)}${hint}`;
}

/** @param {any} value */
function instead(value) {
  const tag = String(tagOf(value));
  if (INSTEAD[tag]) return INSTEAD[tag];
  if (Array.isArray(value))
    return typeof value[0] === 'number'
      ? 'for bytes pass Uint8Array.from(array)'
      : 'call once for each image, or extractBatch of FeatureExtractor';
  if (typeof value === 'function') return 'call it and pass what it returns';
  if (typeof value?.then === 'function') return INSTEAD.Promise;
  if (typeof value?.dataSync === 'function')
    return 'for a tf.Tensor of pixels pass {data: Uint8Array.from(await tensor.data()), width, height}';
  if (ArrayBuffer.isView(value)) return 'pass new Uint8Array(view.buffer, view.byteOffset, view.byteLength)';
  if (/^(HTML|SVG).*Element$/.test(tag)) return 'of elements, pass an <img>, a <video> or a <canvas>';
  return 'pass the bytes of an image file, pixels {data, width, height}, a Blob, a Response, a stream, a URL or, in Node, a path';
}

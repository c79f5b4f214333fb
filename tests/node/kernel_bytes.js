import { readFile } from '../../wasm/quantize/file.js';

/**
 * The bytes of a .tflite file's kernels. Of a small network, names and scales are most of the file.
 * @param {Uint8Array} model
 */
export function kernelBytes(model) {
  const kernels = readFile(model).tensors.filter(({ shape, data }) => data && shape.length > 1);
  return kernels.reduce((sum, { data }) => sum + (data?.length ?? 0), 0);
}

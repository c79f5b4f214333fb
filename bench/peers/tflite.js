import '@tensorflow/tfjs-backend-cpu';
import { tensor } from '@tensorflow/tfjs-core';
import { loadTFLiteModel, setWasmPath } from '@tensorflow/tfjs-tflite';

/** @type {import('./measure.js').Create} */
export async function create({ model, wasm }) {
  setWasmPath(wasm);
  const network = await loadTFLiteModel(model.buffer, { numThreads: 1 });
  return async (values) => {
    const input = tensor(values, [1, 300, 300, 3]);
    const heads = Object.values(network.predict(input));
    const outputs = await Promise.all(heads.map((head) => head.data()));
    for (const each of [input, ...heads]) each.dispose();
    return outputs;
  };
}

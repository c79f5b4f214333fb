import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import { setBackend, tensor } from '@tensorflow/tfjs-core';
import { toTensorFlowJs } from '../tfjs_model.js';

/** @type {import('./measure.js').Create} */
export async function create({ model, wasm }) {
  const { model: graph, weights } = toTensorFlowJs(model);
  setWasmPaths(wasm);
  setThreadsCount(1);
  await setBackend('wasm');
  const artifacts = {
    modelTopology: graph.modelTopology,
    weightSpecs: graph.weightsManifest[0].weights,
    weightData: weights.buffer,
  };
  const network = await loadGraphModel({ load: async () => artifacts });
  return async (values) => {
    const input = tensor(values, [1, 300, 300, 3]);
    const heads = /** @type {import('@tensorflow/tfjs-core').Tensor[]} */ (network.execute(input));
    const outputs = await Promise.all(
      heads.map((head) => /** @type {Promise<Float32Array>} */ (head.data())),
    );
    for (const each of [input, ...heads]) each.dispose();
    return outputs;
  };
}

import { env, InferenceSession, Tensor } from 'onnxruntime-web';
import { toOnnx } from '../onnx_model.js';

/** @type {import('./measure.js').Create} */
export async function create({ model, wasm }) {
  env.wasm.numThreads = 1;
  env.wasm.wasmPaths = wasm;
  const session = await InferenceSession.create(toOnnx(model), { executionProviders: ['wasm'] });
  const [name] = session.inputNames;
  return async (values) => {
    const heads = await session.run({ [name]: new Tensor('float32', values, [1, 300, 300, 3]) });
    return session.outputNames.map((output) => /** @type {Float32Array} */ (heads[output].data));
  };
}

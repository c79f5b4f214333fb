import { loadAndCompile, loadLiteRt, Tensor } from '@litertjs/core';

/** @type {import('./measure.js').Create} */
export async function create({ model, wasm, threads = 1 }) {
  await loadLiteRt(wasm, { threads: threads > 1 });
  const cpuOptions = { numThreads: threads };
  const network = await loadAndCompile(model, { accelerator: 'wasm', cpuOptions });
  return async (input) => {
    const tensor = new Tensor(input, [1, 300, 300, 3]);
    const heads = await network.run([tensor]);
    const outputs = await Promise.all(
      heads.map((head) => /** @type {Promise<Float32Array>} */ (head.data())),
    );
    for (const each of [tensor, ...heads]) each.delete();
    return outputs;
  };
}

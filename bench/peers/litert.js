import { loadAndCompile, loadLiteRt, Tensor } from '@litertjs/core';

/** @type {import('./measure.js').Create} */
export async function create({ model, wasm }) {
  await loadLiteRt(wasm);
  const network = await loadAndCompile(model, { accelerator: 'wasm' });
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

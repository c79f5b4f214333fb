// esbuild leaves `new URL(…, import.meta.url)` as it is: the worker is an entry of its own, to lie beside main.js, and
// the wasm and the model are copied (see package.json), which main.js tells ocelli as `wasmUrl`.
import { build } from 'esbuild';

await build({
  entryPoints: { main: 'main.js', 'worker.browser': 'ocelli/worker' },
  bundle: true,
  minify: true,
  format: 'esm',
  outdir: 'dist',
});

// esbuild does not follow `new URL(…, import.meta.url)`. So the worker is a second entry point, written beside main.js,
// and package.json's build script copies the wasm files and the model. main.js passes their folder as `wasmUrl`.
import { build } from 'esbuild';

await build({
  entryPoints: { main: 'main.js', 'worker.browser': 'ocelli/worker' },
  bundle: true,
  minify: true,
  format: 'esm',
  outdir: 'dist',
});

// esbuild does not follow `new URL(…, import.meta.url)`. So package.json's build script copies the wasm files, the model
// and the worker. main.js passes their folder as `assetsUrl`.
import { build } from 'esbuild';

await build({
  entryPoints: { main: 'main.js' },
  bundle: true,
  minify: true,
  format: 'esm',
  outdir: 'dist',
});

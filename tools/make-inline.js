// The package's modules, model and worker scripts -> dist/inline/*.js, each the default export of a module: base64 of
// the gzip file, or the script's text. ocelli/inline imports them.
//
//   node tools/make-inline.js MODEL.bin
import { build } from 'esbuild';
import { gzipSync } from 'fflate'; // Node's own gives other bytes on other processors.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const VARIANTS = ['simd', 'relaxed', 'simd-threads', 'relaxed-threads', 'train-simd', 'train-relaxed'];
/** What a script imports on demand, or not at all in a worker: it is taken from the user's packages. */
const EXTERNAL = ['@tgwf/co2/data', 'image-size', 'sharp', '@jsquash/*'];

/** @param {string} name @param {string} text */
function write(name, text) {
  // With a type, so that the declaration does not repeat the text.
  writeFileSync(
    `dist/inline/${name}.js`,
    `/** @type {string} */\nconst text = ${JSON.stringify(text)};\nexport default text;\n`,
  );
}

/** @param {string} name @param {string} path of a file; a gzip file stays as it is */
function writeFile(name, path) {
  const file = readFileSync(path);
  const isGzip = file[0] === 0x1f && file[1] === 0x8b;
  const zipped = isGzip ? file : gzipSync(file, { level: 9, mtime: 0 });
  write(name, Buffer.from(zipped).toString('base64'));
}

/** @param {'node' | 'browser'} platform */
async function writeScript(platform) {
  const name = `worker.${platform}`;
  const format = platform === 'node' ? 'cjs' : 'iife';
  const { outputFiles } = await build({
    ...{
      entryPoints: [`wasm/inline/${name}.js`],
      bundle: true,
      minify: true,
      write: false,
      logLevel: 'warning',
    },
    ...{ platform, format, external: EXTERNAL, target: 'es2022' },
    // The script has no place: nothing is beside it.
    define: { 'import.meta.url': 'undefined', 'import.meta.resolve': 'undefined' },
  });
  write(name, outputFiles[0].text);
}

const [model] = process.argv.slice(2);
mkdirSync('dist/inline', { recursive: true });
for (const variant of VARIANTS) writeFile(variant, `dist/ocelli-${variant}.wasm`);
writeFile('model', model);
await writeScript('node');
await writeScript('browser');

import commonjs from '@rollup/plugin-commonjs';
import resolve from '@rollup/plugin-node-resolve';

const plugins = [resolve({ exportConditions: ['node'], preferBuiltins: true }), commonjs()];
const output = (name) => [
  { file: `out/rollup-${name}.cjs`, format: 'cjs', inlineDynamicImports: true },
  { file: `out/rollup-${name}.mjs`, format: 'es', inlineDynamicImports: true },
];

export default [
  { input: 'files.js', plugins, output: output('files') },
  { input: 'inline.js', plugins, output: output('inline') },
];

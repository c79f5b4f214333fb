import js from '@eslint/js';
import regexp from 'eslint-plugin-regexp';
import globals from 'globals';

export default [
  { ignores: ['dist/', 'build/', 'out/', 'tests/bundlers/apps/nuxt/', 'examples/deno-server/'] },
  js.configs.recommended,
  {
    languageOptions: { globals: { ...globals.node, ...globals.es2025 } },
    rules: { 'no-unused-vars': ['error', { ignoreRestSiblings: true }] },
  },
  // A pattern that takes more than linear time can be made to hang by a long text.
  {
    files: ['wasm/**', 'bin/**', 'web/**', 'examples/**'],
    plugins: { regexp },
    rules: {
      'regexp/no-super-linear-backtracking': ['error', { report: 'potential' }],
      'regexp/no-super-linear-move': ['error', { ignorePartial: false }],
    },
  },
  {
    files: [
      'wasm/platform/*.js',
      'wasm/platform/pool/*.browser.js',
      'wasm/element/*.js',
      'web/**',
      'examples/**',
      'tests/browser/**',
      'tests/docs/**',
      'tools/docs/live/**',
      'tests/bundlers/**',
      'bench/pages/**',
    ],
    languageOptions: {
      globals: { ...globals.browser, ...globals.node },
      parserOptions: { ecmaFeatures: { jsx: true } },
    },
  },
];

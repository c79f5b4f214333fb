import js from '@eslint/js';
import globals from 'globals';

export default [
  { ignores: ['dist/', 'build/', 'out/'] },
  js.configs.recommended,
  {
    languageOptions: { globals: { ...globals.node, ...globals.es2025 } },
    rules: { 'no-unused-vars': ['error', { ignoreRestSiblings: true }] },
  },
  {
    files: [
      'wasm/platform/*.js',
      'wasm/element/*.js',
      'web/**',
      'examples/**',
      'tests/browser/**',
      'bench/pages/**',
    ],
    languageOptions: {
      globals: { ...globals.browser, ...globals.node },
      parserOptions: { ecmaFeatures: { jsx: true } },
    },
  },
];

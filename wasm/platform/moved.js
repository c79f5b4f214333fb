// Code that a bundler has moved away from the package's files: where they are, if that is known, and what to write
// otherwise.

/** Undefined where a bundler makes CommonJS. @type {string | undefined} */
const here = import.meta.url;
/** Where the development servers of Vite and of what is built on it keep the packages that they have bundled before. */
const PREBUNDLED = /^(.*\/node_modules\/)\.[^?]*\/deps[^/?]*\/[^/?]*(\?.*)?$/;

/**
 * The package's folder beside the one of Vite's bundles. (Vite 8 writes right URLs itself.)
 * @param {URL} url of a file in dist/
 */
export function unmoved(url) {
  const [, packages] = PREBUNDLED.exec(here ?? '') ?? [];
  // '../../dist/' from here. Not by new URL(): Turbopack would look for that folder.
  const wrong = packages && `${here?.split('?')[0].split('/').slice(0, -3).join('/')}/dist/`;
  if (!wrong || !url.href.startsWith(wrong)) return url;
  return new URL(`${packages}ocelli/dist/${url.href.slice(wrong.length)}`);
}

const VITE = "optimizeDeps: { exclude: ['ocelli'] }";
// @ts-ignore: some projects only declare this name
const isWebpack = () => typeof __webpack_require__ !== 'undefined';
/** By a sign of the tool: the line to write. @type {[() => unknown, string][]} */
const LINES = [
  [
    () => here?.includes('/.angular/'),
    'name a copy of node_modules/ocelli/dist, of assets in angular.json, in assetsUrl',
  ],
  [() => isVite() && any.__NUXT__, `write vite: { ${VITE} } in nuxt.config.ts`],
  [() => isVite(), `write ${VITE} in vite.config.js`],
  [() => any.process?.env?.NEXT_RUNTIME, "write serverExternalPackages: ['ocelli'] in next.config.js"],
  [() => any.document || !any.process, 'name a copy of node_modules/ocelli/dist in assetsUrl'],
  [() => any.process.versions?.bun, 'build with --external ocelli'],
  // webpack replaces this name.
  [isWebpack, "write externals: { ocelli: 'import ocelli' } in webpack.config.js"],
  [() => true, "keep it out of the bundle (esbuild: --external:ocelli; Rollup: external: ['ocelli'])"],
];
const any = /** @type {any} */ (globalThis);
const isVite = () =>
  PREBUNDLED.test(here ?? '') || any.document?.querySelector?.('script[src*="/@vite/client"]');

/** What to do if a bundler has moved the code. */
export function cure() {
  const [, line] = /** @type {[unknown, string]} */ (LINES.find(([isTool]) => isTool()));
  return `If a bundler has moved the code, import from 'ocelli/inline', which needs no files, or ${line}: docs/bundlers.md`;
}

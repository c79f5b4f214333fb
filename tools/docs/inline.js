// The page of `ocelli/inline` in the API reference: it exports what `ocelli` exports, so it says when to take it, and what
// it weighs.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { FENCE, findAnchors } from './markdown.js';

/** What is loaded, and the file of dist/inline that has it. */
const PARTS = {
  'the default model': 'model',
  'one wasm variant': 'relaxed',
  "the worker's script": 'worker.browser',
  'one wasm variant for training': 'train-relaxed',
};

/** @param {number} bytes */
const inMegabytes = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`;

/**
 * A line for each kind of export, with links to the page of `ocelli`.
 * @param {string} page of `ocelli`
 */
function listExports(page) {
  const headings = [...page.replace(FENCE, '').matchAll(/^(#+) (.+)$/gm)];
  const anchors = [...findAnchors(page)];
  /** @type {Record<string, string[]>} */
  const groups = {};
  let group = '';
  headings.forEach(([, { length: level }, title], i) => {
    if (level === 2) group = title;
    if (level !== 3) return;
    const name = title.replace(/[\\()]/g, '');
    (groups[group] ??= []).push(`[\`${name}\`](../ocelli.md#${anchors[i]})`);
  });
  return Object.entries(groups)
    .map(([name, links]) => `- **${name}**: ${links.join(', ')}`)
    .join('\n');
}

/**
 * @param {string} dist the package's
 * @param {string} page of `ocelli`
 */
export function describeInline(dist, page) {
  const rows = Object.entries(PARTS).map(([part, name]) => {
    const file = readFileSync(join(dist, `inline/${name}.js`));
    return `| ${part} | ${inMegabytes(file.length)} | ${inMegabytes(gzipSync(file).length)} |`;
  });
  return `## When to use it

\`ocelli\` reads its wasm modules, its model and its worker's script from files beside its code. \`ocelli/inline\` has these
files in its code, in JavaScript modules that are imported on demand. Use it where a bundler leaves files behind: esbuild and
Rollup for servers and functions, \`bun build --compile\`, Angular, edge routes. Otherwise use
[\`ocelli\`](../ocelli.md): browsers compile its wasm while they download it, and its files are a quarter smaller where the
server does not compress.

Import it before \`ocelli/train\`, \`ocelli/quantize\` and the others, and they use its files too. The 8-bit model is not
part of it: pass \`int8Model\`. [Bundlers](/bundlers.md) has a row for each tool.

## Sizes

| loaded on demand | bytes | gzipped |
| --- | --- | --- |
${rows.join('\n')}

## Exports

The same as those of \`ocelli\`:

${listExports(page)}
`;
}

// Prints the JavaScript files that `import 'ocelli'` and its threads load in Node, one per line, the entry first.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** @type {Set<string>} */
const seen = new Set();

/** @param {URL} url */
function visit(url) {
  const path = fileURLToPath(url);
  if (seen.has(path)) return;
  seen.add(path);
  for (const [, specifier] of readFileSync(url, 'utf8').matchAll(
    /^(?:import|export) .*?from '(\.[^']+)'/gms,
  )) {
    visit(new URL(specifier, url));
  }
}

for (const name of ['node.js', 'thread.node.js']) visit(new URL(`../wasm/platform/${name}`, import.meta.url));
console.log([...seen].join('\n'));

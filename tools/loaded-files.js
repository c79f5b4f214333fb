// Prints the JavaScript files that `import 'ocelli'` loads, entry first, one a line: `loaded-files.js PLATFORM_FILE …`.
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

for (const name of process.argv.slice(2)) visit(new URL(`../wasm/platform/${name}`, import.meta.url));
console.log([...seen].join('\n'));

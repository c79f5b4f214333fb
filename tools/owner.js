// Writes who owns the package from tools/owner.json into package.json: `node tools/owner.js`. The address there is a
// placeholder until the owner fills it in; `make lint` says if the two files differ.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * package.json with the owner's addresses.
 * @param {string} root the repository
 */
export function withOwner(root) {
  const read = (/** @type {string} */ path) => JSON.parse(readFileSync(join(root, path), 'utf8'));
  const { url } = read('tools/owner.json');
  return {
    ...read('package.json'),
    homepage: url,
    repository: { type: 'git', url: `git+${url}.git` },
    bugs: `${url}/issues`,
  };
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));
if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(join(ROOT, 'package.json'), `${JSON.stringify(withOwner(ROOT), null, 2)}\n`);

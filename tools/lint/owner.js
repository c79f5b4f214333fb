// Lint rule: package.json names the owner as tools/owner.json does.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { withOwner } from '../owner.js';

/**
 * @param {string} root the repository
 * @returns {string[]} a message if they differ
 */
export function checkOwner(root) {
  const present = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  if (isDeepStrictEqual(present, withOwner(root))) return [];
  return ['package.json names another owner than tools/owner.json: run node tools/owner.js'];
}

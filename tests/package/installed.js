// The package as npm packs it, installed in an empty project: made once for each run of the tests.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const PROJECT = join(ROOT, 'build/installed');

/** @param {string} command @param {string[]} args @param {string} cwd */
export function run(command, args, cwd) {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

/** @returns {string} the tarball */
export function install() {
  rmSync(PROJECT, { recursive: true, force: true });
  mkdirSync(PROJECT, { recursive: true });
  run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', PROJECT], ROOT);
  const [tarball] = readdirSync(PROJECT).filter((name) => name.endsWith('.tgz'));
  writeFileSync(join(PROJECT, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  const quiet = ['--prefer-offline', '--silent', '--no-audit', '--no-fund', '--no-package-lock'];
  run('npm', ['install', ...quiet, `./${tarball}`], PROJECT);
  return join(PROJECT, tarball);
}

/**
 * A snippet of the README or of another document.
 * @param {string} name
 * @param {{file?: string, mark?: string}} [where] `mark`: the word in the comment before it
 */
export function snippet(name, { file = 'README.md', mark = 'snippet' } = {}) {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const found = new RegExp(`<!-- ${mark}: ${name} -->\\s+\`\`\`\\w+\\n(.*?)\`\`\``, 's').exec(text);
  if (!found) throw new Error(`${file} has no ${mark} '${name}'`);
  return found[1];
}

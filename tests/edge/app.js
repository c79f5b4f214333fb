// A Worker project: sources -> what wrangler uploads -> real workerd.
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Miniflare } from 'miniflare';
import { COMPATIBILITY_DATE, dryRun, readModules } from '../../tools/edge.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * The package as npm packs it, and these others, in a project with one source file; bundled by wrangler's dry run.
 * @param {string} name
 * @param {string} source
 * @param {string[]} [packages]
 */
export async function bundle(name, source, packages = []) {
  const app = join(ROOT, 'build/edge', name);
  rmSync(app, { recursive: true, force: true });
  mkdirSync(join(app, 'node_modules'), { recursive: true });
  symlinkSync(join(ROOT, 'build/package'), join(app, 'node_modules/ocelli'));
  for (const other of packages) {
    mkdirSync(dirname(join(app, 'node_modules', other)), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', other), join(app, 'node_modules', other));
  }
  writeFileSync(join(app, 'index.js'), source);
  const config = { name, main: 'index.js', compatibility_date: COMPATIBILITY_DATE };
  writeFileSync(join(app, 'wrangler.json'), JSON.stringify(config));
  return dryRun(app);
}

/**
 * @param {string} out
 * @param {{inspectorPort?: number}} [options]
 */
export function start(out, options) {
  return new Miniflare({ ...options, modules: readModules(out), compatibilityDate: COMPATIBILITY_DATE });
}

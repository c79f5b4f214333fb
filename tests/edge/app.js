// A Worker project: sources -> what wrangler uploads -> real workerd.
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Miniflare } from 'miniflare';
import { COMPATIBILITY_DATE, dryRun, readModules } from '../../tools/edge.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The package as npm packs it, and nothing else, in a project with one source file; bundled by wrangler's dry run. */
export async function bundle(/** @type {string} */ name, /** @type {string} */ source) {
  const app = join(ROOT, 'build/edge', name);
  rmSync(app, { recursive: true, force: true });
  mkdirSync(join(app, 'node_modules'), { recursive: true });
  symlinkSync(join(ROOT, 'build/package'), join(app, 'node_modules/ocelli'));
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

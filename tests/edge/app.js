// A Worker project: sources -> what wrangler uploads -> real workerd.
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Miniflare } from 'miniflare';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const WRANGLER = join(ROOT, 'node_modules/wrangler/bin/wrangler.js');
const COMPATIBILITY_DATE = '2026-07-01';
const run = promisify(execFile);

/** The package as npm packs it, and nothing else, in a project with one source file; bundled by wrangler's dry run. */
export async function bundle(/** @type {string} */ name, /** @type {string} */ source) {
  const app = join(ROOT, 'build/edge', name);
  rmSync(app, { recursive: true, force: true });
  mkdirSync(join(app, 'node_modules'), { recursive: true });
  symlinkSync(join(ROOT, 'build/package'), join(app, 'node_modules/ocelli'));
  writeFileSync(join(app, 'index.js'), source);
  const config = { name, main: 'index.js', compatibility_date: COMPATIBILITY_DATE };
  writeFileSync(join(app, 'wrangler.json'), JSON.stringify(config));
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: '1' };
  const { stdout } = await run(process.execPath, [WRANGLER, 'deploy', '--dry-run', '--outdir', 'out'], {
    cwd: app,
    env,
  });
  return { out: join(app, 'out'), stdout };
}

/**
 * @param {string} out
 * @param {{inspectorPort?: number}} [options]
 */
export function start(out, options) {
  const script = 'index.js';
  /** @type {Record<string, 'ESModule' | 'CompiledWasm' | 'Data'>} */
  const types = { '.js': 'ESModule', '.wasm': 'CompiledWasm', '.bin': 'Data' };
  const modules = readdirSync(out)
    .map((path) => ({ path, type: types[path.slice(path.lastIndexOf('.'))] }))
    .filter(({ type }) => type)
    .sort((a, b) => Number(b.path === script) - Number(a.path === script))
    .map(({ path, type }) => ({ type, path, contents: readFileSync(join(out, path)) }));
  return new Miniflare({ ...options, modules, compatibilityDate: COMPATIBILITY_DATE });
}

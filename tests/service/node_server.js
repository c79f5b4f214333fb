// The Node example beside the package as npm packs it, and a process of it.
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDER = join(ROOT, `build/node-server-${process.versions.node}`);
const PACKAGES = ['hono', '@hono', 'prom-client'];

/** @returns {string} the folder of the example */
export function install() {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(join(FOLDER, 'node_modules'), { recursive: true });
  cpSync(join(ROOT, 'examples/service'), FOLDER, { recursive: true });
  symlinkSync(join(ROOT, 'build/package'), join(FOLDER, 'node_modules/ocelli'));
  for (const name of PACKAGES)
    symlinkSync(join(ROOT, 'node_modules', name), join(FOLDER, 'node_modules', name));
  return join(FOLDER, 'node');
}

/**
 * @param {string} folder
 * @param {Record<string, string>} env
 */
export async function startServer(folder, env) {
  const server = spawn(process.execPath, ['server.js'], {
    cwd: folder,
    env: { ...process.env, PORT: '0', HOST: '127.0.0.1', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  /** @type {Record<string, any>[]} */
  const log = [];
  /** @type {string[]} */
  const lines = [];
  const output = createInterface(server.stdout);
  output.on('line', (line) => {
    lines.push(line);
    log.push(JSON.parse(line));
  });
  await once(output, 'line');
  const url = `http://127.0.0.1:${log[0].listening}`;
  return {
    ...{ server, log, lines, url, port: Number(log[0].listening) },
    /** @param {string} path @param {RequestInit} [init] */
    ask: (path, init) => fetch(`${url}${path}`, init),
    /** @returns {Promise<number | null>} the exit code */
    async stop() {
      if (server.exitCode === null) {
        server.kill('SIGTERM');
        await once(server, 'exit');
      }
      return server.exitCode;
    },
  };
}

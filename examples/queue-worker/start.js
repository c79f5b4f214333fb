// Starts everything on one machine: a database, unless DATABASE_URL names one, and workers (WORKERS, default 2).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startDatabase } from './database.js';
import { readSettings } from './settings.js';

const here = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url));
const { DATABASE_URL } = process.env;
const settings = readSettings(process.env);

const database = DATABASE_URL ? undefined : await startDatabase(here('data'));
if (database) console.log(JSON.stringify({ database: database.url, folder: database.folder }));
const workers = Array.from({ length: settings.workers }, (_, i) =>
  spawn(process.execPath, [here('worker.js')], {
    env: {
      ...process.env,
      DATABASE_URL: DATABASE_URL ?? database?.url,
      PORT: String(settings.port && settings.port + i),
    },
    stdio: 'inherit',
  }),
);
const ended = workers.map((worker) => once(worker, 'exit'));
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM']))
  process.on(signal, () => workers.forEach((worker) => worker.kill('SIGTERM')));

const codes = (await Promise.all(ended)).map(([code]) => code);
await database?.stop();
process.exitCode = codes.every((code) => code === 0) ? 0 : 1;

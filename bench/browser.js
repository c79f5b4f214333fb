// Opens a page in a fresh Chromium and waits until the page posts its results. No debugger is attached: it would slow
// the page down.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServer } from '../tools/serve.js';

export const CHROMIUM = '/usr/bin/chromium';
const FLAGS =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'.split(
    ' ',
  );
const TIMEOUT_MS = 60000;

/**
 * Starts a server whose pages report by a POST to /report/PART/…
 * @param {Pick<import('../tools/serve.js').ServerOptions, 'roots' | 'headers' | 'onRequest'>} options
 */
export async function serveReports({ roots, headers, onRequest }) {
  /** @type {(parts: string[]) => void} */
  let onReport = () => {};
  const server = await startServer({
    roots,
    headers,
    keeps: true,
    onRequest(path) {
      const [, kind, ...parts] = path.split('/');
      if (kind === 'report') onReport(parts);
      else onRequest?.(path);
    },
  });
  /**
   * Opens a page in a new browser.
   * @param {string} path
   * @returns {Promise<string[]>} the parts of the page's report
   */
  async function visit(path) {
    const profile = mkdtempSync(join(tmpdir(), 'ocelli-page-'));
    const arguments_ = [...FLAGS, `--user-data-dir=${profile}`, `${server.url}${path}`];
    const browser = spawn(CHROMIUM, arguments_, { stdio: 'ignore' });
    const exited = once(browser, 'exit');
    try {
      return await new Promise((resolve, reject) => {
        onReport = resolve;
        setTimeout(reject, TIMEOUT_MS, new Error(`${path} did not report within ${TIMEOUT_MS} ms`)).unref();
      });
    } finally {
      browser.kill();
      await exited;
      await rm(profile, { recursive: true, force: true, maxRetries: 10 });
    }
  }
  return { visit, close: server.close };
}

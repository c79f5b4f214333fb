// Opens a page in a fresh browser and waits until the page posts its results. No debugger is attached: it would slow the
// page down.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServer } from '../tools/serve.js';

export const CHROMIUM = '/usr/bin/chromium';
const FLAGS =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'.split(
    ' ',
  );
const TIMEOUT_MS = 120000;

/** Firefox's clock has steps of 1 ms otherwise; and no page of its own beside the one that is measured. */
const FIREFOX_PREFERENCES = [
  'user_pref("privacy.reduceTimerPrecision", false);',
  'user_pref("datareporting.policy.dataSubmissionEnabled", false);',
  'user_pref("browser.aboutwelcome.enabled", false);',
].join('\n');

/**
 * @typedef {object} Browser
 * @property {string} title
 * @property {string} program
 * @property {(profile: string, url: string) => string[]} toArguments `profile`: an empty folder, removed afterwards
 * @property {Record<string, string>} [environment]
 * @property {boolean} [needsScreen] it has no headless mode: it gets a screen in memory
 */

/** @type {Record<'chromium' | 'firefox' | 'webkit', Browser>} */
export const BROWSERS = {
  chromium: {
    title: 'Chromium',
    program: CHROMIUM,
    toArguments: (profile, url) => [...FLAGS, `--user-data-dir=${profile}`, url],
  },
  firefox: {
    title: 'Firefox',
    program: '/usr/bin/firefox-esr',
    toArguments(profile, url) {
      writeFileSync(join(profile, 'user.js'), FIREFOX_PREFERENCES);
      return ['--headless', '--no-remote', '--profile', profile, url];
    },
  },
  webkit: {
    title: 'WebKit',
    program: '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser',
    toArguments: (_, url) => ['--private', url],
    environment: { WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1' }, // which root needs
    needsScreen: true,
  },
};

/** @param {Browser} browser @param {string[]} args */
function start({ program, environment, needsScreen }, args) {
  return spawn(needsScreen ? 'xvfb-run' : program, needsScreen ? ['-a', program, ...args] : args, {
    stdio: 'ignore',
    env: { ...process.env, ...environment },
    detached: true, // a group, which ends as a whole
  });
}

/**
 * Starts a server whose pages report by a POST to /report/PART/…
 * @param {Pick<import('../tools/serve.js').ServerOptions, 'roots' | 'headers' | 'onRequest'> & {browser?: Browser}} options
 */
export async function serveReports({ roots, headers, onRequest, browser = BROWSERS.chromium }) {
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
    const child = start(browser, browser.toArguments(profile, `${server.url}${path}`));
    const exited = once(child, 'exit');
    try {
      return await new Promise((resolve, reject) => {
        onReport = resolve;
        setTimeout(reject, TIMEOUT_MS, new Error(`${path} did not report within ${TIMEOUT_MS} ms`)).unref();
      });
    } finally {
      if (child.exitCode === null) process.kill(-Number(child.pid));
      await exited;
      await rm(profile, { recursive: true, force: true, maxRetries: 10 });
    }
  }
  return { visit, close: server.close };
}

// A browser, a server and the packed package, for the tests in this directory.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { launch as launchPuppeteer } from 'puppeteer-core';
import { startServer } from '../../tools/serve.js';
import { PATIENCE_MS } from '../patience.js';
import { launchWebKit, MINI_BROWSER } from './webkit.js';

/**
 * Debian's Firefox, by WebDriver BiDi, or WebKitGTK's MiniBrowser, by WebDriver, instead of Chromium.
 * @type {'chromium' | 'firefox' | 'webkit'}
 */
export const browserName = /** @type {any} */ (process.env.OCELLI_BROWSER) ?? 'chromium';
export const isFirefox = browserName === 'firefox';
/** What Safari is made of. */
export const isWebKit = browserName === 'webkit';
const BROWSER = {
  chromium: process.env.CHROMIUM ?? '/usr/bin/chromium',
  firefox: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
  webkit: MINI_BROWSER,
}[browserName];
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** What `npm pack` packs, unpacked: made by the Makefile. */
export const PACKAGE = `${ROOT}build/package`;
/** What the pages import besides the package. */
const FFLATE = `${ROOT}node_modules/fflate/esm`;
/** For a person to look at; continuous integration keeps it. */
export const SCREENSHOTS = `${ROOT}out/screenshots`;

export const needsBrowser = existsSync(BROWSER) ? {} : { skip: `no browser at ${BROWSER}` };

/** Directory of the sample photos. */
export const photos = () => execFileSync(`${ROOT}tools/photos.sh`, { encoding: 'utf8' }).trim();

/**
 * @param {string[]} [args] of Chromium
 * @returns {Promise<import('playwright-core').Browser>}
 */
export async function launch(args = []) {
  if (isFirefox) return launchFirefox();
  if (isWebKit)
    return /** @type {import('playwright-core').Browser} */ (/** @type {unknown} */ (await launchWebKit()));
  const browser = await chromium.launch({
    executablePath: BROWSER,
    timeout: PATIENCE_MS,
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
      ...['--disable-background-networking', '--disable-component-update'],
      ...args,
    ],
  });
  const { newContext } = browser; // which newPage() takes, too
  browser.newContext = async (options) => {
    const context = await newContext.call(browser, options);
    context.setDefaultTimeout(PATIENCE_MS);
    return context;
  };
  return browser;
}

/**
 * With a camera that shows a file of camera.js.
 * @param {string} path
 * @param {string[]} [args] of Chromium
 */
export const launchWithCamera = (path, args = []) =>
  launch(['--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${path}`, ...args]);

/** Playwright drives no Firefox but one of its own; of Puppeteer, tests use what is called alike in both. */
async function launchFirefox() {
  const fakeCamera = { 'media.navigator.streams.fake': true, 'media.navigator.permission.disabled': true };
  const browser = await launchPuppeteer({
    browser: 'firefox',
    executablePath: BROWSER,
    extraPrefsFirefox: fakeCamera,
    timeout: PATIENCE_MS,
    protocolTimeout: PATIENCE_MS,
  });
  const { newPage } = browser;
  browser.newPage = async (options) => {
    const page = await newPage.call(browser, options);
    page.setDefaultTimeout(PATIENCE_MS);
    return page;
  };
  return /** @type {import('playwright-core').Browser} */ (/** @type {unknown} */ (browser));
}

/**
 * A server with the package under /ocelli/, the photos under /photos/ and the pages of this directory.
 * @param {Partial<import('../../tools/serve.js').ServerOptions>} [options]
 */
export function serve({ roots, ...options } = {}) {
  const pages = fileURLToPath(new URL('pages', import.meta.url));
  return startServer({
    roots: { '/': pages, '/ocelli/': PACKAGE, '/fflate/': FFLATE, '/photos/': photos(), ...roots },
    ...options,
  });
}

/**
 * Notes what a page must not do: throw, complain in its console and, if `url` is given, ask for anything elsewhere.
 * @param {import('playwright-core').Page} page
 * @param {string[]} troubles
 * @param {string} [url]
 */
export function watchForTroubles(page, troubles, url = '') {
  page.on('pageerror', (error) => troubles.push(error.message));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) troubles.push(message.text());
  });
  page.on('request', (request) => {
    if (!/^(blob|data):/.test(request.url()) && !request.url().startsWith(url))
      troubles.push(`asked ${request.url()}`);
  });
}

/**
 * A page that failed nowhere, and what its console says.
 * @param {import('playwright-core').Browser} browser
 * @param {string} url
 */
export async function openPage(browser, url) {
  const page = await browser.newPage();
  /** @type {string[]} */
  const warnings = [];
  /** @type {string[]} */
  const requests = [];
  page.on('console', (message) => {
    // Puppeteer's type of a warning is 'warn'.
    if (message.type().startsWith('warn')) warnings.push(message.text());
  });
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(url);
  return { page, warnings, requests };
}

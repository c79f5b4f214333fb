// A browser, a server and the packed package, for the tests in this directory.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { startServer } from '../../tools/serve.js';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** What `npm pack` packs, unpacked: made by the Makefile. */
export const PACKAGE = `${ROOT}build/package`;
/** For a person to look at; continuous integration keeps it. */
export const SCREENSHOTS = `${ROOT}out/screenshots`;

export const needsBrowser = existsSync(CHROMIUM) ? {} : { skip: `no browser at ${CHROMIUM}` };

/** Directory of the sample photos. */
export const photos = () => execFileSync(`${ROOT}tools/photos.sh`, { encoding: 'utf8' }).trim();

/** @param {string[]} [args] */
export function launch(args = []) {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
      ...['--disable-background-networking', '--disable-component-update'],
      ...args,
    ],
  });
}

/**
 * A server with the package under /ocelli/, the photos under /photos/ and the pages of this directory.
 * @param {Partial<import('../../tools/serve.js').ServerOptions>} [options]
 */
export function serve({ roots, ...options } = {}) {
  const pages = fileURLToPath(new URL('pages', import.meta.url));
  return startServer({
    roots: { '/': pages, '/ocelli/': PACKAGE, '/photos/': photos(), ...roots },
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
    if (message.type() === 'warning') warnings.push(message.text());
  });
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(url);
  return { page, warnings, requests };
}

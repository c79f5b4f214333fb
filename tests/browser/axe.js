// What axe finds in a page, in each colour scheme.
import assert from 'node:assert/strict';
import axe from 'axe-core';

export const SCHEMES = {
  light: { colorScheme: /** @type {const} */ ('light'), forcedColors: /** @type {const} */ ('none') },
  dark: { colorScheme: /** @type {const} */ ('dark'), forcedColors: /** @type {const} */ ('none') },
  forced: { colorScheme: /** @type {const} */ ('light'), forcedColors: /** @type {const} */ ('active') },
};
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice', 'experimental'];

/**
 * Fails if axe finds anything.
 * @param {import('playwright-core').Page} page
 * @param {string} state of the page, for the message
 */
export async function check(page, state) {
  // The pages' policy forbids scripts that are not theirs, but for those of the browser's driver.
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe.source);
  for (const [scheme, media] of Object.entries(SCHEMES)) {
    await page.emulateMedia(media);
    const found = await page.evaluate(async (values) => {
      const options = { runOnly: { type: 'tag', values }, resultTypes: ['violations'] };
      const { violations } = await /** @type {any} */ (globalThis).axe.run(document, options);
      return violations.flatMap((/** @type {any} */ { id, nodes }) =>
        nodes.map((/** @type {any} */ node) => `${id}: ${node.html} ${node.failureSummary}`),
      );
    }, RULES);
    assert.deepEqual(found, [], `${state}, ${scheme}`);
  }
}

/** @type {Set<string>} */
const said = new Set();

/**
 * Warns a developer, once, that something runs differently from what the options ask for.
 * @param {string} text
 */
export function notice(text) {
  if (said.has(text)) return;
  said.add(text);
  console.warn(`ocelli: ${text}`);
}

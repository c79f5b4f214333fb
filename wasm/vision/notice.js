/** @type {Set<string>} */
const said = new Set();

/**
 * Tells a developer, once, that something runs otherwise than asked for.
 * @param {string} text
 */
export function notice(text) {
  if (said.has(text)) return;
  said.add(text);
  console.warn(`ocelli: ${text}`);
}

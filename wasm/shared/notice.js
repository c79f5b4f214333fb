/** @type {Set<string>} */
const shown = new Set();

/**
 * Warns on the console that an option could not be honoured. Each text is printed once.
 * @param {string} text
 */
export function notice(text) {
  if (shown.has(text)) return;
  shown.add(text);
  console.warn(`ocelli: ${text}`);
}

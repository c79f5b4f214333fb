// Log entries -> lines of JSON that are safe to show in a terminal.

/** DEL, C1, line separators, zero-width and bidirectional characters: they could forge a log's look. */
const UNSAFE = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const MAX_TEXT = 4096;

/** @param {Record<string, unknown>} entry */
export function toLogLine(entry) {
  const shorten = (/** @type {string} */ _, /** @type {unknown} */ value) =>
    typeof value === 'string' && value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value;
  // JSON.stringify escapes C0 itself; all others are escaped as it would.
  return JSON.stringify(entry, shorten).replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

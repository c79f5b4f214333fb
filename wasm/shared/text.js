// Texts from files, such as names of classes, files and models -> texts that are safe where they are written to. Whatever
// ocelli writes or prints passes through here: nothing else escapes texts.

/**
 * Characters that have no look of their own, but change how a terminal or a page shows others, or end a line: control
 * characters, line and paragraph separators, format characters (bidirectional controls, zero-width spaces, tags …) and
 * halves of surrogate pairs. The joiners U+200C and U+200D are left: languages and emoji need them.
 */
const UNSAFE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]/gu;
const REPLACEMENT = '\ufffd';

/**
 * One line for a terminal, without characters that could change it.
 * @param {string} text
 */
export function toLine(text) {
  return text.replace(UNSAFE, REPLACEMENT);
}

/**
 * `1 image`, `2 images`.
 * @param {number} count
 * @param {string} noun
 * @param {string} [nouns]
 */
export function plural(count, noun, nouns = `${noun}s`) {
  return `${count} ${count === 1 ? noun : nouns}`;
}

/**
 * `9.5 MiB`.
 * @param {number} bytes
 */
export function formatBytes(bytes) {
  return bytes < 2 ** 20 ? `${(bytes / 2 ** 10).toFixed(1)} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/**
 * JSON that is safe to show in a terminal. It says the same as `JSON.stringify`.
 * @param {unknown} value
 * @param {number} [space]
 */
export function safeJson(value, space) {
  const escape = (/** @type {string} */ unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  const text = JSON.stringify(value, undefined, space);
  return text.replace(UNSAFE, (found) => (found === '\n' ? found : found.split('').map(escape).join('')));
}

/** @type {Record<string, string>} */
const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/**
 * Text, or the value of an attribute, in HTML or SVG.
 * @param {string} text
 */
export function escapeXml(text) {
  return toLine(text)
    .replace(/[&<>"']/g, (character) => ENTITIES[character])
    .replace(/[\ufffe\uffff]/g, REPLACEMENT);
}

/** A _ inside a word means nothing. */
const MARKS = /[\\`*{}[\]|~$@^]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu;

/**
 * A text inside a paragraph, a list item or a table cell of Markdown. It has no marks, tags and links.
 * @param {string} text
 */
export function escapeMarkdown(text) {
  return toLine(text.trim().replace(/\s+/g, ' '))
    .replace(MARKS, '\\$&')
    .replace(/[&<>]/g, (character) => ENTITIES[character])
    .replace(/:(?=\/\/)/g, '\\:')
    .replace(/(www|mailto|xmpp)([.:])/gi, '$1\\$2')
    .replace(/^(#+|[-+=]+)(?=\s|$)/, '\\$1')
    .replace(/^(\d+)([.)])(?=\s|$)/, '$1\\$2');
}

/**
 * A cell of comma-separated values. A text that a spreadsheet would compute begins with an apostrophe.
 * @param {string | number | undefined} value
 */
export function escapeCsv(value) {
  if (typeof value !== 'string') return String(value ?? '');
  const line = toLine(value);
  const text = /^[\s\ufffd]*[=+\-@|%\uff1d\uff0b\uff0d\uff20]/.test(line) ? `'${line}` : line;
  return /[",;]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * A value in YAML, on its line.
 * @param {string} text
 */
export function escapeYaml(text) {
  const isPlain = /^[a-z][\w.-]*$/i.test(text) && !/^(true|false|yes|no|on|off|null|y|n)$/i.test(text);
  return isPlain ? text : safeJson(toLine(text));
}

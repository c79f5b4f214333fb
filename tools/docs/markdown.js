// What the documentation site and `make lint` read in Markdown: links, headings, code.

/** A link's target; not an image's. */
export const LINK = /(?<!!)(\[(?:[^\][]|\[[^\]]*\])*\])\(([^)\s]+)\)/g;
export const IMAGE = /(!\[[^\]]*\])\(([^)\s]+)\)/g;
export const isExternal = (/** @type {string} */ target) => /^[a-z]+:/.test(target);

export const FENCE = /^( *)```([^\n]*)\n([^]*?)^\1```$/gm;
const MARK = /<!-- ([\w-]+)(?:: ([^\n]+?))? -->\s*$/;

/**
 * @typedef {object} Snippet
 * @property {string} language
 * @property {string} code
 * @property {string} [mark] the word of the comment before it, such as `run` in `<!-- run: photo -->`
 * @property {string} [name] what follows the word
 * @property {number} line of its first line of code
 * @property {number} start of its fence in the text
 * @property {number} end
 */

/**
 * @param {string} text Markdown
 * @returns {Snippet[]} its fenced code
 */
export function findSnippets(text) {
  return [...text.matchAll(FENCE)].map(({ 0: all, 1: indent, 2: language, 3: indented, index }) => {
    const code = indented.replaceAll(new RegExp(`^${indent}`, 'gm'), '');
    const before = text.slice(0, index);
    const [, mark, name] = MARK.exec(before) ?? [];
    const line = before.split('\n').length + 1;
    return { language, code, mark, name, line, start: index, end: index + all.length };
  });
}

/**
 * Code as blanks of the same length, so that nothing in it looks like Markdown.
 * @param {string} text Markdown
 */
export const blankCode = (text) =>
  text
    .replace(FENCE, (code) => code.replace(/[^\n]/g, ' '))
    .replace(/`[^`\n]+`/g, (code) => ' '.repeat(code.length));

/**
 * The id of a heading, as GitHub makes it.
 * @param {string} heading plain text
 */
export const slugify = (heading) =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}\s_-]/gu, '')
    .replace(/\s/g, '-');

/**
 * @param {string} text Markdown
 * @returns {Set<string>} the ids of its headings; one that is there twice ends in `-1`
 */
export function findAnchors(text) {
  const withoutFences = text.replace(FENCE, '');
  /** @type {Set<string>} */
  const anchors = new Set();
  for (const [, heading] of withoutFences.matchAll(/^#{1,6} +(.+)$/gm)) {
    const slug = slugify(heading.replace(LINK, '$1').replace(/[`*]/g, ''));
    let id = slug;
    for (let i = 1; anchors.has(id); i++) id = `${slug}-${i}`;
    anchors.add(id);
  }
  return anchors;
}

// Makes TypeDoc's pages shorter: what a reader of the API does not need is left out.
import { findAnchors } from './markdown.js';

/** A section of this level and title, up to the next heading of its level or a higher one. */
const section = (/** @type {number} */ level, /** @type {string} */ title) =>
  new RegExp(`^#{${level}} ${title}\\n[^]*?(?=^#{1,${level}} |^\\*\\*\\*$|(?![^]))`, 'gm');

/** Constructors that only `create` calls. @param {string} text */
const isForCreate = (text) => /^Use \[.*create\]/m.test(text);

/**
 * The section of what an entry exports of other entries, as one list.
 * @param {string} text
 */
function shortenReferences(text) {
  const links = [...text.matchAll(/^(?:Re-exports|Renames and re-exports) (.+)$/gm)].map(([, link]) => link);
  return `## Also exported\n\n${links.join(', ')}\n\n`;
}

/** Sections about classes that no entry exports. */
const INTERNAL = /`VisionModel\b|`\w+_base`|`Learner\b/;

/**
 * Numbers at the ends of links that TypeDoc counted with the names of rows of tables, and VitePress without.
 * @param {string} text
 */
function mendLinks(text) {
  const anchors = findAnchors(text);
  return text.replace(/\(#([^)]+?)-\d+\)/g, (all, name) =>
    anchors.has(all.slice(2, -1)) ? all : `(#${name})`,
  );
}

/** @param {string} markdown a page of TypeDoc */
export function tidy(markdown) {
  let text = markdown.replace(/^## References\n[^]*?(?=^## |(?![^]))/gm, shortenReferences);
  for (const level of [4, 5, 6]) {
    for (const title of ['Inherited from', 'Overrides', 'Extends'])
      text = text.replace(section(level, title), (all) => (INTERNAL.test(all) ? '' : all));
    text = text.replace(section(level, 'Constructors'), (all) => (isForCreate(all) ? '' : all));
  }
  return mendLinks(text.replace(/<a id="(?!property-)[^"]*"><\/a> /g, ''));
}

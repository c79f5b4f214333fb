// Markdown names files and headings that exist: the targets of links in all documents, paths in the code of ARCHITECTURE.md
// and CONTRIBUTING.md, and the pages of the documentation site.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ENTRIES, entriesOf, PAGES } from '../docs/contents.js';
import { blankCode, findAnchors, isExternal } from '../docs/markdown.js';
import { listFiles } from './files.js';

const WITH_PATHS = ['ARCHITECTURE.md', 'CONTRIBUTING.md'];
const NOT_OURS = /^(\..*|build|dist|node_modules|out)$/;

const LINK = /\]\(([^)\s]+)\)/g;
const FENCED_OR_INLINE = /```[^\n]*\n([^]*?)```|`([^`\n]+)`/g;
// A path has a slash. NAME stands for any name. "ocelli/train" is an entry of the package.
const PATH = /^(?!\.\.\/|~|\/|ocelli\/)(?=.*\/)(?!.*\bNAME\b)[\w.*-]+(?:\/[\w.*-]+)*\/?$/;

/**
 * @param {string} root the repository
 * @returns {string[]} a message for each link and path without a file
 */
export function checkLinks(root) {
  const top = readdirSync(root, { withFileTypes: true }).filter(({ name }) => !NOT_OURS.test(name));
  const folders = top.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const files = top.filter((entry) => entry.isFile()).map(({ name }) => name);
  const all = [
    ...files,
    ...folders.flatMap((folder) => listFiles(join(root, folder)).map((file) => join(folder, file))),
  ];
  return all
    .filter((file) => file.endsWith('.md') && !file.includes('node_modules/'))
    .sort()
    .flatMap((file) => checkDocument(root, file, all));
}

/**
 * @param {string} root
 * @param {string} file
 * @param {string[]} all files of the repository
 */
function checkDocument(root, file, all) {
  const text = readFileSync(join(root, file), 'utf8');
  const links = findLinks(text).flatMap(({ target, at }) => {
    const missing = findMissing(root, file, target);
    return missing ? [{ missing, at }] : [];
  });
  const paths = WITH_PATHS.includes(file) ? findPaths(text).filter(({ path }) => !isThere(path, all)) : [];
  return [...links, ...paths.map(({ path, at }) => ({ missing: path, at }))].map(
    ({ missing, at }) => `${file}:${lineAt(text, at)}: there is no ${missing}`,
  );
}

/** @param {string} text */
function findLinks(text) {
  return [...blankCode(text).matchAll(LINK)]
    .filter(([, target]) => !isExternal(target))
    .map(({ 1: target, index }) => ({ target, at: index }));
}

/**
 * @param {string} root
 * @param {string} file that has the link
 * @param {string} target
 * @returns {string | undefined} what is not there
 */
function findMissing(root, file, target) {
  const [path, anchor] = target.split('#');
  const full = path ? join(root, dirname(file), path) : join(root, file);
  if (!existsSync(full)) return path;
  if (!anchor || !full.endsWith('.md') || findAnchors(readFileSync(full, 'utf8')).has(anchor))
    return undefined;
  return target;
}

/**
 * The documentation site has every document of docs/, and no other.
 * @param {string} root the repository
 * @param {{file: string}[]} [pages] that the site has
 * @returns {string[]} a message for each document or page that is missing
 */
export function checkPages(root, pages = PAGES) {
  const documents = listFiles(join(root, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`);
  return [
    ...documents
      .filter((file) => !pages.some((page) => page.file === file))
      .map((file) => `tools/docs/contents.js: ${file} is in no section`),
    ...pages
      .filter(({ file }) => !existsSync(join(root, file)))
      .map(({ file }) => `tools/docs/contents.js: there is no ${file}`),
  ];
}

/**
 * The site's API reference has every entry of the package, and no other.
 * @param {string} root the repository
 * @param {Record<string, object>} [described] by the entry's name
 * @returns {string[]} a message for each entry that is missing
 */
export function checkEntries(root, described = ENTRIES) {
  const entries = entriesOf(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
  return [
    ...entries
      .filter((entry) => !Object.hasOwn(described, entry))
      .map((entry) => `tools/docs/contents.js: ${entry} is not in ENTRIES`),
    ...Object.keys(described)
      .filter((entry) => !entries.includes(entry))
      .map((entry) => `tools/docs/contents.js: package.json does not export ${entry}`),
  ];
}

/** @param {string} text */
function findPaths(text) {
  return [...text.matchAll(FENCED_OR_INLINE)].flatMap(({ 0: code, index }) =>
    [...code.matchAll(/[^\s`]+/g)]
      .filter(([word]) => PATH.test(word) && !NOT_OURS.test(word.split('/')[0]))
      .map(({ 0: path, index: offset }) => ({ path, at: index + offset })),
  );
}

/**
 * @param {string} path of a file or folder; * stands for any part of a name
 * @param {string[]} all
 */
function isThere(path, all) {
  const pattern = path.replace(/\/$/, '').replace(/[.]/g, '\\.').replaceAll('*', '[^/]*');
  return all.some((file) => new RegExp(`^${pattern}(/|$)`).test(file));
}

/** @param {string} text @param {number} at */
const lineAt = (text, at) => text.slice(0, at).split('\n').length;

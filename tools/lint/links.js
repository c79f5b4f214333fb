// Markdown names files that exist: the targets of links in all documents, and paths in the code of ARCHITECTURE.md and
// CONTRIBUTING.md.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { listFiles } from './files.js';

const WITH_PATHS = ['ARCHITECTURE.md', 'CONTRIBUTING.md'];
const NOT_OURS = /^(\..*|build|dist|node_modules|out)$/;

const LINK = /\]\(([^)\s]+)\)/g;
const URL_OR_HEADING = /^(?:[a-z]+:|#)/;
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
  const links = findLinks(text).filter(({ path }) => !existsSync(join(root, dirname(file), path)));
  const paths = WITH_PATHS.includes(file) ? findPaths(text).filter(({ path }) => !isThere(path, all)) : [];
  return [...links, ...paths].map(({ path, at }) => `${file}:${lineAt(text, at)}: there is no ${path}`);
}

/** @param {string} text */
function findLinks(text) {
  return [...text.matchAll(LINK)]
    .filter(([, target]) => !URL_OR_HEADING.test(target))
    .map(({ 1: target, index }) => ({ path: target.replace(/#.*/, ''), at: index }));
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

// Writes the sources of the documentation site into build/docs: the pages of contents.js with links as they are on the
// site, and the API reference. Part of `make docs`.
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeReference } from './reference.js';
import { PAGES, pathOf } from './contents.js';
import { findSnippets, IMAGE, isExternal, LINK } from './markdown.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const STAGE = join(ROOT, 'build/docs/pages');

/** Pages of the site that VitePress does not make. */
const WEB_PAGES = { 'web/index.html': '/demo/index.html', 'web/teach.html': '/demo/teach.html' };
const { url: OWNER } = JSON.parse(readFileSync(join(ROOT, 'tools/owner.json'), 'utf8'));

/** @param {import('./contents.js').Page} page */
function stagePage(page) {
  const text = readFileSync(join(ROOT, page.file), 'utf8');
  const file = join(STAGE, `${pathOf(page)}.md`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, relink(addRunButtons(text), page.file));
}

/**
 * Examples that are marked `run` get a button that runs them on the photo of that name.
 * @param {string} text
 */
function addRunButtons(text) {
  return findSnippets(text)
    .filter(({ mark }) => mark === 'run')
    .reverse()
    .reduce(
      (rest, { code, name, end }) =>
        `${rest.slice(0, end)}\n\n<RunExample photo="${name}" code="${encodeURIComponent(code)}" />\n${rest.slice(end)}`,
      text,
    );
}

/**
 * @param {string} text
 * @param {string} file
 */
function relink(text, file) {
  return text
    .replace(LINK, (all, label, target) =>
      isExternal(target) || target.startsWith('#') ? all : `${label}${toSite(target, file)}`,
    )
    .replace(IMAGE, (all, label, target) => {
      if (isExternal(target)) return all;
      copyFileSync(join(ROOT, dirname(file), target), join(STAGE, 'public', basename(target)));
      return `${label}(/${basename(target)})`;
    });
}

/**
 * Where a link leads on the site: to one of its pages, or to the file in the repository.
 * @param {string} target
 * @param {string} file that has the link
 */
function toSite(target, file) {
  const [path, anchor] = target.split('#');
  const to = normalize(join(dirname(file), path)).replace(/\/$/, '');
  const hash = anchor ? `#${anchor}` : '';
  const page = PAGES.find((page) => page.file === to);
  if (page && existsSync(join(ROOT, page.file))) return `(/${pathOf(page)}.md${hash})`;
  if (to in WEB_PAGES)
    return `(${WEB_PAGES[/** @type {keyof typeof WEB_PAGES} */ (to)]}${hash}){target="_self"}`;
  const kind = statSync(join(ROOT, to)).isDirectory() ? 'tree' : 'blob';
  return `(${OWNER}/${kind}/main/${to}${hash})`;
}

rmSync(STAGE, { recursive: true, force: true });
mkdirSync(join(STAGE, 'public'), { recursive: true });
for (const page of PAGES) if (existsSync(join(ROOT, page.file))) stagePage(page);
cpSync(join(ROOT, 'web/icon.svg'), join(STAGE, 'public/icon.svg'));
await writeReference(join(STAGE, 'reference'));

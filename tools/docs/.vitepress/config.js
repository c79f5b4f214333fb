import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';
import { pathOf, SECTIONS } from '../contents.js';
import { slugify } from '../markdown.js';
import { listEntries, referencePath } from '../reference.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const isThere = (/** @type {import('../contents.js').Page} */ { file }) => existsSync(join(ROOT, file));
const link = (/** @type {string} */ path) => `/${path.replace(/(^|\/)index$/, '$1')}`;

const sidebar = [
  ...SECTIONS.map(({ title, pages }) => ({
    text: title,
    items: pages.filter(isThere).map((page) => ({ text: page.title, link: link(pathOf(page)) })),
  })),
  {
    text: 'API of each entry',
    collapsed: true,
    items: listEntries().map((entry) => ({ text: entry, link: link(referencePath(entry)) })),
  },
];

/** The first paragraph of a page, as plain text: what search engines show. @param {string} text */
function describe(text) {
  const paragraph = text
    .replace(/^---[^]*?^---$/m, '')
    .split(/\n\s*\n/)
    .find((part) => /^(?![#|<`!\s>-])/.test(part));
  const plain = paragraph
    ?.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[`*]/g, '')
    .replace(/\s+/g, ' ');
  return plain && (plain.length > 160 ? `${plain.slice(0, 157).replace(/\s\S*$/, '')} …` : plain);
}

export default defineConfig({
  title: 'ocelli',
  lang: 'en',
  description:
    'Object detection, image features and training in JavaScript, as one small WebAssembly module.',
  base: process.env.DOCS_BASE ?? '/',
  srcDir: '../../build/docs/pages',
  outDir: '../../build/docs/site',
  cacheDir: '../../build/docs/cache',
  head: [
    ['link', { rel: 'icon', href: `${process.env.DOCS_BASE ?? '/'}icon.svg` }],
    ['meta', { name: 'color-scheme', content: 'light dark' }],
  ],
  // Pages and examples beside VitePress' own.
  ignoreDeadLinks: [/^\/demo\//],
  markdown: {
    anchor: { slugify },
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
  },
  async transformPageData(page, { siteConfig }) {
    const { readFile } = await import('node:fs/promises');
    const text = await readFile(join(siteConfig.srcDir, page.relativePath), 'utf8');
    const description = page.frontmatter.description ?? describe(text);
    return description ? { description } : {};
  },
  themeConfig: {
    logo: { src: '/icon.svg', alt: '' },
    nav: [
      { text: 'Guides', link: '/browser' },
      { text: 'API', link: '/reference/' },
      { text: 'Demo', link: '/demo/index.html', target: '_self' },
      { text: 'Teach it', link: '/demo/teach.html', target: '_self' },
    ],
    sidebar,
    outline: [2, 3],
    externalLinkIcon: false,
    search: { provider: 'local' },
    footer: { message: 'Apache-2.0. This site sends nothing and loads nothing from other servers.' },
  },
  vite: { publicDir: join(ROOT, 'build/docs/pages/public') },
});

// Puts the demo pages into the documentation site, with the package and the sample photos, and links them to its pages:
//   node tools/docs/demo.js SITE PHOTOS
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const [SITE, PHOTOS] = process.argv.slice(2);
const DEMO = join(SITE, 'demo');

for (const [from, to] of [
  [join(ROOT, 'web'), DEMO],
  [join(ROOT, 'build/package'), join(DEMO, 'ocelli')],
  [join(ROOT, 'node_modules/fflate/esm'), join(DEMO, 'fflate')],
  [PHOTOS, join(DEMO, 'samples')],
  [join(ROOT, 'tools/docs/live'), join(SITE, 'live')],
]) {
  rmSync(to, { recursive: true, force: true });
  cpSync(from, to, { recursive: true });
}

// Small copies: the page shows the photo before it loads the model.
for (const name of readdirSync(PHOTOS)) {
  const jpeg = await sharp(join(PHOTOS, name)).jpeg({ quality: 80, mozjpeg: true }).toBuffer();
  writeFileSync(join(DEMO, 'samples', name.replace('.png', '.jpg')), jpeg);
}

/** Where the pages' own links to documents of the package lead on the site. */
const LINKS = /** @type {[RegExp, string][]} */ ([
  [/href="ocelli\/README\.md"/, 'href="../"'],
  [/href="ocelli\/docs\/([\w-]+)\.md"/g, 'href="../$1.html"'],
  [/(<nav aria-label="Pages">\s*)/, '$1<a href="../">Documentation</a>\n        '],
]);
const SMALL = /** @type {[RegExp, string][]} */ ([
  [/data-ending="\.png"/, 'data-ending=".jpg"'],
  [
    /(<link rel="modulepreload")/,
    '<link rel="preload" href="samples/astronaut.jpg" as="fetch" crossorigin />\n    $1',
  ],
]);
for (const name of ['index.html', 'teach.html']) {
  const file = join(DEMO, name);
  const links = name === 'index.html' ? [...LINKS, ...SMALL] : LINKS;
  const text = links.reduce(
    (text, [link, replacement]) => {
      if (text.search(link) < 0) throw new Error(`web/${name} has no ${link}`);
      return text.replace(link, replacement);
    },
    readFileSync(file, 'utf8'),
  );
  writeFileSync(file, text);
}

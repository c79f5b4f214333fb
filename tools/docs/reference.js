// The API reference: TypeDoc on the type declarations of each entry of the package, as users get them.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Application } from 'typedoc';
import { ENTRIES, entriesOf, PAGES, pathOf } from './contents.js';
import { describeInline } from './inline.js';
import { findSnippets } from './markdown.js';
import { tidy } from './tidy.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** The entry that exports all of another one. */
const INLINE = 'ocelli/inline';
const TYPES = join(ROOT, 'build/docs/types');

export const listEntries = () => entriesOf(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')));

/** @param {string} entry @returns {string} where its page is, without an ending */
export const referencePath = (entry) => `reference/${entry}`;

/**
 * Copies the declarations. A name for a type of another file becomes an export of that type, so that TypeDoc shows what
 * the type is.
 */
function copyTypes() {
  rmSync(TYPES, { recursive: true, force: true });
  cpSync(join(ROOT, 'dist/types'), TYPES, { recursive: true });
  const files = readdirSync(TYPES, { recursive: true, withFileTypes: true });
  for (const file of files.filter((entry) => entry.name.endsWith('.d.ts'))) {
    const path = join(file.parentPath, file.name);
    const text = readFileSync(path, 'utf8');
    const alias = /^export type (\w+) = import\((".*?")\)\.(\w+);$/gm;
    const exported = text.replace(alias, (all, name, from, original) =>
      name === original ? `export { ${name} } from ${from};\nimport { ${name} } from ${from};` : all,
    );
    if (exported !== text) writeFileSync(path, exported);
  }
}

/** @param {string} entry */
function writeEntry(entry) {
  const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const { types } = exports[entry.replace('ocelli', '.')];
  const file = join(TYPES, `${entry.replace('/', '-')}.d.ts`);
  const { document, about } = ENTRIES[entry];
  const page = PAGES.find(({ file }) => file === document);
  if (!page) throw new Error(`${document} is no page`);
  const guide = pathOf(page);
  const example = findSnippets(readFileSync(join(ROOT, document), 'utf8')).find(
    ({ language, code }) => /js|html/.test(language) && code.includes(`'${entry}'`),
  );
  if (!example) throw new Error(`${document} has no example of ${entry}`);
  const from = types.replace('./dist/types/', './').replace(/\.d\.ts$/, '.js');
  const comment = `/**\n * ${about}\n *\n * [Guide](/${guide}.md)\n *\n * @example\n * \`\`\`${example.language}\n${example.code.replace(/^/gm, ' * ').trimEnd()}\n * \`\`\`\n * @module ${entry}\n */`;
  writeFileSync(file, `${comment}\nexport * from '${from}';\n`);
  return file;
}

/** The list of entries, as a page. */
function makeIndex() {
  const rows = Object.entries(ENTRIES).map(
    ([entry, { about }]) => `| [\`${entry}\`](/${referencePath(entry)}.md) | ${about} |`,
  );
  return [
    '# API reference',
    '',
    'Made from the type declarations of the package.',
    '',
    '| entry | what it has |',
    '| --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

/** @param {string} out the folder with TypeDoc's pages */
function tidyPages(out) {
  for (const entry of listEntries()) {
    const file = join(out, `${entry}.md`);
    const text = tidy(readFileSync(file, 'utf8'));
    writeFileSync(file, text);
  }
  const inline = join(out, `${INLINE}.md`);
  const [introduction] = readFileSync(inline, 'utf8').split('## Also exported');
  const main = readFileSync(join(out, 'ocelli.md'), 'utf8');
  writeFileSync(inline, introduction + describeInline(join(ROOT, 'dist'), main));
}

/** @param {string} out the folder for the pages */
export async function writeReference(out) {
  copyTypes();
  const entries = listEntries().map(writeEntry);
  mkdirSync(out, { recursive: true });
  writeFileSync(
    join(TYPES, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        module: 'nodenext',
        target: 'es2023',
        skipLibCheck: true,
        types: ['node'],
        lib: ['es2023', 'esnext.disposable', 'dom', 'dom.iterable', 'dom.asynciterable'],
      },
      files: entries,
    }),
  );
  const options = {
    entryPoints: entries,
    tsconfig: join(TYPES, 'tsconfig.json'),
    plugin: ['typedoc-plugin-markdown'],
    out,
    readme: 'none',
    router: 'module',
    disableSources: true,
    excludeExternals: true,
    groupOrder: ['Classes', 'Functions', 'Variables', 'Methods', 'Accessors', 'Properties', '*'],
    excludePrivate: true,
    excludeProtected: true,
    hideBreadcrumbs: true,
    hidePageHeader: true,
    useCodeBlocks: true,
    entryFileName: 'index',
    parametersFormat: 'table',
    propertiesFormat: 'table',
    interfacePropertiesFormat: 'table',
    typeAliasPropertiesFormat: 'table',
    typeDeclarationFormat: 'table',
    logLevel: 'Warn',
    validation: false,
    modulesFileName: 'index',
  };
  const app = await Application.bootstrapWithPlugins(/** @type {any} */ (options));
  const project = await app.convert();
  if (!project) throw new Error('TypeDoc found errors in the declarations');
  await app.generateOutputs(project);
  tidyPages(out);
  writeFileSync(join(out, 'index.md'), makeIndex());
}

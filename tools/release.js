// This commit -> out/release/ocelli-VERSION.tgz, which `npm publish` takes as it is, and SHA256SUMS. It is built twice, from
// clones in folders whose paths have different lengths, with other settings of the machine: any difference fails, by name.
// Toolchain, sources, samples and npm's packages come from the user's cache; all else is made anew, without ccache.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findDifference, listSums, repack, sha256 } from './release/tarball.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const OUT = join(ROOT, 'out/release');
/** What may differ between two machines, and must not matter. */
const BUILDS = [
  { folder: 'a', mask: '022', environment: { TZ: 'UTC', LC_ALL: 'C' } },
  {
    ...{ folder: 'another/folder/with/a/longer/path', mask: '027' },
    environment: { TZ: 'Asia/Kathmandu', LC_ALL: 'C.UTF-8' },
  },
];

/** @param {string} cwd @param {string[]} command */
function say(cwd, ...[program, ...args]) {
  return execFileSync(program, args, { cwd, encoding: 'utf8' }).trim();
}

const COMMIT = say(ROOT, 'git', 'rev-parse', 'HEAD');

/**
 * @param {string} home
 * @param {(typeof BUILDS)[number]} build
 * @returns {{name: string, tarball: Uint8Array}}
 */
function build(home, { folder, mask, environment }) {
  const clone = join(home, folder);
  console.log(`release: building in ${clone}`);
  say(ROOT, 'git', 'clone', '--quiet', ROOT, clone);
  say(clone, 'git', 'checkout', '--quiet', COMMIT);
  const script = `umask ${mask} && make all types && npm pack --silent --ignore-scripts --pack-destination '${home}'`;
  execFileSync('bash', ['-c', script], {
    cwd: clone,
    env: { ...process.env, ...environment, CCACHE_DISABLE: '1' },
    stdio: 'inherit',
  });
  const { name, version } = JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8'));
  const file = `${name}-${version}.tgz`;
  const tarball = repack(readFileSync(join(home, file)));
  rmSync(clone, { recursive: true });
  return { name: file, tarball };
}

console.log(`release: commit ${COMMIT}`);
if (say(ROOT, 'git', 'status', '--porcelain'))
  console.log('release: changes that are not committed are left out');
const home = mkdtempSync(join(tmpdir(), 'ocelli-release-'));
try {
  const [first, second] = BUILDS.map((settings) => build(home, settings));
  const sums = listSums(first.tarball);
  for (const [path, sum] of sums) console.log(`${sum}  ${path}`);
  const difference = findDifference(sums, listSums(second.tarball));
  const [sum, other] = [sha256(first.tarball), sha256(second.tarball)];
  if (difference) throw new Error(difference);
  // Order, modes and times.
  if (sum !== other) throw new Error(`the tarballs differ, though their files do not: ${sum} and ${other}`);
  mkdirSync(OUT, { recursive: true });
  writeFileSync(join(OUT, first.name), first.tarball);
  writeFileSync(join(OUT, 'SHA256SUMS'), `${sum}  ${first.name}\n`);
  console.log(
    `${sum}  ${first.name}\nrelease: two builds, ${sums.size} files, the same bytes: out/release/${first.name}`,
  );
} catch (error) {
  console.error(`release: ${/** @type {Error} */ (error).message}`);
  process.exitCode = 1;
} finally {
  rmSync(home, { recursive: true, force: true });
}

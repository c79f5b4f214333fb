// A copy of the working tree in which mutants are tried, so that the checkout never changes.
import { execFileSync, spawn } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** Without the large models, which take minutes and are not everywhere: the small tests must notice. */
const ENVIRONMENT = { ...process.env, OCELLI_SHARED: '/nonexistent' };

/** What the build made and the tests need. */
const BUILT =
  /^(?:package|simd|simd-threads|train-simd|example|native|xnnpack-.*|layout\..*|abi|operators|emcc|sources|settings)$/;
/** Not the cases: their list has absolute paths. */
const NATIVE = /^64-(?:simd|relaxed|simd-threads)$/;
/**
 * What is not made again: what a mutant of JavaScript does not change, the hash of the interface, by which JavaScript would
 * refuse the module of any mutant of its exports, and the packages: npm would empty the checkout's, to which a link leads.
 */
const KEPT = [
  ...['build/abi', 'node_modules/.installed'],
  'dist/types/wasm/vision/index.d.ts',
  ...['.bin', '.gz', '-int8.gz'].map((ending) => `dist/models/ssd_mobilenet_v2_oidv4${ending}`),
];

/** What a mutant of C is built into; copies stand in for those of relaxed SIMD, which Node chooses where it can. */
const MODULES = ['simd', 'simd-threads', 'train-simd'].map((name) => `dist/ocelli-${name}.wasm`);

/**
 * Copies the tree with its times, so that make finds everything made.
 * @param {string} root
 * @param {string} tree
 */
export function copyTree(root, tree) {
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(tree, { recursive: true });
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  const present = files.split('\n').filter((file) => file && existsSync(join(root, file)));
  execFileSync('xargs', ['-d', '\n', 'cp', '-a', '--parents', '-t', tree], {
    cwd: root,
    input: present.join('\n'),
  });
  const copy = (/** @type {string} */ path) =>
    cpSync(join(root, path), join(tree, path), {
      recursive: true,
      preserveTimestamps: true,
      verbatimSymlinks: true,
    });
  copy('dist');
  const built = readdirSync(join(root, 'build')).filter((name) => BUILT.test(name));
  for (const name of built.filter((name) => name !== 'native')) copy(`build/${name}`);
  if (existsSync(join(root, 'build/native')))
    for (const name of readdirSync(join(root, 'build/native')))
      if (NATIVE.test(name)) copy(`build/native/${name}`);
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
}

/**
 * The file that a mutant replaces, written into the tree. The function that it returns puts the original back.
 * @param {string} tree
 * @param {import('./javascript.js').Mutant} mutant
 */
export function putIn(tree, { file, start, end, text }) {
  const path = join(tree, file);
  const original = readFileSync(path, 'utf8');
  writeFileSync(path, original.slice(0, start) + text + original.slice(end));
  return () => writeFileSync(path, original);
}

/**
 * What make has to make before the tests of a folder run.
 * @param {import('./folders.js').Folder} folder
 * @param {string[]} tests
 */
export function targetsOf({ kind }, tests) {
  if (kind === 'package') return ['build/package/package.json'];
  if (kind === 'wasm') return MODULES;
  return kind === 'native' ? tests.map((test) => binaryOf(test)) : [];
}

/** The program of a native test. @param {string} test */
export function binaryOf(test) {
  const [file, build = '64-simd'] = test.split(':').toReversed();
  return file.replace('tests/c/', `build/native/${build}/tests/`).replace(/\.c$/, '');
}

/**
 * Builds without warnings as errors: a mutant's unused variable is no reason to refuse it. Modules are built fast, not
 * small.
 * @param {string} tree
 * @param {string[]} targets
 */
export async function build(tree, targets) {
  if (targets.length === 0) return { isEnded: true, output: '' };
  const kept = KEPT.flatMap((file) => ['-o', file]);
  const built = await execute(
    tree,
    ['make', '-s', ...kept, 'WARNINGS=-std=c11 -w', 'WASM_OPT_LEVEL=-O1', ...targets],
    { limitMs: 600_000 },
  );
  if (targets === MODULES && built.isEnded)
    for (const module of MODULES)
      copyFileSync(join(tree, module), join(tree, module.replace('simd', 'relaxed')));
  return built;
}

/**
 * Runs a command to its end, or to its limit, and then ends all processes that it started.
 * @param {string} cwd
 * @param {string[]} command
 * @param {{limitMs: number, env?: Record<string, string>}} options
 * @returns {Promise<{isEnded: boolean, output: string}>} isEnded: in time, and well
 */
export function execute(cwd, [program, ...args], { limitMs, env = {} }) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, env: { ...ENVIRONMENT, ...env }, detached: true });
    child.stdin.end();
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (bytes) => (output = (output + bytes).slice(-20_000)));
    const endAll = () => {
      try {
        process.kill(-Number(child.pid), 'SIGKILL');
      } catch {
        // they have ended
      }
    };
    // By ticks: a process that was stopped meanwhile, as by a machine that slept, is not too slow.
    let ticks = 0;
    const timer = setInterval(() => {
      if (++ticks * 1000 < limitMs) return;
      output += '\ntoo slow';
      endAll();
    }, 1000);
    child.on('close', (code) => {
      clearInterval(timer);
      endAll();
      resolve({ isEnded: code === 0, output });
    });
  });
}

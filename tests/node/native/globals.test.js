// Sessions share what the library keeps in variables of its own: ARCHITECTURE.md lists them with the reasons.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const ROOT = new URL('../../../', import.meta.url);
/** XNNPACK's tables of kernels, each filled in on first use, with what says that it is; its allocator; the size of a page. */
const OF_XNNPACK =
  /^(system_page_size|\w+_config|\w+_guard|\w+_ukernel\w*|allocator_guard|init_\w+|xnn_params|xnn_default_allocator)$/;

/** Names of the variables that can be written, by the file that has them. */
function findVariables() {
  const symbols = execFileSync('llvm-nm-19', ['-A', '-f', 'sysv', 'build/native/64-simd/libocelli.a'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return symbols.split('\n').flatMap((line) => {
    const cells = line.split('|').map((cell) => cell.trim());
    const [place, name] = /^(.*): (\S+)$/.exec(cells[0])?.slice(1) ?? [];
    const section = cells.at(-1) ?? '';
    if (!name || cells[3] !== 'OBJECT' || !/^\.(data|bss|tdata|tbss)/.test(section)) return [];
    if (section.startsWith('.data.rel.ro') || name.startsWith('__odr_asan')) return [];
    return [{ isOurs: /libocelli\.a:(src|pool|tools)\//.test(place), name: name.split('.').at(-1) ?? '' }];
  });
}

test('every variable that the library writes is in the list', () => {
  const documented = [
    ...readFileSync(new URL('ARCHITECTURE.md', ROOT), 'utf8').matchAll(/^\| `(\w+)` \| `src\/.* \|$/gm),
  ];
  const variables = findVariables();
  const ours = variables.filter(({ isOurs }) => isOurs).map(({ name }) => name);
  assert.deepEqual(
    [...new Set(ours)].sort(),
    [...documented.map(([, name]) => name), 'ocl_native_dot'].sort(),
  );
  const theirs = variables.filter(({ isOurs }) => !isOurs);
  assert.ok(theirs.some(({ name }) => name === 'f32_gemm_config'));
  for (const { name } of theirs) assert.match(name, OF_XNNPACK);
});

// Stands for node:test where a test file of tests/node is run inside a page.

/** @type {{name: string, run: () => unknown}[]} */
const tests = [];
/** @type {string[]} */
const path = [];

/** @param {string} name @param {...any} rest options, and what contains the tests */
export function describe(name, ...rest) {
  path.push(name);
  rest.at(-1)();
  path.pop();
}

/** @param {string} name @param {...any} rest */
export function test(name, ...rest) {
  tests.push({ name: [...path, name].join(': '), run: rest.at(-1) });
}

/** @returns {Promise<{passed: number, failures: string[]}>} */
export async function runAll() {
  const failures = [];
  for (const { name, run } of tests) {
    try {
      await run();
    } catch (error) {
      failures.push(`${name}: ${error}`);
    }
  }
  return { passed: tests.length - failures.length, failures };
}

// What the modules' instances hold.

/**
 * Watches the instances that are made from now on.
 * @param {import('node:test').TestContext} t
 * @returns {() => number} the bytes that they have allocated and not freed
 */
export function watchInstances(t) {
  /** @type {any[]} */ const made = [];
  const instantiate = /** @type {any} */ (WebAssembly.instantiate);
  t.mock.method(WebAssembly, 'instantiate', async (/** @type {any[]} */ ...args) => {
    const instance = await instantiate(...args);
    made.push(instance.exports);
    return instance;
  });
  return () => made.reduce((sum, { ocl_live_bytes: liveBytes }) => sum + liveBytes(), 0);
}

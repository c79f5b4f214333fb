// Engines hold a module's memory, which a forgotten close() keeps: one that is closed whatever happens, a count of those that
// are open, and of the bytes that modules hold.
import { Engine } from '../../wasm/engine/engine.js';

/**
 * The engines that `run` has opened and not closed; and whether it opened any.
 * @param {() => unknown} run
 */
export async function enginesLeftBy(run) {
  const { create } = Engine;
  const { close } = Engine.prototype;
  /** @type {Set<Engine>} */
  const open = new Set();
  let opened = 0;
  Engine.create = async (options) => {
    const engine = await create.call(Engine, options);
    open.add(engine);
    opened++;
    return engine;
  };
  Engine.prototype.close = function () {
    open.delete(this);
    close.call(this);
  };
  try {
    await run();
  } finally {
    Engine.create = create;
    Engine.prototype.close = close;
  }
  return { left: open.size, opened };
}

/** Of plain SIMD. @param {(engine: Engine) => unknown} use */
export async function withEngine(use) {
  const engine = await Engine.create({ variant: 'simd', threads: 1 });
  try {
    await use(engine);
  } finally {
    engine.close();
  }
}

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

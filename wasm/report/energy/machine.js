// What a page or a worker may know of its machine; machine.node.js knows more.

/** @returns {Promise<import('./estimate.js').Machine>} */
export async function describeMachine() {
  const { hardwareConcurrency, deviceMemory, userAgent } =
    /** @type {Partial<Navigator> & {deviceMemory?: number}} */ (globalThis.navigator ?? {});
  return {
    threads: hardwareConcurrency,
    memoryGb: deviceMemory,
    os: userAgent,
    noMeter: 'a page has no meter',
  };
}

/**
 * Begins to measure, where something measures.
 * @returns {Promise<(() => Promise<import('./estimate.js').Joules | undefined>) | undefined>} ends it
 */
export async function startMeter() {
  return undefined;
}

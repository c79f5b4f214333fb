// Describes the machine to the extent that a page or a worker can. Node uses machine.node.js.

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
 * Starts measuring energy. A page has no meter, so this returns undefined.
 * @returns {Promise<(() => Promise<import('./estimate.js').Joules | undefined>) | undefined>} stops measuring
 */
export async function startMeter() {
  return undefined;
}

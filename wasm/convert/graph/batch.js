// How shapes write a free batch. Shapes are inferred as if the batch were FREE_BATCH: an unlikely negative number, so that
// arithmetic on sizes shows how a size depends on it. A size of k * FREE_BATCH is k times the batch. -1 is any other
// unknown size, or the size that a Reshape is to compute.

/** @typedef {number[] | undefined} Shape undefined: unknown rank */

export const FREE_BATCH = -4099;

/** @param {number} size */
export const dependsOnBatch = (size) => size < 0 && size % FREE_BATCH === 0;

/** Whether shape arithmetic has a result of which the size of the batch can be told. @param {ArrayLike<number>} sizes */
export const areSizes = (sizes) =>
  Array.from(sizes).every((size) => Number.isInteger(size) && (size >= -1 || dependsOnBatch(size)));

/**
 * The shape as a network has it: -1 is the one size that depends on the batch.
 * @param {Shape} shape
 * @returns {number[] | undefined} undefined: some sizes are unknown
 */
export function toNetworkShape(shape) {
  const isKnown = shape?.every((size) => size >= 0 || dependsOnBatch(size));
  if (!shape || !isKnown || shape.filter((size) => size < 0).length > 1) return undefined;
  return shape.map((size) => Math.max(size, -1));
}

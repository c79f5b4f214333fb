// One fresh instance of an engine: warmed up, checked against the reference heads, timed from the input's numbers to the
// heads' numbers. The same in a page and in Node.

/**
 * @typedef {object} Given
 * @property {Uint8Array<ArrayBuffer>} model the .tflite file
 * @property {string} wasm where the engine's own .wasm files are
 *
 * @typedef {(input: Float32Array) => Promise<Float32Array[]>} Run
 * @typedef {(given: Given) => Promise<Run>} Create
 */

const WARM_UP_RUNS = 8;
const RUNS = 16;
const TOLERANCE = 1e-3;

/**
 * @param {Create} create
 * @param {Given & {input: Float32Array, heads: Float32Array[]}} given `heads`: the reference's
 * @returns {Promise<number[]>} milliseconds of each run
 */
export async function measure(create, { input, heads, ...given }) {
  const run = await create(given);
  for (let i = 0; i < WARM_UP_RUNS; i++) check(await run(input), heads);
  const times = [];
  for (let i = 0; i < RUNS; i++) {
    const start = performance.now();
    await run(input);
    times.push(performance.now() - start);
  }
  return times;
}

/**
 * The heads have different lengths, so that their order does not matter.
 * @param {Float32Array[]} outputs
 * @param {Float32Array[]} heads
 */
function check(outputs, heads) {
  for (const head of heads) {
    const output = outputs.find(({ length }) => length === head.length);
    if (!output?.every((value, i) => Math.abs(value - head[i]) < TOLERANCE))
      throw new Error('another network’s heads');
  }
}

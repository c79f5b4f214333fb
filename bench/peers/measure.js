// Measures one fresh instance of an engine, in a page or in Node: warm-up, check against the reference heads, then
// times from input tensor to heads.

/**
 * @typedef {object} Given
 * @property {Uint8Array<ArrayBuffer>} model the .tflite file
 * @property {string} wasm path or URL of the folder with the engine's .wasm files
 * @property {number} [warmUpRuns]
 * @property {number} [threads] default 1
 *
 * @typedef {(input: Float32Array) => Promise<Float32Array[]>} Run
 * @typedef {(given: Given) => Promise<Run>} Create
 */

const RUNS = 16;
const TOLERANCE = 1e-3;

/**
 * @param {Create} create
 * @param {Given & {input: Float32Array, heads: Float32Array[]}} given `heads`: the reference outputs
 * @returns {Promise<number[]>} milliseconds of each run
 */
export async function measure(create, { input, heads, warmUpRuns = 8, ...given }) {
  const run = await create(given);
  for (let i = 0; i < warmUpRuns; i++) check(await run(input), heads);
  const times = [];
  for (let i = 0; i < RUNS; i++) {
    const start = performance.now();
    await run(input);
    times.push(performance.now() - start);
  }
  return times;
}

/**
 * Throws if the outputs differ from the reference heads. Heads are matched by their length, which differs.
 * @param {Float32Array[]} outputs
 * @param {Float32Array[]} heads
 */
function check(outputs, heads) {
  for (const head of heads) {
    const output = outputs.find(({ length }) => length === head.length);
    if (!output?.every((value, i) => Math.abs(value - head[i]) < TOLERANCE))
      throw new Error(`the heads differ from the reference by ${TOLERANCE} or more`);
  }
}

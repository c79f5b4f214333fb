// One process or page: detectors with one and with two threads in turns, warm -> milliseconds of the network.
const WARM_UP_RUNS = 20;
const RUNS = 60;

/**
 * @param {typeof import('ocelli').ObjectDetector} ObjectDetector
 * @param {import('ocelli').DetectorOptions} options
 */
export async function measure(ObjectDetector, options) {
  const detectors = await Promise.all(
    [1, 2].map((threads) => ObjectDetector.create({ ...options, threads })),
  );
  const given = detectors.map(({ variant }) => variant.threads);
  if (given.join() !== '1,2') throw new Error(`no second thread here: ${given}`);
  const tensor = new Float32Array(300 * 300 * 3);
  /** @type {number[][]} */
  const times = [[], []];
  for (let run = 0; run < WARM_UP_RUNS + RUNS; run++) {
    for (const [i, detector] of detectors.entries()) {
      await detector.heads({ tensor });
      if (run >= WARM_UP_RUNS) times[i].push(detector.lastRun.ms.network);
    }
  }
  for (const detector of detectors) detector.close();
  return times;
}

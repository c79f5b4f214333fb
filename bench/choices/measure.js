// Runs in one process or page: detectors with one thread, with two, and in 8 bits, run in turns after a warm-up ->
// network times in ms, one list for each detector.
const WARM_UP_RUNS = 20;
const RUNS = 60;
const CHOICES = /** @type {const} */ ([
  { threads: 1, precision: 'float' },
  { threads: 2, precision: 'float' },
  { threads: 1, precision: 'int8' },
]);

/**
 * @param {typeof import('ocelli').ObjectDetector} ObjectDetector
 * @param {import('ocelli').DetectorOptions} options
 */
export async function measure(ObjectDetector, options) {
  const detectors = await Promise.all(
    CHOICES.map((choice) => ObjectDetector.create({ ...options, ...choice })),
  );
  const given = detectors.map(({ variant, precision }) => `${variant.threads} ${precision}`);
  if (given.join() !== '1 float,2 float,1 int8')
    throw new Error(`this host gives '${given}' instead of 1 float, 2 float, 1 int8`);
  const tensor = new Float32Array(300 * 300 * 3);
  const times = detectors.map(() => /** @type {number[]} */ ([]));
  for (let run = 0; run < WARM_UP_RUNS + RUNS; run++) {
    for (const [i, detector] of detectors.entries()) {
      const { ms } = await detector.heads({ tensor });
      if (run >= WARM_UP_RUNS) times[i].push(ms.network);
    }
  }
  for (const detector of detectors) detector.close();
  return times;
}

// A name that is not known -> the name that was probably meant.

/**
 * What MediaPipe Tasks, TensorFlow.js' models, transformers.js, TensorFlow and other command lines call ocelli's
 * options. `suggest` only looks at names that are known.
 */
export const FOREIGN_NAMES = /** @type {Record<string, string[]>} */ ({
  'classes.allow': ['categoryAllowlist', 'allowlist', 'classAllowlist'],
  'classes.deny': ['categoryDenylist', 'denylist', 'classDenylist'],
  batch: ['batchSize'],
  epochs: ['numEpochs', 'nEpochs'],
  images: ['calibrationData', 'representativeDataset', 'dataset', 'data'],
  iouThreshold: [
    ...['nmsThreshold', 'nmsIouThreshold', 'minSuppressionThreshold', 'iou', 'overlapThreshold'],
    ...['iouThres', 'nms'],
  ],
  labels: ['labelsPath', 'labelsUrl', 'labelMap', 'labelsFile', 'classNames', 'names'],
  maxResults: ['maxNumBoxes', 'maxDetections', 'maxOutputSize', 'topK', 'limit', 'numResults'],
  model: [
    'modelAssetPath',
    'modelAssetBuffer',
    'baseOptions',
    'modelPath',
    'modelUrl',
    'modelBuffer',
    'base',
    'modelFile',
    'checkpoint',
  ],
  onProgress: ['progressCallback'],
  maxQueue: ['queueSize', 'queueLimit', 'queue'],
  pool: ['poolSize', 'numWorkers', 'workers'],
  precision: ['dtype', 'quantized'],
  roi: ['regionOfInterest', 'crop'],
  rotation: ['rotationDegrees', 'rotate'],
  scoreThreshold: [
    ...['threshold', 'minScore', 'confidence', 'confidenceThreshold', 'minDetectionConfidence'],
    ...['conf', 'confThres', 'confThreshold', 'score'],
  ],
  signal: ['abortSignal', 'abort'],
  threads: ['numThreads', 'nThreads', 'threadCount'],
  topK: ['maxResults', 'k', 'topClasses'],
  validation: ['validationSplit', 'valSplit', 'testSize'],
  assetsUrl: ['wasmUrl', 'wasmPath', 'wasmPaths', 'wasmLoaderPath', 'wasmBinaryPath'],
});

/** Options of other packages that have no counterpart, because ocelli needs none. */
export const NOT_NEEDED = ['runningMode', 'delegate', 'device', 'displayNamesLocale', 'backend'];

/** score_threshold and score-threshold -> scorethreshold @param {string} name */
function normalize(name) {
  return name.replace(/[^a-z0-9]/gi, '').toLowerCase();
}

/**
 * @param {string} name that is not known
 * @param {readonly string[]} known
 * @param {Record<string, string[]>} [foreignNames] what others call them
 * @returns {string | undefined} undefined: nothing is close enough to be meant
 */
export function suggest(name, known, foreignNames = FOREIGN_NAMES) {
  const key = normalize(name);
  const same = known.find((candidate) => normalize(candidate) === key);
  if (same) return same;
  const foreign = Object.keys(foreignNames).find(
    (ours) =>
      known.includes(ours.split('.')[0]) && foreignNames[ours].some((theirs) => normalize(theirs) === key),
  );
  if (foreign) return foreign;
  const [closest] = nearest(name, known);
  return closest !== undefined && isNear(name, closest) ? closest : undefined;
}

/** Whether one may be meant by the other. @param {string} name @param {string} other */
export function isNear(name, other) {
  const key = normalize(name);
  return editDistance(key, normalize(other)) <= Math.max(1, key.length / 3);
}

/** Comparing longer names, or more of them, would take long. */
const LONG = 100;
const MANY = 20_000;

/**
 * The three names closest in spelling to `wanted`.
 * @param {string} wanted
 * @param {readonly string[]} names
 */
export function nearest(wanted, names) {
  const key = wanted.toLowerCase();
  if (key.length > LONG) return [];
  return [...new Set(names)]
    .filter((name) => name.length <= LONG)
    .slice(0, MANY)
    .map((name) => ({ name, distance: editDistance(key, name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ name }) => name);
}

/**
 * The number of letters to insert, delete, replace or swap with their neighbour (optimal string alignment).
 * @param {string} a
 * @param {string} b
 */
function editDistance(a, b) {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        row[j - 1] + 1,
        rows[i - 1][j] + 1,
        rows[i - 1][j - 1] + Number(a[i - 1] !== b[j - 1]),
        isSwapped ? rows[i - 2][j - 2] + 1 : Infinity,
      );
    }
    rows.push(row);
  }
  return rows[a.length][b.length];
}

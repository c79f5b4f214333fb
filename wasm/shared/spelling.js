// A name that is not known -> the name that was probably meant.

/** What MediaPipe Tasks, TensorFlow.js' models, transformers.js and TensorFlow call ocelli's options. */
const FOREIGN_NAMES = /** @type {Record<string, string[]>} */ ({
  'classes.allow': ['categoryAllowlist', 'allowlist', 'classAllowlist'],
  'classes.deny': ['categoryDenylist', 'denylist', 'classDenylist'],
  iouThreshold: ['nmsThreshold', 'nmsIouThreshold', 'minSuppressionThreshold', 'iou', 'overlapThreshold'],
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
  ],
  onProgress: ['progressCallback'],
  precision: ['dtype', 'quantized'],
  roi: ['regionOfInterest', 'crop'],
  rotation: ['rotationDegrees', 'rotate'],
  scoreThreshold: ['threshold', 'minScore', 'confidence', 'confidenceThreshold', 'minDetectionConfidence'],
  threads: ['numThreads', 'nThreads', 'threadCount'],
  topK: ['maxResults', 'k', 'topClasses'],
  wasmUrl: ['wasmPath', 'wasmPaths', 'wasmLoaderPath', 'wasmBinaryPath'],
});

/** score_threshold and score-threshold -> scorethreshold @param {string} name */
function normalize(name) {
  return name.replace(/[^a-z0-9]/gi, '').toLowerCase();
}

/**
 * @param {string} name that is not known
 * @param {readonly string[]} known
 * @returns {string | undefined} undefined: nothing is close enough to be meant
 */
export function suggest(name, known) {
  const key = normalize(name);
  const same = known.find((candidate) => normalize(candidate) === key);
  if (same) return same;
  const foreign = Object.keys(FOREIGN_NAMES).find(
    (ours) =>
      known.includes(ours.split('.')[0]) && FOREIGN_NAMES[ours].some((theirs) => normalize(theirs) === key),
  );
  if (foreign) return foreign;
  const [closest] = nearest(name, known);
  const isClose =
    closest !== undefined && editDistance(key, normalize(closest)) <= Math.max(1, key.length / 3);
  return isClose ? closest : undefined;
}

/**
 * The three names closest in spelling to `wanted`.
 * @param {string} wanted
 * @param {readonly string[]} names
 */
export function nearest(wanted, names) {
  const key = wanted.toLowerCase();
  return [...new Set(names)]
    .map((name) => ({ name, distance: editDistance(key, name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ name }) => name);
}

/**
 * The Levenshtein distance.
 * @param {string} a
 * @param {string} b
 */
function editDistance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + Number(a[i - 1] !== b[j - 1]));
    }
    row = next;
  }
  return row[b.length];
}

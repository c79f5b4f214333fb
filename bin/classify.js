// ocelli classify: image files -> the most probable classes of each, as a table or a line of JSON.
import { ImageClassifier } from '../wasm/platform/node.js';
import {
  attempt,
  bold,
  dim,
  layOut,
  print,
  printable,
  readBytes,
  readNumber,
  roundMs,
  UsageError,
} from './common.js';
import { checkImages, openModel, readLoading } from './loading.js';

/**
 * @param {import('./usage.js').Values<'classify'>} values
 * @param {string[]} images
 */
export async function run(values, images) {
  if (values.model === undefined) throw new UsageError('which classifier? --model FILE names it');
  checkImages(images, values.model);
  const topK = readNumber('top', values.top, { min: 1, max: 1e6, integer: true }) ?? 5;
  const scores = /** @type {import('../wasm/types.js').Scores | undefined} */ (values.scores);
  const loading = await readLoading(values);
  const classifier =
    loading &&
    (await openModel(values.model, (model) => ImageClassifier.create({ ...loading, scores, model })));
  if (!classifier) return;
  try {
    for (const file of images) await classifyIn(classifier, file, topK, values.json ?? false);
  } finally {
    classifier.close();
  }
}

/**
 * @param {ImageClassifier} classifier
 * @param {string} file
 * @param {number} topK
 * @param {boolean} json
 */
async function classifyIn(classifier, file, topK, json) {
  const classes = await attempt(file, async () => classifier.classify(await readBytes(file), { topK }));
  if (!classes) return;
  const { width, height, ms } = classifier.lastRun;
  if (json) {
    const rounded = Object.fromEntries(Object.entries(ms).map(([stage, time]) => [stage, roundMs(time)]));
    return print(JSON.stringify({ file, width, height, classes, ms: rounded }));
  }
  const rows = classes.map(({ label, score }) => [printable(label), `${(100 * score).toFixed(1)} %`]);
  const [head, ...lines] = layOut([['label', 'score'], ...rows], 'lr');
  print([`${bold(file)}  ${dim(`${width} x ${height} px`)}`, dim(head), ...lines].join('\n'));
}

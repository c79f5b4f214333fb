// ocelli classify: image files -> what each shows, with any classifier.
import { ImageClassifier } from '../../wasm/platform/node.js';
import { attempt, bold, layOut, print, printable, readBytes, readNumber, UsageError } from '../common.js';
import { checkFiles, openModel, readLoading } from '../options.js';

/**
 * @param {import('../usage.js').Values<'classify'>} values
 * @param {string[]} images
 */
export async function run(values, images) {
  const { model, json, top } = values;
  checkFiles(images, model);
  if (model === undefined) throw new UsageError('no classifier comes with ocelli: --model names one');
  const topK = readNumber('top', top, { min: 1, max: 1e6, integer: true });
  const loading = await readLoading(values);
  const classifier = loading && (await openModel(ImageClassifier, model, loading));
  if (!classifier) return;
  try {
    for (const file of images) {
      const classes = await attempt(file, async () => classifier.classify(await readBytes(file), { topK }));
      if (classes) print(json ? JSON.stringify({ file, classes }) : toText(file, classes));
    }
  } finally {
    classifier.close();
  }
}

/**
 * @param {string} file
 * @param {import('../../wasm/vision/types.js').Classification[]} classes
 */
function toText(file, classes) {
  const rows = classes.map(({ label, score }) => [`${(100 * score).toFixed(1)} %`, printable(label)]);
  return [bold(file), ...layOut(rows, 'rl')].join('\n');
}

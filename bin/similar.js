// ocelli similar: a query image and others -> the others, most similar first.
import { cosineSimilarity } from '../wasm/features.js';
import { dim, layOut, print, UsageError } from './common.js';
import { embed } from './extractor.js';

/**
 * @param {import('./usage.js').Values<'similar'>} values
 * @param {string[]} files
 */
export async function run(values, files) {
  if (files.length === 1) throw new UsageError('similar to which images?');
  const [query, ...others] = await embed(values, files);
  if (query?.file !== files[0] || others.length === 0) return;
  const found = others
    .map(({ file, features }) => ({ file, similarity: cosineSimilarity(query.features, features) }))
    .sort((a, b) => b.similarity - a.similarity);
  if (values.json) return print(found.map((entry) => JSON.stringify(entry)).join('\n'));
  const rows = found.map(({ file, similarity }) => [similarity.toFixed(4), file]);
  const [head, ...lines] = layOut([['cosine', 'image'], ...rows], 'rl');
  print([dim(head), ...lines].join('\n'));
}

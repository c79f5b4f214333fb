// ocelli similar: an image and others -> the others, most alike first.
import { cosineSimilarity } from '../../wasm/platform/node.js';
import { bold, layOut, print, readNumber, UsageError } from '../common.js';
import { useExtractor } from './embed.js';

/**
 * @param {import('../usage.js').Values<'similar'>} values
 * @param {string[]} images
 */
export async function run(values, [query, ...images]) {
  if (query === undefined || images.length === 0) throw new UsageError('which image, and like which others?');
  const top = readNumber('top', values.top, { min: 1, max: 1e6, integer: true });
  await useExtractor(values, [query, ...images], async (embed) => {
    const wanted = await embed(query);
    if (!wanted) return;
    const found = [];
    for (const file of images) {
      const vector = await embed(file);
      if (vector) found.push({ file, similarity: cosineSimilarity(wanted, vector) });
    }
    const matches = found.toSorted((a, b) => b.similarity - a.similarity).slice(0, top);
    print(values.json ? JSON.stringify({ query, matches }) : toText(query, matches));
  });
}

/**
 * @param {string} query
 * @param {{file: string, similarity: number}[]} matches
 */
function toText(query, matches) {
  const rows = matches.map(({ file, similarity }) => [similarity.toFixed(4), file]);
  return [bold(query), ...(rows.length > 0 ? layOut(rows, 'rl') : [])].join('\n');
}

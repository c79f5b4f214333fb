// ocelli similar: prints images in order of their similarity to a query image.
import { cosineSimilarity } from '../../wasm/platform/node.js';
import { bold, layOut, print } from '../common.js';
import { useExtractor } from '../model.js';
import { COUNT, extractor, images as image } from '../options.js';

const options = /** @type {const} */ ({
  top: {
    type: 'number',
    value: 'N',
    about: 'print the N most similar images',
    range: COUNT,
    defaultText: 'all',
  },
  json: { type: 'flag', about: 'print one JSON object: {query, matches: [{file, similarity}]}' },
  ...extractor,
});

/** @type {import('../arguments.js').Command<typeof options>} */
export const command = {
  summary: 'rank images by their similarity to a query image',
  about:
    'Prints the images with their similarity to QUERY, the most similar first. The similarity is the cosine of the ' +
    'angle between the feature vectors.',
  positionals: [
    { name: 'QUERY', what: 'a query image', about: image.about },
    { name: 'IMAGE', what: 'at least one image to compare it with', repeated: true },
  ],
  options,
  examples: ['ocelli similar --top 5 cat.jpg photos/*.jpg'],
  run,
};

/**
 * @param {import('../arguments.js').Values<typeof options>} values
 * @param {string[]} files
 */
async function run(values, [query, ...images]) {
  await useExtractor(values, async (embed) => {
    const wanted = await embed(query);
    if (!wanted) return;
    const found = [];
    for (const file of images) {
      const vector = await embed(file);
      if (vector) found.push({ file, similarity: cosineSimilarity(wanted, vector) });
    }
    const matches = found.toSorted((a, b) => b.similarity - a.similarity).slice(0, values.top);
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

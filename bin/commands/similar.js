// ocelli similar: prints images in order of their similarity to a query image.
import { cosineSimilarity } from '../../wasm/platform/node.js';
import { safeJson } from '../../wasm/shared/text.js';
import { attempt, layOut, readBytes, UsageError } from '../common.js';
import { eachReadable, findInputs, LeftOut } from '../inputs.js';
import { useExtractor } from '../model.js';
import { COUNT, extractor, images } from '../options.js';
import { bold, print, printable } from '../output.js';

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
    { name: 'QUERY', what: 'a query image', about: 'PNG, JPEG, BMP or GIF; - is standard input' },
    { ...images, what: 'at least one image to compare it with' },
  ],
  options,
  examples: ['ocelli similar --top 5 cat.jpg photos/'],
  run,
};

/**
 * @param {import('../arguments.js').Values<typeof options>} values
 * @param {string[]} args
 */
async function run(values, [name, ...others]) {
  const queries = await findInputs([name]);
  const files = await findInputs(others);
  if (queries.length > 1) throw new UsageError(`QUERY is one image, but ${name} has ${queries.length}`);
  if (queries.length === 0 || files.length === 0) return;
  const [query] = queries;
  await useExtractor(values, async (extract) => {
    const embed = async (/** @type {Uint8Array} */ bytes) => (await extract(bytes)).features;
    const wanted = await attempt(query, async () => embed(await readBytes(query)));
    if (!wanted) return;
    /** @type {{file: string, similarity: number}[]} */
    const found = [];
    const isDone = await eachReadable(files, new LeftOut(values), async (file, bytes) =>
      found.push({ file, similarity: cosineSimilarity(wanted, await embed(bytes)) }),
    );
    if (!isDone) return;
    const matches = found.sort((a, b) => b.similarity - a.similarity).slice(0, values.top);
    print(values.json ? safeJson({ query, matches }) : toText(query, matches));
  });
}

/**
 * @param {string} query
 * @param {{file: string, similarity: number}[]} matches
 */
export function toText(query, matches) {
  const rows = matches.map(({ file, similarity }) => [similarity.toFixed(4), printable(file)]);
  return [bold(printable(query)), ...(rows.length > 0 ? layOut(rows, 'rl') : [])].join('\n');
}

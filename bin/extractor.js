// What embed and similar share: image files -> their feature vectors.
import { FeatureExtractor } from '../wasm/platform/node.js';
import { attempt, readBytes } from './common.js';
import { checkImages, openModel, readLoading } from './loading.js';

/** @typedef {{file: string, features: Float32Array}} Embedding */

/**
 * @param {import('./usage.js').Values<'embed'> | import('./usage.js').Values<'similar'>} values
 * @param {string[]} images
 * @param {{l2Normalize?: boolean}} [options]
 * @returns {Promise<Embedding[]>} of the images that could be read, in their order
 */
export async function embed(values, images, options) {
  checkImages(images, values.model);
  const loading = await readLoading(values);
  const { layer } = values;
  const extractor =
    loading &&
    (await openModel(values.model, (model) => FeatureExtractor.create({ ...loading, layer, model })));
  if (!extractor) return [];
  try {
    const embeddings = [];
    for (const file of images) {
      const features = await attempt(file, async () => extractor.extract(await readBytes(file), options));
      if (features) embeddings.push({ file, features });
    }
    return embeddings;
  } finally {
    extractor.close();
  }
}

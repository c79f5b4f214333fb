// The rows of each image within each category, in the order of the rows.

/**
 * @param {{image: Int32Array, category: Int32Array}} columns
 * @param {Int32Array} rows which rows, in their order
 * @param {number} numImages
 * @param {number} numCategories rows of higher categories are left out
 * @returns {{rows: Int32Array, starts: Int32Array}} rows by category and image; `starts[k]` is where category k begins
 */
export function groupRows({ image, category }, rows, numImages, numCategories) {
  const kept = rows.filter((row) => image[row] >= 0 && category[row] < numCategories);
  const { rows: byImage } = countingSort(kept, image, numImages);
  return countingSort(byImage, category, numCategories);
}

/** Stable. @param {Int32Array} rows @param {Int32Array} keys by row @param {number} numKeys */
export function countingSort(rows, keys, numKeys) {
  const starts = new Int32Array(numKeys + 1);
  for (const row of rows) starts[keys[row] + 1]++;
  for (let key = 0; key < numKeys; key++) starts[key + 1] += starts[key];
  const next = starts.slice();
  const sorted = new Int32Array(rows.length);
  for (const row of rows) sorted[next[keys[row]]++] = row;
  return { rows: sorted, starts };
}

/**
 * Calls `visit` for each image that has rows of one category, in ascending order of the images.
 * @param {Int32Array} truth rows by image
 * @param {Int32Array} truthImage image by row
 * @param {Int32Array} found rows by image
 * @param {Int32Array} foundImage
 * @param {(image: number, truth: Int32Array, found: Int32Array) => void} visit
 */
export function forEachImage(truth, truthImage, found, foundImage, visit) {
  let t = 0;
  let f = 0;
  while (t < truth.length || f < found.length) {
    const image = Math.min(
      t < truth.length ? truthImage[truth[t]] : Infinity,
      f < found.length ? foundImage[found[f]] : Infinity,
    );
    const [fromTruth, fromFound] = [t, f];
    while (t < truth.length && truthImage[truth[t]] === image) t++;
    while (f < found.length && foundImage[found[f]] === image) f++;
    visit(image, truth.subarray(fromTruth, t), found.subarray(fromFound, f));
  }
}

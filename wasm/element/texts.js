// What the element says about detections, for people and screen readers.

/** @typedef {import('../vision/types.js').Detection} Detection */

/**
 * Such as `2 × Dog, Person`, in the order of the best scores.
 * @param {readonly Detection[]} detections
 */
export function describeAll(detections) {
  if (detections.length === 0) return 'Nothing found';
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { label } of detections) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].map(([label, count]) => (count > 1 ? `${count} × ${label}` : label)).join(', ');
}

/**
 * Such as `Dog, 81 %, 1 of 3`.
 * @param {readonly Detection[]} detections
 * @param {number} index
 */
export function describeOne(detections, index) {
  const { label, score, trackId } = detections[index];
  const name = trackId === undefined ? label : `${label} ${trackId}`;
  return `${name}, ${Math.round(score * 100)} %, ${index + 1} of ${detections.length}`;
}

/** A list of classes such as `Dog, /m/01yrx, 3`, as `classes.allow` takes it. @param {string} list */
export const parseClasses = (list) =>
  list
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')
    .map((each) => (/^\d+$/.test(each) ? Number(each) : each));

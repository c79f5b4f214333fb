// Sorting rows by score. COCO's tools sort stably; the tools of TensorFlow sort with NumPy's quicksort and reverse the
// result, so that the order of equal scores depends on its steps. Both orders are needed for equal numbers.

/** Pieces of this length are sorted by insertion. */
const RUN = 16;
/** NumPy's constant: a longer distance between the ends of a piece is divided. */
const SMALL = 15;

/**
 * Sorts `rows` by descending key; rows with equal keys keep their order.
 * @param {Int32Array} rows
 * @param {Float64Array} keys by row
 */
export function sortDescending(rows, keys) {
  const { length } = rows;
  for (let from = 0; from < length; from += RUN)
    insertDescending(rows, keys, from, Math.min(from + RUN, length));
  let source = rows;
  let target = length > RUN ? new Int32Array(length) : rows;
  for (let width = RUN; width < length; width *= 2) {
    for (let from = 0; from < length; from += 2 * width)
      merge(source, target, keys, from, Math.min(from + width, length), Math.min(from + 2 * width, length));
    [source, target] = [target, source];
  }
  if (source !== rows) rows.set(source);
  return rows;
}

/** @param {Int32Array} rows @param {Float64Array} keys @param {number} from @param {number} to */
function insertDescending(rows, keys, from, to) {
  for (let i = from + 1; i < to; i++) {
    const row = rows[i];
    const key = keys[row];
    let j = i;
    for (; j > from && keys[rows[j - 1]] < key; j--) rows[j] = rows[j - 1];
    rows[j] = row;
  }
}

/**
 * @param {Int32Array} source @param {Int32Array} target @param {Float64Array} keys
 * @param {number} from @param {number} middle @param {number} to
 */
function merge(source, target, keys, from, middle, to) {
  let left = from;
  let right = middle;
  for (let i = from; i < to; i++) {
    const takesLeft = left < middle && (right >= to || keys[source[left]] >= keys[source[right]]);
    target[i] = takesLeft ? source[left++] : source[right++];
  }
}

/**
 * The positions of `keys` as `numpy.argsort(keys)[::-1]` gives them: NumPy's introsort (before NumPy 1.25, or on a
 * processor without vector sorting), reversed.
 * @param {Float64Array} keys
 */
export function numpyDescending(keys) {
  const order = Int32Array.from(keys.keys());
  introsort(order, keys);
  return order.reverse();
}

/**
 * numpy/core/src/npysort/quicksort.cpp, aquicksort: median of three, the smaller part first, insertion below 17 entries,
 * heapsort of a larger part that lies too deep.
 * @param {Int32Array} rows
 * @param {Float64Array} keys
 */
function introsort(rows, keys) {
  /** @type {[from: number, to: number, depth: number][]} */
  const pending = [[0, rows.length - 1, 2 * Math.floor(Math.log2(Math.max(rows.length, 1)))]];
  for (let part = pending.pop(); part; part = pending.pop()) {
    let [from, to, depth] = part;
    if (depth < 0) {
      heapsort(rows.subarray(from, to + 1), keys);
      continue;
    }
    while (to - from > SMALL) {
      const pivot = partition(rows, keys, from, to);
      depth -= 1;
      if (pivot - from < to - pivot) {
        pending.push([pivot + 1, to, depth]);
        to = pivot - 1;
      } else {
        pending.push([from, pivot - 1, depth]);
        from = pivot + 1;
      }
    }
    insertAscending(rows, keys, from, to);
  }
}

/** @param {Int32Array} rows @param {number} i @param {number} j */
function swap(rows, i, j) {
  const row = rows[i];
  rows[i] = rows[j];
  rows[j] = row;
}

/** @param {Int32Array} rows @param {Float64Array} keys @param {number} from @param {number} to @returns the pivot's place */
function partition(rows, keys, from, to) {
  const middle = from + ((to - from) >> 1);
  if (keys[rows[middle]] < keys[rows[from]]) swap(rows, middle, from);
  if (keys[rows[to]] < keys[rows[middle]]) swap(rows, to, middle);
  if (keys[rows[middle]] < keys[rows[from]]) swap(rows, middle, from);
  const pivot = keys[rows[middle]];
  let low = from;
  let high = to - 1;
  swap(rows, middle, high);
  for (;;) {
    do low++;
    while (keys[rows[low]] < pivot);
    do high--;
    while (pivot < keys[rows[high]]);
    if (low >= high) break;
    swap(rows, low, high);
  }
  swap(rows, low, to - 1);
  return low;
}

/** @param {Int32Array} rows @param {Float64Array} keys @param {number} from @param {number} to inclusive */
function insertAscending(rows, keys, from, to) {
  for (let i = from + 1; i <= to; i++) {
    const row = rows[i];
    const key = keys[row];
    let j = i;
    for (; j > from && key < keys[rows[j - 1]]; j--) rows[j] = rows[j - 1];
    rows[j] = row;
  }
}

/** @param {Int32Array} rows @param {Float64Array} keys */
function heapsort(rows, keys) {
  for (let root = rows.length >> 1; root > 0; root--) siftDown(rows, keys, root, rows.length);
  for (let end = rows.length - 1; end > 0; end--) {
    swap(rows, 0, end);
    siftDown(rows, keys, 1, end);
  }
}

/** @param {Int32Array} rows @param {Float64Array} keys @param {number} root counted from 1 @param {number} end */
function siftDown(rows, keys, root, end) {
  const row = rows[root - 1];
  const key = keys[row];
  let parent = root;
  for (let child = 2 * root; child <= end; child = 2 * parent) {
    if (child < end && keys[rows[child - 1]] < keys[rows[child]]) child++;
    if (!(key < keys[rows[child - 1]])) break;
    rows[parent - 1] = rows[child - 1];
    parent = child;
  }
  rows[parent - 1] = row;
}

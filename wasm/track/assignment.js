// The linear assignment problem: which row goes with which column, so that the sum of their values is the largest.
//
// This is the shortest augmenting path algorithm for rectangular matrices of D. F. Crouse ("On implementing 2D
// rectangular assignment algorithms", 2016). Where several assignments are equally good, it takes the one that SciPy's
// linear_sum_assignment takes: trackers that are compared with each other must agree on boxes that lie alike.

/**
 * @typedef {object} Matrix
 * @property {Float64Array} values row by row; finite
 * @property {number} rows
 * @property {number} columns
 *
 * @typedef {object} Problem Its rows are not more than its columns; the sum of its costs is to be the smallest.
 * @property {Float64Array} costs row by row
 * @property {number} rows
 * @property {number} columns
 * @property {Float64Array} rowPrices dual variables
 * @property {Float64Array} columnPrices
 * @property {Int32Array} columnOf by row; -1: none yet
 * @property {Int32Array} rowOf by column; -1: none yet
 *
 * @typedef {object} Path the shortest one from a row to a column that is free
 * @property {Int32Array} from the row before each column
 * @property {Float64Array} lengths from the first row to each column
 * @property {Uint8Array} seenRows
 * @property {Uint8Array} seenColumns
 * @property {number} length
 * @property {number} end the free column
 */

/**
 * @param {Matrix} matrix
 * @returns {[row: number, column: number][]} as many as the matrix has rows or columns, whichever are fewer; by row
 */
export function assign({ values, rows, columns }) {
  if (rows === 0 || columns === 0) return [];
  const isTall = rows > columns;
  const problem = isTall ? pose(values, columns, rows, 1, columns) : pose(values, rows, columns, columns, 1);
  for (let row = 0; row < problem.rows; row++) augment(problem, row, shortestPath(problem, row));
  /** @type {[number, number][]} */
  const pairs = Array.from(problem.columnOf, (column, row) => (isTall ? [column, row] : [row, column]));
  return pairs.sort(([a], [b]) => a - b);
}

/**
 * @param {Float64Array} values
 * @param {number} rows
 * @param {number} columns
 * @param {number} rowStride
 * @param {number} columnStride
 * @returns {Problem}
 */
function pose(values, rows, columns, rowStride, columnStride) {
  const costs = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      costs[row * columns + column] = -values[row * rowStride + column * columnStride];
  return {
    costs,
    rows,
    columns,
    rowPrices: new Float64Array(rows),
    columnPrices: new Float64Array(columns),
    columnOf: new Int32Array(rows),
    rowOf: new Int32Array(columns).fill(-1),
  };
}

/**
 * @param {Problem} problem
 * @param {number} start a row without a column
 * @returns {Path}
 */
function shortestPath(problem, start) {
  const { rows, columns, rowOf } = problem;
  /** @type {Path} */
  const path = {
    from: new Int32Array(columns),
    lengths: new Float64Array(columns).fill(Infinity),
    seenRows: new Uint8Array(rows),
    seenColumns: new Uint8Array(columns),
    length: 0,
    end: -1,
  };
  // From the last column to the first: a matrix of equal values then gets the columns in order.
  const open = Int32Array.from({ length: columns }, (_, i) => columns - 1 - i);
  let openCount = columns;
  for (let row = start; path.end < 0;) {
    path.seenRows[row] = 1;
    const nearest = extend(problem, path, row, open.subarray(0, openCount));
    const column = open[nearest];
    path.length = path.lengths[column];
    path.seenColumns[column] = 1;
    if (rowOf[column] < 0) path.end = column;
    else row = rowOf[column];
    open[nearest] = open[--openCount];
  }
  return path;
}

/**
 * Extends the path from a row to all open columns.
 * @param {Problem} problem
 * @param {Path} path
 * @param {number} row
 * @param {Int32Array} open
 * @returns {number} the place in `open` of the nearest column; of those alike, a free one
 */
function extend({ costs, columns, rowPrices, columnPrices, rowOf }, { from, lengths, length }, row, open) {
  let nearest = -1;
  let shortest = Infinity;
  for (let i = 0; i < open.length; i++) {
    const column = open[i];
    const reached = length + costs[row * columns + column] - rowPrices[row] - columnPrices[column];
    if (reached < lengths[column]) {
      from[column] = row;
      lengths[column] = reached;
    }
    const isNearer = lengths[column] < shortest || (lengths[column] === shortest && rowOf[column] < 0);
    if (!isNearer) continue;
    shortest = lengths[column];
    nearest = i;
  }
  return nearest;
}

/**
 * Moves every row on the path to its next column, and adapts the prices.
 * @param {Problem} problem
 * @param {number} start
 * @param {Path} path
 */
function augment({ rows, columns, rowPrices, columnPrices, columnOf, rowOf }, start, path) {
  const { from, lengths, seenRows, seenColumns, length } = path;
  rowPrices[start] += length;
  for (let row = 0; row < rows; row++)
    if (seenRows[row] && row !== start) rowPrices[row] += length - lengths[columnOf[row]];
  for (let column = 0; column < columns; column++)
    if (seenColumns[column]) columnPrices[column] -= length - lengths[column];
  let column = path.end;
  for (let row = -1; row !== start;) {
    row = from[column];
    rowOf[column] = row;
    const next = columnOf[row];
    columnOf[row] = column;
    column = next;
  }
}

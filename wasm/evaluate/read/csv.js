// Comma-separated values (RFC 4180) with the line of each row, for messages.
import { failure } from '../errors.js';
import { parseDecimal } from '../../shared/numbers.js';
import { toFlag } from './cells.js';

/**
 * @typedef {object} CsvRow
 * @property {string[]} cells
 * @property {number} line counted from 1
 */

/**
 * @param {string} text
 * @param {string} file
 * @returns {Generator<CsvRow>} without empty lines
 */
export function* readRows(text, file) {
  let line = 1;
  for (let at = 0; at < text.length;) {
    const end = endOfRow(text, at);
    const row = text.slice(at, end).replace(/\r$/, '');
    if (row !== '')
      yield { cells: row.includes('"') ? splitQuoted(row, `${file}:${line}`) : row.split(','), line };
    line += row.includes('\n') ? row.split('\n').length : 1;
    at = end + 1;
  }
}

/** The end of the line, or a later one if a quoted cell has line ends. @param {string} text @param {number} at */
function endOfRow(text, at) {
  let quotes = 0;
  for (let end = text.indexOf('\n', at); end >= 0; end = text.indexOf('\n', at)) {
    quotes += text.slice(at, end).split('"').length - 1;
    if (quotes % 2 === 0) return end;
    at = end + 1;
  }
  return text.length;
}

/** @param {string} row @param {string} place */
function splitQuoted(row, place) {
  const cells = [];
  const cell = /(?:"([^"]*(?:""[^"]*)*)"|([^",]*))(,|$)/y;
  for (let isLast = false; !isLast;) {
    const found = cell.exec(row);
    if (!found) throw failure('DATASET_DAMAGED', `${place}: a quote is not closed, or stands inside a cell`);
    cells.push(found[1]?.replaceAll('""', '"') ?? found[2]);
    isLast = found[3] === '';
  }
  return cells;
}

/**
 * Rows as a function from column names to cells.
 * @param {string} text with a header
 * @param {string} file
 * @param {readonly string[]} needed columns
 */
export function* readTable(text, file, needed) {
  /** @type {Map<string, number> | undefined} */
  let columns;
  for (const { cells, line } of readRows(text, file)) {
    if (!columns) {
      columns = new Map(cells.map((name, i) => [name.trim(), i]));
      const missing = needed.find((name) => !columns?.has(name));
      if (missing) throw failure('DATASET_DAMAGED', `${file}:${line}: there is no column '${missing}'`);
      continue;
    }
    if (cells.length !== columns.size)
      throw failure('DATASET_DAMAGED', `${file}:${line}: ${cells.length} cells for ${columns.size} columns`);
    yield { row: new Row(columns, cells, `${file}:${line}`), line };
  }
}

class Row {
  #columns;
  #cells;

  /** @param {Map<string, number>} columns @param {string[]} cells @param {string} place */
  constructor(columns, cells, place) {
    this.#columns = columns;
    this.#cells = cells;
    this.place = place;
  }

  /** @param {string} name @returns {string} empty if there is no such column */
  text(name) {
    const column = this.#columns.get(name);
    return column === undefined ? '' : this.#cells[column].trim();
  }

  /** @param {string} name @returns {string} */
  id(name) {
    const text = this.text(name);
    if (text === '') throw failure('INVALID_ENTRY', `${this.place}: ${name} is empty`);
    return text;
  }

  /** @param {string} name @param {'INVALID_BOX' | 'INVALID_SCORE' | 'INVALID_ENTRY'} code */
  number(name, code) {
    const text = this.text(name);
    const value = parseDecimal(text);
    if (Number.isFinite(value)) return value;
    throw failure(code, `${this.place}: ${name} is '${text}'`);
  }

  /** @param {string} name */
  flag(name) {
    const value = toFlag(this.text(name));
    if (value === undefined) throw failure('INVALID_ENTRY', `${this.place}: ${name} is '${this.text(name)}'`);
    return value;
  }
}

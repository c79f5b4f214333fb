// Ranges of values -> round ticks and short labels.

/**
 * @typedef {object} Ticks
 * @property {number[]} values multiples of 1, 2, 2.5 or 5 and a power of ten; the first is at most `least`, the last at
 *   least `most`
 * @property {string[]} labels with as many decimals as tell the ticks apart
 */

/**
 * @param {number} least
 * @param {number} most
 * @param {{count?: number, isWhole?: boolean}} [options] about how many; `isWhole`: of integers, and inside the range
 * @returns {Ticks}
 */
export function roundTicks(least, most, { count = 5, isWhole = false } = {}) {
  const span = most > least ? most - least : Math.abs(most) || 1;
  const step = isWhole ? Math.max(1, roundStep(span / count, [1, 2, 5])) : roundStep(span / count);
  const [first, last] = isWhole
    ? [Math.ceil(least / step), Math.floor(most / step)]
    : [Math.floor(least / step + 1e-9), Math.ceil((least + span) / step - 1e-9)];
  const values = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  const decimals = Math.min(Math.max(0, 2 - Math.floor(Math.log10(step))), 20);
  const needed = Array.from({ length: decimals }, (_, i) => i).find((digits) =>
    isClose(Number(step.toFixed(digits)), step),
  );
  return { values, labels: values.map((value) => label(value, needed ?? decimals)) };
}

/**
 * The least of some factors times a power of ten that is not below.
 * @param {number} step
 * @param {number[]} [factors]
 */
function roundStep(step, factors = [1, 2, 2.5, 5]) {
  const power = 10 ** Math.floor(Math.log10(step));
  return power * (factors.find((factor) => factor * power >= step * (1 - 1e-9)) ?? 10);
}

/** @param {number} a @param {number} b */
const isClose = (a, b) => Math.abs(a - b) <= 1e-9 * Math.abs(b);

/** @param {number} value @param {number} decimals */
function label(value, decimals) {
  if (Math.abs(value) < 1e-12) return '0';
  const isLong = Math.abs(value) >= 1e6 || decimals > 5;
  return isLong ? String(Number(value.toPrecision(4))) : value.toFixed(decimals);
}

const PREFIXES = /** @type {const} */ ([
  [1e6, 'M'],
  [1e3, 'k'],
  [1, ''],
  [1e-3, 'm'],
  [1e-6, 'µ'],
  [1e-9, 'n'],
]);

/**
 * The unit in which the greatest of some values has one to three digits before the point.
 * @param {number} most
 * @param {string} unit such as g
 */
export function readableUnit(most, unit) {
  const [factor, prefix] = PREFIXES.find(([factor]) => most >= factor) ?? (most > 0 ? [1e-9, 'n'] : [1, '']);
  return { factor, unit: prefix + unit };
}

/**
 * Labels with three digits for the greatest value, and as many decimals for all.
 * @param {number[]} values
 */
export function alignedLabels(values) {
  const most = Math.max(...values.map(Math.abs));
  const decimals = most > 0 ? Math.min(Math.max(0, 2 - Math.floor(Math.log10(most))), 20) : 0;
  return values.map((value) => label(value, decimals));
}

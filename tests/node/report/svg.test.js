// Where a plot has its points, by its own ticks: a place between two of them stands for a value between theirs.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { barPlot, curvePlot, linePlot } from '../../../wasm/report/svg.js';
import { alignedLabels, readableUnit, roundTicks } from '../../../wasm/report/ticks.js';

/**
 * @typedef {Record<string, string>} Attributes
 * @typedef {Attributes & {text: string}} Text
 */

/** The elements of a name. @param {string} svg @param {string} name @returns {Attributes[]} */
const all = (svg, name) =>
  Array.from(svg.matchAll(new RegExp(`<${name} ([^>]*?)/?>`, 'g')), ([, attributes]) =>
    Object.fromEntries(
      Array.from(attributes.matchAll(/([\w-]+)="([^"]*)"/g), ([, key, value]) => [key, value]),
    ),
  );

/** @param {string} svg @returns {Text[]} */
function textsOf(svg) {
  const contents = Array.from(
    svg.matchAll(/<text [^>]*>(?:<title>[^<]*<\/title>)?([^<]*)<\/text>/g),
    ([, text]) => text,
  );
  return all(svg, 'text').map((attributes, i) => ({ ...attributes, text: contents[i] }));
}

/** Values by place, from two ticks. @param {Text[]} ticks @param {'x' | 'y'} axis */
function scaleOf(ticks, axis) {
  const [first, last] = [ticks[0], ticks[ticks.length - 1]].map((tick) => [
    Number(tick[axis]),
    Number(tick.text),
  ]);
  const value = (/** @type {number} */ at) =>
    first[1] + ((at - first[0]) * (last[1] - first[1])) / (last[0] - first[0]);
  for (const tick of ticks)
    near(value(Number(tick[axis])), Number(tick.text), 0.01 * Math.abs(last[1] - first[1]));
  return value;
}

/** The value that a height stands for: a tick's text stands 5 below its line. @param {string} svg */
function valueAt(svg) {
  const value = scaleOf(
    textsOf(svg).filter((text) => text['text-anchor'] === 'end'),
    'y',
  );
  return (/** @type {number} */ y) => value(y + 5);
}

/** The value of the x axis. @param {string} svg */
function placeAt(svg) {
  const ticks = textsOf(svg).filter((text) => text['text-anchor'] === 'middle' && /^[\d.]+$/.test(text.text));
  return scaleOf(ticks, 'x');
}

const near = (/** @type {number} */ a, /** @type {number} */ b, limit = 0.01) =>
  assert.ok(Math.abs(a - b) <= limit, `${a}, not ${b}`);

/** @param {string} points */
const placesOf = (points) => points.split(' ').map((point) => point.split(',').map(Number));

describe('lines', () => {
  const lines = [
    { name: 'loss <1>', values: [2, 1, 0.5, 0], color: 0 },
    { name: 'val', values: [1.5, 2, 1, 1], isDashed: true, color: 8 },
  ];
  const svg = linePlot('Loss & more', lines, { y: 'nats' });
  test('are where their values are', () => {
    const [value, place] = [valueAt(svg), placeAt(svg)];
    const found = all(svg, 'polyline');
    assert.equal(found.length, 2);
    found.forEach(({ points, class: name, 'stroke-dasharray': dash }, i) => {
      placesOf(points).forEach(([x, y], epoch) => {
        near(value(y), lines[i].values[epoch]);
        near(place(x), epoch + 1);
      });
      assert.equal(name, i === 0 ? 's0' : 's1'); // the eighth is the first again
      assert.equal(dash !== undefined, i === 1);
    });
  });
  test('have names, a unit and the epochs', () => {
    const texts = textsOf(svg).map(({ text }) => text);
    for (const text of ['Loss &amp; more', 'loss &lt;1&gt;', 'val', 'nats', 'epoch', '1', '2', '3', '4'])
      assert.ok(texts.includes(text), text);
    assert.equal(all(svg, 'circle').length, 0);
  });
  test('of one epoch are dots', () => {
    const one = linePlot('t', [{ name: 'a', values: [3], color: 1 }]);
    const [{ cy, class: name }] = all(one, 'circle');
    near(valueAt(one)(Number(cy)), 3);
    assert.equal(name, 'f1');
  });
  test('leave out what is no number', () => {
    const values = [1, NaN, 3, Infinity];
    const svg = linePlot('t', [{ name: 'a', values, color: 0 }]);
    const [{ points }] = all(svg, 'polyline');
    const place = placeAt(svg);
    assert.deepEqual(
      placesOf(points).map(([x]) => Math.round(place(x))),
      [1, 3],
    );
    for (const values of [[], [NaN], [0, 0], [-2, -2], new Array(300_000).fill(1)])
      assert.doesNotMatch(linePlot('t', [{ name: 'a', values, color: 0 }]), /NaN|Infinity|undefined/);
  });
  test('of shares end at 1', () => {
    const svg = linePlot('t', [{ name: 'a', values: [0.31, 0.97, 1], color: 0 }], { isShare: true });
    const ticks = textsOf(svg).filter((text) => text['text-anchor'] === 'end');
    assert.equal(Number(ticks.at(-1)?.text), 1);
  });
});

test('curves in the unit square', () => {
  /** @type {[number, number][]} */
  const points = [
    [0, 1],
    [0.5, 0.75],
    [1, 0],
  ];
  const svg = curvePlot('PR', { x: 'recall', y: 'precision' }, [{ name: 'a', points, color: 2 }]);
  const [value, place] = [valueAt(svg), placeAt(svg)];
  placesOf(all(svg, 'polyline')[0].points).forEach(([x, y], i) => {
    near(place(x), points[i][0]);
    near(value(y), points[i][1]);
  });
  const texts = textsOf(svg).map(({ text }) => text);
  assert.ok(texts.includes('recall') && texts.includes('precision'));
});

test('bars begin at one line, are as long as their values, and have names and values', () => {
  const groups = [
    {
      title: 'First',
      bars: [
        { name: 'a', value: 4 },
        { name: 'b'.repeat(101), value: 1 },
      ],
    },
    {
      title: 'Second',
      bars: [
        { name: 'none', value: 0 },
        { name: 'c', value: 2.5, color: 1 },
      ],
    },
  ];
  const svg = barPlot('Energy, kWh', groups, { accent: 0 });
  const bars = all(svg, 'rect').slice(1); // the first is the card
  assert.deepEqual(
    bars.map((bar) => bar.class),
    ['accent', 'peer', 'accent', 'f1'],
  );
  const unit = Number(bars[0].width) / 4;
  [4, 1, 0, 2.5].forEach((value, i) => near(Number(bars[i].width), value === 0 ? 1 : value * unit, 0.2));
  assert.equal(new Set(bars.map(({ x }) => x)).size, 1);
  const texts = textsOf(svg);
  for (const text of ['First', 'Second', 'a', 'none', '4.00', '1.00', '0', '2.50'])
    assert.ok(
      texts.some((found) => found.text === text),
      text,
    );
  const long = texts.find(({ text }) => /^b+…$/.test(text));
  assert.ok(long && long.text.length < 40 && svg.includes(`<title>${'b'.repeat(101)}</title>`));
  bars.forEach(({ y, height }, i) => i > 0 && assert.ok(Number(y) >= Number(bars[i - 1].y) + Number(height)));
  assert.doesNotMatch(barPlot('t', [{ bars: [{ name: 'a', value: 0 }] }]), /NaN|Infinity/);
});

test('ticks are round, cover the range, and have as many decimals as they need', () => {
  const labels = (/** @type {number} */ least, /** @type {number} */ most) => roundTicks(least, most).labels;
  assert.deepEqual(labels(0, 12345), ['0', '2500', '5000', '7500', '10000', '12500']);
  assert.deepEqual(labels(0, 1), ['0', '0.2', '0.4', '0.6', '0.8', '1.0']);
  assert.deepEqual(labels(0, 0.004), ['0', '0.001', '0.002', '0.003', '0.004']);
  assert.deepEqual(labels(-3, 3), ['-4', '-2', '0', '2', '4']);
  assert.deepEqual(labels(0, 8e-7), ['0', '2e-7', '4e-7', '6e-7', '8e-7']);
  assert.deepEqual(roundTicks(1, 30, { isWhole: true }).values, [10, 20, 30]);
  assert.deepEqual(roundTicks(1, 4, { isWhole: true }).values, [1, 2, 3, 4]);
  for (let i = 0; i < 200; i++) {
    const [least, span] = [(i * 7919) % 101, 10 ** ((i % 15) - 4)];
    const { values, labels } = roundTicks(least, least + span);
    assert.ok(
      values[0] <= least + 1e-9 * span && /** @type {number} */ (values.at(-1)) >= least + span * (1 - 1e-6),
    );
    assert.ok(values.length >= 3 && values.length <= 8, `${least}, ${span}: ${labels}`);
  }
});

test('units and labels are readable', () => {
  const cases = /** @type {const} */ ([
    [2.1e-6, 1e-6, 'µg'],
    [0.02, 1e-3, 'mg'],
    [5, 1, 'g'],
    [4200, 1e3, 'kg'],
    [0, 1, 'g'],
  ]);
  for (const [most, factor, unit] of cases) assert.deepEqual(readableUnit(most, 'g'), { factor, unit });
  assert.deepEqual(alignedLabels([24.86, 5.2, 0]), ['24.9', '5.2', '0']);
  assert.deepEqual(alignedLabels([1234, 5]), ['1234', '5']);
});

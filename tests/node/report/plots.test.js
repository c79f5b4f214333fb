// Where a plot puts its texts and lines, its ticks and units. Places are computed here: a letter is 9.6 wide, the plot 520 with
// edges of 16.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { barPlot, curvePlot, linePlot } from '../../../wasm/report/svg.js';
import { alignedLabels, readableUnit, roundTicks } from '../../../wasm/report/ticks.js';

/** What a plot draws behind its card and its title. @param {string} svg */
const drawn = (svg) =>
  svg.split('\n').slice(svg.split('\n').findIndex((line) => line.includes('class="card"')) + 1, -2);
/** @param {string} svg */
const heightOf = (svg) => Number(/ height="(\d+)" viewBox="0 0 520 \1"/.exec(svg)?.[1]);
/** The labels of the y axis. @param {number[]} values @param {object} [options] */
const labelsOf = (values, options) =>
  Array.from(
    linePlot('t', [{ name: 'a', values, color: 0 }], options).matchAll(/text-anchor="end">([^<]*)</g),
    ([, text]) => text,
  );

describe('a plot of lines', () => {
  test('has its legend, unit, grid, line and axis at their places', () => {
    const svg = linePlot('T', [{ name: 'ab', values: [0, 10], color: 0 }], { y: 'u' });
    assert.deepEqual(drawn(svg), [
      '<text class="head title" x="16" y="28">T</text>',
      '<line class="s0" x1="16" x2="38" y1="52" y2="52" stroke-width="3"/>',
      '<text x="44" y="57"><title>ab</title>ab</text>',
      '<text class="muted" x="16" y="79">u</text>',
      ...[0, 2, 4, 6, 8, 10].flatMap((value) => [
        `<line class="${value === 0 ? 'axis' : 'grid'}" x1="43.2" x2="496" y1="${314 - 22 * value}" y2="${314 - 22 * value}"/>`,
        `<text class="muted" x="35.2" y="${319 - 22 * value}" text-anchor="end">${value}</text>`,
      ]),
      '<polyline class="s0" points="43.2,314 496,94" fill="none" stroke-width="2" stroke-linejoin="round"/>',
      '<text class="muted" x="43.2" y="336" text-anchor="middle">1</text>',
      '<text class="muted" x="496" y="336" text-anchor="middle">2</text>',
      '<text class="muted" x="269.6" y="358" text-anchor="middle">epoch</text>',
    ]);
    assert.equal(heightOf(svg), 370);
  });
  test('without a unit is nearer to its legend, without names to its title', () => {
    const lines = [{ name: 'ab', values: [0, 10], color: 0 }];
    assert.match(linePlot('T', lines), /points="43\.2,294 496,74"/);
    assert.match(linePlot('T', lines, { key: [] }), /points="43\.2,272 496,52"/);
  });
  test('has a dot in the middle for a single value', () =>
    assert.match(
      linePlot('T', [{ name: 'a', values: [8], color: 6 }], { key: [] }),
      /<circle class="f6" cx="264\.8" cy="52" r="4"\/>/,
    ));
  test('has names in rows, and dashes', () => {
    const lines = Array.from({ length: 3 }, (_, i) => ({
      name: `${i}`.repeat(20),
      values: [1, 2],
      color: i,
      isDashed: i === 1,
    }));
    const [first, , second, , third] = drawn(linePlot('T', lines)).slice(1);
    assert.match(first, /class="s0" x1="16" x2="38" y1="52" y2="52" stroke-width="3"\/>/);
    assert.match(
      second,
      /class="s1" x1="252" x2="274" y1="52" y2="52" stroke-width="3" stroke-dasharray="6 4"\/>/,
    );
    assert.match(third, /class="s2" x1="16" x2="38" y1="74" y2="74"/);
  });
  test('cuts long names and titles to the room', () => {
    const svg = linePlot('t'.repeat(51), [{ name: 'n'.repeat(100), values: [1, 2], color: 0 }]);
    assert.match(svg, new RegExp(`>${'t'.repeat(49)}…</text>`));
    assert.match(svg, new RegExp(`</title>${'n'.repeat(46)}…</text>`)); // of 488 - 28
    assert.match(linePlot('t'.repeat(50), []), new RegExp(`>${'t'.repeat(50)}</text>`));
    assert.match(linePlot('字'.repeat(29), []), />字{29}<\/text>/); // a wide letter is 16.8
    assert.match(linePlot('字'.repeat(30), []), />字{28}…<\/text>/);
  });
  /** @type {[number[], string, string, object?][]} values, the lowest and the highest tick */
  const ranges = [
    [[5, 10], '5', '10'],
    [[4.9, 10], '0', '10'],
    [[5, 5], '0', '5'],
    [[-5, -5], '-5', '0'],
    [[5, 5.000004], '0', '6'],
    [[-1, 3], '-1', '3'],
    [[-4, -1], '-4', '-1'],
    [[], '0', '1.0'],
    [[0.97, 1], '0.97', '1.00', { isShare: true }],
    [[0.31, 0.97], '0', '1.0', { isShare: true }],
    [[0.5, 0.93], '0.5', '1.0', { isShare: true }],
  ];
  for (const [values, least, most, options] of ranges)
    test(`of ${values} from ${least} to ${most}`, () => {
      const labels = labelsOf(values, options);
      assert.deepEqual([labels[0], labels.at(-1)], [least, most]);
    });
  /** @type {[number, string[]][]} */
  const epochs = [
    [1, ['1']],
    [2, ['1', '2']],
    [5, ['1', '2', '3', '4', '5']],
    [6, ['1', '2', '3', '4', '5', '6']],
    [10, ['2', '4', '6', '8', '10']],
    [30, ['1', '10', '20', '30']],
    [100, ['1', '20', '40', '60', '80', '100']],
  ];
  for (const [count, marks] of epochs)
    test(`of ${count} epochs`, () => {
      const svg = linePlot('t', [{ name: 'a', values: Array(count).fill(1), color: 0 }], { x: 'e' });
      assert.deepEqual(Array.from(svg.matchAll(/text-anchor="middle">(\d+)</g), ([, text]) => text), marks); // prettier-ignore
    });
});

test('a plot of curves has the unit square', () => {
  const svg = curvePlot('T', { x: 'r', y: 'p' }, [{ name: 'a', color: 1, points: [[0, 0], [0.5, 1], [1, 0.25]] }]); // prettier-ignore
  // The labels have three letters: 28.8.
  assert.match(svg, /<polyline class="s1" points="52\.8,314 274\.4,94 496,259"/);
  assert.match(svg, /<text class="muted" x="274\.4" y="358" text-anchor="middle">r<\/text>/);
  assert.match(svg, /<text class="muted" x="16" y="79">p<\/text>/);
  assert.match(svg, /x="141\.4" y="336" text-anchor="middle">0\.2</);
});

test('a plot of bars has them at their places', () => {
  const svg = barPlot('T', [{ title: 'G', bars: [{ name: 'abc', value: 4 }, { name: 'd', value: 1 }] }, { bars: [{ name: 'e', value: 0, color: 9 }] }]); // prettier-ignore
  // Names are 28.8 wide, values 38.4: bars from 52.8 to 459.6.
  assert.deepEqual(drawn(svg).slice(1), [
    '<text class="head" x="16" y="58">G</text>',
    '<text x="16" y="82"><title>abc</title>abc</text>',
    '<rect class="accent" x="52.8" y="68" width="406.8" height="18" rx="2"/>',
    '<text x="465.6" y="82">4.00</text>',
    '<text x="16" y="110"><title>d</title>d</text>',
    '<rect class="accent" x="52.8" y="96" width="101.7" height="18" rx="2"/>',
    '<text x="160.5" y="110">1.00</text>',
    '<line class="axis" x1="52.8" x2="52.8" y1="64" y2="118"/>',
    '<text x="16" y="142"><title>e</title>e</text>',
    '<rect class="f2" x="52.8" y="128" width="1" height="18" rx="2"/>',
    '<text x="59.8" y="142">0</text>',
    '<line class="axis" x1="52.8" x2="52.8" y1="124" y2="150"/>',
  ]);
  assert.equal(heightOf(svg), 164);
  for (const [letters, left] of [
    [26, '273.6'],
    [27, '280'],
    [90, '280'],
  ])
    // prettier-ignore
    assert.match(barPlot('T', [{ bars: [{ name: 'n'.repeat(Number(letters)), value: 1 }] }]), new RegExp(`rect class="accent" x="${left}"`));
});

describe('ticks', () => {
  /** @type {[least: number, most: number, options: object, labels: string[]][]} */
  const cases = [
    [0, 10, { count: 2 }, ['0', '5', '10']],
    [0, 1, { count: 4 }, ['0', '0.25', '0.50', '0.75', '1.00']],
    [1, 3, { isWhole: true }, ['1', '2', '3']],
    [1, 13, { isWhole: true }, ['5', '10']],
    [1, 11, { isWhole: true }, ['2', '4', '6', '8', '10']],
    [3, 3, {}, ['3', '4', '5', '6']],
    [0, 0, {}, ['0', '0.2', '0.4', '0.6', '0.8', '1.0']],
    [-2, -2, {}, ['-2.0', '-1.5', '-1.0', '-0.5', '0']],
    [0, 2_000_000, { count: 2 }, ['0', '1000000', '2000000']],
    [0, 0.00002, { count: 2 }, ['0', '0.00001', '0.00002']],
    [0, 0.000002, { count: 2 }, ['0', '0.000001', '0.000002']],
  ];
  for (const [least, most, options, labels] of cases)
    test(`from ${least} to ${most}, ${JSON.stringify(options)}`, () =>
      assert.deepEqual(roundTicks(least, most, options).labels, labels));

  /** @type {[number, number, string][]} */
  const units = [
    [1e9, 1e6, 'MW'],
    [1e6, 1e6, 'MW'],
    [999_999, 1e3, 'kW'],
    [1000, 1e3, 'kW'],
    [999, 1, 'W'],
    [1, 1, 'W'],
    [0.999, 1e-3, 'mW'],
    [1e-3, 1e-3, 'mW'],
    [9.9e-4, 1e-6, 'µW'],
    [9.9e-7, 1e-9, 'nW'],
    [1e-12, 1e-9, 'nW'],
    [0, 1, 'W'],
  ];
  for (const [most, factor, unit] of units)
    test(`${most} W in ${unit}`, () => assert.deepEqual(readableUnit(most, 'W'), { factor, unit }));

  /** @type {[number[], string[]][]} */
  const aligned = [
    [[0], ['0']],
    [
      [1, 9.994],
      ['1.00', '9.99'],
    ],
    [
      [10, 1],
      ['10.0', '1.0'],
    ],
    [
      [99.94, -1],
      ['99.9', '-1.0'],
    ],
    [
      [100, 1.4],
      ['100', '1'],
    ],
    [
      [0.5, 0.0625],
      ['0.500', '0.063'],
    ],
    [
      [-200, 1],
      ['-200', '1'],
    ],
  ];
  for (const [values, labels] of aligned)
    test(`labels ${labels}`, () => assert.deepEqual(alignedLabels(values), labels));
});

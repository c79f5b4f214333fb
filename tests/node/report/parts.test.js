// The parts of a report, each alone: pages, what is said about trainings, and model cards.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { modelCard } from '../../../wasm/report/card.js';
import { toHtml } from '../../../wasm/report/html.js';
import { toMarkdown } from '../../../wasm/report/markdown.js';
import { bestOf, format } from '../../../wasm/report/metrics.js';
import { curvesOf, emissionsPlot, sectionsOf } from '../../../wasm/report/sections.js';

const any = (/** @type {unknown} */ value) => /** @type {any} */ (value);

test('figures have five digits', () => {
  /** @type {[number | undefined, string][]} */
  const cases = [[undefined, 'not validated'], [0, '0'], [1.234567, '1.2346'], [1e-4, '0.0001'], [9.9e-5, '9.900e-5'], [-0.5, '-0.5'], [-1e-5, '-1.000e-5'], [123456.7, '123460']]; // prettier-ignore
  for (const [value, text] of cases) assert.equal(format(value), text);
});

describe('a page', () => {
  const bodyOf = (/** @type {any[]} */ sections) => toHtml('T & t', sections).split('</head>')[1];
  test('has its sections, with what they have only', () => {
    assert.equal(
      bodyOf([{ title: 'A <1>' }]),
      '<body>\n<h1>T &amp; t</h1>\n<section><h2>A &lt;1&gt;</h2>\n</section>\n</body></html>\n',
    );
    const png = Uint8Array.from({ length: 40_000 }, (_, i) => (i * 31) % 256);
    const table = { title: 'C', columns: ['', 'x'], rows: [['r', '1'], ['s', '<2>']] }; // prettier-ignore
    const whole = { title: 'B', texts: ['a & b'], tables: [table], plots: [{ file: 'f', title: 'p', svg: '<svg/>' }], pictures: [{ file: 'g', title: 'q', png }] }; // prettier-ignore
    assert.deepEqual(bodyOf([whole]).split('\n').slice(2, -2), [
      '<section><h2>B</h2>',
      '<p>a &amp; b</p>',
      ...['<div class="plots">', '<figure><svg/></figure>', '</div>'],
      '<div class="scroll" tabindex="0"><table><caption>C</caption><thead><tr><th scope="col"></th><th scope="col">x</th></tr></thead>',
      '<tbody><tr><th scope="row">r</th><td>1</td></tr>',
      '<tr><th scope="row">s</th><td>&lt;2&gt;</td></tr></tbody></table></div>',
      '<div class="pictures">',
      `<figure><img alt="q" src="data:image/png;base64,${Buffer.from(png).toString('base64')}"><figcaption>q</figcaption></figure>`,
      ...['</div>', '</section>'],
    ]);
    assert.equal(
      toMarkdown('T', [whole, { title: 'Z' }]),
      '# T\n\n## B\n\na &amp; b\n\nC:\n\n|  | x |\n| --- | --- |\n| r | 1 |\n| s | &lt;2&gt; |\n\n![p](f)\n\n![q](g)\n\n## Z\n',
    );
  });
  test('shades cells by their share of the row', () => {
    const rows = [['a', '1', '3', '0'], ['b', '0', '0', '0']]; // prettier-ignore
    const cells = (/** @type {object} */ how) => Array.from(bodyOf([{ title: 'B', tables: [{ columns: [], rows, ...how }] }]).matchAll(/<td[^>]*>/g), ([cell]) => cell); // prettier-ignore
    const color = (/** @type {string} */ share) => `<td style="background:rgb(23 100 193 / ${share})">`;
    const none = '<td class="none">';
    assert.deepEqual(cells({ isHeat: true }), [color('0.21'), color('0.44'), none, none, none, none]);
    assert.deepEqual(cells({}), Array(6).fill('<td>'));
    const classOf = (/** @type {object} */ how) =>
      /<table([^>]*)>/.exec(bodyOf([{ title: 'B', tables: [{ columns: [], rows, ...how }] }]))?.[1];
    assert.deepEqual(
      [classOf({ isHeat: true }), classOf({ isNoted: true }), classOf({})],
      [' class="heat"', ' class="noted"', ''],
    );
  });
});

/** @param {any} [more] */
const configuration = ({ name = 'A', history = {}, account = {}, plan = {}, data = {}, ...more } = {}) =>
  any({
    ...{ name, seconds: 12.34, multiplyAdds: 1 },
    plan: { batchSize: 8, seed: 3, optimizer: { type: 'sgd', learningRate: 0.5, momentum: 0.9 }, ...plan },
    history: {
      epoch: [0, 1],
      history: {
        accuracy: [0.5, 0.75],
        loss: [2, 1],
        val_accuracy: [0.25, 0.5],
        val_loss: [4, 3],
        ...history,
      },
    },
    data: { train: 30, validation: 10, classes: ['x', 'y'], parameters: 1000, ...data },
    energy: {
      account: {
        emissions: 0.25,
        energy_consumed: 0.5,
        cpu_energy: 0.4,
        gpu_energy: 0,
        ram_energy: 0.1,
        ...account,
      },
      figures: [
        {
          name: 'Emissions',
          key: 'emissions',
          unit: 'kg CO2e',
          value: 0.25,
          kind: 'estimated',
          basis: 'grid',
        },
        { name: 'CPU power', key: 'cpu_power', unit: 'W', value: 123.4, kind: 'measured', basis: 'meter' },
      ],
      ...{ machine: { threads: 2 }, options: {}, intensity: { value: 475, source: 'world' } },
      mlCo2: { tdpWatts: 8, hours: 0.5, energy: 0.004, emissions: 0.0019 },
    },
    ...more,
  });
const about = { project: 'P', date: new Date('2026-01-02T03:04:05Z') };

const withHistory = (/** @type {string} */ name, /** @type {object} */ history) => ({
  name,
  history: { epoch: [0], history },
});
describe('what is said about trainings', () => {
  test('of one', () => {
    const [overview, curves, settings, energy] = sectionsOf([configuration()], { ...about, backbone: 'net' });
    assert.deepEqual(overview.texts, [
      '2026-01-02: a classifier of 2 classes on net, trained with ocelli. 30 examples; 10 others for validation. 1000 trained parameters.',
      'Trained classes: x, y.',
      'Data set: not named. License: not given.',
      'Figures are of the last epoch.',
    ]);
    assert.deepEqual(overview.tables?.[0].columns, [
      '',
      'Training accuracy',
      'Validation accuracy',
      'Training loss',
      'Validation loss',
    ]);
    assert.deepEqual(overview.tables?.[0].rows, [['A', '0.750', '0.500', '1.000', '3.000']]);
    assert.deepEqual(curves.plots?.map(({ file }) => file), ['loss.svg', 'accuracy.svg']); // prettier-ignore
    assert.deepEqual(
      [settings.texts, settings.tables?.[0].rows],
      [
        ['ocelli did not extract the features, so the figures of energy are without their extraction.'],
        [['A', 'sgd', '0.5', '8', '2', '3', '12.3 s']],
      ],
    );
    assert.deepEqual(energy.tables?.[0].rows, [
      ['Emissions, g CO₂e', '250', 'estimated: grid'],
      ['CPU power, W', '123', 'measured: meter'],
    ]);
  });
  test('of several, with other rates, and units by the greatest', () => {
    const figures = [
      { name: 'Energy', key: 'energy', unit: 'kWh', value: 0.0005, kind: 'estimated', basis: 'b' },
    ];
    const other = configuration({
      name: 'B',
      seconds: 0.5,
      plan: { optimizer: { type: 'adam', learningRate: { type: 'cosine', rate: 0.004, decaySteps: 408 } } },
    });
    const two = [configuration(), other];
    two[0].energy.figures = [{ ...figures[0], value: 0.00002, kind: 'measured' }];
    two[1].energy.figures = figures;
    two[0].energy.extraction = { seconds: 0.0015 };
    const [overview, , settings, energy] = sectionsOf(two, about);
    assert.match(overview.texts?.[0] ?? '', / on a network that is not named here,/);
    assert.equal(
      settings.texts?.[0],
      'Extracting the features took: "A" 1.5 ms, "B" not known. Energy, emissions and SCI include it.',
    );
    assert.deepEqual(settings.tables?.[0].rows[1], [
      'B',
      'adam',
      '0.004, falling to 0 by a cosine over 408 steps',
      '8',
      '2',
      '3',
      '500 ms',
    ]);
    assert.deepEqual(energy.tables?.[0].rows, [['Energy, mWh', '20', '500', 'measured: b; estimated: b']]);
    assert.deepEqual(energy.tables?.[0].columns, ['', 'A', 'B', 'measured or estimated']);
  });
  for (const [seconds, text] of [
    [1, '1 s'],
    [99.94, '99.9 s'],
    [100.4, '100 s'],
    [1234.5, '1235 s'],
    [0.9994, '999 ms'],
    [2e-6, '2 µs'],
  ])
    // prettier-ignore
    test(`${seconds} s as ${text}`, () => {
      const [, , settings] = sectionsOf([configuration({ seconds })], about);
      assert.equal(settings.tables?.[0].rows[0][6], text);
    });
  test('curves: one legend for dashes, one colour for each training', () => {
    const namesOf = (/** @type {any[]} */ configurations) =>
      curvesOf(configurations).map(({ svg }) =>
        Array.from(svg.matchAll(/<text x="[\d.]+" y="[\d.]+"><title>([^<]*)/g), ([, name]) => name),
      );
    const alone = configuration({ history: { val_loss: undefined, val_accuracy: undefined } });
    assert.deepEqual(namesOf([configuration()]), [['training', 'validation'], ['training', 'validation']]); // prettier-ignore
    assert.deepEqual(namesOf([alone]), [['training'], ['training']]);
    assert.deepEqual(namesOf([configuration(), configuration({ name: 'B' })])[0], [
      'A',
      'B',
      'training',
      'validation',
    ]);
    const [{ svg }] = curvesOf([configuration(), configuration({ name: 'B' })]);
    assert.deepEqual(Array.from(svg.matchAll(/<polyline class="(s\d)"[^>]*?(dasharray)?="[^"]*"\/>/g), ([, color, dash]) => [color, dash !== undefined]), [
      ['s0', false], ['s0', true], ['s1', false], ['s1', true],
    ]); // prettier-ignore
    const detector = configuration({
      history: { box_loss: [1], accuracy: undefined, val_accuracy: undefined },
    });
    assert.deepEqual(curvesOf([detector]).map(({ file }) => file), ['loss.svg']); // prettier-ignore
    const validated = configuration({ history: { box_loss: [1], val_AP50: [0.5] } });
    assert.deepEqual(curvesOf([validated]).map(({ file, title }) => [file, title])[1], ['ap50.svg', 'AP at IoU 0.5']); // prettier-ignore
  });
  test('emissions: of one by parts, of several side by side', () => {
    const shown = (/** @type {any[]} */ configurations) => {
      const { svg } = emissionsPlot(configurations);
      return [
        /<title>(.*?)</.exec(svg)?.[1],
        ...Array.from(
          svg.matchAll(
            /<title>[^<]*<\/title>([^<]+)<\/text>\n<rect class="(\w+)"[^>]*>\n<text [^>]*>([^<]*)/g,
          ),
          (match) => match.slice(1, 4).join(' '),
        ),
      ];
    };
    assert.deepEqual(shown([configuration()]), ['Emissions, g CO₂e', 'CPU accent 200', 'RAM accent 50']);
    const gpu = configuration({ account: { gpu_energy: 0.25, cpu_energy: 0.15 } });
    assert.deepEqual(shown([gpu]), ['Emissions, g CO₂e', 'CPU accent 75', 'GPU accent 125', 'RAM accent 50']);
    const nothing = configuration({
      account: { emissions: 0, energy_consumed: 0, cpu_energy: 0, ram_energy: 0 },
    });
    assert.deepEqual(shown([nothing]), ['Emissions, g CO₂e', 'CPU accent 0', 'RAM accent 0']);
    const two = [configuration(), configuration({ name: 'B', account: { emissions: 1.5 } })];
    assert.deepEqual(shown(two), ['Emissions, kg CO₂e', 'A f0 0.25', 'B f1 1.50']);
  });

  /** @type {[any[], string][]} */
  const bests = [
    [
      [
        { val_accuracy: [0.9, 0.1], accuracy: [1] },
        { val_accuracy: [0.2], accuracy: [0.5] },
      ],
      'b',
    ],
    [[{ accuracy: [0.5] }, { accuracy: [0.6] }], 'b'],
    [[{ val_accuracy: [0.5] }, { val_accuracy: [0.5] }], 'a'],
    [[{ loss: [2] }, { loss: [1] }], 'b'],
    [
      [
        { val_accuracy: [0.5], val_loss: [2], loss: [1] },
        { val_accuracy: [0.5], val_loss: [1], loss: [2] },
      ],
      'b',
    ],
    [
      [
        { val_accuracy: [0.6], val_loss: [2] },
        { val_accuracy: [0.5], val_loss: [1] },
      ],
      'a',
    ],
    [
      [
        { box_loss: [1], val_AP: [0.2], val_loss: [2] },
        { box_loss: [1], val_AP: [0.2], val_loss: [1] },
      ],
      'b',
    ],
    [
      [
        { box_loss: [1], val_AP: [0.1] },
        { box_loss: [9], val_AP: [0.2] },
      ],
      'b',
    ],
    [
      [
        { box_loss: [1], loss: [1] },
        { box_loss: [1], loss: [3] },
      ],
      'a',
    ],
  ];
  for (const [histories, best] of bests)
    test(`the best of ${JSON.stringify(histories)} is ${best}`, () =>
      assert.equal(bestOf(any(histories.map((each, i) => withHistory('ab'[i], each)))).name, best));
});

test('the best is found by the epochs whose weights the files have', () => {
  const restored = { ...withHistory('a', { val_accuracy: [0.9, 0.1] }), weightsEpoch: 0 };
  const last = withHistory('b', { val_accuracy: [0.1, 0.5] });
  assert.equal(bestOf(any([last, restored])).name, 'a');
  assert.equal(bestOf(any([last, { ...restored, weightsEpoch: undefined }])).name, 'b');
});

describe('a model card', () => {
  const linesOf = (/** @type {any[]} */ configurations, /** @type {object} */ more = {}) =>
    modelCard(configurations, { ...about, ...more }).split('\n');
  test('of a classifier', () => {
    const one = configuration();
    one.energy.extraction = { seconds: 2 };
    const lines = linesOf([one], { license: 'mit', backbone: 'net', file: 'a b.tflite', dataset: 'D' });
    for (const line of [
      '# Model Card for P',
      'A softmax layer over 2 classes on net, trained with ocelli on 2026-01-02.',
      '- **Model type:** image classifier',
      '- **Classes:** x, y',
      '- **Base model:** net',
      '- **License:** mit',
      '- **Trained parameters:** 1000',
      '- **File:** a b.tflite',
      'Classify images similar to the training images (D) into these classes: x, y.',
      'const classifier = await ImageClassifier.create({ model: "a b.tflite" });',
      '- **Data set:** D',
      '- **Training data:** 30 examples; 10 others for validation',
      '- **Loss:** cross-entropy',
      '- **Training:** batch size 8, 2 epochs, sgd, momentum 0.9, seed 3, learning rate 0.5',
      '- **Training:** 12.3 s',
      '- Extracting the features took: 2 s. Energy, emissions and SCI include it.',
      'Validation figures were measured after the epoch, on 10 examples not used for training.',
      '![accuracy](accuracy.svg)',
      '- **Hardware Type:** CPU with 2 hardware threads',
      '- **Hours used:** 0.5',
      '- **Cloud Provider:** none',
      '- **Compute Region:** not given',
      "- **Carbon Emitted:** 0.25 kg CO2e (CodeCarbon's model: 0.5 kWh at 475 g/kWh, world)",
      '- **ML CO2 Impact calculator:** 0.0019 kg CO2e (8 W TDP for the whole time, and nothing else)',
    ])
      assert.ok(lines.includes(line), line);
    assert.ok(!lines.some((line) => /^The best|^The list is of|SCI \(ISO|^Save what/.test(line)));
  });
  test('of a detector, and of several trainings', () => {
    const detector = configuration({
      history: { box_loss: [1], val_AP: [0.5], val_AP50: [0.75] },
      data: { classes: ['x'] },
    });
    const lines = linesOf([detector, { ...detector, name: 'B' }]);
    for (const line of [
      'The heads of an SSD detector of 1 class on a network that is not named here, trained with ocelli on 2026-01-02.',
      '- **Model type:** object detector',
      '- **Base model:** not given',
      '- **License:** not given; ask who trained the model before you share it',
      'Find and locate objects of these classes in images similar to the training images: x.',
      'Save what `export()` returned as `model.tflite`.',
      'const detector = await ObjectDetector.create({ model: "model.tflite" });',
      '- **Data set:** not named',
      'The best is "A", by validation AP, then validation loss.',
      'The list is of "A".',
      '- **B:** 12.3 s',
      '![AP at IoU 0.5](ap50.svg)',
    ])
      assert.ok(lines.includes(line), line);
    for (const absent of ['![accuracy](accuracy.svg)', '- **Loss:** cross-entropy'])
      assert.ok(!lines.includes(absent));
    const unvalidated = linesOf([configuration({ history: { box_loss: [1] } })]);
    assert.ok(!unvalidated.includes('![AP at IoU 0.5](ap50.svg)'));
  });
  test('names the machine and the place', () => {
    const known = configuration();
    Object.assign(known.energy, {
      machine: { cpuModel: 'CPU 1' },
      options: { cloudProvider: 'aws', region: 'eu', country: 'FRA' },
    });
    const lines = linesOf([known]);
    assert.ok(
      ['- **Hardware Type:** CPU 1', '- **Cloud Provider:** aws', '- **Compute Region:** eu'].every((line) =>
        lines.includes(line),
      ),
    );
    Object.assign(known.energy, { machine: {}, options: { country: 'FRA' } });
    const others = linesOf([known]);
    assert.ok(
      ['- **Hardware Type:** CPU, not known which', '- **Compute Region:** FRA'].every((line) =>
        others.includes(line),
      ),
    );
  });
});

// Model cards of all kinds of trainings: the YAML that the Hugging Face hub reads, the sections of its template, and what is
// said if something was not given.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { estimateEnergy } from '../../../wasm/report/energy/estimate.js';
import { makeReport } from '../../../wasm/report/report.js';

const any = (/** @type {unknown} */ value) => /** @type {any} */ (value);
const DATE = new Date('2031-02-03T04:05:06Z');

/** @type {Record<string, any>} */
const KINDS = {
  classifier: {
    trained: { accuracy: [0.5, 0.75], loss: [2, 1] },
    validated: { val_accuracy: [0.75, 0.5], val_loss: [3, 4] },
    before: { val_accuracy: 0.125, val_loss: 5 },
  },
  detector: {
    trained: { loss: [2, 1], box_loss: [1, 1] },
    validated: { val_AP: [0.25, 0.5], val_AP50: [0.5, 0.75], val_loss: [3, 4] },
    before: { val_AP: 0.0625, val_AP50: 0.125, val_loss: 5 },
  },
};

/**
 * @param {string} kind
 * @param {any} [more]
 */
async function configuration(kind, { data = {}, energy = {}, isValidated = true, work = {}, ...more } = {}) {
  const { trained, validated } = KINDS[kind];
  const machine = { threads: 4, memoryGb: 8 };
  return any({
    ...{ name: 'training', seconds: 12, multiplyAdds: 1e9 },
    plan: { batchSize: 8, seed: 3, optimizer: { type: 'sgd', learningRate: 0.5 } },
    history: { epoch: [0, 1], history: { ...trained, ...(isValidated && validated) } },
    data: { train: 30, validation: isValidated ? 10 : 0, classes: ['x', 'y'], parameters: 9, ...data },
    energy: await estimateEnergy({ seconds: 12, multiplyAdds: 1e9, images: 60, ...work }, machine, energy),
    ...more,
  });
}

/**
 * @param {any[]} configurations
 * @param {object} [about]
 */
function cardOf(configurations, about = {}) {
  const card = makeReport(configurations, { project: 'P', date: DATE, ...about })['README.md'];
  const [, front, body] = /^---\n(.*?)\n---\n(.*)$/s.exec(card) ?? [];
  // The hub reads YAML 1.2, its Python library 1.1.
  const [front11, front12] = [parse(front, { version: '1.1' }), parse(front)];
  assert.deepEqual(front11, front12);
  return { front: front12, body };
}

describe('the front matter', () => {
  /** @type {[kind: string, task: string, metrics: {type: string, name: string, value: number}[]][]} */
  const kinds = [
    ['classifier', 'image-classification', [{ type: 'accuracy', name: 'Accuracy', value: 0.5 }]],
    [
      'detector',
      'object-detection',
      [
        { type: 'mean_average_precision', name: 'AP at IoU 0.50 to 0.95', value: 0.5 },
        { type: 'mean_average_precision', name: 'AP at IoU 0.5', value: 0.75 },
      ],
    ],
  ];
  for (const [kind, task, metrics] of kinds) {
    test(`of a ${kind} has what the hub reads`, async () => {
      const energy = { cpuPower: 0, ramPower: 10, intensity: 3000, country: 'FRA' };
      const one = await configuration(kind, { energy });
      one.energy.machine.cpuModel = 'CPU: "1"';
      const about = { license: 'Apache-2.0', baseModel: 'owner/net', dataset: 'no', project: '# P: 1' };
      assert.deepEqual(cardOf([one], about).front, {
        ...{ license: 'apache-2.0', base_model: 'owner/net', base_model_relation: 'finetune' },
        ...{ library_name: 'ocelli', pipeline_tag: task },
        tags: [task, 'ocelli', 'tflite', 'transfer-learning'],
        metrics: [metrics[0].type],
        'model-index': [
          {
            name: '# P: 1',
            results: [
              { task: { type: task }, dataset: { type: 'custom', name: 'no', split: 'validation' }, metrics },
            ],
          },
        ],
        co2_eq_emissions: {
          emissions: 0.1, // 10 W for 12 s at 3000 g/kWh
          source: 'CodeCarbon\'s model, see "Environmental Impact"',
          ...{ training_type: 'fine-tuning', geographical_location: 'FRA', hardware_used: 'CPU: "1"' },
        },
      });
    });

    test(`of a ${kind} leaves out what is not known`, async () => {
      const { front } = cardOf([await configuration(kind, { isValidated: false })]);
      assert.deepEqual(Object.keys(front), ['library_name', 'pipeline_tag', 'tags', 'co2_eq_emissions']);
      assert.deepEqual(Object.keys(front.co2_eq_emissions), ['emissions', 'source', 'training_type']);
    });

    test(`of a ${kind} has the figures of the epoch whose weights the file has`, async () => {
      const { front } = cardOf([await configuration(kind, { weightsEpoch: 0 })]);
      const { trained, validated } = KINDS[kind];
      const [key] = Object.keys(validated);
      assert.ok(!(key in trained));
      assert.equal(front['model-index'][0].results[0].metrics[0].value, validated[key][0]);
      assert.equal(front['model-index'][0].results[0].dataset.name, 'not given');
    });
  }

  test('has numbers that are numbers in YAML 1.1 too', async () => {
    for (const seconds of [1e-9, 3e-7, 1e30]) {
      const one = await configuration('classifier');
      one.energy.account.emissions = seconds;
      assert.equal(cardOf([one]).front.co2_eq_emissions.emissions, seconds * 1000);
    }
  });

  /** @type {[license: string, front: object][]} */
  const licenses = [
    ['mit', { license: 'mit' }],
    [' CC-BY-4.0 ', { license: 'cc-by-4.0' }],
    ['For my family: only', { license: 'other', license_name: 'For my family: only' }],
    ['', {}],
  ];
  for (const [license, expected] of licenses)
    test(`has the license '${license}'`, async () => {
      const { front } = cardOf([await configuration('classifier')], { license });
      const { license: id, license_name: name } = front;
      assert.deepEqual({ ...(id && { license: id }), ...(name && { license_name: name }) }, expected);
    });
});

/** The sections of Hugging Face's template. */
const SECTIONS = [
  ...['# Model Card for P', '## Model Details', '### Model Description', '## Uses', '### Direct Use'],
  ...['### Out-of-Scope Use', '## Bias, Risks, and Limitations', '### Recommendations'],
  ...['## How to Get Started with the Model', '## Training Details', '### Training Data'],
  ...['### Training Hyperparameters', '### Speeds, Sizes, Times', '## Evaluation'],
  ...['### Testing Data and Metrics', '### Results', '## Environmental Impact'],
];

/** Everything that a training may have or not have. @type {[string, object, object][]} */
const FACTS = [
  ['nothing more', {}, {}],
  ['one class', { data: { classes: ['x'] } }, {}],
  ['one example', { data: { train: 1, validation: 1 } }, {}],
  ['no validation', { isValidated: false }, {}],
  ['kept classes', { data: { classes: ['a', 'x', 'b'], kept: ['a', 'b'] } }, {}],
  ['a kept class and no validation', { data: { classes: ['x', 'a'], kept: ['a'] }, isValidated: false }, {}],
  ['unfrozen blocks', { data: { unfrozen: { blocks: 2, batchNorm: 'frozen' } } }, {}],
  ['restored weights', { weightsEpoch: 0 }, {}],
  ['a schedule', { plan: { batchSize: 8, seed: 3, optimizer: { type: 'adam', learningRate: { type: 'cosine', rate: 0.1, decaySteps: 7 } } } }, {}], // prettier-ignore
  ['an extraction', { work: { extraction: { seconds: 3 } } }, {}],
  ['a size', { energy: { modelBytes: 3e6 } }, { file: 'found.tflite' }],
  ['texts', {}, { license: 'mit', dataset: 'D', backbone: 'net', baseModel: 'owner/net' }],
  ['nothing of the machine', { work: { images: undefined } }, {}],
];

for (const kind of Object.keys(KINDS))
  for (const count of [1, 2])
    for (const [what, more, about] of FACTS)
      test(`files of ${count} ${kind}s, with ${what}`, async () => {
        const names = count === 1 ? ['training'] : ['A', 'B'];
        const configurations = await Promise.all(
          names.map(async (name) => configuration(kind, { ...more, name })),
        );
        const files = makeReport(configurations, { project: 'P', date: DATE, ...about });
        for (const [name, text] of Object.entries(files))
          assert.doesNotMatch(text, /undefined|NaN|Infinity|\[object [A-Z]|\bnull\b/, name);
        assert.deepEqual(files['README.md'].match(/^#+ .*$/gm), SECTIONS);
        assert.doesNotMatch(files['README.md'], /\b1 (classes|examples|photos|others|epochs)\b/);
        assert.doesNotMatch(files['README.md'], /of training"|Training of training| \(\)|: *\n- |, ,|\.\./);
      });

describe('what a card says', () => {
  test('of kept classes is not that they were trained', async () => {
    const data = { classes: ['a', 'x', 'b'], kept: ['a', 'b'], train: 7 };
    const one = await configuration('detector', { data });
    const files = makeReport([one], { project: 'P', date: DATE });
    for (const line of [
      'The heads of an SSD detector of 3 classes (1 trained, 2 kept from the base model) on a network that is not named here, trained with ocelli on 2031-02-03.',
      '- **Classes:** x',
      '- **Kept classes:** a, b (kept from the base model, not trained)',
      'Find and locate objects of the trained classes in images similar to the training images: x.',
      'The model also reports the classes that it kept: a, b.',
      'The trained classes were learned from 7 photos. The model may fail on images that these do not represent, and it favours what is frequent in them.',
      'The kept classes were not trained: they have the limits of the base model.',
      '- **Learned from it:** x',
    ])
      assert.ok(files['README.md'].split('\n').includes(line), line);
    assert.match(files['report.html'], /<p>Trained classes: x\.<\/p>/);
    assert.match(files['report.html'], /<p>Classes kept from the base model, not trained: a, b\.<\/p>/);
    const { body } = cardOf([await configuration('detector')]);
    assert.doesNotMatch(body, /kept/i);
  });

  for (const [kind, row] of [
    ['classifier', '| Train validation accuracy | 0.125 | 0.5 |'],
    ['detector', '| Validation AP at IoU 0.5 | 0.125 | 0.75 |'],
  ])
    test(`of a ${kind} before the training`, async () => {
      const { before } = KINDS[kind];
      const one = await configuration(kind, { before });
      const files = makeReport([one], { project: 'P', date: DATE });
      for (const name of ['README.md', 'tables.md']) {
        const lines = files[name].split('\n');
        assert.ok(lines.includes('|  | before the training | training |'), name);
        assert.ok(lines.includes(row), name);
        assert.ok(lines.includes('| Train loss | not measured | 1 |'), name);
      }
      assert.match(files['report.html'], /<th scope="row">before the training<\/th>.*<td>0\.125<\/td>/);
      const other = await configuration(kind, { name: 'B', before });
      const two = makeReport([one, other], { project: 'P', date: DATE })['tables.md'];
      assert.equal(
        two.split('\n')[0],
        '|  | training, before the training | training | B, before the training | B |',
      );
    });

  test('of energy has the SCI, the transfer and the extraction', async () => {
    const energy = { cpuPower: 90, ramPower: 10, intensity: 500, modelBytes: 2e9 };
    // A thousandth of the lifetime, of which a half is the extraction: 1.752 kg and 1 kg.
    const work = { seconds: 63_072, extraction: { seconds: 63_072 }, images: 1000 };
    const { body } = cardOf([await configuration('detector', { energy, work })]);
    const lines = body.split('\n');
    for (const start of [
      '- **SCI (ISO/IEC 21031):** 2.752 kg CO2e per 1000 images,',
      "- **Carbon Emitted:** 1.752 kg CO2e (CodeCarbon's model: 3.504 kWh at 500 g/kWh,",
      '| Embodied emissions (kg CO2e) | 1 | estimated: ',
      '| SCI (kg CO2e per 1000 images) | 2.752 | estimated: ',
      '| Transfer energy, one download (kWh) | 0.118 | estimated: ',
      '| Transfer emissions, one download (kg CO2e) | 0.059 | estimated: ',
      'Extracting the features took: 63072 s. Energy, emissions and SCI include it.',
    ])
      assert.ok(
        lines.some((line) => line.startsWith(start)),
        start,
      );
  });

  test('of figures that only one configuration has', async () => {
    const [one, other] = await Promise.all([
      configuration('classifier', { name: 'A' }),
      configuration('classifier', { name: 'B', energy: { modelBytes: 1e9, intensity: 1000 } }),
    ]);
    const { 'tables.md': tables, 'report.html': page } = makeReport([one, other], { project: 'P', date: DATE }); // prettier-ignore
    assert.match(tables, /\| Transfer energy, one download \(kWh\) \| not known \| 0\.059 \|/);
    assert.match(page, /Transfer emissions, one download, g CO₂e<\/th><td>–<\/td><td>59<\/td>/);
  });
});

// The report of a training: tables that say what was measured, CSV in CodeCarbon's columns, plots, model card.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CSV_COLUMNS } from '../../../wasm/report/csv.js';
import { makeReport } from '../../../wasm/report/report.js';
import { TransferLearner } from '../../../wasm/train/node.js';
import { readJson, testData } from '../shared.js';

/** @param {Partial<import('../../../wasm/train/types.js').FitOptions>} options */
async function train(options = {}) {
  const learner = await TransferLearner.create();
  const features = Float32Array.from(
    { length: 400 },
    (_, i) => ((i * 7919) % 101) / 50 + (i % 40 < 10 ? 1 : 0),
  );
  learner.addFeatures(
    features,
    Array.from({ length: 40 }, (_, i) => (i % 4 === 0 ? 'warm' : 'a | b, "c"')),
  );
  await learner.fit({ epochs: 5, optimizer: 'sgd', validationSplit: 0.25, ...options });
  return learner;
}

/** @param {string} table */
const rowsOf = (table) =>
  table.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| ---'));

describe('a report', () => {
  test('of one fit has the card’s two tables', async () => {
    const learner = await train();
    const files = await learner.report({ energy: { intensity: 100, cpuPower: 20, ramPower: 4 } });
    assert.deepEqual(Object.keys(files), [
      'README.md',
      'report.html',
      'tables.md',
      'emissions.csv',
      'report.json',
      'loss.svg',
      'accuracy.svg',
      'emissions.svg',
    ]);
    assert.match(files['README.md'], /trained with ocelli on 20\d\d-\d\d-\d\d\.\n/);
    const rows = rowsOf(files['tables.md']).map((row) => row.split(' | ')[0].slice(2));
    assert.deepEqual(rows, [
      '',
      'Train accuracy',
      'Train validation accuracy',
      'Train loss',
      'Train validation loss',
      '',
      'Emissions (kg CO2e)',
      'Emissions rate (kg CO2e/s)',
      'CPU power (W)',
      'GPU power (W)',
      'RAM power (W)',
      'CPU energy (kWh)',
      'GPU energy (kWh)',
      'RAM energy (kWh)',
      'Energy consumed (kWh)',
      'Embodied emissions (kg CO2e)',
      'SCI (kg CO2e per 1000 images)',
    ]);
    for (const row of rowsOf(files['tables.md']).slice(6)) assert.match(row, /(measured|estimated): ./);
    const { account } = JSON.parse(files['report.json']).configurations[0].energy;
    assert.equal(account.energy_consumed, account.cpu_energy + account.gpu_energy + account.ram_energy);
    assert.ok(account.duration > 0);
    // 30 of 40 examples, in five epochs.
    assert.equal(JSON.parse(files['report.json']).configurations[0].energy.sci.images, 150);
    for (const heading of [
      'Model Details',
      'Uses',
      'Bias, Risks, and Limitations',
      'Training Details',
      'Evaluation',
    ])
      assert.ok(files['README.md'].includes(`## ${heading}`), heading);
    for (const field of ['Hardware Type', 'Hours used', 'Cloud Provider', 'Compute Region', 'Carbon Emitted'])
      assert.match(files['README.md'], new RegExp(`\\*\\*${field}:\\*\\* \\S`));
    assert.match(files['README.md'], /ML CO2 Impact calculator:\*\* \d/);
    learner.close();
  });

  test('compares configurations, and train and validation are different things', async () => {
    const configurations = [];
    for (const batchSize of [8, 16]) {
      const learner = await train({ batchSize });
      configurations.push(await learner.describeFit({ name: `Batch ${batchSize}` }));
      learner.close();
    }
    const files = makeReport(configurations, { project: 'test', date: new Date(0) });
    const [header, accuracy, validation] = rowsOf(files['tables.md']).map((row) =>
      row.split('|').map((s) => s.trim()),
    );
    assert.deepEqual(header.slice(2, 4), ['Batch 8', 'Batch 16']);
    configurations.forEach(({ history: { history } }, i) => {
      assert.equal(Number(accuracy[2 + i]), Number(history.accuracy.at(-1)?.toPrecision(5)));
      assert.equal(Number(validation[2 + i]), Number(history.val_accuracy.at(-1)?.toPrecision(5)));
    });
    assert.equal(files['loss.svg'].match(/<polyline/g)?.length, 4);
    assert.equal(files['emissions.svg'].match(/<rect/g)?.length, 3);
    for (const name of ['loss.svg', 'accuracy.svg', 'emissions.svg'])
      assert.ok(!/NaN|Infinity|undefined/.test(files[name]), name);
  });

  test('has no validation figures where nothing validated', async () => {
    const learner = await train({ validationSplit: 0 });
    const { 'tables.md': tables } = await learner.report();
    assert.match(tables, /Train validation loss \| not validated/);
    learner.close();
  });

  test('emissions.csv has CodeCarbon’s columns', async () => {
    assert.deepEqual([...CSV_COLUMNS], readJson(testData('energy/cases.json')).csv_columns);
    const learner = await train();
    const [header, row, end] = (await learner.report({ project: 'a "b", c' }))['emissions.csv'].split('\n');
    assert.deepEqual(header.split(','), CSV_COLUMNS);
    assert.match(row, /,"a ""b"", c",/);
    assert.equal(end, '');
    const place = header.split(',').indexOf('longitude');
    assert.equal(row.replace(/"([^"]|"")*"/g, 'x').split(',')[place], '');
    learner.close();
  });

  test('refuses options that it does not have, and values that it cannot write', async () => {
    const learner = await train();
    const refused = async (/** @type {any} */ options, /** @type {RegExp} */ message) =>
      assert.rejects(learner.report(options), { code: 'INVALID_OPTION', message });
    const names =
      'name, project, dataset, backbone, baseModel, license, file, date, energy, extractionSeconds';
    await refused({ country: 'FRA' }, new RegExp(`unknown option 'country'; the options are ${names}$`));
    await refused({ authors: 'x' }, /authors/);
    await refused({ energy: { country: 'XYZ' } }, /XYZ/);
    await refused({ license: 3 }, /license must be a string/);
    await refused({ date: '2031-02-03' }, /date must be a valid Date/);
    await refused({ date: new Date(NaN) }, /date must be a valid Date/);
    await refused({ baseModel: 'two words' }, /baseModel must be a name on the Hugging Face hub/);
    await refused({ extractionSeconds: -1 }, /extractionSeconds/);
    learner.close();
  });

  test('takes all its options', async () => {
    const learner = await train();
    const texts = { project: 'P 1', dataset: 'D 2', backbone: 'B 3', license: 'mit', file: 'f4.tflite' };
    const options = { ...texts, name: 'N 5', date: new Date('2031-02-03'), baseModel: 'o/n-6' };
    const { 'README.md': card, 'report.json': json } = await learner.report({
      ...options,
      extractionSeconds: 70,
    });
    for (const text of [...Object.values(texts), 'N 5', '2031-02-03', 'o/n-6', 'features took: 70 s'])
      assert.ok(card.includes(text), text);
    const { configurations, ...about } = JSON.parse(json);
    assert.deepEqual(about, { ...texts, baseModel: 'o/n-6', date: options.date.toISOString() });
    assert.equal(configurations[0].energy.extraction.seconds, 70);
    assert.equal(configurations[0].energy.account.duration, configurations[0].seconds + 70);
    learner.close();
  });
});

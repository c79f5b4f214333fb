// ISO/IEC 21031's formula, the transfer of a model and the extraction of features, by numbers that were computed by hand.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { estimateEnergy } from '../../../wasm/report/energy/estimate.js';

/** A thousandth of four years. */
const SECONDS = 126_144;
/** 0.1 kW for 35.04 hours are 3.504 kWh, 1.752 kg. */
const OPTIONS = { cpuPower: 90, ramPower: 10, intensity: 500 };
const WORK = { seconds: SECONDS, multiplyAdds: 1e9 };

/** @param {number | undefined} actual @param {number} expected */
const assertClose = (actual = NaN, expected) =>
  assert.ok(Math.abs(actual - expected) <= 1e-9 * Math.abs(expected), `${actual}, not ${expected}`);

/** @param {import('../../../wasm/report/energy/estimate.js').Energy} energy @param {string} key */
const figureOf = ({ figures }, key) => figures.find((figure) => figure.key === key);

describe('SCI', () => {
  /** @type {[options: object, images: number, embodied: number, sci: number][]} kg */
  const cases = [
    [{}, 500, 1, (1.752 + 1) / 0.5],
    [{}, 2_000, 1, (1.752 + 1) / 2],
    [{ embodied: 200 }, 1000, 0.2, 1.952],
    [{ lifetimeYears: 8 }, 1000, 0.5, 2.252],
    [{ machineShare: 0.25 }, 1000, 0.25, 2.002],
    [{ embodied: 300, lifetimeYears: 2, machineShare: 0.5 }, 1000, 0.3, 2.052],
    [{ embodied: 0 }, 1000, 0, 1.752],
    [{ pue: 2, embodied: 0 }, 1000, 0, 3.504],
  ];
  for (const [options, images, embodied, value] of cases)
    test(`of ${images} images, with ${JSON.stringify(options)}`, async () => {
      const energy = await estimateEnergy({ ...WORK, images }, {}, { ...OPTIONS, ...options });
      assertClose(energy.sci?.embodied, embodied);
      assertClose(energy.sci?.value, value);
      assert.deepEqual([energy.sci?.images, energy.sci?.operational], [images, energy.account.emissions]);
      for (const [key, number] of /** @type {const} */ ([
        ['embodied', embodied],
        ['sci', value],
      ]))
        // prettier-ignore
        assertClose(figureOf(energy, key)?.value, number);
    });

  test('is not there without images', async () => {
    for (const images of [undefined, 0]) {
      const energy = await estimateEnergy({ ...WORK, images }, {}, OPTIONS);
      assert.deepEqual(
        [energy.sci, figureOf(energy, 'sci'), energy.figures.length],
        [undefined, undefined, 9],
      );
    }
  });

  test('says what is given and what is assumed', async () => {
    const basisOf = async (/** @type {object} */ options) =>
      figureOf(await estimateEnergy({ ...WORK, images: 1 }, {}, { ...OPTIONS, ...options }), 'embodied')
        ?.basis;
    assert.equal(
      await basisOf({}),
      "1000 kg to make the machine (Teads' dataset of EC2 emissions, a server with one processor) * time / 4 years (the same dataset) * 1 of the machine",
    );
    assert.equal(
      await basisOf({ embodied: 5, lifetimeYears: 1, machineShare: 0.5 }),
      '5 kg to make the machine (given by the user) * time / 1 year (given by the user) * 0.5 of the machine',
    );
  });
});

describe('the transfer of a model', () => {
  /** @type {[options: object, energy: number, emissions: number][]} */
  const cases = [
    [{ modelBytes: 2e9 }, 0.118, 0.059],
    [{ modelBytes: 2e9, transferKwhPerGb: 0.1 }, 0.2, 0.1],
    [{ modelBytes: 0 }, 0, 0],
  ];
  for (const [options, energy, emissions] of cases)
    test(`of ${JSON.stringify(options)}`, async () => {
      const found = await estimateEnergy(WORK, {}, { ...OPTIONS, ...options });
      assertClose(found.transfer?.energy, energy);
      assertClose(found.transfer?.emissions, emissions);
      assertClose(figureOf(found, 'transfer_emissions')?.value, emissions);
      assert.match(figureOf(found, 'transfer_energy')?.basis ?? '', 'transferKwhPerGb' in options ? /given by the user/ : /Sustainable Web Design/); // prettier-ignore
    });

  test('takes what co2.js takes for the operation of the network', async () => {
    // It has no types.
    const { co2 } = await import(/** @type {string} */ ('@tgwf/co2'));
    const model = new co2({ model: 'swd', version: 4, results: 'segment' });
    const { networkOperationalCO2e: grams } = model.perByte(1e9);
    // Its intensity of the world.
    const { transfer } = await estimateEnergy(WORK, {}, { modelBytes: 1e9, intensity: 494 });
    assertClose((transfer?.emissions ?? 0) * 1000, grams);
  });
});

describe('the extraction of features', () => {
  const energyOf = (/** @type {object} */ work, /** @type {object} */ options = OPTIONS) =>
    estimateEnergy({ multiplyAdds: 1e9, seconds: 60, ...work }, {}, { intensity: 500, ...options });

  test('is part of all figures', async () => {
    const energy = await energyOf({ extraction: { seconds: 120 }, images: 10 });
    const whole = await energyOf({ seconds: 180, images: 10 });
    assert.equal(energy.account.duration, 180);
    assert.deepEqual([energy.account, energy.sci, energy.mlCo2], [whole.account, whole.sci, whole.mlCo2]);
    assert.match(figureOf(energy, 'cpu_energy')?.basis ?? '', /with 120 s of extracting features/);
    assert.doesNotMatch(figureOf(whole, 'cpu_energy')?.basis ?? '', /features/);
  });

  test('is taken to need the power that was measured after it', async () => {
    const joules = { cpu: 6000, ram: 600, source: 'a meter' };
    const energy = await energyOf({ joules, extraction: { seconds: 120 } }, {});
    // CodeCarbon's joules have six digits.
    assert.deepEqual(
      [energy.account.cpu_power, energy.account.ram_power].map((watts) => watts.toFixed(3)),
      ['100.000', '10.000'],
    );
    assert.equal((energy.account.cpu_energy * 3.6e6).toFixed(0), '18000');
    assert.deepEqual(
      [figureOf(energy, 'cpu_power')?.kind, figureOf(energy, 'cpu_power')?.basis],
      ['estimated', 'a meter, during the training; taken for the extraction of features too'],
    );
    assert.equal(figureOf(await energyOf({ joules }, {}), 'cpu_energy')?.kind, 'measured');
  });

  test('counts by its multiply-adds where the clock stands still', async () => {
    const work = { seconds: 0, multiplyAdds: 1e10, extraction: { seconds: 0, multiplyAdds: 3e10 } };
    assert.equal((await energyOf(work)).account.duration, 4);
    assert.equal((await energyOf({ ...work, extraction: { seconds: 0 } })).account.duration, 1);
  });
});

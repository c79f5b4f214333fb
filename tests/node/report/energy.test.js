// Every formula case that CodeCarbon's own classes made (tests/data/energy), and the meter on a made-up /sys.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  account,
  CONSTANT_FRACTION,
  countModules,
  GENERIC_TDP_WATTS,
  KWH_PER_JOULE,
  loadWatts,
  mlCo2Impact,
  ramWatts,
  toKwh,
  WATTS_PER_THREAD,
  WORLD_INTENSITY,
} from '../../../wasm/report/energy/codecarbon.js';
import { estimateEnergy } from '../../../wasm/report/energy/estimate.js';
import { describeMachine, startMeter } from '../../../wasm/report/energy/machine.node.js';
import { ObjectDetector } from '../../../wasm/platform/node.js';
import { readJson, testData } from '../shared.js';

/** @type {any} */
const data = readJson(testData('energy/cases.json'));

/** @param {number} actual @param {number} expected */
function assertClose(actual, expected, what = '') {
  assert.ok(Math.abs(actual - expected) <= 1e-9 * Math.abs(expected), `${what}: ${actual}, not ${expected}`);
}

/**
 * CodeCarbon's own intensity for a case that names a place.
 * @param {any} input
 */
function intensityOf({ intensity, country, region, cloud }, /** @type {any} */ output) {
  if (intensity !== undefined) return intensity;
  if (cloud) return (output.emissions / output.energy_consumed) * 1000;
  if (region) return data.carbon_intensity_regions_g_per_kwh[`${country}/${region}`];
  return data.carbon_intensity_g_per_kwh[country];
}

describe('CodeCarbon’s trackers', () => {
  for (const { name, input, output } of data.cases) {
    test(name, () => {
      const found = /** @type {any} */ (account({ ...input, intensity: intensityOf(input, output) }));
      for (const [key, value] of Object.entries(output)) assertClose(found[key], Number(value), key);
    });
  }
});

test('CodeCarbon’s constants and rules', () => {
  const { unit_conversions: units, cpu_constants: cpu } = data;
  assert.equal(KWH_PER_JOULE, units.joules_to_kwh);
  assertClose(3.6e6 * KWH_PER_JOULE, units.kwh_of_3600000_J);
  assertClose(toKwh(14, 330), units.kwh_of_14W_330s);
  assertClose(28 * CONSTANT_FRACTION, units.constant_mode_power_of_tdp_28);
  assertClose(GENERIC_TDP_WATTS * CONSTANT_FRACTION, units.generic_cpu_constant_watts);
  assert.equal(GENERIC_TDP_WATTS, cpu.generic_tdp_watts);
  assert.equal(CONSTANT_FRACTION, cpu.constant_mode_fraction);
  assert.equal(WATTS_PER_THREAD, cpu.watts_per_thread_unknown_model);
  assertClose(WORLD_INTENSITY, data.carbon_intensity_g_per_kwh.XXX);
  for (const { gb, dimms, watts } of data.ram_power_x86) {
    assert.equal(countModules(gb), dimms, `${gb} GB`);
    assertClose(ramWatts(gb), watts, `${gb} GB`);
  }
  for (const { gb, watts } of data.ram_power_arm) assertClose(ramWatts(gb, true), watts, `${gb} GB, ARM`);
  for (const { tdp, load_percent: load, watts } of data.cpu_load_machine_mode)
    assertClose(loadWatts(tdp, load / 100), watts);
});

describe('estimates', () => {
  const machine = { threads: 8, memoryGb: 16 };
  const work = { seconds: 100, multiplyAdds: 1e11 };

  test('say what they rest on, and the parts add up', async () => {
    const { figures, account: sums } = await estimateEnergy(work, machine);
    assert.deepEqual(
      figures.map(({ name }) => name),
      [
        'Emissions',
        'Emissions rate',
        'CPU power',
        'GPU power',
        'RAM power',
        'CPU energy',
        'GPU energy',
        'RAM energy',
        'Energy consumed',
      ],
    );
    assert.ok(figures.every(({ kind, basis }) => kind === 'estimated' && basis !== ''));
    assert.equal(sums.cpu_power, 16);
    assert.equal(sums.ram_power, 10);
    assertClose(sums.energy_consumed, sums.cpu_energy + sums.gpu_energy + sums.ram_energy);
    assertClose(sums.energy_consumed, (26 * 100) / 3.6e6);
    assertClose(sums.emissions, sums.energy_consumed * 0.475);
  });

  test('take what the user knows', async () => {
    const options = { cpuTdp: 28, ramPower: 0.46661, intensity: 173.7 };
    const { account: sums, mlCo2 } = await estimateEnergy({ ...work, seconds: 329.5 }, machine, options);
    // The published card's figures, which its energy of "2.3" does not fit.
    assert.equal(sums.cpu_power, 14);
    assert.equal(sums.emissions.toFixed(5), '0.00023');
    assert.equal(sums.energy_consumed.toFixed(4), '0.0013');
    assertClose(mlCo2.emissions, mlCo2Impact(28, 329.5 / 3600, 173.7).emissions);
  });

  test('a measured energy stays what it is', async () => {
    const joules = { cpu: 3.6e6, ram: 1.8e6, source: 'a meter' };
    const { account: sums, figures } = await estimateEnergy({ ...work, joules }, machine);
    assertClose(sums.cpu_energy, 1.0000008);
    assertClose(sums.ram_energy, 0.5000004);
    assert.equal(figures.find(({ key }) => key === 'cpu_energy')?.kind, 'measured');
  });

  test('where the clock stands still, multiply-adds tell', async () => {
    const { account: sums, figures } = await estimateEnergy({ seconds: 0, multiplyAdds: 5e10 }, {});
    assert.equal(sums.duration, 5);
    assert.match(figures[5].basis, /clock stands still/);
  });

  test('a country has its intensity, and an unknown one is refused', async () => {
    const { intensity } = await estimateEnergy(work, machine, { country: 'FRA' });
    assert.ok(intensity.value > 10 && intensity.value < 100);
    assert.match(intensity.source, /Ember/);
    await assert.rejects(estimateEnergy(work, machine, { country: 'Atlantis' }), { code: 'INVALID_OPTION' });
    await assert.rejects(estimateEnergy(work, machine, /** @type {any} */ ({ watts: 3 })), {
      code: 'INVALID_OPTION',
    });
  });

  /** @type {[option: string, least: number, most: number, beyond?: number][]} */
  const ranges = [
    ['pue', 1, 1e6],
    ...['wue', 'cpuTdp', 'cpuPower', 'ramPower', 'intensity', 'embodied', 'transferKwhPerGb'].map(
      (option) => /** @type {[string, number, number]} */ ([option, 0, 1e6]),
    ),
    ['lifetimeYears', 0.01, 100],
    ['machineShare', 0, 1],
    ['modelBytes', 0, 2 ** 53 - 1, 2 ** 53],
  ];
  for (const [option, least, most, beyond = most + 1] of ranges)
    test(`${option} is from ${least} to ${most}`, async () => {
      for (const value of [least, most]) assert.ok(await estimateEnergy(work, machine, { [option]: value }));
      for (const value of [least - 0.001, beyond, NaN])
        await assert.rejects(estimateEnergy(work, machine, { [option]: value }), { code: 'INVALID_OPTION' });
    });
});

test('RAPL counters are read at both ends, and may wrap', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'powercap-'));
  t.after(() => rm(directory, { recursive: true }));
  /** @param {string} zone @param {string} name @param {number} energy */
  const write = async (zone, name, energy) => {
    await mkdir(join(directory, zone), { recursive: true });
    await writeFile(join(directory, zone, 'name'), `${name}\n`);
    await writeFile(join(directory, zone, 'energy_uj'), `${energy}\n`);
    await writeFile(join(directory, zone, 'max_energy_range_uj'), '1000000000\n');
  };
  await write('intel-rapl:0', 'package-0', 999_000_000);
  await write('intel-rapl:0:0', 'core', 5);
  await write('intel-rapl:0:1', 'dram', 1_000_000);
  await write('intel-rapl:1', 'psys', 7);
  const stop = await startMeter(directory);
  await write('intel-rapl:0', 'package-0', 2_000_000);
  await write('intel-rapl:0:1', 'dram', 3_500_000);
  const joules = await stop?.();
  assert.equal(joules?.cpu, 3);
  assert.equal(joules?.ram, 2.5);
  assert.equal(await startMeter(join(directory, 'nowhere')), undefined);
});

test('the machine describes itself', async () => {
  const { threads = 0, memoryGb = 0 } = await describeMachine();
  assert.ok(threads >= 1 && memoryGb > 0.1);
});

test('a detector reports the energy of its runs', async () => {
  const detector = await ObjectDetector.create();
  const image = { data: new Uint8Array(32 * 32 * 3), width: 32, height: 32 };
  await detector.detect(image);
  const { account: once } = await detector.report({ cpuPower: 10, ramPower: 5, intensity: 100 });
  await detector.detect(image);
  const { account: twice, figures } = await detector.report({ cpuPower: 10, ramPower: 5, intensity: 100 });
  assert.ok(twice.duration > once.duration);
  assertClose(twice.energy_consumed, (15 * twice.duration) / 3.6e6);
  assert.equal(figures.length, 11);
  const { sci, transfer } = await detector.report({ embodied: 0, modelBytes: 1000 });
  assert.equal(sci?.images, 2);
  assertClose(sci?.value ?? NaN, sci.operational * 500);
  assert.equal(transfer?.bytes, 1000);
  detector.close();
  await assert.rejects(detector.report(), { code: 'CLOSED' });
});

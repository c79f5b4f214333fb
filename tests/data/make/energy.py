"""
What CodeCarbon computes: its offline tracker under a clock of ours with given watts, its tables and its rules for powers.
The numbers of the cases are read back from the emissions.csv that it wrote.
"""

import csv
import itertools
import json
import logging
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path

import codecarbon
import codecarbon.emissions_tracker
import codecarbon.external.hardware as hardware
from codecarbon.core.emissions import Emissions
from codecarbon.core.units import EmissionsPerKWh, Energy, Power, Time
from codecarbon.external.geography import GeoMetadata
from codecarbon.external.ram import RAM
from codecarbon.input import DataSource

DATA = Path(__file__).resolve().parent.parent
NUMBERS = (
    "duration emissions emissions_rate cpu_power gpu_power ram_power cpu_energy gpu_energy ram_energy energy_consumed "
    "water_consumed pue wue"
).split()


class Clock:
    """Stands in for the module time, in CodeCarbon only."""

    now = 0.0

    def perf_counter(self):
        return Clock.now

    def __getattr__(self, name):
        return getattr(time, name)


class FixedGpu(hardware.GPU):
    def __init__(self, watts):
        self.power = Power.from_watts(watts)

    def start(self):
        pass

    def measure_power_and_energy(self, last_duration):
        return self.power, Energy.from_power_and_time(power=self.power, time=Time.from_seconds(last_duration))

    def total_power(self):
        return self.power


class Idle:
    """In place of the schedulers: intervals end when the case says so."""

    def start(self):
        pass

    def stop(self):
        pass


class FixedLoad:
    def __init__(self, percent):
        self.value = percent

    def percent(self):
        return self.value


def constant_cpu(watts):
    tdp = watts / hardware.CONSUMPTION_PERCENTAGE_CONSTANT
    return hardware.CPU(output_dir=".", mode="constant", model="x", tdp=tdp)


def per_interval(value, durations):
    return value if isinstance(value, list) else [value] * len(durations)


def track(cpu, ram, gpu, durations, intensity=None, pue=1.0, wue=0.0, country="USA", region=None, cloud=None):
    """A row of emissions.csv. cpu, ram, gpu: watts, one number or one for each interval; durations in seconds."""
    options = {}
    if intensity is not None:
        options["force_carbon_intensity_g_co2e_kwh"] = intensity
    if cloud:
        options["cloud_provider"], options["cloud_region"] = cloud
    watts = zip(*(per_interval(value, durations) for value in (cpu, ram, gpu)))
    parts = [[RAM(force_ram_power=r), constant_cpu(c), *([FixedGpu(g)] if gpu else [])] for c, r, g in watts]
    with tempfile.TemporaryDirectory() as folder:
        tracker = codecarbon.OfflineEmissionsTracker(
            country_iso_code=country,
            region=region,
            output_dir=folder,
            measure_power_secs=10**6,
            log_level="critical",
            allow_multiple_runs=True,
            pue=pue,
            wue=wue,
            force_cpu_power=1,
            force_ram_power=1,
            save_to_file=True,
            tracking_mode="machine",
            **options,
        )
        Clock.now = 0.0
        tracker._ensure_hardware_ready()
        tracker._scheduler = tracker._scheduler_monitor_power = Idle()
        tracker._hardware = parts[0]
        tracker._start_time = tracker._last_measured_time = Clock.now
        tracker._do_measurements()  # start() begins with one of no length
        for now, seconds in zip(parts[:-1], durations):
            tracker._hardware = now
            Clock.now += seconds
            tracker._measure_power_and_energy()
        tracker._hardware = parts[-1]
        Clock.now += durations[-1]
        tracker.stop()
        with open(Path(folder) / "emissions.csv") as file:
            return next(csv.DictReader(file))


def cases():
    """Name, note, what track() takes."""
    card = dict(cpu=14.0, ram=0.46661, gpu=None, durations=[329.5])
    yield "one_hour_round_numbers", "", dict(cpu=100.0, ram=10.0, gpu=250.0, durations=[3600.0], intensity=500.0)
    yield "cpu_only", "", dict(cpu=14.0, ram=0.0, gpu=None, durations=[330.0], intensity=475.0)
    yield "card_like", "emissions round to a published card's 0.00023", dict(**card, intensity=173.7)
    yield "card_like_world", "the same with the world average", dict(**card, intensity=475.0)
    for w, s, i in itertools.product((7.5, 42.5), (0.25, 61.7), (56.039, 713.441)):
        yield f"grid_cpu{w}_s{s}_i{i}", "", dict(cpu=w, ram=3.0, gpu=None, durations=[s], intensity=i)
    given = dict(cpu=100.0, ram=10.0, gpu=250.0, durations=[1800.0], intensity=400.0, pue=1.58)
    yield "pue_1_58", "pue multiplies every power and energy that is reported", given
    given = dict(cpu=20.0, ram=10.0, gpu=None, durations=[1234.5], intensity=369.473, pue=1.2, wue=1.8)
    yield "pue_wue", "", given
    given = dict(cpu=[10.0, 20.0, 60.0], ram=5.0, gpu=None, durations=[15.0, 15.0, 15.0], intensity=300.0)
    yield "intervals_even", "cpu_power is the mean over measurements, the first of no length included", given
    given = dict(cpu=[10.0, 90.0], ram=5.0, gpu=[0.0, 200.0], durations=[5.0, 55.0], intensity=300.0)
    yield "intervals_uneven", "mean power is not energy by time", given
    yield "long", "", dict(cpu=125.0, ram=40.0, gpu=700.0, durations=[86400.0 * 3], intensity=44.18, pue=1.1)
    yield "tiny", "", dict(cpu=3.3, ram=0.375, gpu=None, durations=[0.06], intensity=475.0)
    given = dict(cpu=50.0, ram=10.0, gpu=None, durations=[600.0])
    yield "country_from_table", "no intensity: the country's", dict(**given, country="FRA")
    yield "us_state", "", dict(**given, country="USA", region="california")
    yield "gcp_region", "", dict(**given, country="USA", cloud=["gcp", "us-central1"])


def intensity(country, region=None):
    """Grams a kWh."""
    place = GeoMetadata(country_iso_code=country, country_name=country, region=region)
    return Emissions(DataSource()).get_private_infra_emissions(Energy(1.0), place) * 1000


def ram_powers(is_arm):
    ram = RAM()
    ram.is_arm_cpu = is_arm
    sizes = [0.5, 1, 2, 2.5, 4, 8, 12, 16, 24, 32, 48, 64, 65, 96, 128, 192, 256, 384, 512, 1024, 2048]
    return [{"gb": gb, "dimms": ram._estimate_dimm_count(gb), "watts": ram._calculate_ram_power(gb)} for gb in sizes]


def load_powers():
    for tdp, percent in itertools.product((28.0, 65.0), (0.0, 10.0, 25.0, 50.0, 75.0, 100.0)):
        cpu = hardware.CPU(output_dir=".", mode=hardware.MODE_CPU_LOAD, model="x", tdp=tdp)
        cpu._cpu_load_meter = FixedLoad(percent)
        yield {"tdp": tdp, "load_percent": percent, "watts": cpu._get_power_from_cpu_load().W}


def unit_conversions():
    generic = hardware.CPU.from_utils(".", "constant", model="x")
    watts_seconds = Energy.from_power_and_time(power=Power.from_watts(14.0), time=Time.from_seconds(330.0))
    return {
        "joules_to_kwh": Energy.JOULES_TO_KWH,
        "kwh_of_3600000_J": Energy.from_millijoules(3.6e9).kWh,
        "kwh_of_14W_330s": watts_seconds.kWh,
        "kg_per_kwh_of_1000_lbs_per_MWh": EmissionsPerKWh.from_lbs_per_mWh(1000).kgs_per_kWh,
        "kg_per_kwh_of_475_g": EmissionsPerKWh.from_g_per_kWh(475).kgs_per_kWh,
        "constant_mode_power_of_tdp_28": constant_cpu(14.0)._get_power_from_cpus().W,
        "generic_cpu_constant_watts": generic._get_power_from_cpus().W,
    }


COUNTRIES = "USA IND FRA DEU GBR CAN CHN SWE BRA POL JPN AUS ZAF NOR ISL XXX".split()
REGIONS = ["USA/california", "USA/west virginia", "CAN/quebec", "CAN/alberta", "SWE/SE1", "CHN/beijing"]


def main():
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=DATA / "energy", help="folder to write (default: %(default)s)")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    logging.disable(logging.CRITICAL)
    codecarbon.emissions_tracker.time = Clock()
    rows = [(name, note, given, track(**given)) for name, note, given in cases()]
    found = {
        "generator": {"codecarbon": codecarbon.__version__},
        "csv_columns": list(rows[0][3]),
        "cases": [
            {"name": name, "note": note, "input": given, "output": {key: float(row[key]) for key in NUMBERS}}
            for name, note, given, row in rows
        ],
        "unit_conversions": unit_conversions(),
        "ram_power_x86": ram_powers(False),
        "ram_power_arm": ram_powers(True),
        "cpu_load_machine_mode": list(load_powers()),
        "cpu_constants": {
            "generic_tdp_watts": hardware.POWER_CONSTANT,
            "constant_mode_fraction": hardware.CONSUMPTION_PERCENTAGE_CONSTANT,
            # of a CPU whose model is not in the table; CodeCarbon has no name for it
            "watts_per_thread_unknown_model": 4,
        },
        "carbon_intensity_g_per_kwh": {country: intensity(country) for country in COUNTRIES},
        "carbon_intensity_regions_g_per_kwh": {place: intensity(*place.split("/")) for place in REGIONS},
    }
    (out / "cases.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

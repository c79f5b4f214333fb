"""What the generators share: TFLite's converter and interpreter, random numbers by name, and files as the tests read them."""

import argparse
import json
import os
import zlib
from pathlib import Path

# Before TensorFlow is loaded: the same sums in the same order on every machine.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

DATA = Path(__file__).resolve().parent.parent
Resolver = tf.lite.experimental.OpResolverType

# TFLite's three sets of kernels.
XNNPACK = Resolver.BUILTIN
BUILTIN = Resolver.BUILTIN_WITHOUT_DEFAULT_DELEGATES
REFERENCE = Resolver.BUILTIN_REF


def parse_folder(description, name):
    """The folder to write: --out NAME, else tests/data/NAME; made if it is not there."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--out", type=Path, default=DATA / name, help="folder to write (default: %(default)s)")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    return out


def random(name):
    """Random numbers that depend on nothing but the name."""
    return np.random.default_rng(zlib.crc32(name.encode()))


def write_array(path, array):
    """Raw, little-endian, C order."""
    array = np.ascontiguousarray(array)
    path.write_bytes(array.astype(array.dtype.newbyteorder("<")).tobytes())


def write_json(path, value):
    path.write_text(json.dumps(value, indent=1) + "\n")


def quantization(tensor):
    """Scale and zero point of a tensor's details; 0, 0 of a float."""
    scale, zero_point = tensor["quantization"]
    return [float(scale), int(zero_point)]


def quantize(real, tensor):
    """Real numbers as the tensor stores them, rounded to the nearest, ties to even."""
    if tensor["dtype"] == np.bool_:
        return real > 0
    if tensor["quantization"][0] == 0:
        return real.astype(tensor["dtype"])
    scale, zero_point = tensor["quantization"]
    limits = np.iinfo(tensor["dtype"])
    stored = np.rint(real.astype(np.float32) / np.float32(scale)) + zero_point
    return np.clip(stored, limits.min, limits.max).astype(tensor["dtype"])


def interpreter(model, kernels):
    result = tf.lite.Interpreter(model_content=model, experimental_op_resolver_type=kernels, num_threads=1)
    result.allocate_tensors()
    return result


def run(model, stored, kernels):
    """All outputs of one run, by their order in the file."""
    engine = interpreter(model, kernels)
    engine.set_tensor(engine.get_input_details()[0]["index"], stored)
    engine.invoke()
    return [engine.get_tensor(tensor["index"]).copy() for tensor in engine.get_output_details()]


def difference(a, b):
    """Largest absolute difference."""
    return float(np.max(np.abs(a.astype(np.float64) - b.astype(np.float64)), initial=0))


def operator_names(model):
    return [op["op_name"] for op in interpreter(model, BUILTIN)._get_ops_details()]


def convert(converter, kind, representative, per_channel=True):
    """
    A .tflite file by a TFLiteConverter.
    kind: fp32, fp16, dynamic (8-bit weights), int8, uint8io (int8 between unsigned 8-bit ends), uint8in (the same with float
    outputs), int8float (int8 between float ends). representative: real inputs that show the ranges.
    """
    if kind == "fp32":
        return converter.convert()
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "fp16":
        converter.target_spec.supported_types = [tf.float16]
    elif kind != "dynamic":
        converter.representative_dataset = lambda: ([x] for x in representative)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        ends = {"int8": [tf.int8] * 2, "uint8io": [tf.uint8] * 2, "uint8in": [tf.uint8, tf.float32]}
        converter.inference_input_type, converter.inference_output_type = ends.get(kind, [tf.float32] * 2)
        converter._experimental_disable_per_channel = not per_channel
    return converter.convert()

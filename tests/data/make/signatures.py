"""Files with two signatures, as TensorFlow's converter writes them: `signatures/`."""

from common import REFERENCE, parse_folder, random, write_json

import tempfile

import numpy as np
import tensorflow as tf

SIDE = 24


class Model(tf.Module):
    """Features, and classes from them. The signatures' names are in the order in which the converter stores them."""

    def __init__(self):
        super().__init__()
        self.kernel = tf.constant(random("signatures kernel").normal(size=(3, 3, 3, 8)).astype(np.float32))
        self.dense = tf.constant(random("signatures dense").normal(size=(8, 3)).astype(np.float32))

    @tf.function(input_signature=[tf.TensorSpec([1, SIDE, SIDE, 3], tf.float32)])
    def embed(self, x):
        return {"features": tf.reduce_mean(tf.nn.relu(tf.nn.conv2d(x, self.kernel, 2, "SAME")), [1, 2])}

    @tf.function(input_signature=[tf.TensorSpec([1, SIDE, SIDE, 3], tf.float32)])
    def classify(self, x):
        return {"probabilities": tf.nn.softmax(self.embed(x)["features"] @ self.dense)}


class Backbones(tf.Module):
    """Two feature extractors with other layers and other numbers of features."""

    def __init__(self):
        super().__init__()
        draw = lambda name, *shape: tf.constant(random(f"signatures {name}").normal(size=shape).astype(np.float32))
        self.narrow = draw("narrow", 3, 3, 3, 6)
        self.wide = [draw("wide", 3, 3, 3, 8), draw("wide pointwise", 1, 1, 8, 10)]

    @tf.function(input_signature=[tf.TensorSpec([1, SIDE, SIDE, 3], tf.float32)])
    def features6(self, x):
        return {"features": tf.reduce_mean(tf.nn.relu(tf.nn.conv2d(x, self.narrow, 2, "SAME")), [1, 2])}

    @tf.function(input_signature=[tf.TensorSpec([1, SIDE, SIDE, 3], tf.float32)])
    def features10(self, x):
        first, second = self.wide
        middle = tf.nn.relu6(tf.nn.conv2d(x, first, 2, "SAME"))
        return {"features": tf.reduce_mean(tf.nn.conv2d(middle, second, 1, "SAME"), [1, 2])}


def write(out, model, keys):
    """Writes the file, and gives each signature's result."""
    with tempfile.TemporaryDirectory() as folder:
        functions = {key: getattr(model, key).get_concrete_function() for key in keys}
        tf.saved_model.save(model, folder, signatures=functions)
        file = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=keys).convert()
    out.write_bytes(file)
    interpreter = tf.lite.Interpreter(model_content=file, experimental_op_resolver_type=REFERENCE)
    pixels = (np.arange(SIDE * SIDE * 3).reshape(1, SIDE, SIDE, 3) * 37 % 256).astype(np.float32)
    results = {}
    for key in keys:
        runner = interpreter.get_signature_runner(key)
        results[key] = next(iter(runner(x=pixels / 127.5 - 1).values()))[0].tolist()
    return results


def main():
    out = parse_folder(__doc__, "signatures")
    results = write(out / "two.tflite", Model(), ["classify", "embed"])
    backbones = write(out / "backbones.tflite", Backbones(), ["features10", "features6"])
    write_json(
        out / "expected.json",
        {"pixel": "i * 37 % 256 at byte i", "input": [1 / 127.5, -1], "results": results, "backbones": backbones},
    )


if __name__ == "__main__":
    main()

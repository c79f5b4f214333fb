"""
One small Keras network as the formats that ocelli converts: a SavedModel, a TensorFlow.js layers model and a graph model, with
TensorFlow's answers to the three pictures of models/.
"""

import shutil
import sys
from unittest.mock import MagicMock

import common
import models
from common import np, tf

# TensorFlow.js's converter loads these for formats that are not made here.
for package in ("tensorflow_decision_forests", "jax", "jax.experimental", "flax"):
    sys.modules[package] = MagicMock()

import tensorflowjs

SPEC = models.ONE_TO_ONE


def main():
    out = common.parse_folder(__doc__, "convert")
    pictures = (models.make_pictures() * np.float32(SPEC[0]) + np.float32(SPEC[1])).astype(np.float32)
    network = models.randomize(models.small_classifier(), "small_classifier", pictures)
    saved = out / "keras2_small_classifier"
    for folder in out.glob("*_small_classifier*"):
        shutil.rmtree(folder) if folder.is_dir() else folder.unlink()
    # With the signature that Keras gives it, less the traces of every layer, which are most of the file.
    inputs = tf.TensorSpec([None, models.SIDE, models.SIDE, 3], name="input_1")
    serving = tf.function(lambda input_1: {"dense": network(input_1)}, input_signature=[inputs])
    network.save(saved, include_optimizer=False, save_traces=False, signatures=serving)
    (saved / "keras_metadata.pb").unlink()  # Keras' own, which no converter reads
    tensorflowjs.converters.save_keras_model(network, str(out / "tfjs_layers_small_classifier"))
    tensorflowjs.converters.convert_tf_saved_model(str(saved), str(out / "tfjs_small_classifier"))
    common.write_array(out / "small_classifier.output.bin", network(pictures).numpy())


if __name__ == "__main__":
    main()

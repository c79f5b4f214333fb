"""Writes tests/data/convert/keras/: Keras' own files with every layer that the converter reads, and Keras' outputs.

Run it twice: with TensorFlow 2.15 (Keras 2) for keras2.h5 and keras2.keras, and with Keras 3 for keras3.h5,
keras3.keras, two exports, and small_keras3.h5: arithmetic with numbers, GELU, and a weight without a name. Keras 3.15 exports a model with augmentation layers as in training: augmented_export/ changes images at random,
training_export/ also normalizes by the statistics of the batch.
"""
import pathlib
import shutil

import numpy as np

import keras

layers = keras.layers
IS_KERAS_3 = keras.__version__.startswith("3")
FOLDER = pathlib.Path(__file__).parents[1] / "convert" / "keras"
random = np.random.default_rng(7)


def network():
    twice = keras.Sequential(
        [keras.Input((9, 7, 6)), layers.Conv2D(6, 3, padding="same", name="conv"), layers.LeakyReLU(0.1)], name="inner"
    )
    image = keras.Input((20, 16, 3), name="image")
    x = layers.RandomFlip("horizontal", name="flip")(image)
    x = layers.RandomZoom(0.1, name="zoom")(x)
    x = keras.applications.mobilenet_v2.preprocess_input(x)
    x = layers.Conv2D(6, (3, 2), strides=(2, 2), padding="same", use_bias=False, name="conv")(x)
    x = layers.BatchNormalization(scale=False)(x)
    x = layers.ReLU(max_value=1.5)(x)
    x = layers.ZeroPadding2D(((0, 1), (1, 0)))(x)
    x = layers.DepthwiseConv2D(3, depth_multiplier=1)(x)
    x = layers.BatchNormalization(center=False)(x)
    x = layers.Activation("hard_sigmoid")(x)
    x = twice(twice(x))
    x = layers.PReLU(shared_axes=[1, 2])(x)
    y = layers.SeparableConv2D(6, 3, depth_multiplier=2, padding="same", activation="swish")(x)
    x = layers.Average()([x, layers.Multiply()([y, x]), layers.Maximum()([x, y])])
    gate = layers.Dense(6, activation="tanh")(layers.GlobalMaxPooling2D(keepdims=True)(x))
    x = layers.Add()([x, gate])
    x = layers.Cropping2D(((1, 0), (0, 1)))(x)
    x = layers.UpSampling2D((1, 2))(x)
    x = layers.UpSampling2D(2, interpolation="bilinear")(x)
    x = layers.AveragePooling2D((2, 3), strides=(2, 1), padding="same")(layers.MaxPooling2D(2)(x))
    x = layers.Concatenate()([layers.Dense(4, activation="relu")(x), layers.Subtract()([x, x])])
    x = layers.Permute((3, 1, 2))(x)
    x = layers.Reshape((-1, 4))(x)
    x = layers.Dense(3)(x)
    x = layers.Dropout(0.5)(layers.Flatten()(x))
    return keras.Model(image, layers.Dense(5, activation="softmax", name="scores")(x))


def randomize(model):
    for weight in model.weights:
        value = weight.numpy()
        name = weight.name
        if "seed" in name:
            continue
        if "variance" in name:
            weight.assign(random.uniform(0.5, 2, value.shape))
        elif "gamma" in name:
            weight.assign(random.uniform(0.5, 1.5, value.shape))
        else:
            weight.assign(random.normal(0, 0.4, value.shape))


model = network()
randomize(model)
FOLDER.mkdir(parents=True, exist_ok=True)
pixels = np.random.default_rng(1).integers(0, 256, (2, 20, 16, 3)).astype("uint8")
pixels.tofile(FOLDER / "input.u8.bin")
name = "keras3" if IS_KERAS_3 else "keras2"
np.asarray(model(pixels.astype("float32"), training=False)).astype("float32").tofile(FOLDER / f"{name}.output.f32.bin")
model.save(FOLDER / f"{name}.keras")
model.save(FOLDER / f"{name}.h5")


def export(name, *inner):
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    augmentation = keras.Sequential([layers.RandomFlip("horizontal", name="flip"), layers.RandomRotation(0.1, name="turn")])
    exported = keras.Sequential(
        [keras.Input((20, 16, 3)), augmentation, layers.Rescaling(1 / 255), *inner, layers.GlobalAveragePooling2D()]
    )
    randomize(exported)
    exported.export(folder, verbose=False)
    (folder / "fingerprint.pb").unlink(missing_ok=True)
    np.asarray(exported(pixels.astype("float32"), training=False)).astype("float32").tofile(FOLDER / f"{name}.f32.bin")


if IS_KERAS_3:
    export("augmented_export", layers.Conv2D(4, 3))
    export("training_export", layers.Conv2D(4, 3), layers.BatchNormalization())


def small():
    from keras.src.applications.convnext import LayerScale

    image = keras.Input((20, 16, 3), name="image")
    x = layers.Conv2D(4, 3, strides=4, activation="gelu", name="conv")(image)
    x = layers.LayerNormalization(epsilon=1e-6, name="norm")(x)
    x = layers.Multiply(name="gate")([LayerScale(1, 4, name="first")(x), LayerScale(1, 4, name="second")(x)])
    x = layers.ReLU(6.0, name="bounded")(x + 3.0) * (1.0 / 6.0) - x
    return keras.Model(image, layers.GlobalAveragePooling2D(name="mean")(x))


if IS_KERAS_3:
    model = small()
    randomize(model)
    inputs = pixels.astype("float32") / 255
    np.asarray(model(inputs, training=False)).astype("float32").tofile(FOLDER / "small_keras3.output.f32.bin")
    model.save(FOLDER / "small_keras3.h5")

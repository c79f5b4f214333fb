"""
Blocks of MobileNetV3 and EfficientNet in training: two small networks, and trajectories of their last blocks with frozen and
with live batch norm.
"""

import common
from common import np, tf
from train import DEFAULTS, Recorded, Recorder, make_optimizer, to_floats, write

keras = tf.keras
layers = keras.layers
SIDE, CLASSES, TRAIN, VALIDATION, BATCH, EPOCHS = 32, 3, 24, 6, 8, 3
MOMENTUM = 0.9
NORM = ("gamma", "beta", "moving_mean", "moving_variance")


# ---- the networks


def hard_sigmoid(x):
    return layers.ReLU(6.0)(x + 3.0) * (1.0 / 6.0)


def hard_swish(x):
    return layers.Multiply()([x, hard_sigmoid(x)])


def swish(x):
    return layers.Activation("swish")(x)


def sigmoid(x):
    return layers.Activation("sigmoid")(x)


def relu(x):
    return layers.ReLU()(x)


# Activation, that of the squeezed mean, the gate's, and whether the mean is a vector between.
MOBILENET = (hard_swish, relu, hard_sigmoid, False)
EFFICIENT = (swish, swish, sigmoid, True)


def normalized(x, layer):
    return layers.BatchNormalization(momentum=MOMENTUM, epsilon=1e-3, name=f"{layer.name}_bn")(layer(x))


def block(x, name, kind, *, expand=0, size=3, stride=1, out, squeezed=4, first=None):
    act, of_mean, gate, is_flat = kind
    act = first or act
    y = x
    if expand:
        y = act(normalized(y, layers.Conv2D(expand, 1, use_bias=False, name=f"{name}_expand")))
    depthwise = layers.DepthwiseConv2D(size, stride, "same", use_bias=False, name=f"{name}_depthwise")
    y = act(normalized(y, depthwise))
    if squeezed:
        mean = layers.GlobalAveragePooling2D(keepdims=not is_flat)(y)
        mean = layers.Reshape((1, 1, y.shape[-1]))(mean) if is_flat else mean
        mean = of_mean(layers.Conv2D(squeezed, 1, name=f"{name}_reduce")(mean))
        y = layers.Multiply()([y, gate(layers.Conv2D(y.shape[-1], 1, name=f"{name}_excite")(mean))])
    y = normalized(y, layers.Conv2D(out, 1, use_bias=False, name=f"{name}_project"))
    return layers.Add()([x, y]) if stride == 1 and x.shape[-1] == out else y


def network(kind):
    """Four blocks; the first has no expansion."""
    x = keras.Input((SIDE, SIDE, 3), name="image")
    y = kind[0](normalized(x, layers.Conv2D(8, 3, 2, "same", use_bias=False, name="stem")))
    is_v3 = kind is MOBILENET
    y = block(y, "a", kind, stride=2, out=8, first=relu if is_v3 else None)
    y = block(y, "b", kind, expand=16, size=5 if is_v3 else 3, stride=2, out=12, squeezed=0 if is_v3 else 4)
    y = block(y, "c", kind, expand=24, size=5, out=12)
    y = block(y, "d", kind, expand=24, size=5 if is_v3 else 3, out=16)
    y = kind[0](normalized(y, layers.Conv2D(24, 1, use_bias=False, name="top")))
    return keras.Model(x, layers.GlobalAveragePooling2D(name="features")(y))


# In the trainer's order; the last three blocks.
PARTS = ("expand", "depthwise", "reduce", "excite", "project")


def tail_layers(model):
    names = [f"{b}_{part}" for b in "bcd" for part in PARTS] + ["top"]
    return [model.get_layer(name) for name in names if any(layer.name == name for layer in model.layers)]


def set_weights(model, random):
    for layer in model.layers:
        found = [variable.name.split("/")[-1].split(":")[0] for variable in layer.weights]
        values = []
        for name, variable in zip(found, layer.weights):
            shape = variable.shape
            noise = random.standard_normal(shape)
            fan_in = np.prod(shape[:2]) if "depthwise" in name else np.prod(shape[:-1])
            values.append(
                {
                    "gamma": lambda: 1 + 0.2 * noise,
                    "beta": lambda: 0.3 * noise,
                    "moving_mean": lambda: 0 * noise,
                    "moving_variance": lambda: 0 * noise + 1,
                    "bias": lambda: 0.3 * noise,
                }.get(name, lambda: noise * np.sqrt(1.6 / fan_in))()
            )
        layer.set_weights([value.astype(np.float32) for value in values])


def fit_statistics(model, images, random):
    """Moving statistics near those of the images, as a trained network has."""
    for layer in model.layers:
        if not isinstance(layer, layers.BatchNormalization):
            continue
        plane = keras.Model(model.input, layer.input).predict(images, verbose=0)
        gamma, beta, *_ = layer.get_weights()
        channels = len(gamma)
        mean = plane.mean((0, 1, 2)) + 0.1 * plane.std((0, 1, 2)) * random.standard_normal(channels)
        variance = plane.var((0, 1, 2)) * np.exp(0.15 * random.standard_normal(channels))
        layer.set_weights([gamma, beta, mean.astype(np.float32), variance.astype(np.float32)])


# ---- trajectories


def to_parts(model, values_of):
    """Layer by layer: kernel, then bias or batch norm."""
    found = []
    for layer in tail_layers(model):
        norm = [v for v in model.layers if v.name == f"{layer.name}_bn"]
        variables = layer.weights if layer.use_bias else layer.weights + norm[0].weights
        found += [np.asarray(values_of(variable)).ravel() for variable in variables]
    dense = model.get_layer("dense")
    return np.concatenate(found + [np.asarray(values_of(variable)).ravel() for variable in dense.weights])


def fit(out, name, backbone, kernel, images, labels, is_frozen):
    backbone.trainable = True
    tail = {layer.name for layer in tail_layers(backbone)}
    for layer in backbone.layers:
        is_norm = isinstance(layer, layers.BatchNormalization)
        layer.trainable = layer.name.removesuffix("_bn") in tail and not (is_norm and is_frozen)
    before = backbone.get_weights()
    dense = layers.Dense(CLASSES, activation="softmax", name="dense")
    model = Recorded(backbone.input, dense(backbone.output))
    dense.set_weights([kernel, np.zeros(CLASSES, np.float32)])
    model.record()
    options = {"type": "sgd", **DEFAULTS["sgd"], "learning_rate": 0.02, "momentum": 0.9}
    model.compile(make_optimizer(options), keras.losses.SparseCategoricalCrossentropy())
    recorder = Recorder()
    fitted = model.fit(
        images[:TRAIN],
        labels[:TRAIN],
        batch_size=BATCH,
        epochs=EPOCHS,
        shuffle=False,
        verbose=0,
        validation_data=(images[TRAIN:], labels[TRAIN:]),
        callbacks=[recorder],
    )
    sizes = np.cumsum([np.prod(v.shape) for v in model.trainable_variables])[:-1]
    gradients = dict(zip((v.name for v in model.trainable_variables), np.split(recorder.gradients[0], sizes)))
    found = {
        "optimizer": options,
        "step_loss": recorder.losses,
        "history": to_floats(fitted.history),
        "final": write(out, f"{name}_final.bin", to_parts(model, lambda v: v.numpy())),
        "first_step_gradients": write(
            out, f"{name}_grad0.bin", to_parts(model, lambda v: gradients.get(v.name, np.zeros(v.shape, np.float32)))
        ),
        "val_probabilities_after": write(
            out, f"{name}_val_probs.bin", model.predict(images[TRAIN:], verbose=0)
        ),
    }
    backbone.set_weights(before)
    return found


def make(out, name, kind, stored, labels):
    random = common.random(f"train/{name}_blocks")
    keras.backend.clear_session()
    images = stored.astype(np.float32) / 127.5 - 1
    backbone = network(kind)
    set_weights(backbone, random)
    fit_statistics(backbone, images[:TRAIN], random)
    backbone.save(out / f"{name}.h5", include_optimizer=False)
    # TFLite's converter folds batch norm, and leaves the shape of the mean to be computed.
    (out / f"{name}.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(backbone).convert())
    limit = np.sqrt(6 / (24 + CLASSES))
    kernel = random.uniform(-limit, limit, (24, CLASSES)).astype(np.float32)
    cases = {
        mode: fit(out, f"{name}_{mode}", backbone, kernel, images, labels, mode == "frozen")
        for mode in ("frozen", "training")
    }
    features = write(out, f"{name}_features.bin", backbone.predict(images[TRAIN:], verbose=0))
    return {"kernel": write(out, f"{name}_kernel.bin", kernel), "val_features": features, "cases": cases}


def main():
    out = common.parse_folder(__doc__, "train/blocks")
    random = common.random("train/blocks")
    rows = TRAIN + VALIDATION
    labels = np.arange(rows) % CLASSES
    coarse = random.uniform(0, 255, (CLASSES, 4, 4, 3))
    pattern = tf.image.resize(coarse, (SIDE, SIDE)).numpy()[labels]
    stored = np.clip(np.rint(pattern + 40 * random.standard_normal((rows, SIDE, SIDE, 3))), 0, 255).astype(np.uint8)
    common.write_json(
        out / "cases.json",
        {
            **{"side": SIDE, "n_train": TRAIN, "n_val": VALIDATION, "C": CLASSES, "batch_size": BATCH},
            **{"epochs": EPOCHS, "unfreeze": 3, "images": write(out, "images.bin", stored)},
            "networks": {
                name: make(out, name, kind, stored, labels)
                for name, kind in (("mobilenet_v3", MOBILENET), ("efficientnet", EFFICIENT))
            },
        },
    )


if __name__ == "__main__":
    main()

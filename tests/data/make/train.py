"""
Trajectories of Keras' optimizers: a softmax head on given features, its losses on extreme logits, and a tail of convolutions
with frozen and with live batch norm.
"""

import common
from common import np, tf

keras = tf.keras

# ---- data sets: features as a pooled MobileNet gives them, in bytes


def make_features(random, rows, length, classes, spread, noise):
    base = random.gamma(0.55, 0.55, length)  # many means near zero
    gains = np.exp(spread * random.standard_normal((classes, length)))
    labels = random.permutation(np.arange(rows) % classes)
    others = (labels + random.integers(1, classes, rows)) % classes
    leans = random.random(rows) < 0.15  # to another class
    mixed = np.where(leans[:, None], 0.45 * gains[labels] + 0.55 * gains[others], gains[labels])
    grain = random.gamma(1 / noise**2, noise**2, (rows, length))
    features = np.clip(np.rint(base * mixed * grain * 64), 0, 255).astype(np.uint8)
    return features, labels.astype(np.uint16)


def glorot(random, length, classes):
    limit = np.sqrt(6 / (length + classes))
    return random.uniform(-limit, limit, (length, classes)).astype(np.float32)


class Dataset:
    def __init__(self, name, train, validation, length, classes, spread, noise):
        random = common.random(f"train/{name}")
        self.name, self.train, self.validation = name, train, validation
        self.bytes, self.labels = make_features(random, train + validation, length, classes, spread, noise)
        self.features = self.bytes.astype(np.float32) / 64
        self.kernel = glorot(random, length, classes)
        self.weights = (random.integers(1, 9, train) / 4).astype(np.float32)

    def write(self, out):
        length, classes = self.kernel.shape
        files = {
            "features": self.bytes,
            "labels": self.labels,
            "kernel0": self.kernel,
            "sample_weight": self.weights,
        }
        for part, array in files.items():
            common.write_array(out / f"{self.name}_{part}.bin", array)
        return {part: f"{self.name}_{part}.bin" for part in files} | {
            "scale": 1 / 64,
            "n_train": self.train,
            "n_val": self.validation,
            "D": length,
            "C": classes,
        }


# ---- the head's cases

DEFAULTS = {
    "sgd": dict(learning_rate=0.01, momentum=0.0, nesterov=False),
    "adam": dict(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False),
    "adamw": dict(learning_rate=0.001, weight_decay=0.004, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False),
    "rmsprop": dict(learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False),
}
SHORT = {"sgdm": ("sgd", dict(momentum=0.9)), "nesterov": ("sgd", dict(momentum=0.9, nesterov=True))}


def optimizer(name, **options):
    kind, extra = SHORT.get(name, (name, {}))
    return {"type": kind, **DEFAULTS[kind], **extra, **options}


def cosine(**options):
    return {"type": "CosineDecay", **options}


def case(name, optimizer, batch_size, **options):
    dataset = name.split("_")[0]
    epochs = {"big": 5, "small": 10}[dataset]
    return {
        "name": name,
        "dataset": dataset,
        "optimizer": optimizer,
        "batch_size": batch_size,
        "epochs": epochs,
        **options,
    }


def head_cases():
    plain = ("sgd", "sgdm", "nesterov", "adam", "rmsprop")
    weights = [0.5, 1.0, 2.0, 1.0, 1.5, 0.75, 1.0, 1.25, 1.0, 3.0]
    yield from (case(f"big_{name}_b{batch}", optimizer(name), batch) for batch in (32, 64) for name in plain)
    # compile() without an optimizer takes rmsprop.
    yield case("big_default_compile_b32", optimizer("rmsprop"), 32, epochs=2)
    smooth = dict(label_smoothing=0.1, loss="categorical")
    yield case("big_adam_smooth_b32", optimizer("adam"), 32, **smooth)
    yield case("big_sgdm_weights_b32", optimizer("sgdm"), 32, class_weight=weights, sample_weight=True)
    yield case("big_sgdm_l2_b32", optimizer("sgdm"), 32, l2=1e-4)
    yield case("big_adam_l2_b32", optimizer("adam"), 32, l2=1e-4)
    # 512 = 10 * 48 + 32: the last batch of each epoch is short.
    yield case("big_sgdm_short_b48", optimizer("sgdm"), 48)
    yield case("big_adam_short_b48", optimizer("adam"), 48)
    rate = cosine(initial_learning_rate=0.01, decay_steps=80, alpha=0.0)
    yield case("big_sgdm_cosine_b32", optimizer("sgdm", learning_rate=rate), 32)
    yield case("big_adam_onehot_b32", optimizer("adam"), 32, loss="categorical", epochs=2)
    yield from (case(f"small_{name}_b{batch}", optimizer(name), batch) for name in plain for batch in (16, 32))
    yield case("small_adam_smooth_b16", optimizer("adam"), 16, **smooth)
    yield case("small_sgdm_onehot_b16", optimizer("sgdm"), 16, loss="categorical")
    yield case("small_sgdm_sampleweight_b16", optimizer("sgdm"), 16, sample_weight=True)
    yield case("small_sgdm_classweight_b16", optimizer("sgdm"), 16, class_weight=weights[:3])
    # Keras refuses both weights together where the batch does not divide the rows.
    yield case("small_sgdm_weights_b20", optimizer("sgdm"), 20, class_weight=weights[:3], sample_weight=True)
    yield case("small_sgdm_l2_b16", optimizer("sgdm"), 16, l2=1e-4)
    yield case("small_rmsprop_l2_b16", optimizer("rmsprop"), 16, l2=1e-2)
    # 30 steps, of which the last are past the end of the decay.
    rate = cosine(initial_learning_rate=0.05, decay_steps=25, alpha=0.1)
    yield case("small_sgdm_cosine_b16", optimizer("sgdm", learning_rate=rate), 16)
    warm = dict(warmup_target=0.01, warmup_steps=6)
    rate = cosine(initial_learning_rate=0.0, decay_steps=20, alpha=0.0, **warm)
    yield case("small_adam_warmcosine_b16", optimizer("adam", learning_rate=rate), 16)
    centered = optimizer("rmsprop", momentum=0.9, centered=True)
    yield case("small_rmsprop_momentum_centered_b16", centered, 16)
    yield case("small_adam_amsgrad_b16", optimizer("adam", amsgrad=True), 16)
    yield case("small_adamw_b16", optimizer("adamw"), 16)
    yield case("small_sgd_clipnorm_b16", optimizer("sgd", clipnorm=0.05, learning_rate=0.1), 16)


# ---- one fit, recorded


def make_optimizer(options):
    options = dict(options)
    kind = options.pop("type")
    rate = options["learning_rate"]
    if isinstance(rate, dict):
        rate = {key: value for key, value in rate.items() if key != "type"}
        options["learning_rate"] = keras.optimizers.schedules.CosineDecay(**rate)
    classes = {
        "sgd": keras.optimizers.SGD,
        "adam": keras.optimizers.Adam,
        "adamw": keras.optimizers.AdamW,
        "rmsprop": keras.optimizers.RMSprop,
    }
    return classes[kind](**options)


class Recorded(keras.Model):
    """Keeps the loss and the gradients of the last batch; otherwise Keras' own step."""

    def record(self):
        self.last_loss = tf.Variable(0.0, trainable=False)
        self.last_gradients = [tf.Variable(tf.zeros_like(v), trainable=False) for v in self.trainable_variables]

    def train_step(self, data):
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            predicted = self(x, training=True)
            loss = self.compute_loss(x, y, predicted, sample_weight)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
        for variable, gradient in zip(self.last_gradients, gradients):
            variable.assign(gradient)
        self.last_loss.assign(loss)
        return self.compute_metrics(x, y, predicted, sample_weight)


def flatten(variables):
    return np.concatenate([variable.numpy().ravel() for variable in variables])


class Recorder(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.losses, self.rates, self.parameters, self.gradients = [], [], [], []

    def on_train_batch_begin(self, batch, logs=None):
        of = self.model.optimizer
        schedule = of._learning_rate
        rate = schedule(of.iterations) if callable(schedule) else of.learning_rate
        self.rates.append(float(rate))

    def on_train_batch_end(self, batch, logs=None):
        self.losses.append(float(self.model.last_loss))
        self.parameters.append(flatten(self.model.trainable_variables))
        self.gradients.append(flatten(self.model.last_gradients))


def compile_head(model, options):
    is_categorical = options.get("loss") == "categorical"
    if is_categorical:
        loss = keras.losses.CategoricalCrossentropy(label_smoothing=options.get("label_smoothing", 0.0))
    else:
        loss = keras.losses.SparseCategoricalCrossentropy()
    accuracy = keras.metrics.CategoricalAccuracy if is_categorical else keras.metrics.SparseCategoricalAccuracy
    settings = {"loss": loss, "metrics": [accuracy(name="accuracy")]}
    if options.get("sample_weight") or options.get("class_weight"):
        settings["weighted_metrics"] = [accuracy(name="weighted_accuracy")]
    if options["name"] != "big_default_compile_b32":
        settings["optimizer"] = make_optimizer(options["optimizer"])
    model.compile(**settings)


def fit_head(out, dataset, options):
    keras.backend.clear_session()
    length, classes = dataset.kernel.shape
    regularizer = keras.regularizers.L2(options["l2"]) if options.get("l2") else None
    x = keras.Input((length,))
    dense = keras.layers.Dense(classes, activation="softmax", kernel_regularizer=regularizer)
    model = Recorded(x, dense(x))
    dense.set_weights([dataset.kernel, np.zeros(classes, np.float32)])
    model.record()
    compile_head(model, options)
    labels = dataset.labels.astype(np.int64)
    if options.get("loss") == "categorical":
        labels = np.eye(classes, dtype=np.float32)[labels]
    of_class = options.get("class_weight")
    n = dataset.train
    recorder = Recorder()
    fitted = model.fit(
        dataset.features[:n],
        labels[:n],
        batch_size=options["batch_size"],
        epochs=options["epochs"],
        shuffle=False,
        verbose=0,
        validation_data=(dataset.features[n:], labels[n:]),
        sample_weight=dataset.weights if options.get("sample_weight") else None,
        class_weight=dict(enumerate(of_class)) if of_class else None,
        callbacks=[recorder],
    )
    name = options["name"]
    found = {
        "steps_per_epoch": -(-n // options["batch_size"]),
        "step_loss": recorder.losses,
        "history": to_floats(fitted.history),
        "final_params": write(out, f"{name}_final.bin", flatten(model.trainable_variables)),
    }
    if isinstance(options["optimizer"]["learning_rate"], dict):
        found["step_learning_rate"] = recorder.rates
    if dataset.name == "small":
        slots = [variable for variable in model.optimizer.variables if variable.shape.rank > 0]
        found |= {
            "params_after_each_step": write(out, f"{name}_params.bin", np.stack(recorder.parameters)),
            "grads_of_each_step": write(out, f"{name}_grads.bin", np.stack(recorder.gradients)),
            "slots": {
                "file": write(out, f"{name}_slots.bin", flatten(slots)),
                "order": [{"name": slot.name, "shape": list(slot.shape)} for slot in slots],
            },
        }
    return options | found


def to_floats(history):
    return {key: [float(value) for value in values] for key, values in history.items()}


def write(out, file, array):
    common.write_array(out / file, array)
    return file


# ---- cross-entropy of logits far from zero

LOGITS = [
    ([100, 0, -100, 0], 0),
    ([100, 0, -100, 0], 1),
    ([100, 0, -100, 0], 2),
    ([-100, -100, -100, -100], 1),
    ([100, 100, -100, -100], 1),
    ([100, 100, -100, -100], 2),
    ([0, 0, 0, 0], 3),
    ([1, 2, 3, 4], 0),
    ([16.5, 0, 0, 0], 0),
    ([16.5, 0, 0, 0], 2),
    ([15, 0, 0, 0], 1),
    ([-50, 50, 0, 20], 0),
    ([88.8, -88.8, 0, 1], 2),
    ([1e4, -1e4, 0, 1e3], 0),
    ([1e4, -1e4, 0, 1e3], 1),
    ([80, 79.99999, 0, -5], 1),
    ([-104, 0, -103, -87.5], 0),
]


def cross_entropy(out):
    logits = np.array([row for row, _ in LOGITS], np.float32)
    labels = [label for _, label in LOGITS]
    one_hot = np.eye(4, dtype=np.float32)[labels]
    losses = {
        "sparse": lambda p: keras.losses.sparse_categorical_crossentropy(labels, p),
        "onehot": lambda p: keras.losses.categorical_crossentropy(one_hot, p),
        "smooth": lambda p: keras.losses.categorical_crossentropy(one_hot, p, label_smoothing=0.1),
    }
    found = {"logits": write(out, "xent_logits.bin", logits), "labels": labels}
    for kind, loss_of in losses.items():

        @tf.function
        def run(z):
            with tf.GradientTape() as tape:
                tape.watch(z)
                loss = loss_of(keras.activations.softmax(z))
            return loss, tape.gradient(loss, z)

        loss, gradient = run(tf.constant(logits))
        file = write(out, f"xent_{kind}_from_logits_grad.bin", gradient.numpy())
        found[f"{kind}_from_logits"] = {"loss": loss.numpy().tolist(), "grad_wrt_logits": file}
    return found


# ---- a tail: an inverted residual block, the last pointwise layer, mean, head

TRAIN, VALIDATION, CLASSES = 64, 16, 5
CHANNELS = {"expand": 64, "depthwise": 64, "project": 32, "head": 128}
NORM = ("gamma", "beta", "moving_mean", "moving_variance")


def tail_model(is_frozen):
    layers = keras.layers

    def normalized(x, layer):
        name = f"{layer.name}_bn"
        return layers.BatchNormalization(momentum=0.99, epsilon=1e-3, name=name, trainable=not is_frozen)(layer(x))

    def pointwise(name):
        return layers.Conv2D(CHANNELS[name], 1, use_bias=False, name=name)

    x = keras.Input((7, 7, 32))
    y = layers.ReLU(6.0)(normalized(x, pointwise("expand")))
    depthwise = layers.DepthwiseConv2D(3, padding="same", use_bias=False, name="depthwise")
    y = layers.ReLU(6.0)(normalized(y, depthwise))
    y = layers.Add()([x, normalized(y, pointwise("project"))])
    y = layers.ReLU(6.0)(normalized(y, pointwise("head")))
    y = layers.GlobalAveragePooling2D()(y)
    return Recorded(x, layers.Dense(CLASSES, activation="softmax", name="dense")(y))


def tail_weights(random):
    """By name, in the order in which they are written."""
    weights = {}
    kernels = {"expand": (1, 1, 32, 64), "depthwise": (3, 3, 64, 1), "project": (1, 1, 64, 32), "head": (1, 1, 32, 128)}
    for name, shape in kernels.items():
        channels = CHANNELS[name]
        fan_in = 9 if name == "depthwise" else shape[2]
        gain = 1 if name == "project" else 2
        weights[f"{name}/kernel"] = random.standard_normal(shape) * np.sqrt(gain / fan_in)
        weights[f"{name}_bn/gamma"] = 1 + 0.2 * random.standard_normal(channels)
        weights[f"{name}_bn/beta"] = 0.3 * random.standard_normal(channels)
        weights[f"{name}_bn/moving_mean"] = np.zeros(channels)
        weights[f"{name}_bn/moving_variance"] = np.ones(channels)
    weights["dense/kernel"] = glorot(random, 128, CLASSES)
    weights["dense/bias"] = np.zeros(CLASSES)
    return {name: value.astype(np.float32) for name, value in weights.items()}


def layer_parts(weights, layer):
    return [name for name in weights if name.startswith(f"{layer.name}/")]


def set_weights(model, weights):
    for layer in model.layers:
        layer.set_weights([weights[name] for name in layer_parts(weights, layer)])


def get_weights(model, weights):
    found = {}
    for layer in model.layers:
        found |= zip(layer_parts(weights, layer), layer.get_weights())
    return found


def join(weights, values):
    """Values in the order of the weights; zeros for what is not there."""
    return np.concatenate([values.get(name, np.zeros_like(weight)).ravel() for name, weight in weights.items()])


def fit_statistics(weights, features, random):
    """Moving statistics near those of the training inputs, as a trained network has."""
    model = tail_model(True)
    set_weights(model, weights)
    for name, channels in CHANNELS.items():
        plane = keras.Model(model.input, model.get_layer(name).output).predict(features, verbose=0)
        mean = plane.mean((0, 1, 2)) + 0.1 * random.standard_normal(channels)
        variance = plane.var((0, 1, 2)) * np.exp(0.15 * random.standard_normal(channels))
        weights[f"{name}_bn/moving_mean"] = mean.astype(np.float32)
        weights[f"{name}_bn/moving_variance"] = variance.astype(np.float32)
        set_weights(model, weights)


def fit_tail(out, name, weights, features, labels):
    is_frozen = name.endswith("frozen")
    keras.backend.clear_session()
    model = tail_model(is_frozen)
    set_weights(model, weights)
    model.record()
    options = {"type": "sgd", **DEFAULTS["sgd"], "learning_rate": 0.005, "momentum": 0.9}
    model.compile(
        make_optimizer(options),
        keras.losses.SparseCategoricalCrossentropy(),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    recorder = Recorder()
    fitted = model.fit(
        features[:TRAIN],
        labels[:TRAIN],
        batch_size=16,
        epochs=3,
        shuffle=False,
        verbose=0,
        validation_data=(features[TRAIN:], labels[TRAIN:]),
        callbacks=[recorder],
    )
    trained = [v.name.split(":")[0].replace("depthwise_kernel", "kernel") for v in model.trainable_variables]
    sizes = np.cumsum([weights[part].size for part in trained])[:-1]
    gradients = dict(zip(trained, np.split(recorder.gradients[0], sizes)))
    return {
        "name": name,
        "optimizer": options,
        "batch_size": 16,
        "epochs": 3,
        "step_loss": recorder.losses,
        "history": to_floats(fitted.history),
        "final": write(out, f"{name}_final.bin", join(weights, get_weights(model, weights))),
        "first_step_gradients": write(out, f"{name}_grad0.bin", join(weights, gradients)),
        "val_probabilities_after": write(out, f"{name}_val_probs.bin", model.predict(features[TRAIN:], verbose=0)),
    }


def tail(out):
    random = common.random("train/tail")
    rows = TRAIN + VALIDATION
    labels = random.permutation(np.arange(rows) % CLASSES).astype(np.uint16)
    pattern = 0.55 * random.standard_normal((CLASSES, 1, 1, 32)) + 0.25 * random.standard_normal((CLASSES, 7, 7, 32))
    stored = np.rint((pattern[labels] + random.standard_normal((rows, 7, 7, 32))) * 32)
    stored = np.clip(stored, -127, 127).astype(np.int8)
    features = stored.astype(np.float32) / 32
    weights = tail_weights(random)
    fit_statistics(weights, features[:TRAIN], random)
    offsets = np.cumsum([0, *(weight.size for weight in weights.values())]).tolist()
    return {
        "features": write(out, "tail_features.bin", stored),
        "scale": 1 / 32,
        "labels": write(out, "tail_labels.bin", labels),
        "n_train": TRAIN,
        "n_val": VALIDATION,
        "C": CLASSES,
        "initial": write(out, "tail_initial.bin", join(weights, weights)),
        "layout": [
            {"name": part, "shape": list(weight.shape), "offset_floats": offset}
            for (part, weight), offset in zip(weights.items(), offsets)
        ],
        "cases": [
            fit_tail(out, name, weights, features, labels.astype(np.int64))
            for name in ("tail_bn_frozen", "tail_bn_training")
        ],
    }


def main():
    out = common.parse_folder(__doc__, "train")
    datasets = {
        "big": Dataset("big", 512, 128, 400, 10, spread=0.2, noise=0.75),
        "small": Dataset("small", 40, 12, 16, 3, spread=1.0, noise=0.5),
    }
    common.write_json(
        out / "cases.json",
        {
            "datasets": {name: dataset.write(out) for name, dataset in datasets.items()},
            "head_cases": [fit_head(out, datasets[options["dataset"]], options) for options in head_cases()],
            "cross_entropy": cross_entropy(out),
            "tail": tail(out),
        },
    )


if __name__ == "__main__":
    main()

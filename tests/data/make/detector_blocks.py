"""
The last blocks of a detector in training: a small SSD-MobileNetV2, and steps of its heads and last blocks with frozen and with
live batch norm, with the losses of TensorFlow's Object Detection API and Keras' optimizers.

Writes train/detector_blocks/. Needs what ssd.py needs.
"""

import common
from common import np, tf

import ssd
from blocks import block, fit_statistics, normalized, set_weights
from ssd_heads import FLOATS, OPTIMIZERS, loss_of
from train import write

keras = tf.keras
layers = keras.layers
SIDE, IMAGES, BATCH, STEPS = 32, 12, 4, 8
COLUMNS, AT_PIXEL = 2, 2
MAP_SIDES = (8, 4, 2, 1)
UNFREEZE = {3: "a_project_bn", 1: "c_project_bn"}


def relu6(x):
    return layers.ReLU(6.0)(x)


KIND = (relu6, None, None, False)


def convolve(x, name, out, size=1, stride=1):
    return relu6(normalized(x, layers.Conv2D(out, size, stride, "same", use_bias=False, name=name)))


def network():
    """Four blocks; heads read the expansion of the third, and three maps after the blocks."""
    x = keras.Input((SIDE, SIDE, 3), name="image")
    y = convolve(x, "stem", 8, 3, 2)
    y = block(y, "a", KIND, stride=2, out=8, squeezed=0)
    y = block(y, "b", KIND, expand=16, out=8, squeezed=0)
    y = block(y, "c", KIND, expand=16, stride=2, out=12, squeezed=0)
    expansion = keras.Model(x, y).get_layer("c_depthwise").input
    y = block(y, "d", KIND, expand=24, out=12, squeezed=0)
    top = convolve(y, "top", 20)
    plain = convolve(convolve(top, "plain_reduce", 8), "plain", 12, 3, 2)
    depthwise = layers.DepthwiseConv2D(3, 2, "same", use_bias=False, name="separable")
    y = relu6(normalized(convolve(plain, "separable_reduce", 6), depthwise))
    maps = [expansion, top, plain, convolve(y, "separable_expand", 10)]
    return keras.Model(x, [join(maps, "boxes", 4), join(maps, "scores", COLUMNS)])


def join(maps, name, columns):
    rows = []
    for i, (value, side) in enumerate(zip(maps, MAP_SIDES)):
        head = layers.Conv2D(AT_PIXEL * columns, 3 if i == 1 else 1, padding="same", name=f"{name}{i}")
        rows.append(layers.Reshape((AT_PIXEL * side * side, columns))(head(value)))
    return layers.Concatenate(axis=1, name=name)(rows)


def make_anchors():
    """[N, 4] of ymin, xmin, ymax, xmax: two at each pixel."""
    boxes = []
    for side in MAP_SIDES:
        center = (np.arange(side) + 0.5) / side
        y, x, high = (v.ravel() for v in np.meshgrid(center, center, [1.5 / side, 2.5 / side], indexing="ij"))
        boxes.append(np.stack([y - high / 2, x - 0.8 / side, y + high / 2, x + 0.8 / side], 1))
    return np.concatenate(boxes).astype(np.float32)


# In the trainer's order.
TAIL = [f"{b}_{part}" for b in "abcd" for part in ("expand", "depthwise", "project")]
TAIL += ["top", "plain_reduce", "plain", "separable_reduce", "separable", "separable_expand"]
HEADS = [f"{name}{i}" for i in range(len(MAP_SIDES)) for name in ("boxes", "scores")]


def tail_names(unfreeze):
    return TAIL[TAIL.index(f"{'dcba'[unfreeze - 1]}_expand") :]


def to_parts(model, names, values_of):
    """Layer by layer: kernel, then bias or batch norm."""
    found = []
    for name in names:
        layer = model.get_layer(name)
        norm = [] if layer.use_bias else model.get_layer(f"{name}_bn").weights
        found += [np.asarray(values_of(variable)).ravel() for variable in [*layer.weights, *norm]]
    return np.concatenate(found)


def fit(out, name, whole, rows, case, truth):
    tail, options = tail_names(case["unfreeze"]), dict(case["optimizer"])
    before = whole.get_weights()
    is_frozen = case["batch_norm"] == "frozen"
    for layer in whole.layers:
        is_norm = isinstance(layer, layers.BatchNormalization)
        layer.trainable = layer.name.removesuffix("_bn") in tail + HEADS and not (is_norm and is_frozen)
    model = keras.Model(rows.inputs, whole.outputs)
    optimizer = OPTIMIZERS[options.pop("type")](**options)
    losses = []
    for step in range(STEPS):
        at = slice(step * BATCH % IMAGES, step * BATCH % IMAGES + BATCH)
        ints = dict(columns=COLUMNS, class_loss=ssd.FOCAL, background=0, swaps=0, forced=1)
        settings = {"ints": ints, "floats": FLOATS, **{k: v[at] for k, v in truth.items()}, "anchors": make_anchors()}
        with tf.GradientTape() as tape:
            boxes, scores = model([part[at].astype(np.float32) for part in rows.values], training=True)
            loss = loss_of({"mined": False}, settings, boxes, scores)
        gradients = tape.gradient(loss, model.trainable_variables)
        if step == 0:
            by_name = {v.name: g for v, g in zip(model.trainable_variables, gradients)}
            first = to_parts(model, tail + HEADS, lambda v: by_name.get(v.name, np.zeros(v.shape, np.float32)))
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        losses.append(float(loss))
    found = {
        **case,
        "losses": losses,
        "final": write(out, f"{name}_final.bin", to_parts(model, tail + HEADS, lambda v: v.numpy())),
        "first_step_gradients": write(out, f"{name}_grad0.bin", first),
    }
    whole.set_weights(before)
    return found


class Rows:
    """What is computed before the training, as float16."""

    def __init__(self, model, unfreeze, images):
        self.inputs = [model.get_layer(UNFREEZE[unfreeze]).output]
        if "c_expand" not in tail_names(unfreeze):
            self.inputs.append(model.get_layer("c_depthwise").input)
        values = keras.Model(model.input, self.inputs).predict(images, verbose=0)
        self.values = [v.astype(np.float16) for v in (values if len(self.inputs) > 1 else [values])]

    def write(self, out, name):
        return write(out, name, np.concatenate([v.reshape(IMAGES, -1) for v in self.values], 1).view(np.uint16))


SGD = {"type": "sgd", "learning_rate": 0.02, "momentum": 0.9}
# The epsilon is so large that gradients that are 0 but for rounding, as before live batch norm, make no steps.
ADAM = {"type": "adam", "learning_rate": 0.003, "epsilon": 1e-3}


def main():
    out = common.parse_folder(__doc__, "train/detector_blocks")
    random = common.random("train/detector_blocks")
    images = random.uniform(-1, 1, (IMAGES, SIDE, SIDE, 3)).astype(np.float32)
    whole = network()
    set_weights(whole, random)
    fit_statistics(whole, images, random)
    whole.save(out / "detector.h5", include_optimizer=False)
    counts = [int(random.integers(1, 4)) for _ in range(IMAGES)]
    truth = {
        "boxes": [ssd.random_boxes(random, count, (0.2, 0.6)) for count in counts],
        "classes": [random.integers(0, COLUMNS, count).astype(np.int32) for count in counts],
        "weights": [np.ones(count, np.float32) for count in counts],
    }
    rows = {unfreeze: Rows(whole, unfreeze, images) for unfreeze in UNFREEZE}
    cases = {
        f"blocks{unfreeze}_{mode}_{optimizer['type']}": {"unfreeze": unfreeze, "batch_norm": mode, "optimizer": optimizer}
        for unfreeze, mode, optimizer in ((3, "frozen", SGD), (3, "training", ADAM), (1, "frozen", ADAM), (1, "training", SGD))
    }
    common.write_json(
        out / "cases.json",
        {
            **{"images": IMAGES, "batch": BATCH, "columns": COLUMNS, "counts": counts},
            "anchors": write(out, "anchors.bin", ssd.to_centers(make_anchors()).astype(np.float32)),
            "boxes": write(out, "boxes.bin", np.concatenate(truth["boxes"])),
            "classes": write(out, "classes.bin", np.concatenate(truth["classes"])),
            "rows": {unfreeze: one.write(out, f"rows{unfreeze}.bin") for unfreeze, one in rows.items()},
            "cases": {name: fit(out, name, whole, rows[case["unfreeze"]], case, truth) for name, case in cases.items()},
        },
    )


if __name__ == "__main__":
    main()

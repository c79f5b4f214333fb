"""
Whole networks of Keras' MobileNets in small, with random weights and batch-norm statistics of the pixels, as TensorFlow's
converter writes them, with TFLite's outputs for three pictures.
"""

import hashlib
from collections import Counter

from flatbuffers import flexbuffers

import common
import files
from common import np, tf
from files import schema

SIDE = 96
PICTURES = ["waves", "shapes", "grain"]
ONE_TO_ONE = (1 / 127.5, -1.0)
PIXELS = (1.0, 0.0)
keras = tf.keras
ALPHA = 0.1  # of MobileNet's channels


def make_pictures():
    """Three pictures [3, SIDE, SIDE, 3] of our own: slow waves, shapes with edges, and grain."""
    random = common.random("pictures")
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    result = np.zeros((3, SIDE, SIDE, 3))
    for picture in result:
        for c in range(3):
            for _ in range(4):
                fx, fy, phase = random.uniform(-3, 3), random.uniform(-3, 3), random.uniform(0, 6.28)
                picture[:, :, c] += np.sin(6.28 * (fx * x + fy * y) + phase)
        picture *= 30
        picture += random.uniform(90, 160, 3)
    for _ in range(12):
        left, top, width, height = random.uniform(0, 0.8, 2).tolist() + random.uniform(0.1, 0.5, 2).tolist()
        inside = (x >= left) & (x < left + width) & (y >= top) & (y < top + height)
        result[1][inside] = random.uniform(0, 255, 3)
    result[2] += random.normal(0, 40, (SIDE, SIDE, 3))
    return np.clip(np.rint(result), 0, 255).astype(np.uint8)


def randomize(model, name, pictures):
    """
    Random weights by the names of the layers, and batch-norm statistics of the pictures, disturbed a little: activations
    stay in the range of trained networks.
    """
    layers = [layer for part in model.layers for layer in getattr(part, "layers", [part])]
    for layer in layers:
        random = common.random(f"{name}/{layer.name}")
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0  # statistics of the next batch alone
            layer.gamma.assign(random.uniform(0.6, 1.6, layer.gamma.shape))
            layer.beta.assign(random.normal(0, 0.4, layer.beta.shape))
            continue
        for weight in layer.weights:
            fan_in = np.prod(weight.shape[:-1]) if "depthwise" not in weight.name else np.prod(weight.shape[:2])
            spread = 0.2 if weight.shape.rank == 1 else np.sqrt(2 / fan_in)
            weight.assign(random.normal(0, spread, weight.shape))
    model(pictures, training=True)
    return model


def mobilenet_v2(classes=None):
    options = dict(input_shape=(SIDE, SIDE, 3), alpha=ALPHA, weights=None)
    if classes:
        return keras.applications.MobileNetV2(classes=classes, **options)
    return keras.applications.MobileNetV2(include_top=False, pooling="avg", **options)


def mobilenet_v1(classes=None):
    options = dict(input_shape=(SIDE, SIDE, 3), alpha=ALPHA, weights=None)
    if classes:
        return keras.applications.MobileNet(classes=classes, **options)
    return keras.applications.MobileNet(include_top=False, pooling="avg", **options)


def mobilenet_v3_small_features():
    return keras.applications.MobileNetV3Small(
        input_shape=(SIDE, SIDE, 3), alpha=ALPHA, weights=None, include_top=False, pooling="avg"
    )


def nested_transfer_model():
    x = keras.Input((SIDE, SIDE, 3))
    y = keras.layers.Rescaling(*ONE_TO_ONE)(x)
    y = keras.layers.Dropout(0.2)(mobilenet_v1()(y))
    return keras.Model(x, keras.layers.Dense(5, activation="softmax")(y))


# ---- detectors: two feature maps, five classes and the background

MAPS = [(SIDE // 16, 3), (SIDE // 32, 6)]  # cells a side, anchors a cell
COLUMNS = 6


def make_anchors():
    """Centre y, x, height, width [162, 4]."""
    anchors = []
    for (cells, per_cell), scale in zip(MAPS, (0.25, 0.55)):
        for cell in range(cells * cells):
            for k in range(per_cell):
                size, ratio = scale * (1 + 0.25 * (k // 3)), (1.0, 2.0, 0.5)[k % 3]
                row, column = divmod(cell, cells)
                centre = [(row + 0.5) / cells, (column + 0.5) / cells]
                anchors.append([*centre, size / np.sqrt(ratio), size * np.sqrt(ratio)])
    return np.array(anchors, np.float32)


def small_backbone(last="out"):
    """Feature maps of MAPS' sizes, by few layers: 8-bit rounding adds up less than in the deep networks above."""
    layers = keras.layers

    def block(x, layer, name):
        y = layers.BatchNormalization(epsilon=1e-3, name=f"{name}_bn")(layer(x))
        return layers.ReLU(6.0, name=f"{name}_relu")(y)

    x = keras.Input((SIDE, SIDE, 3))
    y = block(x, layers.Conv2D(8, 3, 2, "same", use_bias=False, name="first"), "first")
    maps = []
    for i, channels in enumerate((16, 24, 32, 48)):
        depthwise = layers.DepthwiseConv2D(3, 2, "same", use_bias=False, name=f"depthwise_{i}")
        pointwise = layers.Conv2D(channels, 1, use_bias=False, name=f"pointwise_{i}")
        y = block(block(y, depthwise, f"depthwise_{i}"), pointwise, f"pointwise_{i}" if i < 3 else last)
        maps.append(y)
    return x, maps[-2:]


def small_classifier():
    x, maps = small_backbone()
    y = keras.layers.GlobalAveragePooling2D()(maps[-1])
    return keras.Model(x, keras.layers.Dense(10, activation="softmax")(y))


def heads_of(maps):
    """Box encodings [N, 162, 4] and class logits [N, 162, COLUMNS]."""
    boxes, logits = [], []
    for i, ((_, per_cell), plane) in enumerate(zip(MAPS, maps)):
        for columns, kind, parts in ((4, "boxes", boxes), (COLUMNS, "classes", logits)):
            head = keras.layers.Conv2D(per_cell * columns, 1, name=f"{kind}_{i}")(plane)
            parts.append(keras.layers.Reshape((-1, columns))(head))
    return [keras.layers.Concatenate(1)(parts) for parts in (boxes, logits)]


def detector():
    """Sigmoid scores, for TFLite_Detection_PostProcess."""
    x, maps = small_backbone("last")  # no name that tells where features are
    boxes, logits = heads_of(maps)
    return keras.Model(x, [boxes, logits, keras.layers.Activation("sigmoid")(logits)])


def detector_with_anchors():
    """Softmax scores with the background first, box encodings, and the anchors as corners: as the zoo's FPNLite exports."""
    x, maps = small_backbone()
    large, small = [keras.layers.Conv2D(24, 1, name=f"lateral_{i}")(plane) for i, plane in enumerate(maps)]
    up = keras.layers.UpSampling2D(2, interpolation="bilinear")(small)
    boxes, logits = heads_of([keras.layers.ReLU(6.0)(keras.layers.Add()([large, up])), small])
    centres, sizes = make_anchors()[:, :2], make_anchors()[:, 2:]
    corners = tf.constant(np.concatenate([centres - sizes / 2, centres + sizes / 2], 1)[None])
    # Not of the image: only their number follows the batch.
    anchors = keras.layers.Lambda(lambda x: tf.tile(corners, [tf.shape(x)[0], 1, 1]))(boxes)
    return keras.Model(x, [keras.layers.Softmax()(logits), boxes, anchors])


def sharpen_heads(model):
    """Class logits that leave a few scores high, and boxes near their anchors."""
    for layer in model.layers:
        if layer.name.startswith("classes_"):
            layer.kernel.assign(layer.kernel * 1.1)
            bias = layer.bias.numpy().reshape(-1, COLUMNS)
            bias[:, 1:] -= 4.5  # all but the background
            layer.bias.assign(bias.ravel())
        if layer.name.startswith("boxes_"):
            layer.kernel.assign(layer.kernel * 0.7)


def add_postprocess(model, regular):
    """
    TFLite_Detection_PostProcess after the detector's heads, as the Object Detection API's export has it. The outputs are
    its four, and then the raw heads.
    """
    file = files.read(model)
    [graph] = file.subgraphs
    # Named by their place in the model; the file has them in another order.
    boxes, logits, scores = sorted(graph.outputs, key=lambda index: graph.tensors[index].name)
    anchors = make_anchors()
    anchors = files.add_tensor(file, "anchors", "float32", anchors.shape, data=anchors)
    most = 20 if regular else 10
    shapes = [[1, most, 4], [1, most], [1, most], [1]]
    suffixes = ["", ":1", ":2", ":3"]
    outputs = [
        files.add_tensor(file, f"TFLite_Detection_PostProcess{suffix}", "float32", shape)
        for suffix, shape in zip(suffixes, shapes)
    ]
    options = {
        "max_detections": most,
        "max_classes_per_detection": 1,
        "detections_per_class": 100,
        "use_regular_nms": regular,
        "nms_score_threshold": 0.05 if regular else 0.3,
        "nms_iou_threshold": 0.6,
        "num_classes": COLUMNS - 1,
        "y_scale": 10.0,
        "x_scale": 10.0,
        "h_scale": 5.0,
        "w_scale": 5.0,
    }
    code = files.operator_code(schema.BuiltinOperator.CUSTOM, b"TFLite_Detection_PostProcess")
    files.add_operator(file, code, [boxes, scores, anchors], outputs, bytes(flexbuffers.Dumps(options)))
    graph.outputs = [*outputs, boxes, logits]
    file.signatureDefs = []
    return files.write(file)


def to_uint8(model):
    """An int8 file whose weights have one scale a tensor, as the same in unsigned bytes: as TensorFlow 1 quantized."""
    file = files.read(model)
    for tensor in file.subgraphs[0].tensors:
        if tensor.type != schema.TensorType.INT8:
            continue
        tensor.type = schema.TensorType.UINT8
        tensor.quantization.zeroPoint = np.asarray(tensor.quantization.zeroPoint) + 128
        buffer = file.buffers[tensor.buffer]
        if buffer.data is not None:
            buffer.data = np.asarray(buffer.data, np.uint8) ^ 0x80
    return files.write(file)


# ---- what is written

# Name, network, how pixels become its input (scale, offset), kinds.
NETWORKS = [
    ("mobilenet_v1_classifier", lambda: mobilenet_v1(10), ONE_TO_ONE, ["fp32", "dynamic", "uint8in"]),
    ("mobilenet_v2_classifier", lambda: mobilenet_v2(10), ONE_TO_ONE, ["fp32", "int8"]),
    ("mobilenet_v2_features", mobilenet_v2, ONE_TO_ONE, ["fp32", "fp16"]),
    ("mobilenet_v3_small_features", mobilenet_v3_small_features, PIXELS, ["fp16", "int8"]),
    ("nested_transfer_model", nested_transfer_model, PIXELS, ["fp32", "int8"]),
    ("small_classifier", small_classifier, ONE_TO_ONE, ["fp32", "uint8"]),
    ("ssd_with_anchors", detector_with_anchors, ONE_TO_ONE, ["fp32"]),
    ("ssd_fast_nms", detector, ONE_TO_ONE, ["fp32", "uint8in"]),
    ("ssd_regular_nms", detector, ONE_TO_ONE, ["fp32", "dynamic"]),
]


def convert(model, name, kind, reals):
    if name.endswith("_nms"):
        # A batch of one: the operator takes no other.
        function = tf.function(model, input_signature=[tf.TensorSpec([1, SIDE, SIDE, 3])])
        converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()], model)
    else:
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
    representative = [reals[i % 3 :][:1] + np.float32(0.01 * (i // 3)) for i in range(12)]
    if kind == "uint8":
        return to_uint8(common.convert(converter, "int8", representative, per_channel=False))
    file = common.convert(converter, kind, representative)
    return add_postprocess(file, name == "ssd_regular_nms") if name.endswith("_nms") else file


def run_each(model, stored, kernels):
    """Of each output, the answers to the pictures one after the other."""
    rows = [common.run(model, picture[None], kernels) for picture in stored]
    return [np.stack(answers) for answers in zip(*rows)]


def cosine(a, b):
    a, b = a.astype(np.float64).ravel(), b.astype(np.float64).ravel()
    return round(float(a @ b / np.sqrt((a @ a) * (b @ b))), 5)


def write_case(out, name, model, reals, spec):
    engine = common.interpreter(model, common.XNNPACK)
    [tensor] = engine.get_input_details()
    stored = common.quantize(reals, tensor)
    answers = run_each(model, stored, common.XNNPACK)
    others = [run_each(model, stored, kernels) for kernels in (common.BUILTIN, common.REFERENCE)]
    (out / f"{name}.tflite").write_bytes(model)
    outputs = []
    for i, details in enumerate(engine.get_output_details()):
        # What the operator finds is compared detection by detection.
        is_list = "PostProcess" in details["name"] and answers[i][0].size > 1
        if "PostProcess" in details["name"]:
            answers[i] = zero_beyond_count(answers[i], answers[3])
        common.write_array(out / f"{name}.output{i}.bin", answers[i])
        outputs.append(
            {
                "file": f"{name}.output{i}.bin",
                "name": details["name"],
                "shape_per_photo": list(answers[i].shape[1:]),
                "dtype": answers[i].dtype.name,
                "quantization": common.quantization(details),
                "differs_from_tflite_builtin_and_reference_kernels": (
                    None if is_list else [common.difference(answers[i], other[i]) for other in others]
                ),
                "cosine_to_tflite_builtin_and_reference_kernels": (
                    None if is_list else [cosine(answers[i], other[i]) for other in others]
                ),
            }
        )
    return {
        "model": f"{name}.tflite",
        "bytes": len(model),
        "sha256": hashlib.sha256(model).hexdigest(),
        "dynamic_batch": bool(tensor["shape_signature"][0] == -1),
        "input": {
            "photos": PICTURES,
            "pixels": "pictures_96.u8.bin",
            "size": SIDE,
            "dtype": stored.dtype.name,
            "scale": spec[0],
            "offset": spec[1],
            "quantization": common.quantization(tensor),
        },
        "outputs": outputs,
        "ops": Counter(common.operator_names(model)),
    }


def zero_beyond_count(lists, counts):
    """The operator leaves what lies beyond its count undefined."""
    lists = lists.copy()
    for picture, [count] in zip(lists, counts):
        if picture.size > 1:
            picture[0, int(count) :] = 0
    return lists


def main():
    out = common.parse_folder(__doc__, "models")
    pictures = make_pictures()
    common.write_array(out / "pictures_96.u8.bin", pictures)
    common.write_array(out / "ssd_anchors.f32.bin", make_anchors())
    cases = []
    for name, build, spec, kinds in NETWORKS:
        reals = (pictures * np.float32(spec[0]) + np.float32(spec[1])).astype(np.float32)
        keras.backend.clear_session()
        model = randomize(build(), name, reals)
        if name.startswith("ssd"):
            sharpen_heads(model)
        for kind in kinds:
            file = convert(model, name, kind, reals)
            cases.append(write_case(out, f"{name}.{kind}", file, reals, spec))
    common.write_json(out / "cases.json", cases)


if __name__ == "__main__":
    main()

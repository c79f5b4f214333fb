"""RetinaNet heads as Keras users write them, as frozen graphs, and their detections: `convert/retinanet/`.

Anchors are x, y, width, height; encodings are tx, ty, tw, th with variances, as in Keras' example of RetinaNet.
"""

from common import parse_folder, random, write_json

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

SIZE, CLASSES = 64, 3
VARIANCES = [0.1, 0.1, 0.2, 0.2]
IOU, SCORE, PER_CLASS, TOTAL = 0.5, 0.05, 8, 15
LEVELS = ((8, 20.0), (16, 400.0))  # the second one's anchors are larger than the image


def make_anchors():
    found = []
    for stride, side in LEVELS:
        for row in range(SIZE // stride):
            for column in range(SIZE // stride):
                for ratio in (0.5, 1.0, 2.0):
                    height = np.sqrt(side * side / ratio)
                    found.append(((column + 0.5) * stride, (row + 0.5) * stride, side * side / height, height))
    return np.array(found, np.float32)


ANCHORS = make_anchors()


def network(name, has_rescaling):
    layers = tf.keras.layers
    image = tf.keras.Input((SIZE, SIZE, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1)(image) if has_rescaling else image
    for filters in (8, 8, 16):
        x = layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu")(x)
    maps = [x, layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(x)]
    heads = [layers.Conv2D(3 * width, 3, padding="same", name=f"head_{width}") for width in (4, CLASSES)]
    rows = [
        layers.Concatenate(axis=1)([layers.Reshape((-1, width))(head(each)) for each in maps])
        for head, width in zip(heads, (4, CLASSES))
    ]
    model = tf.keras.Model(image, rows)
    numbers = random(name)
    for weight in model.weights:
        fan_in = np.prod(weight.shape[:-1]) if len(weight.shape) > 1 else 30
        weight.assign(numbers.normal(0, (2 / fan_in) ** 0.5, weight.shape))
    return model


def decode(encodings, is_normalized):
    anchors = ANCHORS[None] / (SIZE if is_normalized else 1)
    t = encodings * tf.constant(VARIANCES)
    centers = t[..., :2] * anchors[..., 2:] + anchors[..., :2]
    sides = tf.exp(t[..., 2:]) * anchors[..., 2:]
    return tf.concat([centers - sides / 2, centers + sides / 2], -1)


def combined(encodings, logits):
    """Pixels, and CombinedNonMaxSuppression."""
    boxes = decode(encodings, False)
    found = tf.image.combined_non_max_suppression(
        boxes[:, :, None], tf.nn.sigmoid(logits), PER_CLASS, TOTAL, IOU, SCORE, clip_boxes=False
    )
    return found[0][0] / SIZE, found[1][0], found[2][0], found[3][0]


def per_class(encodings, logits):
    """Parts of the image, and a suppression for each class."""
    boxes = decode(encodings, True)[0]
    scores = tf.nn.sigmoid(logits)[0]
    kept = [tf.image.non_max_suppression(boxes, scores[:, c], PER_CLASS, IOU, SCORE) for c in range(CLASSES)]
    all_scores = tf.concat([tf.gather(scores[:, c], each) for c, each in enumerate(kept)], 0)
    all_boxes = tf.concat([tf.gather(boxes, each) for each in kept], 0)
    classes = tf.concat([tf.fill(tf.shape(each), float(c)) for c, each in enumerate(kept)], 0)
    order = tf.argsort(all_scores, direction="DESCENDING")[:TOTAL]
    return tf.gather(all_boxes, order), tf.gather(all_scores, order), tf.gather(classes, order), tf.size(order)


def write(out, name, head, has_rescaling):
    model = network(name, has_rescaling)
    detect = tf.function(
        lambda image: head(*model(image)), input_signature=[tf.TensorSpec([1, SIZE, SIZE, 3], tf.float32)]
    )
    frozen = convert_variables_to_constants_v2(detect.get_concrete_function())
    (out / f"{name}.pb").write_bytes(frozen.graph.as_graph_def().SerializeToString())
    squares = random(f"{name} picture").integers(0, 256, (8, 8, 3))
    pixels = np.repeat(np.repeat(squares, SIZE // 8, 0), SIZE // 8, 1)[None].astype(np.float32)
    boxes, scores, classes, count = (
        part.numpy() for part in detect(tf.constant(pixels if has_rescaling else pixels / 127.5 - 1))
    )
    return {
        "squares": squares.astype(int).ravel().tolist(),
        "input": None if has_rescaling else "[-1,1]",
        "detections": [
            {"label": int(classes[i]), "score": float(scores[i]), "xyxy": boxes[i].tolist()} for i in range(int(count))
        ],
    }


def main():
    out = parse_folder(__doc__, "convert/retinanet")
    cases = {
        "combined": write(out, "combined", combined, True),
        "per_class": write(out, "per_class", per_class, False),
    }
    write_json(out / "expected.json", cases)
    for name, case in cases.items():
        print(name, [round(each["score"], 3) for each in case["detections"]])


if __name__ == "__main__":
    main()

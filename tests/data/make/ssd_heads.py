"""200 steps of training a detector's heads in TensorFlow, with the losses of its Object Detection API and Keras' optimizers.

Writes train/ssd_heads.json and .bin. Needs what ssd.py needs.
"""
import json

import numpy as np
import ssd
import tensorflow as tf
from object_detection.core import losses

STEPS, BATCH, IMAGES = 200, 8, 24
POINTWISE, CONV3, DEPTHWISE = 'pointwise', 'conv3', 'depthwise'

# Each layer: kind, output channels, ReLU6, input (a map, or number of maps + layer), shared layer.
CASES = {
    'momentum_focal': dict(
        inputs=[[4, 4, 8], [2, 2, 6]], columns=4, background=0, kind=ssd.FOCAL, mined=False,
        layers=[(POINTWISE, 8, False, 0, -1), (POINTWISE, 8, False, 0, -1), (CONV3, 12, False, 1, -1), (CONV3, 12, False, 1, -1)],
        heads=[(0, 1), (2, 3)], optimizer=dict(type='sgd', learning_rate=0.02, momentum=0.9)),
    'adam_sigmoid_mined': dict(
        inputs=[[5, 3, 8], [2, 2, 8]], columns=3, background=1, kind=ssd.SIGMOID, mined=True,
        layers=[(DEPTHWISE, 8, True, 0, -1), (POINTWISE, 8, False, 2, -1), (DEPTHWISE, 8, True, 0, -1),
                (POINTWISE, 6, False, 4, -1), (POINTWISE, 8, False, 1, -1), (POINTWISE, 6, False, 1, -1)],
        heads=[(1, 3), (4, 5)], optimizer=dict(type='adam', learning_rate=0.005)),
    'rmsprop_softmax_shared': dict(
        inputs=[[4, 4, 6], [2, 2, 6]], columns=4, background=1, kind=ssd.SOFTMAX, mined=True,
        layers=[(CONV3, 6, True, 0, -1), (POINTWISE, 8, False, 2, -1), (POINTWISE, 8, False, 2, -1),
                (CONV3, 6, True, 1, 0), (POINTWISE, 8, False, 5, 1), (POINTWISE, 8, False, 5, 2)],
        heads=[(1, 2), (4, 5)], optimizer=dict(type='rmsprop', learning_rate=0.002)),
}
OPTIMIZERS = {'sgd': tf.keras.optimizers.SGD, 'adam': tf.keras.optimizers.Adam, 'rmsprop': tf.keras.optimizers.RMSprop}


def make_variables(rng, case):
    channels = [shape[2] for shape in case['inputs']]
    variables = []
    for kind, out, _, source, shared in case['layers']:
        size = channels[source]
        channels.append(out)
        if shared >= 0:
            variables.append(variables[shared])
            continue
        shape = {POINTWISE: [1, 1, size, out], CONV3: [3, 3, size, out], DEPTHWISE: [3, 3, out, 1]}[kind]
        kernel = rng.normal(0, 0.2, shape).astype(np.float32)
        variables.append((tf.Variable(kernel), tf.Variable(rng.normal(0, 0.1, out).astype(np.float32))))
    return variables


def run(case, variables, maps):
    values = list(maps)
    for (kind, _, relu6, source, _), (kernel, bias) in zip(case['layers'], variables):
        convolve = tf.nn.depthwise_conv2d if kind == DEPTHWISE else tf.nn.conv2d
        result = convolve(values[source], kernel, [1, 1, 1, 1], 'SAME') + bias
        values.append(tf.nn.relu6(result) if relu6 else result)
    outputs = values[len(maps):]
    join = lambda which, width: tf.concat(
        [tf.reshape(outputs[head[which]], [maps[0].shape[0], -1, width]) for head in case['heads']], 1)
    return join(0, 4), join(1, case['columns'])


def loss_of(case, settings, encodings, logits):
    i, f = settings['ints'], settings['floats']
    coder, (class_targets, class_weights, box_targets, box_weights, match) = ssd.assign(settings)
    box_losses = losses.WeightedSmoothL1LocalizationLoss(f['delta'])(
        encodings, box_targets, ignore_nan_targets=True, weights=box_weights)
    class_losses = ssd.class_loss_of(i['class_loss'], f)(logits, class_targets, weights=class_weights)
    if len(class_losses.shape) == 3:
        class_losses = tf.reduce_sum(class_losses, 2)
    if case['mined']:
        mined = {**settings, 'encodings': tf.unstack(encodings)}
        box_loss, class_loss = ssd.mine(mined, coder, box_losses, class_losses, match)
    else:
        box_loss, class_loss = tf.reduce_sum(box_losses), tf.reduce_sum(class_losses)
    normalizer = tf.maximum(tf.reduce_sum(box_weights), 1.0)
    return (box_loss * f['box_weight'] + class_loss * f['class_weight']) / normalizer


FLOATS = dict(matched=0.5, unmatched=0.4, sy=10.0, sx=10.0, sh=5.0, sw=5.0, alpha=0.25, gamma=2.0, logit_scale=1.0, delta=1.0,
              negative_weight=1.0, class_weight=1.0, box_weight=1.0, mine_iou=0.99, mine_class=0.05, mine_box=0.06, ratio=3.0)


def solve(rng, case):
    anchors = ssd.random_boxes(rng, case['anchors'], (0.2, 0.6))
    maps = [rng.uniform(0, 2, [IMAGES, *shape]).astype(np.float16) for shape in case['inputs']]
    counts = [int(rng.integers(0, 4)) for _ in range(IMAGES)]
    boxes = [ssd.random_boxes(rng, count, (0.2, 0.6)) for count in counts]
    classes = [rng.integers(0, case['columns'] - case['background'], count).astype(np.int32) for count in counts]
    weights = [np.ones(count, np.float32) for count in counts]
    variables = make_variables(rng, case)
    own = [pair for pair, layer in zip(variables, case['layers']) if layer[4] < 0]
    flat = lambda: np.concatenate([part.numpy().ravel() for pair in own for part in pair])
    initial, history = flat(), []
    options = dict(case['optimizer'])
    optimizer = OPTIMIZERS[options.pop('type')](**options)
    trained = [part for pair in own for part in pair]
    for step in range(STEPS):
        first = step * BATCH % IMAGES
        at = slice(first, first + BATCH)
        settings = {
            'ints': dict(columns=case['columns'], class_loss=case['kind'], background=case['background'], swaps=0, forced=1,
                         mine_loss=0, hard=3000, min_negatives=3),
            'floats': FLOATS, 'anchors': anchors, 'boxes': boxes[at], 'classes': classes[at], 'weights': weights[at],
        }
        with tf.GradientTape() as tape:
            loss = loss_of(case, settings, *run(case, variables, [tf.constant(part[at].astype(np.float32)) for part in maps]))
        optimizer.apply_gradients(zip(tape.gradient(loss, trained), trained))
        history.append(float(loss))
    rows = np.concatenate([part.reshape(IMAGES, -1) for part in maps], 1)
    return dict(anchors=ssd.to_centers(anchors).astype(np.float32), initial=initial, final=flat(), rows=rows.view(np.uint16),
                boxes=np.concatenate(boxes), classes=np.concatenate(classes)), counts, history


def main():
    described, blob = {}, b''
    for index, (name, case) in enumerate(CASES.items()):
        shapes = {**{i: s for i, s in enumerate(case['inputs'])}}
        at_pixel = [case['layers'][boxes][1] // 4 for boxes, _ in case['heads']]
        case['anchors'] = sum(s[0] * s[1] * k for s, k in zip(shapes.values(), at_pixel))
        arrays, counts, history = solve(np.random.default_rng(11 + index), case)
        parts = {}
        for key, array in arrays.items():
            parts[key] = [len(blob), array.size, str(array.dtype)]
            blob += np.ascontiguousarray(array).tobytes() + b'\0' * (-array.nbytes % 4)
        layers = [dict(zip(('kind', 'channels', 'relu6', 'from', 'shared'), layer)) for layer in case['layers']]
        described[name] = dict(inputs=case['inputs'], columns=case['columns'], background=bool(case['background']),
                               type=['sigmoid', 'focal', 'softmax'][case['kind']], mined=case['mined'], layers=layers,
                               heads=[dict(zip(('boxes', 'scores'), head)) for head in case['heads']],
                               optimizer=case['optimizer'], counts=counts, losses=history, arrays=parts)
    with open('tests/data/train/ssd_heads.json', 'w') as out:
        json.dump(dict(steps=STEPS, batch=BATCH, images=IMAGES, cases=described), out)
    with open('tests/data/train/ssd_heads.bin', 'wb') as out:
        out.write(blob)


if __name__ == '__main__':
    main()

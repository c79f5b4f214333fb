"""Random cases of a detector's targets and losses, with what TensorFlow's Object Detection API computes from them.

Writes train/ssd_losses.bin (tests/c/train/test_ssd_loss.c gives its layout). Needs TensorFlow 2.15, tf-slim and
`tf-models-research-object-detection` (installed with --no-deps) in the path. `ssd.py COUNT FILE` writes COUNT cases of each
kind elsewhere.
"""
import sys

import numpy as np

np.float, np.int, np.bool, np.object = float, int, bool, object  # names that this version of the API needs

import tensorflow as tf
from object_detection.box_coders import faster_rcnn_box_coder
from object_detection.core import box_list, losses, matcher, region_similarity_calculator, target_assigner
from object_detection.matchers import argmax_matcher

SIGMOID, FOCAL, SOFTMAX = range(3)
MINE = ['cls', 'loc', 'both']


def random_boxes(rng, count, sizes):
    size = rng.uniform(*sizes, (count, 2))
    center = rng.uniform(0, 1, (count, 2))
    return np.concatenate([center - size / 2, center + size / 2], 1).astype(np.float32)


def random_case(rng, kind, mined):
    rows, anchors, columns = int(rng.integers(1, 4)), int(rng.integers(8, 60)), int(rng.integers(2, 6))
    counts = [int(rng.integers(0, 5)) for _ in range(rows)]
    matched = float(rng.choice([0.5, 0.4, 0.6]))
    unmatched = float(rng.choice([matched, matched - 0.15, 0.3]))
    background = kind == SOFTMAX or bool(rng.integers(2))
    return {
        'ints': dict(
            rows=rows, anchors=anchors, columns=columns, boxes=sum(counts), class_loss=kind, background=int(background),
            normalized=int(rng.integers(2)), divided=int(rng.integers(2)), mined=int(mined),
            mine_loss=int(rng.integers(3)), hard=int(rng.choice([0, 5, 30])), min_negatives=int(rng.integers(4)),
            forced=int(rng.integers(2)), swaps=int(matched != unmatched and rng.integers(2))),
        'floats': dict(
            matched=matched, unmatched=unmatched, sy=10.0, sx=float(rng.choice([10, 8])), sh=5.0,
            sw=float(rng.choice([5, 1])), alpha=float(rng.choice([0.25, 0.75, -1])), gamma=float(rng.choice([2, 0, 1.5, 0.5])),
            logit_scale=float(rng.choice([1, 2])), delta=float(rng.choice([1, 0.5, 0.111])),
            negative_weight=float(rng.choice([1, 0.5])), class_weight=float(rng.choice([1, 0.6])),
            box_weight=float(rng.choice([1, 2])), mine_iou=float(rng.choice([0.99, 0.5, 1])), mine_class=0.05,
            mine_box=0.06, ratio=float(rng.choice([3, 1.5, -1]))),
        'anchors': random_boxes(rng, anchors, (0.05, 0.6)),
        'encodings': rng.normal(0, 1.5, (rows, anchors, 4)).astype(np.float32),
        'logits': rng.normal(0, 3, (rows, anchors, columns)).astype(np.float32),
        'counts': counts,
        'boxes': [random_boxes(rng, count, (0.05, 0.6)) for count in counts],
        'classes': [rng.integers(0, columns - background, count).astype(np.int32) for count in counts],
        'weights': [rng.choice([1, 1, 1, 0.5, 0], count).astype(np.float32) for count in counts],
    }


def class_loss_of(kind, f):
    if kind == FOCAL:
        return losses.SigmoidFocalClassificationLoss(gamma=f['gamma'], alpha=None if f['alpha'] < 0 else f['alpha'])
    if kind == SOFTMAX:
        return losses.WeightedSoftmaxClassificationLoss(logit_scale=f['logit_scale'])
    return losses.WeightedSigmoidClassificationLoss()


def assign(case):
    i, f = case['ints'], case['floats']
    coder = faster_rcnn_box_coder.FasterRcnnBoxCoder([f['sy'], f['sx'], f['sh'], f['sw']])
    assigner = target_assigner.TargetAssigner(
        region_similarity_calculator.IouSimilarity(),
        argmax_matcher.ArgMaxMatcher(f['matched'], f['unmatched'], negatives_lower_than_unmatched=not i['swaps'],
                                     force_match_for_each_row=bool(i['forced'])),
        coder, f['negative_weight'])
    unmatched = np.zeros(i['columns'], np.float32)
    if i['background']:
        unmatched[0] = 1
    one_hot = [np.eye(i['columns'], dtype=np.float32)[classes + i['background']] for classes in case['classes']]
    results = [
        assigner.assign(box_list.BoxList(tf.constant(case['anchors'])), box_list.BoxList(tf.constant(boxes)),
                        tf.constant(labels), tf.constant(unmatched), tf.constant(weights))
        for boxes, labels, weights in zip(case['boxes'], one_hot, case['weights'])
    ]
    return coder, [tf.stack(part) for part in zip(*results)]


def mine(case, coder, box_losses, class_losses, match):
    i, f = case['ints'], case['floats']
    miner = losses.HardExampleMiner(
        num_hard_examples=i['hard'] or None, iou_threshold=f['mine_iou'], loss_type=MINE[i['mine_loss']],
        cls_loss_weight=f['mine_class'], loc_loss_weight=f['mine_box'],
        max_negatives_per_positive=None if f['ratio'] < 0 else f['ratio'], min_negatives_per_image=i['min_negatives'])
    anchors = box_list.BoxList(tf.constant(case['anchors']))
    decoded = [coder.decode(tf.constant(codes), anchors) for codes in case['encodings']]
    return miner(box_losses, class_losses, decoded, [matcher.Match(one) for one in tf.unstack(match)])


def solve(case):
    i, f = case['ints'], case['floats']
    coder, (class_targets, class_weights, box_targets, box_weights, match) = assign(case)
    encodings, logits = tf.constant(case['encodings']), tf.constant(case['logits'])
    with tf.GradientTape() as tape:
        tape.watch([encodings, logits])
        box_losses = losses.WeightedSmoothL1LocalizationLoss(f['delta'])(
            encodings, box_targets, ignore_nan_targets=True, weights=box_weights)
        class_losses = class_loss_of(i['class_loss'], f)(logits, class_targets, weights=class_weights)
        if len(class_losses.shape) == 3:
            class_losses = tf.reduce_sum(class_losses, 2)
        if i['mined']:
            box_loss, class_loss = mine(case, coder, box_losses, class_losses, match)
        else:
            box_loss, class_loss = tf.reduce_sum(box_losses), tf.reduce_sum(class_losses)
        normalizer = tf.maximum(tf.reduce_sum(box_weights), 1.0) if i['normalized'] else tf.constant(1.0)
        box_loss *= f['box_weight'] / (normalizer * (4 if i['divided'] else 1))
        class_loss *= f['class_weight'] / normalizer
        total = box_loss + class_loss
    gradients = tape.gradient(total, [encodings, logits], unconnected_gradients='zero')
    return [match, box_targets, tf.stack([class_loss, box_loss]), *gradients]


def to_centers(corners):
    return np.concatenate([(corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]], 1)


def write(out, case):
    flat = lambda lists, dtype, width: np.concatenate([np.zeros((0, *width), dtype), *lists]).astype(dtype)
    parts = [
        np.array(list(case['ints'].values()), np.int32), np.array(list(case['floats'].values()), np.float32),
        to_centers(case['anchors']).astype(np.float32), case['encodings'], case['logits'], np.array(case['counts'], np.int32),
        flat(case['boxes'], np.float32, (4,)), flat(case['classes'], np.int32, ()), flat(case['weights'], np.float32, ()),
        *[np.asarray(part) for part in solve(case)],
    ]
    for part in parts:
        assert part.dtype in (np.float32, np.int32), part.dtype
        out.write(np.ascontiguousarray(part).tobytes())


def main(count=2, path='tests/data/train/ssd_losses.bin', seed=7):
    rng = np.random.default_rng(seed)
    with open(path, 'wb') as out:
        for kind in (SIGMOID, FOCAL, SOFTMAX):
            for mined in (False, True):
                for _ in range(int(count)):
                    write(out, random_case(rng, kind, mined))


if __name__ == '__main__':
    main(*sys.argv[1:3])

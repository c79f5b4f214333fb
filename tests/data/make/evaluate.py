"""
Random data sets and what the usual tools measure on them, for the tests of ocelli/evaluate.

numpy 1.23.5, pycocotools 2.0.11, tidecv 1.0.1 and tf-models-research-object-detection 2.8.0.post1 (the last two with
pip install --no-deps). What they import for graphs, images and plots is not needed here and replaced by empty modules.
"""

import contextlib
import copy
import gzip
import io
import json
import logging
import sys
import types
import zlib
from argparse import ArgumentParser
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np

DATA = Path(__file__).resolve().parent.parent

for name in ["tensorflow", "tensorflow.compat", "tensorflow.compat.v1", "cv2", "appdirs", "tidecv.plotting"]:
    sys.modules[name] = MagicMock()
label_map = types.ModuleType("object_detection.utils.label_map_util")
label_map.create_category_index = lambda categories: {category["id"]: category for category in categories}
sys.modules["object_detection.utils.label_map_util"] = label_map
for name in ["matplotlib", "matplotlib.pyplot"]:
    sys.modules[name] = MagicMock()

from object_detection.core import standard_fields  # noqa: E402
from object_detection.dataset_tools import oid_hierarchical_labels_expansion as expansion  # noqa: E402
from object_detection.utils import object_detection_evaluation as od  # noqa: E402
from pycocotools.coco import COCO  # noqa: E402
from pycocotools.cocoeval import COCOeval  # noqa: E402
import tidecv  # noqa: E402

FIGURES = "AP AP50 AP75 APs APm APl AR1 AR10 AR100 ARs ARm ARl".split()


def number(value):
    """None where a tool says -1 or NaN."""
    return None if value is None or np.isnan(value) or value == -1 else float(value)


# ---- data sets ----


def boxes(rng, count, kind):
    size = np.exp(rng.normal(3.8, 1, (count, 2))).clip(1, 500)
    found = np.concatenate([rng.random((count, 2)) * [500, 400] - 5, size], axis=1)
    found[rng.random(count) < 0.03, 2 + rng.integers(0, 2)] = 0  # of no area
    return np.round(found) if kind == "whole" else np.round(found, 2)


def data_set(name, most_images):
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    num_images = int(rng.integers(0, most_images + 1))
    kind = rng.choice(["whole", "fraction"])
    levels = int(rng.choice([4, 20, 10**6]))  # of scores: few levels give many ties
    ids = rng.permutation(np.arange(1, 3 * num_images + 1))[:num_images]
    if rng.random() < 0.3 and num_images:
        ids[0] = 0
    images = [{"id": int(i), "file_name": f"{i:06}.jpg", "width": 600, "height": 500} for i in ids]
    num_classes = int(rng.integers(1, 9))
    classes = sorted(rng.choice(np.arange(1, 20), num_classes, replace=False).tolist())
    rng.shuffle(classes)
    categories = [{"id": int(c), "name": f"class {c}"} for c in classes]
    used = classes[: max(1, int(rng.integers(0, num_classes + 1)))]  # the others have no annotations
    annotations, detections = [], []
    first = int(rng.random() < 0.7)  # 0: one annotation has the id 0
    for image in images:
        count = int(rng.integers(0, 12)) if rng.random() < 0.8 else 0
        real = boxes(rng, count, kind)
        mine = []
        for box in real:
            crowd = int(rng.random() < 0.08)
            mine.append(
                {
                    "id": first + len(annotations) + len(mine),
                    "image_id": image["id"],
                    "category_id": int(rng.choice(used)),
                    "bbox": box.tolist(),
                    "area": float(round(box[2] * box[3] * rng.choice([1, 0.6]), 2)),
                    "iscrowd": crowd,
                    "difficult": int(rng.random() < 0.1),
                    "isGroupOf": int(rng.random() < 0.12),
                }
            )
        annotations += mine
        count = int(rng.integers(0, 25)) if rng.random() < 0.9 else int(rng.integers(0, 160))
        for _ in range(count):
            if mine and rng.random() < 0.6:
                near = mine[int(rng.integers(len(mine)))]
                box = np.array(near["bbox"]) + rng.normal(0, rng.choice([0, 0.03, 0.15, 0.3]), 4) * (near["bbox"][2:] * 2)
                label = near["category_id"] if rng.random() < 0.8 else int(rng.choice(classes))
            else:
                box, label = boxes(rng, 1, kind)[0], int(rng.choice(classes))
            box[2:] = np.maximum(box[2:], 0)
            box = np.round(box) if kind == "whole" else np.round(box, 2)
            score = float(np.ceil(rng.random() * levels) / levels)
            detections.append({"image_id": image["id"], "category_id": label, "bbox": box.tolist(), "score": score})
    order = rng.permutation(len(detections))
    detections = [detections[i] for i in order]
    labels = [
        {"image_id": image["id"], "category_id": int(c), "positive": bool(rng.random() < 0.3)}
        for image in images
        for c in classes
        if rng.random() < 0.3
    ]
    truth = {"images": images, "categories": categories, "annotations": annotations, "imageLabels": labels}
    return truth, detections, hierarchy(rng, classes)


def hierarchy(rng, classes):
    """A tree of the classes under a root, as Open Images' files have it; a class may stand at two places."""
    root = {"LabelName": "root", "Subcategory": []}
    nodes = [root]
    for c in classes:
        node = {"LabelName": str(c)}
        parents = [nodes[int(rng.integers(len(nodes)))]]
        if rng.random() < 0.2:
            parents.append(nodes[int(rng.integers(len(nodes)))])
        for parent in parents:
            if parent is not node:
                parent.setdefault("Subcategory", []).append(copy.deepcopy(node) if parent is not parents[0] else node)
        nodes.append(node)
    return root


# ---- COCO ----


def coco(truth, detections, agnostic=False):
    empty = {name: None for name in FIGURES}
    if not truth["images"]:
        return empty, {}
    truth = copy.deepcopy(truth)
    dataset = COCO()
    dataset.dataset = truth
    dataset.createIndex()
    if detections:
        results = dataset.loadRes(copy.deepcopy(detections))
    else:  # loadRes fails on an empty list
        results = COCO()
        results.dataset = {**truth, "annotations": []}
        results.createIndex()
    judge = COCOeval(dataset, results, "bbox")
    judge.params.useCats = 0 if agnostic else 1
    judge.evaluate()
    judge.accumulate()
    judge.summarize()
    precision = judge.eval["precision"]
    per_class = {}
    for k, c in enumerate([] if agnostic else judge.params.catIds):
        at = precision[:, :, k, 0, 2]
        per_class[str(c)] = None if (at == -1).all() else float(at[at > -1].mean())
    return {name: number(value) for name, value in zip(FIGURES, judge.stats)}, per_class


# ---- TensorFlow's object detection API ----


def corners(rows):
    box = np.array([row["bbox"] for row in rows], dtype=float).reshape(-1, 4)
    x, y, w, h = box.T
    return np.stack([y, x, y + h, x + w], axis=1)


def column(rows, key, dtype):
    return np.array([row[key] for row in rows], dtype=dtype)


def object_detection(evaluator, truth, detections):
    fields, results = standard_fields.InputDataFields, standard_fields.DetectionResultFields
    for image in sorted(truth["images"], key=lambda image: image["id"]):
        real = [a for a in truth["annotations"] if a["image_id"] == image["id"]]
        found = [d for d in detections if d["image_id"] == image["id"]]
        labels = [l["category_id"] for l in truth["imageLabels"] if l["image_id"] == image["id"]]
        evaluator.add_single_ground_truth_image_info(
            image["id"],
            {
                fields.groundtruth_boxes: corners(real),
                fields.groundtruth_classes: column(real, "category_id", int),
                fields.groundtruth_difficult: column(real, "difficult", bool),
                fields.groundtruth_group_of: column(real, "isGroupOf", bool),
                fields.groundtruth_image_classes: np.array(labels, dtype=int),
            },
        )
        evaluator.add_single_detected_image_info(
            image["id"],
            {
                results.detection_boxes: corners(found),
                results.detection_scores: column(found, "score", float),
                results.detection_classes: column(found, "category_id", int),
            },
        )
    found = evaluator.evaluate()
    mean = next(value for key, value in found.items() if "Precision/mAP" in key)
    per_class = {key.rsplit(" ", 1)[1]: number(value) for key, value in found.items() if "/AP@" in key}
    return {"mAP": number(mean), "perClass": per_class}


def expanded(truth, tree):
    """Boxes and image labels with their ancestors and descendants, by TensorFlow's tool."""
    tool = expansion.OIDHierarchicalLabelsExpansion(tree)
    rows = []
    for a in truth["annotations"]:
        lines = tool.expand_boxes_or_segments_from_csv(f"x,{a['category_id']}")
        rows += [{**a, "category_id": int(line.split(",")[1])} for line in [lines[0], *sorted(set(lines[1:]))]]
    labels = []
    for l in truth["imageLabels"]:
        lines = tool.expand_labels_from_csv(f"x,{l['category_id']},{int(l['positive'])}")
        labels += [{**l, "category_id": int(line.split(",")[1])} for line in lines]
    return {**truth, "annotations": rows, "imageLabels": labels}


# ---- TIDE ----


def tide(truth, detections):
    real, found = tidecv.Data("truth"), tidecv.Data("found")
    for image in truth["images"]:
        real.add_image(image["id"], image["file_name"])
    for category in truth["categories"]:
        real.add_class(category["id"], category["name"])
    for a in truth["annotations"]:
        add = real.add_ignore_region if a["iscrowd"] else real.add_ground_truth
        add(a["image_id"], a["category_id"], a["bbox"], None)
    for d in detections:
        found.add_detection(d["image_id"], d["category_id"], d["score"], d["bbox"], None)
    judge = tidecv.TIDE()
    try:
        run = judge.evaluate(real, found)
    except ZeroDivisionError:  # no class
        return None
    errors = judge.get_all_errors()
    counts = {kind.short_name: count for kind, count in run.count_errors().items()}
    return {"AP": run.ap, **errors["main"]["truth" if "truth" in errors["main"] else "found"], **errors["special"]["found"], "counts": counts}


def measure(truth, detections, tree):
    whole, per_class = coco(truth, detections)
    many = [{"id": i, "name": f"class {i}"} for i in sorted(c["id"] for c in truth["categories"])]
    open_images = object_detection(od.OpenImagesDetectionEvaluator(many), truth, detections)
    challenge = od.OpenImagesChallengeEvaluator(many)
    with_tree = expanded(truth, tree)
    try:
        errors = tide(truth, detections)
    except ZeroDivisionError:
        errors = None
    return {
        "coco": whole,
        "cocoPerClass": per_class,
        "cocoAgnostic": coco(truth, detections, agnostic=True)[0],
        "openImages": open_images,
        "challenge": object_detection(challenge, truth, detections),
        "challengeExpanded": object_detection(od.OpenImagesChallengeEvaluator(many), with_tree, detections),
        "voc2010": object_detection(od.PascalDetectionEvaluator(many), truth, detections),
        "tide": errors,
    }


def main():
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=DATA / "evaluate", help="folder to write (default: %(default)s)")
    parser.add_argument("--count", type=int, default=12, help="data sets (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="number of the first one (default: %(default)s)")
    parser.add_argument("--images", type=int, default=20, help="most images of one (default: %(default)s)")
    parser.add_argument("--name", default="sample", help="another name gives other data sets (default: %(default)s)")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    logging.disable(logging.CRITICAL)
    np.seterr(all="ignore")
    for i in range(given.first, given.count):
        most = given.images if i else 0
        truth, detections, tree = data_set(f"{given.name} {i}", most)
        with contextlib.redirect_stdout(io.StringIO()):
            found = measure(truth, detections, tree)
        case = {"truth": truth, "detections": detections, "hierarchy": tree, "expected": found}
        text = json.dumps(case, separators=(",", ":"))
        (given.out / f"{i}.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    main()

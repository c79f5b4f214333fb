"""
What sahi makes of detections in tiles, and how it slices pictures, for the tests of wasm/tiles: sums of all results.

numpy 2.4.6 and sahi 0.12.0, with its backend for numpy. It runs tests/node/tiles/cases.js with node.
"""

import hashlib
import json
import subprocess
import warnings
from pathlib import Path

import numpy as np
from sahi.postprocess.backends import set_postprocess_backend
from sahi.postprocess.combine import GreedyNMMPostprocess, NMSPostprocess
from sahi.prediction import ObjectPrediction
from sahi.slicing import get_slice_bboxes

DATA = Path(__file__).resolve().parent.parent


def merge(case):
    """Rows of x1, y1, x2, y2, score and class; sorted, because the order of equal scores is nobody's."""
    kind = {"greedy": GreedyNMMPostprocess, "suppress": NMSPostprocess}[case["merge"]]
    metric = {"greedy": "IOS", "suppress": "IOU"}[case["merge"]]
    predictions = []
    for each in case["detections"]:
        x, y, width, height = (each["box"][key] for key in ["x", "y", "width", "height"])
        predictions.append(
            ObjectPrediction(
                bbox=[x, y, x + width, y + height],
                score=each["score"],
                category_id=each["labelId"],
                category_name=str(each["labelId"]),
            )
        )
    if not predictions:
        return []
    combine = kind(match_threshold=case["threshold"], match_metric=metric, class_agnostic=case["classAgnostic"])
    return sorted([*each.bbox.to_xyxy(), each.score.value, each.category.id] for each in combine(predictions))


def main():
    warnings.simplefilter("ignore")
    set_postprocess_backend("numpy")
    made = json.loads(
        subprocess.run(["node", DATA.parent / "node/tiles/cases.js"], check=True, capture_output=True).stdout
    )
    merged = [merge(case) for case in made["cases"]]
    slices = [
        get_slice_bboxes(each["height"], each["width"], each["size"], each["size"], False, each["overlap"], each["overlap"])
        for each in made["slicings"]
    ]
    digest = lambda rows: hashlib.sha256(np.array(rows, dtype="<f8").tobytes()).hexdigest()
    cases = {
        "detections": sum(len(each) for each in merged),
        "merged": digest([value for rows in merged for row in rows for value in row]),
        "slices": digest([value for rows in slices for row in rows for value in row]),
    }
    (DATA / "tiles/cases.json").write_text(json.dumps(cases, indent=1) + "\n")


main()

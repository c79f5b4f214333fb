"""
Tracks of the detections in vtest.txt.gz and of random sequences, by ByteTrack, and assignments by SciPy, for the tests
of ocelli/track. With --metrics it prints MOTA and IDF1 of the random sequences.

numpy 2.4.6, scipy 1.17.1, supervision 0.31.2, trackers 2.6.1; for --metrics also motmetrics 1.4.0. It runs
tests/node/track/sequences.js with node, which makes the sequences and matrices.
"""

import gzip
import hashlib
import json
import subprocess
import warnings
from argparse import ArgumentParser
from pathlib import Path

import numpy as np
import supervision
from scipy.optimize import linear_sum_assignment
from trackers import ByteTrackTracker

DATA = Path(__file__).resolve().parent.parent
SEQUENCES = DATA.parent / "node/track/sequences.js"


def track(rows):
    """
    The confirmed tracks of rows (frame, x, y, width, height, score), as lists of frame, index in the frame and id, in
    this order. Ids count from 1 in the order of their first lists.
    """
    frames = {}
    for frame, *box in rows:
        frames.setdefault(int(frame), []).append(box)
    tracker, found = ByteTrackTracker(), []
    for frame in range(1, max(frames) + 1):
        boxes = np.array(frames.get(frame, []), dtype=np.float64).reshape(-1, 5)
        detections = supervision.Detections(
            xyxy=supervision.xywh_to_xyxy(boxes[:, :4]), confidence=boxes[:, 4], class_id=np.arange(len(boxes))
        )
        tracked = tracker.update(detections)
        for index, number in zip(tracked.class_id if len(tracked) else [], tracked.tracker_id):
            if number >= 0:
                found.append([frame, int(index), int(number)])
    numbers = {}
    return [[frame, index, numbers.setdefault(number, len(numbers) + 1)] for frame, index, number in sorted(found)]


def digest(lists):
    """The sha256 of numbers, a list on each line."""
    return hashlib.sha256("".join(",".join(map(str, each)) + "\n" for each in lists).encode()).hexdigest()


def describe(rows):
    found = track(rows)
    return {"rows": len(found), "tracks": max((number for _, _, number in found), default=0), "sha256": digest(found)}


def columns(rows):
    return [[row[key] for key in ["frame", "x", "y", "width", "height", "score"]] for row in rows]


def assign(matrix):
    values = np.array(matrix["values"]).reshape(matrix["rows"], matrix["columns"])
    return [int(each) for pair in zip(*linear_sum_assignment(values, maximize=True)) for each in pair]


def print_metrics(sequences):
    import motmetrics

    np.asfarray = lambda values: np.asarray(values, dtype=np.float64)  # motmetrics 1.4.0 asks numpy 2 for it
    accumulators = []
    for rows in sequences:
        accumulator = motmetrics.MOTAccumulator(auto_id=False)
        frames = {}
        for row in rows:
            frames.setdefault(row["frame"], []).append(row)
        tracks = {}
        for frame, index, number in track(columns(rows)):
            tracks.setdefault(frame, []).append((number, frames[frame][index]))
        box = lambda row: [row["x"], row["y"], row["width"], row["height"]]
        for frame, present in frames.items():
            truth = {row["object"]: box(row) for row in present if row["width"] > 0 and row["height"] > 0}
            found = tracks.get(frame, [])
            distances = motmetrics.distances.iou_matrix(
                list(truth.values()), [box(row) for _, row in found], max_iou=0.5
            )
            accumulator.update(list(truth), [number for number, _ in found], distances, frameid=frame)
        accumulators.append(accumulator)
    host = motmetrics.metrics.create()
    summary = host.compute_many(accumulators, metrics=["mota", "idf1", "num_switches"], generate_overall=True)
    print(summary.loc["OVERALL"].to_string())


def main():
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=DATA / "track/cases.json")
    parser.add_argument("--metrics", action="store_true", help="print MOTA and IDF1, and write nothing")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    made = json.loads(subprocess.run(["node", SEQUENCES], check=True, capture_output=True).stdout)
    if arguments.metrics:
        return print_metrics(made["sequences"])
    with gzip.open(DATA / "track/vtest.txt.gz", "rt") as file:
        rows = [[float(field) for field in line.split(",")] for line in file]
    cases = {
        "vtest": describe([[row[0], *row[2:7]] for row in rows]),
        "sequences": [describe(columns(rows)) for rows in made["sequences"]],
        "assignments": digest(assign(matrix) for matrix in made["matrices"]),
    }
    arguments.out.write_text(json.dumps(cases, indent=1) + "\n")


main()

"""
The default detector on the package's photos: its raw heads by TFLite, and the detections that TensorFlow's own resize and
suppression make of them. Nothing of ocelli is used but the file of the model and the photos.
"""

import subprocess
from pathlib import Path

import common
from common import np, tf

ROOT = common.DATA.parent.parent
MODEL = ROOT / "dist/models/ssd_mobilenet_v2_oidv4.bin"
PHOTOS = ["astronaut.png", "chelsea.png", "coffee.png"]
SIDE = 300
BOX_CODER = (10.0, 10.0, 5.0, 5.0)
SCORE, IOU, MOST = 0.1, 0.6, 100


def make_anchors():
    """The Object Detection API's ssd_anchor_generator, by its formula: centre y, x, height, width [1917, 4]."""
    scales = [*np.linspace(0.2, 0.95, 6), 1.0]
    anchors = []
    for layer, cells in enumerate((19, 10, 5, 3, 2, 1)):
        scale, between = scales[layer], np.sqrt(scales[layer] * scales[layer + 1])
        if layer == 0:
            shapes = [(0.1, 1.0), (scale, 2.0), (scale, 0.5)]
        else:
            shapes = [*((scale, ratio) for ratio in (1.0, 2.0, 0.5, 3.0, 0.3333)), (between, 1.0)]
        for row, column in np.ndindex(cells, cells):
            for size, ratio in shapes:
                centre = [(row + 0.5) / cells, (column + 0.5) / cells]
                anchors.append([*centre, size / np.sqrt(ratio), size * np.sqrt(ratio)])
    return np.array(anchors, np.float32)


def read_photos():
    folder = subprocess.run([ROOT / "tools/photos.sh"], check=True, capture_output=True, text=True).stdout.strip()
    return {name: tf.io.decode_png(Path(folder, name).read_bytes(), 3).numpy() for name in PHOTOS}


def nearest(photo):
    """The pixel at the floor of each place: an input that any language makes alike."""
    height, width = photo.shape[:2]
    rows, columns = np.arange(SIDE) * height // SIDE, np.arange(SIDE) * width // SIDE
    return photo[rows][:, columns]


def run_heads(pixels):
    """Box encodings and class logits of pixels [SIDE, SIDE, 3] from 0 to 255."""
    model = MODEL.read_bytes()
    tensor = (pixels.astype(np.float32) / np.float32(127.5) - np.float32(1))[None]
    outputs = common.run(model, tensor, common.XNNPACK)
    return sorted((output[0] for output in outputs), key=lambda head: head.shape[1])


def decode(encodings, anchors):
    ty, tx, th, tw = (encodings / np.array(BOX_CODER, np.float32)).T
    y, x, height, width = anchors.T
    half = [np.exp(th) * height / 2, np.exp(tw) * width / 2]
    centre = [ty * height + y, tx * width + x]
    corners = [centre[0] - half[0], centre[1] - half[1], centre[0] + half[0], centre[1] + half[1]]
    return np.clip(np.stack(corners, 1), 0, 1)


def suppress(encodings, logits, anchors):
    """What TensorFlow keeps of each class, the best first."""
    boxes = decode(encodings, anchors)
    scores = tf.sigmoid(logits).numpy()[:, 1:]
    found = []
    for label in range(scores.shape[1]):
        kept = tf.image.non_max_suppression(boxes, scores[:, label], MOST, IOU, SCORE).numpy()
        found += [
            {"box": boxes[i].tolist(), "score": float(scores[i, label]), "label": label, "anchor": int(i)} for i in kept
        ]
    return sorted(found, key=lambda detection: -detection["score"])


def resize(photo):
    """As the detector was trained: TensorFlow 1's convention."""
    return tf.compat.v1.image.resize_bilinear(photo[None].astype(np.float32), [SIDE, SIDE])[0].numpy()


def write_heads(out, stem, photo, anchors):
    encodings, logits = run_heads(nearest(photo))
    common.write_array(out / f"{stem}.boxes.bin", encodings)
    common.write_array(out / f"{stem}.scores.bin", logits)
    common.write_json(out / f"{stem}.detections.json", suppress(encodings, logits, anchors))
    return {part: f"{stem}.{part}.bin" for part in ("boxes", "scores")} | {"detections": f"{stem}.detections.json"}


def main():
    out = common.parse_folder(__doc__, "detector")
    anchors = make_anchors()
    cases = []
    for name, photo in read_photos().items():
        detections = suppress(*run_heads(resize(photo)), anchors)
        cases.append({"photo": name, "shape_hwc": list(photo.shape), "detections": detections})
        if name != "coffee.png":  # two photos' heads are enough
            cases[-1]["heads"] = write_heads(out, name.removesuffix(".png"), photo, anchors)
    common.write_json(out / "cases.json", cases)


if __name__ == "__main__":
    main()

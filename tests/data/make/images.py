"""JPEG files of a synthetic picture, by libjpeg-turbo in TensorFlow, and the pixels that it decodes them to."""

import common
import models
from common import np, tf

WIDTH, HEIGHT = 90, 61  # no multiple of a block
KINDS = {
    "baseline": {"format": "rgb", "quality": 90},
    "whole_chroma": {"format": "rgb", "quality": 95, "chroma_downsampling": False},
    "progressive": {"format": "rgb", "quality": 85, "progressive": True},
    "optimized": {"format": "rgb", "quality": 70, "optimize_size": True},
    "grey": {"format": "grayscale", "quality": 90},
}


def main():
    out = common.parse_folder(__doc__, "images")
    picture = models.make_pictures()[1, :HEIGHT, :WIDTH]
    cases = []
    for kind, options in KINDS.items():
        pixels = picture[:, :, :1] if kind == "grey" else picture
        file = tf.io.encode_jpeg(pixels, **options).numpy()
        # Chroma by triangles, and the exact inverse transform: libjpeg's own choice.
        decoded = tf.io.decode_jpeg(file, 3, fancy_upscaling=True, dct_method="INTEGER_ACCURATE").numpy()
        (out / f"{kind}.jpg").write_bytes(file)
        common.write_array(out / f"{kind}.u8.bin", decoded.astype(np.uint8))
        cases.append({"file": f"{kind}.jpg", "pixels": f"{kind}.u8.bin", "shape_hwc": list(decoded.shape)})
    common.write_json(out / "cases.json", cases)


if __name__ == "__main__":
    main()

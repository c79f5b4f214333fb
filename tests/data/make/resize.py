"""Bilinear resizes by TensorFlow in both of its conventions: bytes [h, w, 3] in, float32 out, in the same range."""

import common
from common import np, tf

# Width and height of the source, width and height of the result.
SIZES = [
    ((1, 1), (7, 5)),
    ((2, 1), (7, 5)),
    ((3000, 3), (31, 9)),
    ((33, 47), (60, 60)),
    ((97, 131), (48, 48)),
    ((65, 63), (64, 64)),
    ((90, 60), (33, 50)),
]
MODES = {"half_pixel_centers": True, "legacy": False}


def main():
    out = common.parse_folder(__doc__, "resize")
    cases = []
    for (width, height), (to_width, to_height) in SIZES:
        source = f"noise_{width}x{height}.u8.bin"
        noise = common.random(source).integers(0, 256, (height, width, 3), np.uint8)
        common.write_array(out / source, noise)
        for mode, half_pixel_centers in MODES.items():
            resized = tf.compat.v1.image.resize_bilinear(
                noise[None].astype(np.float32), [to_height, to_width], half_pixel_centers=half_pixel_centers
            )
            file = f"noise_{width}x{height}.{to_width}x{to_height}.{mode}.f32.bin"
            common.write_array(out / file, resized.numpy())
            cases.append(
                {
                    "source": source,
                    "source_shape_hwc": list(noise.shape),
                    "output_hw": [to_height, to_width],
                    "mode": mode,
                    "file": file,
                }
            )
    common.write_json(out / "cases.json", cases)


if __name__ == "__main__":
    main()

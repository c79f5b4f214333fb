"""
What Pillow makes of the GIF and BMP files of tests/c/image/pictures.h, for tests/c/image/test_pictures.c: digests of all
pixels (tests/c/image/image_digest.h).

Pillow 13.0.0 with numpy 2.4.6. It runs the program that `make build/native/64-simd/soak/pictures` builds, which prints the
files. `pictures.py FROM TO` compares those of other numbers with what ocelli makes of them, which the program prints too.
"""

import io
import struct
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = ROOT / "build/native/64-simd/soak/pictures"
KINDS = {"gif": 500, "damaged_gif": 2000, "bmp": 500, "damaged_bmp": 2000}
REFUSED, UNKNOWN = 0, 1
MAX_PIXELS = 1 << 20  # of the test


def digest(rgba):
    """FNV-1a of size and pixels."""
    height, width = rgba.shape[:2]
    value = 2166136261
    for byte in struct.pack("<II", width, height) + rgba.tobytes():
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value + 2 if value <= UNKNOWN else value


# ---- GIF


def skip_blocks(file, at):
    while at < len(file) and file[at] != 0:
        at += 1 + file[at]
    return at + 1


def find_frame(file):
    """Where its descriptor begins. None: there are other bytes than zeros between the blocks, which Pillow skips."""
    at = 13 + (6 << (file[10] & 7) if file[10] & 0x80 else 0)
    while at < len(file) and file[at] in b"\0!":
        at = skip_blocks(file, at + 2) if file[at] == 0x21 else at + 1
    return at if at >= len(file) or file[at] in b",;" else None


def count_pixels(file, at):
    """Pixels that the LZW data from `at` on describes; Pillow takes fewer than the frame has if it has an end code."""
    root_bits, data = file[at], b""
    at += 1
    while at < len(file) and file[at] != 0:
        data += file[at + 1 : at + 1 + file[at]]
        at += 1 + file[at]
    bits = int.from_bytes(data, "little")
    clear, place, count = 1 << root_bits, 0, 0
    lengths, before, width = [1] * (clear + 2), None, root_bits + 1
    while place + width <= 8 * len(data):
        code = bits >> place & (1 << width) - 1
        place += width
        if code == clear:
            lengths, before, width = [1] * (clear + 2), None, root_bits + 1
            continue
        if code == clear + 1 or code > len(lengths) or (code == len(lengths) and before is None):
            break
        if before is not None and len(lengths) < 4096:
            lengths.append(lengths[before] + 1)
            width = min(12, max(width, len(lengths).bit_length()))
        count += lengths[code]
        before = code
    return count


def is_open_gif(file, image):
    """Whether others may answer as they like. `image`: Pillow's, or None."""
    at = find_frame(file) if len(file) > 12 else 13
    if at is None:
        return image is not None
    if at >= len(file) or file[at] == 0x3B:
        return False
    width, height, flags = struct.unpack("<HHB", file[at + 5 : at + 10].ljust(5, b"\0"))
    at += 10 + (6 << (flags & 7) if flags & 0x80 else 0)
    if at >= len(file):
        return False
    if not 2 <= file[at] <= 8:
        return image is not None or file[at] == 1
    return (count_pixels(file, at) >= width * height) != (image is not None)


def uncover(image):
    """What the first frame leaves uncovered is transparent."""
    rgba = np.asarray(image.convert("RGBA")).copy()
    left, top, right, bottom = image.dispose_extent
    inside = np.zeros(rgba.shape[:2], bool)
    inside[top:bottom, left:right] = True
    rgba[~inside] = 0
    return rgba


# ---- BMP


def is_open_bmp(file, error):
    """Pillow lacks some kinds, and aligns runs by their place in the file; runs that are damaged may mean anything."""
    if any(text in error for text in ["Unsupported BMP", "invalid palette size"]):
        return True
    has_runs = len(file) > 34 and file[14] != 12 and struct.unpack("<I", file[30:34])[0] in [1, 2]
    return has_runs and ("not enough image data" in error or not error)


# ---- both


def decode(file):
    """Pillow's image and error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = Image.open(io.BytesIO(file))
            image.load()
            return image, ""
        except Exception as error:
            return None, str(error)


def answer(kind, file):
    image, error = decode(file)
    if image is not None and image.width * image.height > MAX_PIXELS:
        return UNKNOWN
    if kind.endswith("gif"):
        if is_open_gif(file, image):
            return UNKNOWN
        return REFUSED if image is None else digest(uncover(image))
    if is_open_bmp(file, error) and (kind == "damaged_bmp" or image is None):
        return UNKNOWN
    return REFUSED if image is None else digest(np.asarray(image.convert("RGBA")))


def read_files(kind, start, end):
    """Pairs of a file and ocelli's digest."""
    data = subprocess.run([PROGRAM, kind, str(start), str(end)], check=True, capture_output=True).stdout
    at = 0
    while at < len(data):
        size, ours = struct.unpack_from("<II", data, at)
        yield data[at + 8 : at + 8 + size], ours
        at += 8 + size


def compare(start, end):
    for kind in KINDS:
        counts = [0, 0, 0]
        for number, (file, ours) in enumerate(read_files(kind, start, end), start):
            theirs = answer(kind, file)
            counts[min(theirs, 2)] += 1
            if theirs not in [UNKNOWN, ours]:
                print(f"{kind} {number}: {ours:#x}, Pillow {theirs:#x}")
        print(f"{kind}: {counts[2]} decoded, {counts[0]} refused, {counts[1]} not compared")


def main():
    if len(sys.argv) > 2:
        compare(int(sys.argv[1]), int(sys.argv[2]))
        return
    digests = [answer(kind, file) for kind, count in KINDS.items() for file, _ in read_files(kind, 0, count)]
    (ROOT / "tests/data/images/pictures.bin").write_bytes(np.array(digests, "<u4").tobytes())


main()

"""
The classes of Open Images V4: number, MID and name a line, from the asset tables of TF Hub's module
google/openimages_v4/ssd/mobilenet_v2/1.
"""

import argparse
import tarfile
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent


def read_lines(archive, name):
    [member] = [member for member in archive.getmembers() if member.name.endswith(name)]
    return archive.extractfile(member).read().decode().splitlines()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("module", type=Path, help="the module as downloaded, a .tar.gz")
    parser.add_argument("--out", type=Path, default=DATA / "labels", help="folder to write (default: %(default)s)")
    options = parser.parse_args()
    with tarfile.open(options.module) as archive:
        mids = read_lines(archive, "oid_v4_mids.txt")
        names = read_lines(archive, "oid_v4_display_names.txt")
    rows = [f"{i}\t{mid}\t{name}" for i, (mid, name) in enumerate(zip(mids, names, strict=True), 1)]
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "open-images-v4.tsv").write_text("\n".join(["id\tmid\tname", *rows]) + "\n")


if __name__ == "__main__":
    main()

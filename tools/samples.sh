#!/usr/bin/env bash
# Prints the directory with OpenCV's sample images: photos/, the calibration images of the 8-bit detector, and
# vtest.avi, a street scene that tests use. On first use it downloads Debian's opencv-doc and copies them into the
# user's cache; the package is not installed.
set -euo pipefail

cache=${XDG_CACHE_HOME:-$HOME/.cache}/ocelli
readonly home=$cache/samples-1
readonly sum=3e4dc88ac2f406fc159903b42546faf977c5460a02f4601d276908c6e7129e94
# Photographs only, and only one of each scene.
readonly photos='alphamat/input_images/plant.jpg
  data/HappyFish.jpg data/aero1.jpg data/aero3.jpg data/aloeL.jpg data/apple.jpg data/baboon.jpg data/basketball1.png
  data/board.jpg data/box_in_scene.png data/building.jpg data/butterfly.jpg data/cards.png data/chicky_512.png
  data/ela_original.jpg data/fruits.jpg data/graf1.png data/home.jpg data/left01.jpg data/leuvenA.jpg
  data/licenseplate_motion.jpg data/messi5.jpg data/orange.jpg data/right07.jpg data/rubberwhale1.png
  data/smarties.png data/squirrel_cls.jpg data/stuff.jpg hfs/data/000.jpg hfs/data/001.jpg hfs/data/002.jpg
  reg/home.png text/scenetext01.jpg text/scenetext02.jpg text/scenetext03.jpg text/scenetext04.jpg
  text/scenetext05.jpg text/scenetext06.jpg ximgproc/stanford.png'

if [ ! -d "$home" ]; then
  echo '  samples: downloading opencv-doc (96 MB, once)' >&2
  mkdir -p "$cache"
  partial=$(mktemp -d "$cache/samples.partial.XXXXXX")
  trap 'rm -rf "$partial"' EXIT
  cd "$partial"
  apt-get -qq -o APT::Sandbox::User=root download opencv-doc >/dev/null
  dpkg --fsys-tarfile opencv-doc_*.deb | tar -x --wildcards './usr/share/doc/opencv-doc/examples/*'
  mkdir -p new/photos
  cd usr/share/doc/opencv-doc/examples
  for photo in $photos; do cp "$photo" "$partial/new/photos/${photo//\//_}"; done
  cp data/vtest.avi "$partial/new"
  cd "$partial/new"
  found=$(sha256sum photos/* vtest.avi | sha256sum | cut -d' ' -f1)
  [ "$found" = "$sum" ] || { echo "samples: sha256 of the files is $found, expected $sum" >&2; exit 1; }
  mv "$partial/new" "$home"
fi
echo "$home"

// Prints GIF and BMP files and what the decoders make of them, for tests/data/make/pictures.py.
//   pictures KIND FROM TO   of each file: its size, the digest of its pixels, its bytes. KIND: gif, damaged_gif, bmp,
//                           damaged_bmp
#include "image/pictures.h"

#include <stdio.h>

#include "image/picture_digest.h"

static const struct {
  const char* kind;
  damaged_file (*make)(uint32_t number);
} kMakers[] = {{"gif", make_sound_gif},
               {"damaged_gif", make_damaged_gif},
               {"bmp", make_sound_bmp},
               {"damaged_bmp", make_damaged_bmp}};

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  for (size_t i = 0; i < sizeof kMakers / sizeof *kMakers; i++) {
    if (strcmp(argv[1], kMakers[i].kind) != 0) continue;
    for (uint32_t number = (uint32_t)atoi(argv[2]); number < (uint32_t)atoi(argv[3]); number++) {
      damaged_file f = kMakers[i].make(number);
      const uint32_t head[2] = {(uint32_t)f.size, digest_picture(f.bytes, f.size)};
      fwrite(head, sizeof head, 1, stdout);
      fwrite(f.bytes, f.size, 1, stdout);
      free(f.bytes);
    }
    return 0;
  }
  return 2;
}

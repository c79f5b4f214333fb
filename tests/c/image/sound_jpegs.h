// The files that damage.h damages, in order.
#ifndef OCELLI_TESTS_SOUND_JPEGS_H_
#define OCELLI_TESTS_SOUND_JPEGS_H_

#include "image/damage.h"
#include "test_data.h"

enum { NUM_SOUND = 14 };

// The caller frees their bytes.
static void read_sound_jpegs(damaged_file out[NUM_SOUND]) {
  static const char* const kNames[NUM_SOUND] = {
      "baseline",   "whole_chroma",   "progressive", "optimized",     "grey",      "sound/422",    "sound/cmyk",
      "sound/grey", "sound/greyprog", "sound/prog",  "sound/progrst", "sound/rst", "sound/rst444", "sound/rstrow"};
  for (int32_t i = 0; i < NUM_SOUND; i++) {
    char path[64];
    snprintf(path, sizeof path, "images/%s.jpg", kNames[i]);
    out[i].bytes = data_read(path, &out[i].size);
  }
}

#endif  // OCELLI_TESTS_SOUND_JPEGS_H_

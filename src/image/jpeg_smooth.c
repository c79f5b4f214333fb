// Stage: blocks of a progressive file that lacks scans -> blocks with guesses for the first coefficients, so that their
// edges do not show. T.81, annex K.8 has the idea; window and weights are those of libjpeg-turbo, so that the pixels
// are the same. Rows and columns of blocks that hold no pixels have no say here; in libjpeg-turbo some have.
#include <stdlib.h>
#include <string.h>

#include "image/jpeg_internal.h"

enum {
  SIDE = 5,  // of the window of blocks
  WINDOW = SIDE * SIDE,
  NUM_GUESSED = 10,  // in the order of the scan, with the first one
  NUM_GUESSED_BESIDE_AC = 6,
};

// A name has the numbers of half waves across and down a block. WAVE: used where only means are known; K8: else.
enum { MEAN, WAVE_1_0, WAVE_2_0, WAVE_1_1, WAVE_3_0, WAVE_2_1, K8_1_0, K8_2_0, K8_1_1, NUM_MATRICES };
static const int16_t kWeights[NUM_MATRICES][WINDOW] = {
    {-2, -6, -8, -6, -2, -6, 6, 42, 6, -6, -8, 42, 152, 42, -8, -6, 6, 42, 6, -6, -2, -6, -8, -6, -2},
    {-1, -1, 0, 1, 1, -3, 13, 0, -13, 3, -3, 38, 0, -38, 3, -3, 13, 0, -13, 3, -1, -1, 0, 1, 1},
    {0, 0, 0, 0, 0, 0, 2, -5, 2, 0, 1, 7, -14, 7, 1, 0, 2, -5, 2, 0, 0, 0, 0, 0, 0},
    {-1, 0, 0, 0, 1, 0, 9, 0, -9, 0, 0, 0, 0, 0, 0, 0, -9, 0, 9, 0, 1, 0, 0, 0, -1},
    {0, 0, 0, 0, 0, 0, 1, 0, -1, 0, 0, 2, 0, -2, 0, 0, 1, 0, -1, 0, 0, 0, 0, 0, 0},
    {0, 0, 0, 0, 0, 0, 1, -3, 1, 0, 0, 0, 0, 0, 0, 0, -1, 3, -1, 0, 0, 0, 0, 0, 0},
    {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -7, 50, 0, -50, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, 13, -24, 13, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {0, -1, 0, 1, 0, -1, 10, 0, -10, 1, 0, 0, 0, 0, 0, 1, -10, 0, 10, -1, 0, 1, 0, -1, 0},
};
// [some coefficients beside the first are known][in the order of the scan]
static const uint8_t kMatrices[2][NUM_GUESSED] = {
    {MEAN, WAVE_1_0, WAVE_1_0, WAVE_2_0, WAVE_1_1, WAVE_2_0, WAVE_3_0, WAVE_2_1, WAVE_2_1, WAVE_3_0},
    {MEAN, K8_1_0, K8_1_0, K8_2_0, K8_1_1, K8_2_0}};
static const bool kIsTransposed[NUM_GUESSED] = {[2] = true, [3] = true, [8] = true, [9] = true};

static bool has_steps(const jpeg_component* c) {
  for (int32_t k = 0; k < NUM_GUESSED; k++)
    if (c->steps[ocl_jpeg_natural_order[k]] == 0) return false;
  return true;
}

bool ocl_jpeg_needs_smoothing(const ocl_jpeg* jpeg) {
  bool is_incomplete = false;
  for (int32_t i = 0; i < jpeg->num_components; i++) {
    const jpeg_component* c = &jpeg->components[i];
    if (!jpeg->is_progressive || c->missing_bits[0] < 0 || !has_steps(c)) return false;
    for (int32_t k = 1; k < NUM_GUESSED; k++) is_incomplete = is_incomplete || c->missing_bits[k] != 0;
  }
  return is_incomplete;
}

// The five rows or columns of blocks around one; at the edges of the picture the last one again.
static void find_around(int32_t at, int32_t count, int32_t around[SIDE]) {
  for (int32_t i = 0; i < SIDE; i++) {
    const int32_t other = at + i - SIDE / 2;
    around[i] = other < 0 ? 0 : other < count ? other : count - 1;
  }
}

static int32_t weigh(const int16_t* weights, bool is_transposed, const int16_t* values) {
  int32_t sum = 0;
  for (int32_t i = 0; i < WINDOW; i++) sum += weights[i] * values[is_transposed ? i % SIDE * SIDE + i / SIDE : i];
  return sum;
}

static const int16_t* block_at(const jpeg_component* c, int32_t x, int32_t y) {
  return c->coefficients + ((ptrdiff_t)y * c->row_blocks + x) * BLOCK_SIZE;
}

void ocl_jpeg_smooth_block(const jpeg_component* c, int32_t x, int32_t y, int16_t* block) {
  int32_t rows[SIDE], columns[SIDE];
  int16_t means[WINDOW];
  find_around(y, c->blocks_high, rows);
  find_around(x, c->blocks_wide, columns);
  for (int32_t i = 0; i < WINDOW; i++) means[i] = block_at(c, columns[i % SIDE], rows[i / SIDE])[0];
  memcpy(block, block_at(c, x, y), BLOCK_SIZE * sizeof *block);
  bool has_ac = false;
  for (int32_t k = 1; k < NUM_GUESSED; k++) has_ac = has_ac || c->missing_bits[k] >= 0;
  for (int32_t k = has_ac ? 1 : 0; k < (has_ac ? NUM_GUESSED_BESIDE_AC : NUM_GUESSED); k++) {
    const int32_t at = ocl_jpeg_natural_order[k], missing_bits = c->missing_bits[k];
    if (k > 0 && (missing_bits == 0 || block[at] != 0)) continue;
    const int64_t step = (uint16_t)c->steps[at];
    const int64_t sum = (uint16_t)c->steps[0] * (int64_t)weigh(kWeights[kMatrices[has_ac][k]], kIsTransposed[k], means);
    int64_t size = ((step << 7) + llabs(sum)) / (step << 8);
    if (k > 0 && missing_bits > 0 && size >> missing_bits > 0) size = (1 << missing_bits) - 1;
    block[at] = (int16_t)(sum < 0 ? -size : size);
  }
}

// Stage: a JPEG scan's bits -> coefficients [64] of its blocks, in natural order. T.81, annexes F.2.2 and G.2.
#include <wasm_simd128.h>

#include "image/jpeg_internal.h"

// A run may lead past the last coefficient; it is the last one then, as in libjpeg.
const uint8_t ocl_jpeg_natural_order[BLOCK_SIZE + 16] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13,
    6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31,
    39, 46, 53, 60, 61, 54, 47, 55, 62, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63};

// ---- bits in registers

typedef struct {
  uint64_t bits;
  uint32_t num_bits;
  const uint8_t* next;
} window;

static inline window open_window(const jpeg_bits* bits) {
  return (window){bits->bits, bits->num_bits, bits->next};
}

static inline void close_window(const window* w, jpeg_bits* bits) {
  bits->bits = w->bits;
  bits->num_bits = w->num_bits;
  bits->next = w->next;
}

// Makes 32 bits available: more than a code and its extra bits. Bits below the valid ones are those that follow them,
// so that loading them again changes nothing.
static inline void refill(window* w) {
  if (w->num_bits >= 32) return;
  const v128_t loaded = wasm_v128_load64_zero(w->next);
  const v128_t swapped = wasm_i8x16_shuffle(loaded, loaded, 7, 6, 5, 4, 3, 2, 1, 0, 8, 9, 10, 11, 12, 13, 14, 15);
  w->bits |= (uint64_t)wasm_i64x2_extract_lane(swapped, 0) >> w->num_bits;
  w->next += (63 - w->num_bits) >> 3;
  w->num_bits |= 56;
}

static inline void consume(window* w, uint32_t num_bits) {
  w->bits <<= num_bits;
  w->num_bits -= num_bits;
}

static inline jpeg_entry look_up(const window* w, const jpeg_table* table) {
  const jpeg_entry entry = table->lookup[w->bits >> (64 - LOOKUP_BITS)];
  return __builtin_expect(entry == LONG_CODE, 0) ? ocl_jpeg_find_long_code(table, w->bits) : entry;
}

// The signed value of the `num_bits` (1 to 15) highest bits: T.81, F.2.2.1, EXTEND.
static inline int32_t extend(uint64_t bits, uint32_t num_bits) {
  const int32_t value = (int32_t)(bits >> (64 - num_bits));
  const int32_t is_negative = ~(int32_t)((int64_t)bits >> 63);
  return value - (is_negative & ((1 << num_bits) - 1));
}

static inline int32_t take_value(window* w, jpeg_entry entry) {
  const int32_t value = extend(w->bits << (entry >> 8 & 31), entry >> 24 & 15);
  consume(w, entry & 31);
  return value;
}

static inline int32_t read_difference(window* w, const jpeg_table* dc, jpeg_bits* bits) {
  refill(w);
  const jpeg_entry entry = look_up(w, dc);
  if (!(entry & SPECIAL_ENTRY)) return take_value(w, entry);
  if (entry == NO_CODE) bits->is_bad = true;
  consume(w, entry & 31);
  return 0;
}

// ---- sequential

enum { ZRL_ZEROS = 15 };  // with no extra bits: 16 zeros

bool ocl_jpeg_read_block(jpeg_bits* bits, const jpeg_table* dc, const jpeg_table* ac, int32_t* dc_value,
                         int16_t* block) {
  window w = open_window(bits);
  *dc_value = (int32_t)((uint32_t)*dc_value + (uint32_t)read_difference(&w, dc, bits));
  block[0] = (int16_t)*dc_value;
  bool has_more = false;
  for (uint32_t k = 1; k < BLOCK_SIZE; k++) {
    refill(&w);
    const jpeg_entry entry = look_up(&w, ac);
    const uint32_t zeros = entry >> 16 & 255;
    if (entry & SPECIAL_ENTRY) {
      if (entry == NO_CODE) bits->is_bad = true;
      consume(&w, entry & 31);
      if (zeros != ZRL_ZEROS) break;
      k += ZRL_ZEROS;
      continue;
    }
    k += zeros;
    block[ocl_jpeg_natural_order[k]] = (int16_t)take_value(&w, entry);
    has_more = true;
  }
  close_window(&w, bits);
  return has_more;
}

void ocl_jpeg_skip_block(jpeg_bits* bits, const jpeg_table* dc, const jpeg_table* ac, int32_t* dc_value) {
  window w = open_window(bits);
  *dc_value = (int32_t)((uint32_t)*dc_value + (uint32_t)read_difference(&w, dc, bits));
  for (uint32_t k = 1; k < BLOCK_SIZE; k++) {
    refill(&w);
    const jpeg_entry entry = look_up(&w, ac);
    const uint32_t zeros = entry >> 16 & 255;
    consume(&w, entry & 31);
    k += zeros;
    if (!(entry & SPECIAL_ENTRY)) continue;
    if (entry == NO_CODE) bits->is_bad = true;
    if (zeros != ZRL_ZEROS) break;
  }
  close_window(&w, bits);
}

// ---- progressive

static uint32_t read_bits(window* w, uint32_t num_bits) {
  if (num_bits == 0) return 0;
  refill(w);
  const uint32_t value = (uint32_t)(w->bits >> (64 - num_bits));
  consume(w, num_bits);
  return value;
}

// A code alone: its zeros and its number of extra bits.
static jpeg_entry read_code(window* w, const jpeg_table* ac, jpeg_bits* bits) {
  refill(w);
  const jpeg_entry entry = look_up(w, ac);
  if (entry == NO_CODE) bits->is_bad = true;
  consume(w, entry >> 8 & 31);
  return entry;
}

static void read_first(ocl_jpeg* jpeg, window* w, const jpeg_table* ac, int16_t* block) {
  const jpeg_scan* scan = &jpeg->scan;
  for (int32_t k = scan->first; k <= scan->last; k++) {
    refill(w);
    const jpeg_entry entry = look_up(w, ac);
    const uint32_t zeros = entry >> 16 & 255;
    if (!(entry & SPECIAL_ENTRY)) {
      k += (int32_t)zeros;
      block[ocl_jpeg_natural_order[k]] = (int16_t)((uint32_t)take_value(w, entry) << scan->low);
      continue;
    }
    if (entry == NO_CODE) jpeg->bits.is_bad = true;
    consume(w, entry & 31);
    if (zeros != ZRL_ZEROS) {
      jpeg->eob_run = (1u << zeros) - 1 + read_bits(w, zeros);
      return;
    }
    k += ZRL_ZEROS;
  }
}

// One more bit of a coefficient that is not 0.
static inline void refine(window* w, int16_t* coefficient, int32_t bit) {
  if (read_bits(w, 1) == 0 || (*coefficient & bit) != 0) return;
  *coefficient = (int16_t)(*coefficient + (*coefficient >= 0 ? bit : -bit));
}

// Refines the coefficients from k on that are not 0, up to the one behind `zeros` others, whose index it returns.
static int32_t refine_run(window* w, int16_t* block, int32_t k, int32_t last, uint32_t zeros, int32_t bit) {
  for (; k <= last; k++) {
    int16_t* coefficient = block + ocl_jpeg_natural_order[k];
    if (*coefficient != 0)
      refine(w, coefficient, bit);
    else if (zeros-- == 0)
      break;
  }
  return k;
}

static void read_refinement(ocl_jpeg* jpeg, window* w, const jpeg_table* ac, int16_t* block) {
  const jpeg_scan* scan = &jpeg->scan;
  const int32_t bit = 1 << scan->low;
  int32_t k = scan->first;
  while (jpeg->eob_run == 0 && k <= scan->last) {
    const jpeg_entry entry = read_code(w, ac, &jpeg->bits);
    const uint32_t zeros = entry >> 16 & 255;
    int32_t value = 0;
    if (!(entry & SPECIAL_ENTRY)) {
      value = read_bits(w, 1) != 0 ? bit : -bit;
    } else if (zeros != ZRL_ZEROS) {
      jpeg->eob_run = (1u << zeros) + read_bits(w, zeros);
      break;  // the run refines the rest
    }
    k = refine_run(w, block, k, scan->last, zeros, bit);
    if (value != 0) block[ocl_jpeg_natural_order[k]] = (int16_t)value;
    k++;
  }
  if (jpeg->eob_run == 0) return;
  refine_run(w, block, k, scan->last, BLOCK_SIZE, bit);
  jpeg->eob_run--;
}

void ocl_jpeg_read_progressive_block(ocl_jpeg* jpeg, jpeg_component* component, int16_t* block) {
  const jpeg_scan* scan = &jpeg->scan;
  const jpeg_table* ac = &jpeg->tables[1][component->ac_table & 3];
  if (scan->first > 0 && scan->high == 0 && jpeg->eob_run > 0) {
    jpeg->eob_run--;
    return;
  }
  window w = open_window(&jpeg->bits);
  if (scan->first > 0 && scan->high == 0) {
    read_first(jpeg, &w, ac, block);
  } else if (scan->first > 0) {
    read_refinement(jpeg, &w, ac, block);
  } else if (scan->high == 0) {
    const int32_t difference = read_difference(&w, &jpeg->tables[0][component->dc_table & 3], &jpeg->bits);
    component->dc = (int32_t)((uint32_t)component->dc + (uint32_t)difference);
    block[0] = (int16_t)((uint32_t)component->dc << scan->low);
  } else if (read_bits(&w, 1) != 0) {
    block[0] = (int16_t)(block[0] | 1 << scan->low);
  }
  close_window(&w, &jpeg->bits);
}

// Raw deflate data (RFC 1951), which may come in several pieces -> bytes, handed over in pieces. What zlib refuses is
// refused.
#ifndef OCELLI_INFLATE_H_
#define OCELLI_INFLATE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
  OCL_INFLATE_END,      // of the deflate data
  OCL_INFLATE_CUT,      // the input ends before it; all that it holds was handed over
  OCL_INFLATE_BAD,      // no deflate data
  OCL_INFLATE_STOPPED,  // by the taker
} ocl_inflate_result;

enum {
  OCL_INFLATE_WINDOW_BYTES = 1 << 15,
  OCL_INFLATE_LOOKUP_BITS = 10,
  OCL_INFLATE_MAX_SYMBOLS = 288,
};

typedef struct {
  uint16_t lookup[1 << OCL_INFLATE_LOOKUP_BITS];  // by the next bits: symbol << 4 | length; 0: a longer code, or none
  uint16_t symbols[OCL_INFLATE_MAX_SYMBOLS];      // by code
  uint16_t counts[16];                            // of codes, by length
} ocl_inflate_code;

// Set the first four; the others start as 0.
typedef struct {
  const uint8_t *at, *end;                                               // the present piece of input
  bool (*next)(void* context, const uint8_t** at, const uint8_t** end);  // the next one; false: there is none
  bool (*take)(void* context, const uint8_t* bytes, size_t size_bytes);  // false: enough
  void* context;                                                         // of both
  uint64_t bits;
  uint32_t num_bits;
  size_t flushed, written;  // in `out`
  ocl_inflate_code literals, distances;
  uint8_t lengths[320];
  uint8_t out[3 * OCL_INFLATE_WINDOW_BYTES];
} ocl_inflate;

ocl_inflate_result ocl_inflate_run(ocl_inflate* z);

// The next `num_bits` (at most 32) bits, before or behind the deflate data. False: the input ends.
bool ocl_inflate_read_bits(ocl_inflate* z, uint32_t num_bits, uint32_t* value_out);

// Moves to the next whole byte.
void ocl_inflate_align(ocl_inflate* z);

// Inflates to exactly out_size_bytes; false: it is not that. `z`: what it works with.
bool ocl_inflate_all(ocl_inflate* z, const uint8_t* bytes, size_t size_bytes, void* out, size_t out_size_bytes);

#endif  // OCELLI_INFLATE_H_

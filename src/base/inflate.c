// See inflate.h. `out` holds the last 32 KiB and what follows them; it is flushed, and moved down, when it is full.
#include "base/inflate.h"

#include <string.h>

enum {
  END_OF_BLOCK = 256,
  NUM_LITERALS = 286,  // with the lengths; two more codes are never used
  NUM_DISTANCES = 30,  // likewise
  NO_SYMBOL = 0xFFFF,
  CUT_SYMBOL = 0xFFFE,
  MAX_MATCH = 258,
};

// ---- bits

static bool next_piece(ocl_inflate* z) {
  return z->next != NULL && z->next(z->context, &z->at, &z->end);
}

// Gets 56 bits, or all that there are.
static void refill(ocl_inflate* z) {
  while (z->num_bits < 56) {
    if (z->end - z->at >= 8) {
      uint64_t word;
      memcpy(&word, z->at, 8);
      // the bits above num_bits may be there already: the same ones
      z->bits |= word << z->num_bits;
      z->at += (63 - z->num_bits) >> 3;
      z->num_bits |= 56;
      return;
    }
    if (z->at == z->end) {
      if (!next_piece(z)) return;
      continue;
    }
    z->bits = (z->bits & ((1ull << z->num_bits) - 1)) | (uint64_t)*z->at++ << z->num_bits;
    z->num_bits += 8;
  }
}

static void drop_bits(ocl_inflate* z, uint32_t num_bits) {
  z->bits >>= num_bits;
  z->num_bits -= num_bits;
}

bool ocl_inflate_read_bits(ocl_inflate* z, uint32_t num_bits, uint32_t* value_out) {
  if (z->num_bits < num_bits) refill(z);
  if (z->num_bits < num_bits) return false;
  *value_out = (uint32_t)(z->bits & ((1ull << num_bits) - 1));
  drop_bits(z, num_bits);
  return true;
}

void ocl_inflate_align(ocl_inflate* z) {
  drop_bits(z, z->num_bits & 7);
}

// ---- codes

static void fill_lookup(ocl_inflate_code* c, uint32_t code, uint32_t length, uint32_t symbol) {
  uint32_t reversed = 0;
  for (uint32_t i = 0; i < length; i++) reversed |= (code >> i & 1) << (length - 1 - i);
  for (uint32_t i = reversed; i < 1u << OCL_INFLATE_LOOKUP_BITS; i += 1u << length)
    c->lookup[i] = (uint16_t)(symbol << 4 | length);
}

// False: no such code exists, or it leaves codes over. zlib lets a single code of one bit pass, and none at all.
static bool make_code(const uint8_t* lengths, uint32_t num_symbols, bool may_be_single, ocl_inflate_code* c) {
  memset(c, 0, sizeof *c);
  for (uint32_t i = 0; i < num_symbols; i++) c->counts[lengths[i]]++;
  c->counts[0] = 0;
  int32_t left = 1, num_codes = 0;
  uint32_t code = 0, index = 0;
  for (uint32_t length = 1; length <= 15; length++) {
    left = 2 * left - c->counts[length];
    num_codes += c->counts[length];
    if (left < 0) return false;
    code <<= 1;
    for (uint32_t i = 0; i < num_symbols && c->counts[length] > 0; i++) {
      if (lengths[i] != length) continue;
      c->symbols[index++] = (uint16_t)i;
      if (length <= OCL_INFLATE_LOOKUP_BITS) fill_lookup(c, code, length, i);
      code++;
    }
  }
  return left == 0 || num_codes == 0 || (may_be_single && num_codes == 1 && c->counts[1] == 1);
}

// A code of more than the lookup's bits, a bit at a time; or one that does not exist, or is cut.
static uint32_t find_symbol(ocl_inflate* z, const ocl_inflate_code* c) {
  uint32_t code = 0, first = 0, index = 0;
  for (uint32_t length = 1; length <= 15; length++) {
    if (length > z->num_bits) return CUT_SYMBOL;
    code |= (uint32_t)(z->bits >> (length - 1)) & 1;
    const uint32_t count = c->counts[length];
    if (code < first + count) {
      drop_bits(z, length);
      return c->symbols[index + code - first];
    }
    index += count;
    first = (first + count) << 1;
    code <<= 1;
  }
  return NO_SYMBOL;
}

// 15 bits, if the input has them, must be there.
static inline uint32_t read_symbol(ocl_inflate* z, const ocl_inflate_code* c) {
  const uint32_t entry = c->lookup[z->bits & ((1u << OCL_INFLATE_LOOKUP_BITS) - 1)];
  const uint32_t length = entry & 15;
  if (length == 0 || length > z->num_bits) return find_symbol(z, c);
  drop_bits(z, length);
  return entry >> 4;
}

static ocl_inflate_result why(uint32_t symbol) {
  return symbol == CUT_SYMBOL ? OCL_INFLATE_CUT : OCL_INFLATE_BAD;
}

// ---- output

static bool flush(ocl_inflate* z) {
  const size_t from = z->flushed;
  z->flushed = z->written;
  return z->take(z->context, z->out + from, z->written - from);
}

// Makes room for a match.
static bool make_room(ocl_inflate* z) {
  if (z->written + MAX_MATCH <= sizeof z->out) return true;
  if (!flush(z)) return false;
  memmove(z->out, z->out + z->written - OCL_INFLATE_WINDOW_BYTES, OCL_INFLATE_WINDOW_BYTES);
  z->written = z->flushed = OCL_INFLATE_WINDOW_BYTES;
  return true;
}

static void copy_match(ocl_inflate* z, size_t length, size_t distance) {
  uint8_t* to = z->out + z->written;
  const uint8_t* from = to - distance;
  z->written += length;
  if (distance >= length) {
    memcpy(to, from, length);
    return;
  }
  while (length-- > 0) *to++ = *from++;
}

// ---- blocks

static ocl_inflate_result read_match(ocl_inflate* z, uint32_t symbol) {
  static const uint8_t kExtraBits[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                         2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
  static const uint16_t kLengths[29] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                        31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
  uint32_t extra, more;
  symbol -= END_OF_BLOCK + 1;
  if (symbol >= sizeof kExtraBits) return OCL_INFLATE_BAD;
  if (!ocl_inflate_read_bits(z, kExtraBits[symbol], &extra)) return OCL_INFLATE_CUT;
  if (z->num_bits < 15 + 13) refill(z);
  const uint32_t slot = read_symbol(z, &z->distances);
  if (slot >= NUM_DISTANCES) return why(slot);
  const uint32_t num_bits = slot < 2 ? 0 : slot / 2 - 1;
  if (!ocl_inflate_read_bits(z, num_bits, &more)) return OCL_INFLATE_CUT;
  const size_t distance = (slot < 2 ? slot : (2u + slot % 2) << num_bits) + more + 1;
  if (distance > z->written) return OCL_INFLATE_BAD;
  copy_match(z, (size_t)kLengths[symbol] + extra, distance);
  return OCL_INFLATE_END;
}

static ocl_inflate_result read_symbols(ocl_inflate* z) {
  for (;;) {
    if (!make_room(z)) return OCL_INFLATE_STOPPED;
    if (z->num_bits < 15 + 5) refill(z);
    const uint32_t symbol = read_symbol(z, &z->literals);
    if (symbol < END_OF_BLOCK) {
      z->out[z->written++] = (uint8_t)symbol;
      continue;
    }
    if (symbol == END_OF_BLOCK) return OCL_INFLATE_END;
    if (symbol >= CUT_SYMBOL) return why(symbol);
    const ocl_inflate_result match = read_match(z, symbol);
    if (match != OCL_INFLATE_END) return match;
  }
}

static ocl_inflate_result read_stored(ocl_inflate* z) {
  uint32_t length, inverted, byte;
  ocl_inflate_align(z);
  if (!ocl_inflate_read_bits(z, 16, &length) || !ocl_inflate_read_bits(z, 16, &inverted)) return OCL_INFLATE_CUT;
  if (length != (inverted ^ 0xFFFF)) return OCL_INFLATE_BAD;
  for (; length > 0 && z->num_bits > 0; length--) {
    if (!make_room(z)) return OCL_INFLATE_STOPPED;
    if (ocl_inflate_read_bits(z, 8, &byte)) z->out[z->written++] = (uint8_t)byte;
  }
  if (length > 0) z->bits = 0;
  while (length > 0) {
    if (!make_room(z)) return OCL_INFLATE_STOPPED;
    size_t piece = sizeof z->out - z->written;
    if (piece > length) piece = length;
    if (piece > (size_t)(z->end - z->at)) piece = (size_t)(z->end - z->at);
    if (piece == 0 && !next_piece(z)) return OCL_INFLATE_CUT;
    if (piece > 0) memcpy(z->out + z->written, z->at, piece);
    z->at += piece;
    z->written += piece;
    length -= (uint32_t)piece;
  }
  return OCL_INFLATE_END;
}

static bool make_fixed_codes(ocl_inflate* z) {
  for (uint32_t i = 0; i < OCL_INFLATE_MAX_SYMBOLS; i++)
    z->lengths[i] = i < 144 ? 8 : i < END_OF_BLOCK ? 9 : i < 280 ? 7 : 8;
  memset(z->lengths + OCL_INFLATE_MAX_SYMBOLS, 5, 32);
  return make_code(z->lengths, OCL_INFLATE_MAX_SYMBOLS, false, &z->literals) &&
         make_code(z->lengths + OCL_INFLATE_MAX_SYMBOLS, 32, false, &z->distances);
}

// Lengths of codes, in runs.
static ocl_inflate_result read_lengths(ocl_inflate* z, uint32_t count) {
  static const uint8_t kRunBits[3] = {2, 3, 7}, kShortest[3] = {3, 3, 11};
  for (uint32_t i = 0; i < count;) {
    refill(z);
    const uint32_t symbol = read_symbol(z, &z->literals);
    if (symbol >= CUT_SYMBOL) return why(symbol);
    if (symbol < 16) {
      z->lengths[i++] = (uint8_t)symbol;
      continue;
    }
    uint32_t run;
    if (!ocl_inflate_read_bits(z, kRunBits[symbol - 16], &run)) return OCL_INFLATE_CUT;
    run += kShortest[symbol - 16];
    if (run > count - i || (symbol == 16 && i == 0)) return OCL_INFLATE_BAD;
    memset(z->lengths + i, symbol == 16 ? z->lengths[i - 1] : 0, run);
    i += run;
  }
  return OCL_INFLATE_END;
}

static ocl_inflate_result read_codes(ocl_inflate* z) {
  static const uint8_t kOrder[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
  uint32_t counts, length;
  if (!ocl_inflate_read_bits(z, 14, &counts)) return OCL_INFLATE_CUT;
  const uint32_t num_literals = 257 + (counts & 31), num_distances = 1 + (counts >> 5 & 31);
  if (num_literals > NUM_LITERALS || num_distances > NUM_DISTANCES) return OCL_INFLATE_BAD;
  memset(z->lengths, 0, sizeof kOrder);
  for (uint32_t i = 0; i < 4 + (counts >> 10); i++) {
    if (!ocl_inflate_read_bits(z, 3, &length)) return OCL_INFLATE_CUT;
    z->lengths[kOrder[i]] = (uint8_t)length;
  }
  if (!make_code(z->lengths, sizeof kOrder, false, &z->literals)) return OCL_INFLATE_BAD;
  const ocl_inflate_result result = read_lengths(z, num_literals + num_distances);
  if (result != OCL_INFLATE_END) return result;
  const bool is_sound = z->lengths[END_OF_BLOCK] > 0 && make_code(z->lengths, num_literals, true, &z->literals) &&
                        make_code(z->lengths + num_literals, num_distances, true, &z->distances);
  return is_sound ? OCL_INFLATE_END : OCL_INFLATE_BAD;
}

static ocl_inflate_result read_block(ocl_inflate* z, uint32_t kind) {
  if (kind == 0) return read_stored(z);
  if (kind == 3) return OCL_INFLATE_BAD;
  const ocl_inflate_result codes = kind == 2 ? read_codes(z) : make_fixed_codes(z) ? OCL_INFLATE_END : OCL_INFLATE_BAD;
  return codes == OCL_INFLATE_END ? read_symbols(z) : codes;
}

ocl_inflate_result ocl_inflate_run(ocl_inflate* z) {
  ocl_inflate_result result;
  uint32_t head;
  do {
    if (!ocl_inflate_read_bits(z, 3, &head)) {
      result = OCL_INFLATE_CUT;
      break;
    }
    result = read_block(z, head >> 1);
  } while (result == OCL_INFLATE_END && (head & 1) == 0);
  return flush(z) ? result : OCL_INFLATE_STOPPED;
}

// ---- all at once

typedef struct {
  uint8_t* out;
  size_t left_bytes;
} target;

static bool store(void* context, const uint8_t* bytes, size_t size_bytes) {
  target* t = context;
  if (size_bytes > t->left_bytes) return false;
  if (size_bytes > 0) memcpy(t->out, bytes, size_bytes);
  t->out += size_bytes;
  t->left_bytes -= size_bytes;
  return true;
}

bool ocl_inflate_all(ocl_inflate* z, const uint8_t* bytes, size_t size_bytes, void* out, size_t out_size_bytes) {
  target t = {out, out_size_bytes};
  memset(z, 0, sizeof *z);
  z->at = bytes;
  z->end = bytes + size_bytes;
  z->take = store;
  z->context = &t;
  return ocl_inflate_run(z) == OCL_INFLATE_END && t.left_bytes == 0;
}

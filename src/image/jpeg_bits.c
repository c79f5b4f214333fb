// Stage: a JPEG scan's bytes -> bits and Huffman tables. T.81, annexes C and F.2.2.
#include <string.h>

#include "image/jpeg_internal.h"

void ocl_jpeg_bits_start(jpeg_bits* bits, const uint8_t* at, const uint8_t* end) {
  bits->at = at;
  bits->end = end;
  bits->marker = 0;
  bits->num_bits = 0;
  bits->bits = 0;
  bits->is_bad = false;
  bits->next = bits->valid_end = bits->chunk;
  memset(bits->chunk, 0, MCU_MAX_BYTES + 32);
}

// A marker may have fill bytes before it; so may a stuffed zero, in which case they are data once.
static uint8_t* copy_escape(jpeg_bits* bits, uint8_t* out) {
  const uint8_t* at = bits->at;
  while (at < bits->end && *at == 0xFF) at++;
  if (at == bits->end) {
    bits->marker = END_OF_FILE;
  } else if (*at == 0) {
    *out++ = 0xFF;
    at++;
  } else {
    bits->marker = *at++;
  }
  bits->at = at;
  return out;
}

void ocl_jpeg_bits_fill(jpeg_bits* bits) {
  const size_t left_bytes = (size_t)(bits->valid_end - bits->next);
  memmove(bits->chunk, bits->next, left_bytes);
  uint8_t* out = bits->chunk + left_bytes;
  const uint8_t* const out_end = out + CHUNK_BYTES;
  while (out < out_end && bits->marker == 0) {
    size_t room_bytes = (size_t)(out_end - out);
    if (room_bytes > (size_t)(bits->end - bits->at)) room_bytes = (size_t)(bits->end - bits->at);
    const uint8_t* escape = room_bytes == 0 ? NULL : memchr(bits->at, 0xFF, room_bytes);
    const size_t plain_bytes = escape == NULL ? room_bytes : (size_t)(escape - bits->at);
    memcpy(out, bits->at, plain_bytes);
    out += plain_bytes;
    bits->at += plain_bytes;
    if (escape != NULL)
      out = copy_escape(bits, out);
    else if (bits->at == bits->end)
      bits->marker = END_OF_FILE;
  }
  memset(out, 0, MCU_MAX_BYTES + 16);
  bits->next = bits->chunk;
  bits->valid_end = out;
}

bool ocl_jpeg_bits_are_exhausted(const jpeg_bits* bits) {
  return (bits->next - bits->valid_end) * 8 > (ptrdiff_t)bits->num_bits;
}

void ocl_jpeg_bits_find_marker(jpeg_bits* bits) {
  while (bits->marker == 0) {
    uint8_t ignored;
    const uint8_t* escape = bits->at == bits->end ? NULL : memchr(bits->at, 0xFF, (size_t)(bits->end - bits->at));
    bits->at = escape == NULL ? bits->end : escape;
    copy_escape(bits, &ignored);
  }
}

// ---- tables

static jpeg_entry make_entry(const jpeg_table* table, uint32_t length, uint8_t value) {
  const uint32_t num_extra = table->is_dc ? value : value & 15, zeros = table->is_dc ? 0 : value >> 4;
  return (length + num_extra) | length << 8 | zeros << 16 | num_extra << 24 | (num_extra == 0 ? SPECIAL_ENTRY : 0);
}

jpeg_entry ocl_jpeg_find_long_code(const jpeg_table* table, uint64_t bits) {
  const uint32_t code = (uint32_t)(bits >> 48);
  for (uint32_t length = LOOKUP_BITS + 1; length <= 16; length++) {
    if (code >= table->limits[length]) continue;
    const int32_t index = (int32_t)(code >> (16 - length)) + table->value_at[length];
    return make_entry(table, length, table->values[index]);
  }
  return NO_CODE;
}

static void fill_lookup(jpeg_table* table, uint32_t code, uint32_t length, uint8_t value) {
  const uint32_t free_bits = LOOKUP_BITS - length;
  for (uint32_t i = 0; i < 1u << free_bits; i++)
    table->lookup[(code << free_bits) + i] = make_entry(table, length, value);
}

bool ocl_jpeg_make_table(const jpeg_code_lengths* lengths, bool is_dc, jpeg_table* table) {
  table->is_dc = is_dc;
  memcpy(table->values, lengths->values, sizeof table->values);
  for (int32_t i = 0; i < 1 << LOOKUP_BITS; i++) table->lookup[i] = LONG_CODE;
  uint32_t code = 0, num_values = 0;
  for (uint32_t length = 1; length <= 16; length++) {
    table->value_at[length] = (int32_t)num_values - (int32_t)code;
    for (uint32_t i = 0; i < lengths->counts[length]; i++, code++, num_values++) {
      if (code >= 1u << length || (is_dc && table->values[num_values] > 15)) return false;
      if (length <= LOOKUP_BITS) fill_lookup(table, code, length, table->values[num_values]);
    }
    table->limits[length] = code << (16 - length);
    code <<= 1;
  }
  return true;
}

const jpeg_code_lengths ocl_jpeg_standard_codes[2][2] = {
    {{.counts = {0, 0, 1, 5, 1, 1, 1, 1, 1, 1}, .values = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, .is_defined = true},
     {.counts = {0, 0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1},
      .values = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11},
      .is_defined = true}},
    {{.counts = {0, 0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125},
      .values = {0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07, 0x22,
                 0x71, 0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52, 0xd1, 0xf0, 0x24, 0x33,
                 0x62, 0x72, 0x82, 0x09, 0x0a, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x34,
                 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55,
                 0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76,
                 0x77, 0x78, 0x79, 0x7a, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96,
                 0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5,
                 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4,
                 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf1,
                 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa},
      .is_defined = true},
     {.counts = {0, 0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 119},
      .values = {0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71, 0x13,
                 0x22, 0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xa1, 0xb1, 0xc1, 0x09, 0x23, 0x33, 0x52, 0xf0, 0x15, 0x62,
                 0x72, 0xd1, 0x0a, 0x16, 0x24, 0x34, 0xe1, 0x25, 0xf1, 0x17, 0x18, 0x19, 0x1a, 0x26, 0x27, 0x28, 0x29,
                 0x2a, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54,
                 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75,
                 0x76, 0x77, 0x78, 0x79, 0x7a, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94,
                 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3,
                 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2,
                 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea,
                 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa},
      .is_defined = true}},
};

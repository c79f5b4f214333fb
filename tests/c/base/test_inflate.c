// Deflate data that is written here bit by bit, beside the bytes that it stands for: RFC 1951.
#include "base/inflate.h"
#include "base/status.h"
#include "check.h"

enum { MAX_BYTES = 1 << 19, END = 256, MAX_BITS = 15, NUM_LITERALS = 286, NUM_DISTANCES = 30 };

static struct {
  uint8_t data[MAX_BYTES], plain[MAX_BYTES];
  size_t num_bits, plain_bytes;
} w;

typedef struct {
  uint32_t lengths[288], codes[288];
} code;

// ---- writing

static void begin(void) {
  memset(&w, 0, sizeof w);
}

static void put(uint32_t value, uint32_t count) {
  for (uint32_t i = 0; i < count; i++, w.num_bits++)
    w.data[w.num_bits / 8] = (uint8_t)(w.data[w.num_bits / 8] | ((i < 32 ? value >> i & 1 : 0) << w.num_bits % 8));
}

static void put_symbol(const code* c, uint32_t symbol) {
  for (uint32_t i = c->lengths[symbol]; i-- > 0;) put(c->codes[symbol] >> i & 1, 1);
}

// RFC 1951, 3.2.2.
static void number_codes(code* c, uint32_t count) {
  uint32_t next = 0;
  for (uint32_t length = 1; length <= MAX_BITS; length++, next <<= 1)
    for (uint32_t i = 0; i < count; i++)
      if (c->lengths[i] == length) c->codes[i] = next++;
}

static void put_byte(const code* literals, uint8_t byte) {
  w.plain[w.plain_bytes++] = byte;
  put_symbol(literals, byte);
}

// RFC 1951, 3.2.5: symbols of lengths from 257 and of distances, and their further bits.
static void put_match(const code* literals, const code* distances, uint32_t length, uint32_t distance) {
  uint32_t symbol = 257, base = 3, bits = 0;
  for (; symbol < 285 && base + (1u << bits) <= length; symbol++) {
    base += 1u << bits;
    bits = symbol + 1 < 265 ? 0 : (symbol + 1 - 261) / 4;
  }
  if (length == 258) symbol = 285, base = 258, bits = 0;
  put_symbol(literals, symbol);
  put(length - base, bits);
  uint32_t far = 0, start = 1, more = 0;
  for (; start + (1u << more) <= distance; far++) {
    start += 1u << more;
    more = far + 1 < 4 ? 0 : (far + 1) / 2 - 1;
  }
  put_symbol(distances, far);
  put(distance - start, more);
  for (uint32_t i = 0; i < length; i++, w.plain_bytes++) w.plain[w.plain_bytes] = w.plain[w.plain_bytes - distance];
}

static void make_fixed(code* literals, code* distances) {
  for (uint32_t i = 0; i < 288; i++) literals->lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
  for (uint32_t i = 0; i < 30; i++) distances->lengths[i] = 5;
  number_codes(literals, 288);
  for (uint32_t i = 0; i < 30; i++) distances->codes[i] = i;
}

static void put_stored(const uint8_t* bytes, uint32_t count, bool is_last) {
  put(is_last, 1);
  put(0, 2);
  w.num_bits = (w.num_bits + 7) / 8 * 8;
  put(count, 16);
  put(~count & 0xFFFF, 16);
  for (uint32_t i = 0; i < count; i++) put(bytes[i], 8);
  memcpy(w.plain + w.plain_bytes, bytes, count);
  w.plain_bytes += count;
}

// The lengths of both codes are written by a code in which each of them, 0 to 15, has four bits.
static void put_codes(code* literals, code* distances, uint32_t num_distances, bool is_last) {
  static const uint32_t kOrder[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
  number_codes(literals, NUM_LITERALS);
  number_codes(distances, num_distances);
  put(is_last, 1);
  put(2, 2);
  put(NUM_LITERALS - 257, 5);
  put(num_distances - 1, 5);
  put(19 - 4, 4);
  for (uint32_t i = 0; i < 19; i++) put(kOrder[i] < 16 ? 4 : 0, 3);
  code of_lengths = {{0}, {0}};
  for (uint32_t i = 0; i < 16; i++) of_lengths.lengths[i] = 4;
  number_codes(&of_lengths, 16);
  for (uint32_t i = 0; i < NUM_LITERALS; i++) put_symbol(&of_lengths, literals->lengths[i]);
  for (uint32_t i = 0; i < num_distances; i++) put_symbol(&of_lengths, distances->lengths[i]);
}

// ---- reading

typedef struct {
  size_t given, piece, size, taken, stops_at;
  bool is_right;
} reader;

static bool give(void* context, const uint8_t** at, const uint8_t** end) {
  reader* r = context;
  if (r->given >= r->size) return false;
  const size_t count = r->piece < r->size - r->given ? r->piece : r->size - r->given;
  *at = w.data + r->given;
  *end = *at + count;
  r->given += count;
  return true;
}

static bool receive(void* context, const uint8_t* bytes, size_t size_bytes) {
  reader* r = context;
  r->is_right =
      r->is_right && r->taken + size_bytes <= w.plain_bytes && memcmp(bytes, w.plain + r->taken, size_bytes) == 0;
  r->taken += size_bytes;
  return r->taken < r->stops_at;
}

static ocl_inflate_result inflate(reader* r) {
  static ocl_inflate z;
  memset(&z, 0, sizeof z);
  z.next = give;
  z.take = receive;
  z.context = r;
  r->is_right = true;
  return ocl_inflate_run(&z);
}

// In one piece, in small ones, and into memory of the right size.
static void check_whole(void) {
  const size_t size = (w.num_bits + 7) / 8, pieces[] = {size, 1, 7, 4096};
  for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
    reader r = {.piece = pieces[i], .size = size, .stops_at = SIZE_MAX};
    CHECK(inflate(&r) == OCL_INFLATE_END);
    CHECK(r.is_right && r.taken == w.plain_bytes);
  }
  static ocl_inflate z;
  static uint8_t out[MAX_BYTES];
  CHECK(ocl_inflate_all(&z, w.data, size, out, w.plain_bytes) && memcmp(out, w.plain, w.plain_bytes) == 0);
  CHECK(!ocl_inflate_all(&z, w.data, size, out, w.plain_bytes + 1));
  CHECK(w.plain_bytes == 0 || !ocl_inflate_all(&z, w.data, size, out, w.plain_bytes - 1));
}

// Cut anywhere, all that can be read is handed over, and it is right.
static void check_cuts(void) {
  const size_t size = (w.num_bits + 7) / 8;
  size_t before = 0;
  for (size_t cut = 0; cut < size; cut++) {
    reader r = {.piece = 3, .size = cut, .stops_at = SIZE_MAX};
    CHECK(inflate(&r) == OCL_INFLATE_CUT);
    CHECK(r.is_right && r.taken >= before);
    before = r.taken;
  }
}

// ---- tests

static void every_length_and_distance(void) {
  code literals = {{0}, {0}}, distances = {{0}, {0}};
  make_fixed(&literals, &distances);
  begin();
  put(1, 1);
  put(1, 2);
  uint32_t state = 1;
  for (uint32_t i = 0; i < 33000; i++) put_byte(&literals, (uint8_t)((state = state * 1664525u + 1013904223u) >> 24));
  for (uint32_t length = 3; length <= 258; length++) put_match(&literals, &distances, length, length * 7 % 1000 + 1);
  static const uint32_t kEnds[] = {1,    2,     3,     4,     5,     6,     7,     8,    9,    12,   13,   16,
                                   17,   24,    25,    32,    33,    48,    49,    64,   65,   96,   97,   128,
                                   129,  192,   193,   256,   257,   384,   385,   512,  513,  768,  769,  1024,
                                   1025, 1536,  1537,  2048,  2049,  3072,  3073,  4096, 4097, 6144, 6145, 8192,
                                   8193, 12288, 12289, 16384, 16385, 24576, 24577, 32768};
  for (size_t i = 0; i < sizeof kEnds / sizeof *kEnds; i++) put_match(&literals, &distances, 5, kEnds[i]);
  for (uint32_t i = 0; i < 600; i++) put_match(&literals, &distances, 258, 32768 - i);  // over the window's end
  put_symbol(&literals, END);
  check_whole();
}

// Codes of 1, 2, 3 … 14, 15 and 15 bits: the long ones are not in the table of ten bits.
static void codes_of_all_lengths(void) {
  code literals = {{0}, {0}}, distances = {{0}, {0}};
  static const uint32_t kSymbols[] = {'e', 'a', 0, 255, 'x', 257, 'b', 'c', 'd', 'f', 'g', 'h', 285, 'i', 'j', END};
  for (uint32_t i = 0; i < 16; i++) literals.lengths[kSymbols[i]] = i < 15 ? i + 1 : 15;
  distances.lengths[0] = 1;
  distances.lengths[3] = 1;
  begin();
  put_codes(&literals, &distances, 4, false);
  for (uint32_t round = 0; round < 40; round++) {
    for (uint32_t i = 0; i < 15; i++) {
      const uint32_t symbol = kSymbols[(i * 7 + round) % 15];
      if (symbol < END) put_byte(&literals, (uint8_t)symbol);
    }
    put_match(&literals, &distances, 3, round % 2 ? 4 : 1);
    if (round % 8 == 0) put_match(&literals, &distances, 258, 4);
  }
  put_symbol(&literals, END);
  put_stored((const uint8_t*)"stored", 6, false);
  put_stored((const uint8_t*)"", 0, false);
  put_codes(&literals, &distances, 4, true);
  for (uint32_t i = 0; i < 9; i++) put_byte(&literals, 'j');
  put_symbol(&literals, END);
  check_whole();
  check_cuts();
}

// A match whose codes and further bits are 48 in all leaves less bits than the literal behind it needs.
static void the_longest_codes_one_after_the_other(void) {
  code literals = {{0}, {0}}, distances = {{0}, {0}};
  static const uint32_t kSymbols[] = {'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', END, 'm', 'z', 283};
  for (uint32_t i = 0; i < 16; i++) {
    literals.lengths[kSymbols[i]] = i < 15 ? i + 1 : 15;
    distances.lengths[14 + i] = i < 15 ? i + 1 : 15;
  }
  begin();
  put_codes(&literals, &distances, NUM_DISTANCES, true);
  for (uint32_t i = 0; i < 25000; i++) put_byte(&literals, i % 16 == 0 ? 'b' : 'a');
  for (uint32_t round = 0; round < 64; round++) {
    put_match(&literals, &distances, 195 + round % 32, 20000 + 61 * round);
    put_byte(&literals, 'z');
    for (uint32_t i = 0; i < round % 9; i++) put_byte(&literals, 'a');
  }
  put_symbol(&literals, END);
  check_whole();
}

static void a_single_distance_code_and_none(void) {
  for (uint32_t count = 0; count < 2; count++) {
    code literals = {{0}, {0}}, distances = {{0}, {0}};
    literals.lengths['a'] = 1;
    literals.lengths[END] = literals.lengths[257] = 2;
    distances.lengths[0] = count;
    begin();
    put_codes(&literals, &distances, 1, true);
    put_byte(&literals, 'a');
    if (count > 0) put_match(&literals, &distances, 3, 1);
    put_symbol(&literals, END);
    check_whole();
    check_cuts();
  }
}

static void what_the_taker_does_not_want(void) {
  code literals = {{0}, {0}}, distances = {{0}, {0}};
  make_fixed(&literals, &distances);
  begin();
  put(1, 1);
  put(1, 2);
  put_byte(&literals, 'x');
  for (uint32_t i = 0; i < 1500; i++) put_match(&literals, &distances, 258, 1);
  put_symbol(&literals, END);
  check_whole();
  reader r = {.piece = 100, .size = (w.num_bits + 7) / 8, .stops_at = 1};
  CHECK(inflate(&r) == OCL_INFLATE_STOPPED);
  CHECK(r.is_right && r.taken > 0 && r.taken < w.plain_bytes);
}

static void expect_bad(void) {
  put(0, 64);
  reader r = {.piece = 64, .size = (w.num_bits + 7) / 8, .stops_at = SIZE_MAX};
  CHECK(inflate(&r) == OCL_INFLATE_BAD);
}

static void what_zlib_refuses(void) {
  code literals = {{0}, {0}}, distances = {{0}, {0}};
  make_fixed(&literals, &distances);
  begin();
  put(1, 1);
  put(3, 2);  // no such kind of block
  expect_bad();

  begin();
  put(1, 1);
  put(1, 2);
  put_byte(&literals, 'a');
  put_symbol(&literals, 257);
  put(0x10, 5);  // distance 2 of one byte: the code 1, first bit first
  expect_bad();

  for (uint32_t symbol = 286; symbol < 288; symbol++) {
    begin();
    put(1, 1);
    put(1, 2);
    put_symbol(&literals, symbol);  // no such length
    expect_bad();
  }

  begin();
  put(1, 1);
  put(0, 2);
  w.num_bits = 8;
  put(5, 16);
  put(5, 16);  // not the complement
  expect_bad();

  // Too many codes of one bit, and a code too few.
  for (uint32_t i = 0; i < 2; i++) {
    code own = {{0}, {0}}, far = {{0}, {0}};
    own.lengths['a'] = i == 0 ? 1 : 2;
    own.lengths['b'] = i == 0 ? 1 : 2;
    own.lengths[END] = i == 0 ? 1 : 2;
    far.lengths[0] = 1;
    begin();
    put_codes(&own, &far, 1, true);
    expect_bad();
  }

  // No end of the block.
  code own = {{0}, {0}}, far = {{0}, {0}};
  own.lengths['a'] = own.lengths['b'] = 1;
  begin();
  put_codes(&own, &far, 1, true);
  expect_bad();
}

static void bits_before_and_behind(void) {
  begin();
  put(0x5, 3);
  put(0xDEADBEEF, 32);
  w.num_bits = 40;
  put_stored((const uint8_t*)"ab", 2, true);
  put(0x12345678, 32);
  static ocl_inflate z;
  memset(&z, 0, sizeof z);
  reader r = {.piece = 1, .size = w.num_bits / 8, .stops_at = SIZE_MAX, .is_right = true};
  z.next = give;
  z.take = receive;
  z.context = &r;
  uint32_t value;
  CHECK(ocl_inflate_read_bits(&z, 3, &value) && value == 5);
  CHECK(ocl_inflate_read_bits(&z, 32, &value) && value == 0xDEADBEEF);
  ocl_inflate_align(&z);
  CHECK(ocl_inflate_run(&z) == OCL_INFLATE_END && r.is_right && r.taken == 2);
  ocl_inflate_align(&z);
  CHECK(ocl_inflate_read_bits(&z, 32, &value) && value == 0x12345678);
  CHECK(!ocl_inflate_read_bits(&z, 1, &value));
}

int main(void) {
  RUN(every_length_and_distance);
  RUN(codes_of_all_lengths);
  RUN(the_longest_codes_one_after_the_other);
  RUN(a_single_distance_code_and_none);
  RUN(what_the_taker_does_not_want);
  RUN(what_zlib_refuses);
  RUN(bits_before_and_behind);
  return check_failed_tests;
}

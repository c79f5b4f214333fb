// The parts of the JPEG decoder: jpeg_segments.c (markers, tables, headers), jpeg_bits.c (a scan's data, Huffman
// tables), jpeg_blocks.c (bits -> coefficients), jpeg_smooth.c (coefficients that did not come), jpeg_transform.c
// (coefficients -> samples), jpeg_rows.c (samples -> RGB rows). jpeg.c drives them.
#ifndef OCELLI_JPEG_INTERNAL_H_
#define OCELLI_JPEG_INTERNAL_H_

#include "image/jpeg.h"

enum {
  MAX_COMPONENTS = 4,
  NUM_TABLES = 4,
  BLOCK_PX = 8,
  BLOCK_SIZE = 64,
  LOOKUP_BITS = 10,
  CHUNK_BYTES = 1 << 14,
  // The longest MCU: ten blocks of 64 codes of 16 bits, each with up to 15 bits more.
  MCU_MAX_BYTES = 2560,
  MAX_BLOCKS_IN_MCU = 10,
  END_OF_FILE = 0x100,  // beside the markers
};

// Markers.
enum { DHT = 0xC4, RST0 = 0xD0, RST7 = 0xD7, SOI = 0xD8, EOI = 0xD9, SOS = 0xDA };

// ---- a scan's data

// The data without its stuffed zeros, a chunk at a time. Behind its end it reads as zeros.
typedef struct {
  const uint8_t *at, *end;          // the file's bytes behind those in `chunk`
  int32_t marker;                   // what ends the data, `at` is behind it; or END_OF_FILE; 0: not reached yet
  uint32_t num_bits;                // valid bits of `bits`
  uint64_t bits;                    // the next bits, from the highest down
  const uint8_t *next, *valid_end;  // of `chunk`
  bool is_bad;                      // there was a code that its table lacks
  uint8_t chunk[MCU_MAX_BYTES + CHUNK_BYTES + MCU_MAX_BYTES + 32];
} jpeg_bits;

void ocl_jpeg_bits_start(jpeg_bits* bits, const uint8_t* at, const uint8_t* end);
// Makes MCU_MAX_BYTES available, if the data has them.
void ocl_jpeg_bits_fill(jpeg_bits* bits);
// True if more bits were read than the data has.
bool ocl_jpeg_bits_are_exhausted(const jpeg_bits* bits);
// Moves to the marker that ends the data.
void ocl_jpeg_bits_find_marker(jpeg_bits* bits);

// What the next bits are. Bits 0..7: length of the code and of its extra bits; 8..15: length of the code; 16..23: zeros
// before the coefficient; 24..27: number of extra bits.
typedef uint32_t jpeg_entry;
enum {
  SPECIAL_ENTRY = 1 << 29,  // no extra bits, or one of the next two
  LONG_CODE = SPECIAL_ENTRY | 1 << 30,
  NO_CODE = SPECIAL_ENTRY | 1 << 28,
};

typedef struct {
  jpeg_entry lookup[1 << LOOKUP_BITS];  // by the next bits
  uint32_t limits[17];                  // by length: the first code above those of this length, in the upper of 16 bits
  int32_t value_at[17];                 // by length: index of a code's value, minus the code
  uint8_t values[256];
  bool is_dc;
} jpeg_table;

// The entry of a code of more than LOOKUP_BITS bits; NO_CODE if there is none.
jpeg_entry ocl_jpeg_find_long_code(const jpeg_table* table, uint64_t bits);

// ---- the file

typedef struct {
  uint8_t counts[17], values[256];  // `counts` by length
  bool is_defined;
} jpeg_code_lengths;

// [class][index]: the tables of T.81, K.3, which the frames of Motion JPEG leave out.
extern const jpeg_code_lengths ocl_jpeg_standard_codes[2][2];

// False: there are no such codes.
bool ocl_jpeg_make_table(const jpeg_code_lengths* lengths, bool is_dc, jpeg_table* table_out);

typedef struct {
  uint8_t id, h, v, quantization;  // h, v: sampling factors
  uint8_t dc_table, ac_table;      // in the present scan
  bool is_scanned;                 // its quantization is in `steps`, in natural order
  int16_t steps[BLOCK_SIZE];
  int8_t missing_bits[BLOCK_SIZE];    // of a progressive file's coefficients, so far; -1: all
  int32_t blocks_wide, blocks_high;   // those that hold pixels
  int32_t row_blocks, column_blocks;  // with those that fill the last MCUs
  int16_t* coefficients;              // [column_blocks, row_blocks, 64]; NULL: decoded block by block
  int32_t dc;                         // the last one, which predicts the next one
  int32_t block_px;                   // side of a block at the scale
  int32_t stride, ring_rows;          // the ring holds two rows of MCUs
  int32_t width, height;              // samples at the scale
  int32_t across, down;               // pixels for a sample
  uint8_t *ring, *upsampled;          // [ring_rows, stride]; [a row of pixels]
  uint8_t* needs_column;              // [row_blocks]
  bool needs_row[MAX_COMPONENTS];     // [v]: of the present row of MCUs
} jpeg_component;

typedef struct {
  int32_t num_components;
  jpeg_component* components[MAX_COMPONENTS];
  int32_t first, last, high, low;  // spectral selection, successive approximation
} jpeg_scan;

struct ocl_jpeg {
  const uint8_t *at, *end;
  int32_t marker;  // behind which `at` is, if it was not handled yet; or 0
  ocl_detail* detail;
  ocl_image_header header;
  int32_t num_components, h_max, v_max;
  int32_t mcus_wide, mcus_high;
  int32_t restart_interval, num_scans;
  bool has_frame, is_progressive, has_exif, has_jfif, has_adobe;
  uint8_t adobe_transform;
  bool has_quantization[NUM_TABLES];
  uint16_t quantization[NUM_TABLES][BLOCK_SIZE];
  jpeg_code_lengths code_lengths[2][NUM_TABLES];  // [0]: DC, [1]: AC
  jpeg_component components[MAX_COMPONENTS];
  jpeg_scan scan;
  // while decoding
  bool is_streamed;                 // one scan has everything
  bool is_smoothed;                 // coefficients that did not come are guessed
  bool is_empty;                    // the present MCU has no data
  bool is_in_gap;                   // the present restart interval has no data
  int32_t scale_px;                 // side of a block: 8, 4, 2, 1
  int32_t width, height, next_row;  // of the result
  int32_t mcus_to_restart, next_restart;
  uint32_t eob_run;
  const ocl_row_sink* sink;
  uint8_t *memory, *rgb;
  int16_t* sums;
  jpeg_table tables[2][NUM_TABLES];
  jpeg_bits bits;
};

extern const uint8_t ocl_jpeg_natural_order[BLOCK_SIZE + 16];

ocl_status ocl_jpeg_corrupt(const ocl_jpeg* jpeg, const char* what);

typedef enum { JPEG_AT_SCAN, JPEG_AT_END, JPEG_AT_END_OF_FILE } jpeg_place;

// Reads segments up to the next scan, whose header is read, too, or to the end.
ocl_status ocl_jpeg_read_segments(ocl_jpeg* jpeg, jpeg_place* place_out);

// ---- blocks

// Decodes the next block of a sequential scan; `block` holds zeros. True: it has other coefficients than the first.
bool ocl_jpeg_read_block(jpeg_bits* bits, const jpeg_table* dc, const jpeg_table* ac, int32_t* dc_value,
                         int16_t* block);
void ocl_jpeg_skip_block(jpeg_bits* bits, const jpeg_table* dc, const jpeg_table* ac, int32_t* dc_value);
void ocl_jpeg_read_progressive_block(ocl_jpeg* jpeg, jpeg_component* component, int16_t* block);

// Inverse DCT to size_px (8, 4, 2, 1) samples in each direction. `is_flat`: only block[0] is not 0.
void ocl_jpeg_transform(const int16_t* block, const int16_t* steps, int32_t size_px, bool is_flat, uint8_t* out,
                        int32_t stride);

// Whether coefficients are to be guessed, because the file has not all scans.
bool ocl_jpeg_needs_smoothing(const ocl_jpeg* jpeg);
// block_out: block (x, y) with its first ones guessed.
void ocl_jpeg_smooth_block(const jpeg_component* component, int32_t x, int32_t y, int16_t* block_out);

// ---- rows

// Hands the rows above `end` over to the sink.
void ocl_jpeg_emit_rows(ocl_jpeg* jpeg, int32_t end);

#endif  // OCELLI_JPEG_INTERNAL_H_

// Stage: JPEG file -> rows of RGB. See jpeg.h. A file whose first scan has all components (of a sequential frame) is
// decoded row of MCUs by row of MCUs; of all others, every scan is read into coefficients first.
#include "image/jpeg.h"

#include <stdlib.h>
#include <string.h>

#include "image/jpeg_internal.h"

// ---- scans

static ocl_status prepare_table(ocl_jpeg* jpeg, int32_t class, uint32_t index) {
  const jpeg_code_lengths* lengths = index < NUM_TABLES ? &jpeg->code_lengths[class][index] : NULL;
  if (lengths != NULL && !lengths->is_defined && index < 2 && !jpeg->is_progressive)
    lengths = &ocl_jpeg_standard_codes[class][index];
  if (lengths == NULL || !lengths->is_defined) return ocl_jpeg_corrupt(jpeg, "no Huffman table");
  if (!ocl_jpeg_make_table(lengths, class == 0, &jpeg->tables[class][index]))
    return ocl_jpeg_corrupt(jpeg, "impossible Huffman table");
  return OCL_OK;
}

static ocl_status prepare_tables(ocl_jpeg* jpeg, const jpeg_component* c) {
  const jpeg_scan* scan = &jpeg->scan;
  const bool is_first_scan = !jpeg->is_progressive || scan->high == 0;
  if (is_first_scan && (!jpeg->is_progressive || scan->first == 0)) OCL_TRY(prepare_table(jpeg, 0, c->dc_table));
  if (!jpeg->is_progressive || scan->first > 0) OCL_TRY(prepare_table(jpeg, 1, c->ac_table));
  return OCL_OK;
}

static ocl_status prepare_steps(ocl_jpeg* jpeg, jpeg_component* c) {
  if (c->is_scanned) return OCL_OK;
  if (c->quantization >= NUM_TABLES || !jpeg->has_quantization[c->quantization])
    return ocl_jpeg_corrupt(jpeg, "no quantization table");
  memcpy(c->steps, jpeg->quantization[c->quantization], sizeof c->steps);
  c->is_scanned = true;
  return OCL_OK;
}

static bool is_possible(const jpeg_scan* scan) {
  const bool is_dc = scan->first == 0;
  if (is_dc ? scan->last != 0 : scan->last < scan->first || scan->last >= BLOCK_SIZE || scan->num_components != 1)
    return false;
  return scan->low <= 13 && (scan->high == 0 || scan->high == scan->low + 1);
}

// Each bit of a coefficient comes once, from the highest down.
static bool note_progress(const jpeg_scan* scan, jpeg_component* c) {
  if (scan->first > 0 && c->missing_bits[0] < 0) return false;
  for (int32_t k = scan->first; k <= scan->last; k++) {
    if (scan->high != (c->missing_bits[k] < 0 ? 0 : c->missing_bits[k])) return false;
    if (c->missing_bits[k] == 0) return false;
    c->missing_bits[k] = (int8_t)scan->low;
  }
  return true;
}

static ocl_status prepare_scan(ocl_jpeg* jpeg) {
  const jpeg_scan* scan = &jpeg->scan;
  if (jpeg->is_progressive && !is_possible(scan)) return ocl_jpeg_corrupt(jpeg, "impossible progressive scan");
  int32_t num_blocks = 0;
  for (int32_t i = 0; i < scan->num_components; i++) {
    jpeg_component* c = scan->components[i];
    num_blocks += c->h * c->v;
    OCL_TRY(prepare_steps(jpeg, c));
    OCL_TRY(prepare_tables(jpeg, c));
    if (jpeg->is_progressive && !note_progress(scan, c))
      return ocl_jpeg_corrupt(jpeg, "progressive scans out of order");
  }
  if (scan->num_components > 1 && num_blocks > MAX_BLOCKS_IN_MCU)
    return ocl_jpeg_corrupt(jpeg, "too many blocks in a unit");
  jpeg->num_scans++;
  jpeg->mcus_to_restart = jpeg->restart_interval;
  jpeg->next_restart = 0;
  jpeg->is_in_gap = jpeg->is_empty = false;
  jpeg->eob_run = 0;
  for (int32_t i = 0; i < jpeg->num_components; i++) jpeg->components[i].dc = 0;
  ocl_jpeg_bits_start(&jpeg->bits, jpeg->at, jpeg->end);
  return OCL_OK;
}

// ---- units (MCUs)

// What libjpeg does (jpeg_resync_to_restart): markers that were due before are skipped, one of the next two means that
// data is missing up to it, any other is taken for the one that is due.
static bool is_restart_found(jpeg_bits* bits, int32_t due) {
  for (;;) {
    ocl_jpeg_bits_find_marker(bits);
    if (bits->marker == END_OF_FILE) return false;
    if (bits->marker >= 0xC0) {
      if (bits->marker < RST0 || bits->marker > RST7) return false;
      const int32_t ahead = (bits->marker - due) & 7;
      if (ahead == 1 || ahead == 2) return false;
      if (ahead < 6) return true;
    }
    bits->marker = 0;
  }
}

static void restart(ocl_jpeg* jpeg) {
  jpeg_bits* bits = &jpeg->bits;
  // Of an interval without data libjpeg decodes the first MCU from zeros.
  const bool was_in_gap = jpeg->is_in_gap;
  jpeg->is_in_gap = !is_restart_found(bits, RST0 + jpeg->next_restart);
  jpeg->is_empty = jpeg->is_in_gap && was_in_gap;
  const int32_t marker = jpeg->is_in_gap ? bits->marker : 0;
  const bool is_bad = bits->is_bad;
  ocl_jpeg_bits_start(bits, bits->at, bits->end);
  bits->marker = marker;
  bits->is_bad = is_bad;
  jpeg->next_restart = (jpeg->next_restart + 1) & 7;
  jpeg->mcus_to_restart = jpeg->restart_interval;
  jpeg->eob_run = 0;
  for (int32_t i = 0; i < jpeg->num_components; i++) jpeg->components[i].dc = 0;
}

static void start_unit(ocl_jpeg* jpeg) {
  jpeg_bits* bits = &jpeg->bits;
  if (jpeg->restart_interval > 0 && jpeg->mcus_to_restart-- == 0) {
    restart(jpeg);
    jpeg->mcus_to_restart--;
  }
  if (bits->marker == 0 && bits->valid_end - bits->next < MCU_MAX_BYTES) ocl_jpeg_bits_fill(bits);
}

// False: the data ends here, or is damaged. A restart interval that is missing leaves its part grey; but a later one
// must follow.
static bool finish_unit(ocl_jpeg* jpeg) {
  jpeg_bits* bits = &jpeg->bits;
  if (jpeg->is_in_gap) {
    jpeg->is_empty = true;
    bits->is_bad = false;
    return bits->marker >= RST0 && bits->marker <= RST7;
  }
  return !bits->is_bad && !ocl_jpeg_bits_are_exhausted(bits);
}

typedef enum { SCAN_WHOLE, SCAN_CUT, SCAN_BAD } scan_end;

static scan_end why_it_ended(const ocl_jpeg* jpeg) {
  const int32_t marker = jpeg->bits.marker;
  return !jpeg->bits.is_bad && (marker == EOI || marker == END_OF_FILE) ? SCAN_CUT : SCAN_BAD;
}

static void finish_scan(ocl_jpeg* jpeg) {
  jpeg->at = jpeg->bits.at;
  jpeg->marker = jpeg->bits.marker;
}

// ---- one scan: rows as they come

static void decode_unit(ocl_jpeg* jpeg, jpeg_component* c, int32_t unit_x, int32_t unit_y, bool is_empty) {
  int16_t block[BLOCK_SIZE] __attribute__((aligned(16)));
  const jpeg_table *dc = &jpeg->tables[0][c->dc_table & 3], *ac = &jpeg->tables[1][c->ac_table & 3];
  uint8_t* row = c->ring + (ptrdiff_t)(unit_y & 1) * (c->ring_rows / 2) * c->stride;
  for (int32_t y = 0; y < c->v; y++, row += c->block_px * c->stride) {
    for (int32_t x = unit_x * c->h; x < (unit_x + 1) * c->h; x++) {
      if (!c->needs_row[y] || !c->needs_column[x]) {
        if (!is_empty) ocl_jpeg_skip_block(&jpeg->bits, dc, ac, &c->dc);
        continue;
      }
      memset(block, 0, sizeof block);
      const bool has_more = !is_empty && ocl_jpeg_read_block(&jpeg->bits, dc, ac, &c->dc, block);
      ocl_jpeg_transform(block, c->steps, c->block_px, !has_more, row + x * c->block_px, c->stride);
    }
  }
}

// Whether a needed row of the result reads one of the samples [from, to) of the component.
static bool is_needed(const ocl_jpeg* jpeg, const jpeg_component* c, int32_t from, int32_t to) {
  // smooth upsampling reads the samples above and below, too
  const int32_t first = from > 0 ? (from - 1) * c->down : 0;
  const int32_t end = (to + 1) * c->down < jpeg->height ? (to + 1) * c->down : jpeg->height;
  return first < end && memchr(jpeg->sink->needs_row + first, 1, (size_t)(end - first)) != NULL;
}

static void find_needed_rows(ocl_jpeg* jpeg, int32_t unit_y) {
  for (int32_t i = 0; i < jpeg->num_components; i++) {
    jpeg_component* c = &jpeg->components[i];
    for (int32_t y = 0; y < c->v; y++) {
      const int32_t first = (unit_y * c->v + y) * c->block_px;
      c->needs_row[y] = is_needed(jpeg, c, first, first + c->block_px);
    }
  }
}

// Rows that the last row of samples, which smooth upsampling needs, is there for.
static void emit_units(ocl_jpeg* jpeg, int32_t unit_y) {
  const bool is_last = unit_y == jpeg->mcus_high - 1;
  ocl_jpeg_emit_rows(jpeg, is_last ? jpeg->height : (unit_y + 1) * jpeg->v_max * jpeg->scale_px - 1);
}

static scan_end stream_scan(ocl_jpeg* jpeg, bool allow_truncated, int32_t* row_out) {
  scan_end end = SCAN_WHOLE;
  for (int32_t unit_y = 0; unit_y < jpeg->mcus_high; unit_y++) {
    find_needed_rows(jpeg, unit_y);
    for (int32_t unit_x = 0; unit_x < jpeg->mcus_wide; unit_x++) {
      if (end == SCAN_WHOLE) start_unit(jpeg);
      const bool is_empty = end != SCAN_WHOLE || jpeg->is_empty;
      for (int32_t i = 0; i < jpeg->scan.num_components; i++)
        decode_unit(jpeg, jpeg->scan.components[i], unit_x, unit_y, is_empty);
      if (end != SCAN_WHOLE || finish_unit(jpeg)) continue;
      end = why_it_ended(jpeg);
      *row_out = unit_y * jpeg->v_max * BLOCK_PX;
      if (end == SCAN_BAD || !allow_truncated) return end;
    }
    emit_units(jpeg, unit_y);
  }
  finish_scan(jpeg);
  return end;
}

// ---- several scans: coefficients first

static void read_unit(ocl_jpeg* jpeg, jpeg_component* c, int32_t x, int32_t y, int32_t width, int32_t height) {
  const jpeg_table *dc = &jpeg->tables[0][c->dc_table & 3], *ac = &jpeg->tables[1][c->ac_table & 3];
  for (int32_t block_y = y * height; block_y < (y + 1) * height; block_y++) {
    for (int32_t block_x = x * width; block_x < (x + 1) * width; block_x++) {
      int16_t* block = c->coefficients + ((ptrdiff_t)block_y * c->row_blocks + block_x) * BLOCK_SIZE;
      if (jpeg->is_progressive) {
        ocl_jpeg_read_progressive_block(jpeg, c, block);
      } else {
        memset(block, 0, BLOCK_SIZE * sizeof *block);
        ocl_jpeg_read_block(&jpeg->bits, dc, ac, &c->dc, block);
      }
    }
  }
}

static scan_end read_scan_data(ocl_jpeg* jpeg, int32_t* row_out) {
  const jpeg_scan* scan = &jpeg->scan;
  const bool is_single = scan->num_components == 1;  // its units are blocks, then
  const int32_t units_wide = is_single ? scan->components[0]->blocks_wide : jpeg->mcus_wide;
  const int32_t units_high = is_single ? scan->components[0]->blocks_high : jpeg->mcus_high;
  for (int32_t y = 0; y < units_high; y++) {
    for (int32_t x = 0; x < units_wide; x++) {
      start_unit(jpeg);
      for (int32_t i = 0; i < scan->num_components && !jpeg->is_empty; i++) {
        jpeg_component* c = scan->components[i];
        read_unit(jpeg, c, x, y, is_single ? 1 : c->h, is_single ? 1 : c->v);
      }
      if (finish_unit(jpeg)) continue;
      *row_out = (int32_t)((int64_t)y * jpeg->header.height_px / units_high);
      return why_it_ended(jpeg);
    }
  }
  finish_scan(jpeg);
  return SCAN_WHOLE;
}

static bool is_flat(const int16_t* block) {
  for (int32_t i = 1; i < BLOCK_SIZE; i++)
    if (block[i] != 0) return false;
  return true;
}

static void transform_row(const ocl_jpeg* jpeg, const jpeg_component* c, int32_t block_y) {
  uint8_t* row = c->ring + (ptrdiff_t)(block_y * c->block_px % c->ring_rows) * c->stride;
  const int16_t* block = c->coefficients + (ptrdiff_t)block_y * c->row_blocks * BLOCK_SIZE;
  for (int32_t x = 0; x < c->row_blocks; x++, block += BLOCK_SIZE) {
    if (!c->needs_column[x]) continue;
    int16_t smoothed[BLOCK_SIZE] __attribute__((aligned(16)));
    if (jpeg->is_smoothed) ocl_jpeg_smooth_block(c, x, block_y, smoothed);
    const int16_t* from = jpeg->is_smoothed ? smoothed : block;
    ocl_jpeg_transform(from, c->steps, c->block_px, is_flat(from), row + x * c->block_px, c->stride);
  }
}

static void transform_all(ocl_jpeg* jpeg) {
  jpeg->is_smoothed = ocl_jpeg_needs_smoothing(jpeg);
  for (int32_t unit_y = 0; unit_y < jpeg->mcus_high; unit_y++) {
    find_needed_rows(jpeg, unit_y);
    for (int32_t i = 0; i < jpeg->num_components; i++) {
      const jpeg_component* c = &jpeg->components[i];
      for (int32_t y = 0; y < c->v; y++)
        if (c->needs_row[y]) transform_row(jpeg, c, unit_y * c->v + y);
    }
    emit_units(jpeg, unit_y);
  }
}

// ---- the file

static ocl_status ended(const ocl_jpeg* jpeg, scan_end end, int32_t row) {
  const char* what = end == SCAN_CUT ? "truncated: the data ends" : "the data is damaged";
  return ocl_status_with_detail(OCL_IMAGE_CORRUPT, jpeg->detail, "JPEG: %s at row %d of %d, in scan %d", what, (int)row,
                                (int)jpeg->header.height_px, (int)jpeg->num_scans);
}

static ocl_status check_end(ocl_jpeg* jpeg) {
  jpeg_place place;
  OCL_TRY(ocl_jpeg_read_segments(jpeg, &place));
  return place == JPEG_AT_SCAN ? ocl_jpeg_corrupt(jpeg, "a scan too many") : OCL_OK;
}

static ocl_status decode_streamed(ocl_jpeg* jpeg, bool allow_truncated, bool* is_truncated_out) {
  OCL_TRY(prepare_scan(jpeg));
  int32_t row = 0;
  const scan_end end = stream_scan(jpeg, allow_truncated, &row);
  *is_truncated_out = end == SCAN_CUT;
  if (end == SCAN_BAD || (end == SCAN_CUT && !allow_truncated)) return ended(jpeg, end, row);
  return end == SCAN_CUT ? OCL_OK : check_end(jpeg);
}

// Whether all scans came, although the end marker did not.
static bool has_everything(const ocl_jpeg* jpeg) {
  for (int32_t i = 0; i < jpeg->num_components; i++) {
    const jpeg_component* c = &jpeg->components[i];
    if (!c->is_scanned) return false;
    for (int32_t k = 0; k < BLOCK_SIZE && jpeg->is_progressive; k++)
      if (c->missing_bits[k] != 0) return false;
  }
  return true;
}

// Reads all scans. *is_cut_out: the file ends before all came.
static ocl_status read_scans(ocl_jpeg* jpeg, bool allow_truncated, bool* is_cut_out) {
  jpeg_place place = JPEG_AT_SCAN;
  int32_t row = 0;
  while (place == JPEG_AT_SCAN) {
    OCL_TRY(prepare_scan(jpeg));
    const scan_end end = read_scan_data(jpeg, &row);
    if (end == SCAN_BAD || (end == SCAN_CUT && !allow_truncated)) return ended(jpeg, end, row);
    *is_cut_out = end == SCAN_CUT;
    if (*is_cut_out) return OCL_OK;
    OCL_TRY(ocl_jpeg_read_segments(jpeg, &place));
  }
  *is_cut_out = place == JPEG_AT_END_OF_FILE && !has_everything(jpeg);
  if (*is_cut_out && !allow_truncated) return ended(jpeg, SCAN_CUT, jpeg->header.height_px);
  return OCL_OK;
}

static ocl_status decode_scans(ocl_jpeg* jpeg, bool allow_truncated, bool* is_truncated_out) {
  OCL_TRY(read_scans(jpeg, allow_truncated, is_truncated_out));
  for (int32_t i = 0; i < jpeg->num_components && !*is_truncated_out; i++) {
    const jpeg_component* c = &jpeg->components[i];
    if (!c->is_scanned || (jpeg->is_progressive && c->missing_bits[0] < 0))
      return ocl_jpeg_corrupt(jpeg, "a component has no scan");
  }
  transform_all(jpeg);
  return OCL_OK;
}

// ---- memory

static size_t row_bytes(const ocl_jpeg* jpeg) {
  return (size_t)jpeg->width + 32;
}

static size_t coefficient_bytes(const ocl_jpeg* jpeg, const jpeg_component* c) {
  return jpeg->is_streamed ? 0 : (size_t)c->row_blocks * (size_t)c->column_blocks * BLOCK_SIZE * sizeof(int16_t);
}

static void set_ring(jpeg_component* c) {
  c->stride = (c->row_blocks * c->block_px + 15) / 16 * 16;
  c->ring_rows = 2 * c->v * c->block_px;
}

// All but the coefficients have some bytes more, for vectors that reach past their end.
static uint64_t memory_bytes(const ocl_jpeg* jpeg) {
  uint64_t bytes = 3 * row_bytes(jpeg) + 2 * row_bytes(jpeg) + 64;
  for (int32_t i = 0; i < jpeg->num_components; i++) {
    const jpeg_component* c = &jpeg->components[i];
    bytes += (uint64_t)c->ring_rows * (uint64_t)c->stride + row_bytes(jpeg) + (uint64_t)c->row_blocks + 64;
    bytes += coefficient_bytes(jpeg, c);
  }
  return bytes;
}

static uint8_t* take(uint8_t** at, size_t size_bytes) {
  uint8_t* start = *at;
  *at += (size_bytes + 15) / 16 * 16;
  return start;
}

static void mark_columns(const ocl_jpeg* jpeg, jpeg_component* c) {
  for (int32_t x = 0; x < jpeg->width; x++) {
    if (!jpeg->sink->needs_column[x]) continue;
    const int32_t sample = x / c->across;
    if (sample > 0) c->needs_column[(sample - 1) / c->block_px] = 1;
    c->needs_column[sample / c->block_px] = 1;
    if (sample + 1 < c->width) c->needs_column[(sample + 1) / c->block_px] = 1;
  }
}

static ocl_status prepare_memory(ocl_jpeg* jpeg) {
  const uint64_t bytes = memory_bytes(jpeg);
  jpeg->memory = bytes <= PTRDIFF_MAX ? calloc(1, (size_t)bytes) : NULL;
  if (jpeg->memory == NULL) return OCL_OUT_OF_MEMORY;
  uint8_t* at = jpeg->memory;
  for (int32_t i = 0; i < jpeg->num_components; i++) {
    jpeg_component* c = &jpeg->components[i];
    if (!jpeg->is_streamed) c->coefficients = (int16_t*)(void*)take(&at, coefficient_bytes(jpeg, c));
    c->ring = take(&at, (size_t)c->ring_rows * (size_t)c->stride);
    c->upsampled = take(&at, row_bytes(jpeg));
    c->needs_column = take(&at, (size_t)c->row_blocks);
    mark_columns(jpeg, c);
  }
  jpeg->sums = (int16_t*)(void*)take(&at, 2 * row_bytes(jpeg)) + 8;
  jpeg->rgb = take(&at, 3 * row_bytes(jpeg));
  return OCL_OK;
}

// ---- public

ocl_status ocl_jpeg_open(const uint8_t* bytes, size_t size_bytes, ocl_image_header* header_out, ocl_jpeg** jpeg_out,
                         ocl_detail* detail) {
  *header_out = (ocl_image_header){.orientation = 1};
  *jpeg_out = NULL;
  ocl_jpeg* jpeg = calloc(1, sizeof *jpeg);
  if (jpeg == NULL) return OCL_OUT_OF_MEMORY;
  jpeg->at = bytes + 2;  // behind the start marker, by which the format is known
  jpeg->end = bytes + size_bytes;
  jpeg->header.orientation = 1;
  jpeg->detail = detail;
  jpeg_place place;
  ocl_status status = ocl_jpeg_read_segments(jpeg, &place);
  *header_out = jpeg->header;
  if (status == OCL_OK && place != JPEG_AT_SCAN)
    status = ocl_jpeg_corrupt(jpeg, place == JPEG_AT_END ? "no scan" : "truncated before its first scan");
  if (status != OCL_OK) {
    ocl_jpeg_close(jpeg);
    return status;
  }
  jpeg->is_streamed = !jpeg->is_progressive && jpeg->scan.num_components == jpeg->num_components;
  *jpeg_out = jpeg;
  return OCL_OK;
}

void ocl_jpeg_close(ocl_jpeg* jpeg) {
  if (jpeg == NULL) return;
  free(jpeg->memory);
  free(jpeg);
}

static int32_t scaled(int32_t size, int32_t numerator, int32_t denominator) {
  return (int32_t)(((int64_t)size * numerator + denominator - 1) / denominator);
}

// A component of fewer samples is decoded at a larger scale, as far as that makes no more samples than pixels.
static ocl_status set_component_scale(const ocl_jpeg* jpeg, jpeg_component* c, ocl_detail* detail) {
  const int32_t pixels_across = jpeg->h_max * jpeg->scale_px, pixels_down = jpeg->v_max * jpeg->scale_px;
  c->block_px = jpeg->scale_px;
  while (c->block_px < BLOCK_PX && pixels_across % (2 * c->h * c->block_px) == 0 &&
         pixels_down % (2 * c->v * c->block_px) == 0)
    c->block_px *= 2;
  const int32_t samples_across = c->h * c->block_px, samples_down = c->v * c->block_px;
  if (pixels_across % samples_across != 0 || pixels_down % samples_down != 0)
    return ocl_status_with_detail(OCL_UNSUPPORTED_IMAGE_FORMAT, detail, "JPEG with fractional sampling factors");
  c->across = pixels_across / samples_across;
  c->down = pixels_down / samples_down;
  c->width = scaled(jpeg->header.width_px, samples_across, jpeg->h_max * BLOCK_PX);
  c->height = scaled(jpeg->header.height_px, samples_down, jpeg->v_max * BLOCK_PX);
  set_ring(c);
  return OCL_OK;
}

ocl_status ocl_jpeg_set_scale(ocl_jpeg* jpeg, int32_t scale_log2, int32_t* width_px_out, int32_t* height_px_out,
                              uint64_t* working_bytes_out, ocl_detail* detail) {
  jpeg->scale_px = BLOCK_PX >> scale_log2;
  jpeg->width = scaled(jpeg->header.width_px, jpeg->scale_px, BLOCK_PX);
  jpeg->height = scaled(jpeg->header.height_px, jpeg->scale_px, BLOCK_PX);
  for (int32_t i = 0; i < jpeg->num_components; i++) OCL_TRY(set_component_scale(jpeg, &jpeg->components[i], detail));
  *width_px_out = jpeg->width;
  *height_px_out = jpeg->height;
  *working_bytes_out = memory_bytes(jpeg) + sizeof *jpeg;
  return OCL_OK;
}

ocl_status ocl_jpeg_decode(ocl_jpeg* jpeg, bool allow_truncated, const ocl_row_sink* sink, bool* is_truncated_out,
                           ocl_detail* detail) {
  *is_truncated_out = false;
  jpeg->detail = detail;
  jpeg->sink = sink;
  OCL_TRY(prepare_memory(jpeg));
  return jpeg->is_streamed ? decode_streamed(jpeg, allow_truncated, is_truncated_out)
                           : decode_scans(jpeg, allow_truncated, is_truncated_out);
}

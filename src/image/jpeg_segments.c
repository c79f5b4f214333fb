// Stage: a JPEG file's segments -> tables, frame and scan. Layout: ITU-T T.81, annex B. What libjpeg refuses is
// refused; what it skips is skipped: bytes between segments, restart markers, segments of applications.
#include <string.h>

#include "base/bytes.h"
#include "image/exif.h"
#include "image/jpeg_internal.h"

enum {
  TEM = 0x01,
  SOF0 = 0xC0,
  SOF1 = 0xC1,
  SOF2 = 0xC2,
  JPG = 0xC8,
  DAC = 0xCC,
  SOF15 = 0xCF,
  DQT = 0xDB,
  DNL = 0xDC,
  DRI = 0xDD,
  APP0 = 0xE0,
  APP1 = 0xE1,
  APP14 = 0xEE,
  APP15 = 0xEF,
  COM = 0xFE,
};

typedef struct {
  const uint8_t* bytes;
  size_t size_bytes;
} segment;

ocl_status ocl_jpeg_corrupt(const ocl_jpeg* jpeg, const char* what) {
  return ocl_status_with_detail(OCL_IMAGE_CORRUPT, jpeg->detail, "JPEG: %s", what);
}

static ocl_status unsupported(const ocl_jpeg* jpeg, const char* what) {
  return ocl_status_with_detail(OCL_UNSUPPORTED_IMAGE_FORMAT, jpeg->detail, "JPEG %s", what);
}

static bool starts_with(segment s, const char* text, size_t text_bytes, size_t least_bytes) {
  return s.size_bytes >= least_bytes && memcmp(s.bytes, text, text_bytes) == 0;
}

// ---- tables

static ocl_status read_codes(ocl_jpeg* jpeg, segment s) {
  while (s.size_bytes >= 17) {
    const uint32_t class = s.bytes[0] >> 4, index = s.bytes[0] & 15;
    if (class > 1 || index >= NUM_TABLES) break;
    jpeg_code_lengths* codes = &jpeg->code_lengths[class][index];
    memset(codes, 0, sizeof *codes);
    memcpy(codes->counts + 1, s.bytes + 1, 16);
    uint32_t num_codes = 0;
    for (int32_t length = 1; length <= 16; length++) num_codes += codes->counts[length];
    if (num_codes > sizeof codes->values || num_codes > s.size_bytes - 17) break;
    memcpy(codes->values, s.bytes + 17, num_codes);
    codes->is_defined = true;
    s.bytes += 17 + num_codes;
    s.size_bytes -= 17 + num_codes;
  }
  return s.size_bytes == 0 ? OCL_OK : ocl_jpeg_corrupt(jpeg, "unreadable Huffman table");
}

static ocl_status read_quantization(ocl_jpeg* jpeg, segment s) {
  while (s.size_bytes > 0) {
    const uint32_t step_bytes = s.bytes[0] >> 4 ? 2 : 1, index = s.bytes[0] & 15;
    if (index >= NUM_TABLES || s.size_bytes < 1 + BLOCK_SIZE * step_bytes) break;
    for (uint32_t i = 0; i < BLOCK_SIZE; i++) {
      const uint8_t* step = s.bytes + 1 + i * step_bytes;
      jpeg->quantization[index][ocl_jpeg_natural_order[i]] =
          (uint16_t)(step_bytes == 2 ? ocl_load_u16_be(step) : *step);
    }
    jpeg->has_quantization[index] = true;
    s.bytes += 1 + BLOCK_SIZE * step_bytes;
    s.size_bytes -= 1 + BLOCK_SIZE * step_bytes;
  }
  return s.size_bytes == 0 ? OCL_OK : ocl_jpeg_corrupt(jpeg, "unreadable quantization table");
}

static ocl_status read_restart_interval(ocl_jpeg* jpeg, segment s) {
  if (s.size_bytes != 2) return ocl_jpeg_corrupt(jpeg, "unreadable restart interval");
  jpeg->restart_interval = (int32_t)ocl_load_u16_be(s.bytes);
  return OCL_OK;
}

// Of arithmetic coding, which is not read; but such a segment may lie in any file.
static ocl_status check_conditioning(const ocl_jpeg* jpeg, segment s) {
  bool is_sound = s.size_bytes % 2 == 0;
  for (size_t i = 0; i + 1 < s.size_bytes; i += 2) {
    const uint32_t index = s.bytes[i], value = s.bytes[i + 1];
    if (index >= 32 || (index < 16 && (value & 15) > value >> 4)) is_sound = false;
  }
  return is_sound ? OCL_OK : ocl_jpeg_corrupt(jpeg, "unreadable arithmetic conditioning");
}

static void read_application(ocl_jpeg* jpeg, int32_t marker, segment s) {
  if (marker == APP0 && starts_with(s, "JFIF", 5, 14)) jpeg->has_jfif = true;
  if (marker == APP14 && starts_with(s, "Adobe", 5, 12)) {
    jpeg->has_adobe = true;
    jpeg->adobe_transform = s.bytes[11];
  }
  if (marker == APP1 && !jpeg->has_exif && starts_with(s, "Exif\0", 6, 6)) {
    jpeg->has_exif = true;
    jpeg->header.orientation = ocl_exif_orientation(s.bytes + 6, s.size_bytes - 6);
  }
}

// ---- frame and scan

static ocl_status read_component(ocl_jpeg* jpeg, const uint8_t* bytes, jpeg_component* c) {
  c->id = bytes[0];
  c->h = bytes[1] >> 4;
  c->v = bytes[1] & 15;
  c->quantization = bytes[2];
  if (c->h < 1 || c->h > 4 || c->v < 1 || c->v > 4) return ocl_jpeg_corrupt(jpeg, "impossible sampling factors");
  if (jpeg->num_components == 1) c->h = c->v = 1;  // its blocks come one by one, whatever is said
  if (jpeg->h_max < c->h) jpeg->h_max = c->h;
  if (jpeg->v_max < c->v) jpeg->v_max = c->v;
  memset(c->missing_bits, -1, sizeof c->missing_bits);
  return OCL_OK;
}

static int32_t divide_up(int32_t a, int32_t b) {
  return (a + b - 1) / b;
}

static ocl_status read_frame(ocl_jpeg* jpeg, int32_t marker, segment s) {
  if (jpeg->has_frame) return ocl_jpeg_corrupt(jpeg, "two frame headers");
  if (s.size_bytes < 6) return ocl_jpeg_corrupt(jpeg, "short frame header");
  const int32_t height_px = (int32_t)ocl_load_u16_be(s.bytes + 1), width_px = (int32_t)ocl_load_u16_be(s.bytes + 3);
  if (height_px == 0 || width_px == 0) return ocl_jpeg_corrupt(jpeg, "no pixels");
  jpeg->header.height_px = height_px;
  jpeg->header.width_px = width_px;
  if (marker > SOF2) return unsupported(jpeg, "of a lossless, hierarchical or arithmetic-coded kind");
  if (s.bytes[0] != 8) return unsupported(jpeg, "with other than 8 bits per sample");
  jpeg->num_components = s.bytes[5];
  if (jpeg->num_components != 1 && jpeg->num_components != 3 && jpeg->num_components != 4)
    return unsupported(jpeg, "with other than 1, 3 or 4 components");
  if (s.size_bytes != 6 + 3 * (size_t)jpeg->num_components) return ocl_jpeg_corrupt(jpeg, "unreadable frame header");
  for (int32_t i = 0; i < jpeg->num_components; i++)
    OCL_TRY(read_component(jpeg, s.bytes + 6 + 3 * i, &jpeg->components[i]));
  jpeg->mcus_wide = divide_up(width_px, BLOCK_PX * jpeg->h_max);
  jpeg->mcus_high = divide_up(height_px, BLOCK_PX * jpeg->v_max);
  for (int32_t i = 0; i < jpeg->num_components; i++) {
    jpeg_component* c = &jpeg->components[i];
    c->blocks_wide = divide_up(width_px * c->h, BLOCK_PX * jpeg->h_max);
    c->blocks_high = divide_up(height_px * c->v, BLOCK_PX * jpeg->v_max);
    c->row_blocks = jpeg->mcus_wide * c->h;
    c->column_blocks = jpeg->mcus_high * c->v;
  }
  jpeg->is_progressive = marker == SOF2;
  jpeg->has_frame = true;
  return OCL_OK;
}

// Files may give the same name to several components; they are meant in their order, then.
static jpeg_component* find_component(ocl_jpeg* jpeg, uint8_t id, int32_t position) {
  for (int32_t i = position; i < jpeg->num_components; i++)
    if (jpeg->components[i].id == id) return &jpeg->components[i];
  return NULL;
}

static ocl_status read_scan(ocl_jpeg* jpeg, segment s) {
  jpeg_scan* scan = &jpeg->scan;
  if (!jpeg->has_frame) return ocl_jpeg_corrupt(jpeg, "scan without a frame header");
  const int32_t count = s.size_bytes > 0 ? s.bytes[0] : 0;
  if (count < 1 || count > MAX_COMPONENTS || s.size_bytes != 4 + 2 * (size_t)count)
    return ocl_jpeg_corrupt(jpeg, "unreadable scan header");
  scan->num_components = 0;
  for (int32_t i = 0; i < count; i++) {
    jpeg_component* c = find_component(jpeg, s.bytes[1 + 2 * i], i);
    for (int32_t j = 0; j < i; j++)
      if (c == scan->components[j]) c = NULL;
    if (c == NULL) return ocl_jpeg_corrupt(jpeg, "scan of a component that the frame lacks");
    c->dc_table = s.bytes[2 + 2 * i] >> 4;
    c->ac_table = s.bytes[2 + 2 * i] & 15;
    scan->components[scan->num_components++] = c;
  }
  const uint8_t* selection = s.bytes + 1 + 2 * count;
  scan->first = selection[0];
  scan->last = selection[1];
  scan->high = selection[2] >> 4;
  scan->low = selection[2] & 15;
  return OCL_OK;
}

// ---- the walk

// Moves behind the next marker; false at the end of the file.
static bool next_marker(ocl_jpeg* jpeg) {
  while (jpeg->at < jpeg->end) {
    const uint8_t* at = memchr(jpeg->at, 0xFF, (size_t)(jpeg->end - jpeg->at));
    if (at == NULL) break;
    while (at < jpeg->end && *at == 0xFF) at++;  // fill bytes
    jpeg->at = at;
    if (at == jpeg->end) return false;
    jpeg->at++;
    jpeg->marker = *at;
    if (*at != 0) return true;
  }
  return false;
}

// The segment behind the marker; false: it does not end within the file. One of no length, 0 or 1, is empty.
static bool take_segment(ocl_jpeg* jpeg, segment* out) {
  const size_t left_bytes = (size_t)(jpeg->end - jpeg->at);
  if (left_bytes < 2) return false;
  const size_t length = ocl_load_u16_be(jpeg->at);
  if (length > left_bytes) return false;
  *out = (segment){jpeg->at + 2, length < 2 ? 0 : length - 2};
  jpeg->at += length < 2 ? 2 : length;
  return true;
}

static bool is_frame_marker(int32_t marker) {
  return marker >= SOF0 && marker <= SOF15 && marker != DHT && marker != JPG && marker != DAC;
}

static bool is_skipped(int32_t marker) {
  return (marker >= APP0 && marker <= APP15) || marker == COM || marker == DNL;
}

static ocl_status read_segment(ocl_jpeg* jpeg, int32_t marker, segment s) {
  if (marker == SOS) return read_scan(jpeg, s);
  if (marker == DHT) return read_codes(jpeg, s);
  if (marker == DQT) return read_quantization(jpeg, s);
  if (marker == DRI) return read_restart_interval(jpeg, s);
  if (marker == DAC) return check_conditioning(jpeg, s);
  if (is_frame_marker(marker)) return read_frame(jpeg, marker, s);
  read_application(jpeg, marker, s);
  return OCL_OK;
}

ocl_status ocl_jpeg_read_segments(ocl_jpeg* jpeg, jpeg_place* place_out) {
  *place_out = JPEG_AT_END_OF_FILE;
  while (jpeg->marker != 0 || next_marker(jpeg)) {
    const int32_t marker = jpeg->marker;
    jpeg->marker = 0;
    if (marker == END_OF_FILE) break;
    if (marker == TEM || (marker >= RST0 && marker <= RST7)) continue;
    if (marker == EOI) {
      *place_out = JPEG_AT_END;
      return OCL_OK;
    }
    const bool is_known =
        marker == SOS || marker == DHT || marker == DQT || marker == DRI || marker == DAC || is_frame_marker(marker);
    if (!is_known && !is_skipped(marker)) return ocl_jpeg_corrupt(jpeg, "segment of an unknown kind");
    if (is_known && jpeg->end - jpeg->at >= 2 && ocl_load_u16_be(jpeg->at) < 2)
      return ocl_jpeg_corrupt(jpeg, "segment of a wrong length");
    segment s;
    if (!take_segment(jpeg, &s)) {
      if (is_known) return ocl_jpeg_corrupt(jpeg, "truncated inside a segment");
      break;
    }
    OCL_TRY(read_segment(jpeg, marker, s));
    if (marker != SOS) continue;
    *place_out = JPEG_AT_SCAN;
    return OCL_OK;
  }
  return OCL_OK;
}

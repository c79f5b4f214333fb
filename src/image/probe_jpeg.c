// Stage: JPEG file -> ocl_image_header, by a walk over its segments. Layout: ITU-T T.81, annex B.
// Complete means: the end marker follows the scans (what comes after it, as in motion photos, is not looked at), and
// the data could hold the pixels. Of a file cut short stb_image itself would fill the rest with grey and report
// success.
#include <stdbool.h>
#include <string.h>

#include "image/exif.h"
#include "image/probe.h"

enum {
  SOF0 = 0xC0,
  SOF2 = 0xC2,
  DHT = 0xC4,
  JPG = 0xC8,
  DAC = 0xCC,
  SOF15 = 0xCF,
  RST0 = 0xD0,
  RST7 = 0xD7,
  EOI = 0xD9,
  SOS = 0xDA,
  DQT = 0xDB,
  DNL = 0xDC,
  DRI = 0xDD,
  APP0 = 0xE0,
  APP1 = 0xE1,
  APP15 = 0xEF,
  COM = 0xFE,
  // Each scan costs a pass over all blocks, however few bytes it has. Progressive encoders write 10, seldom over 20.
  MAX_SCANS = 64,
  PIXELS_PER_BYTE = 512,            // at most: every 8x8 block of the finest component takes a bit
  MAX_MCU_PX = 32,                  // planes are padded to whole MCUs: 8 pixels times a sampling factor up to 4
  DECODER_OVERHEAD_BYTES = 1 << 16  // Huffman tables
};

typedef struct {
  const uint8_t* bytes;
  size_t size_bytes, at;
  uint32_t num_components;  // 0 until the frame header
  int32_t num_scans;
  bool is_progressive, has_exif;
} walk;

static uint32_t read_u16(const uint8_t* bytes) {
  return (uint32_t)bytes[0] << 8 | bytes[1];
}

static ocl_status corrupt(ocl_detail* detail, const char* what) {
  return ocl_status_with_detail(OCL_IMAGE_CORRUPT, detail, "JPEG: %s", what);
}

static ocl_status unsupported(ocl_detail* detail, const char* what) {
  return ocl_status_with_detail(OCL_UNSUPPORTED_IMAGE_FORMAT, detail, "JPEG %s", what);
}

// Moves behind the next marker; false at the end of the file. Stuffed zeros (data) and restart markers are skipped.
static bool next_marker(walk* w, uint8_t* marker_out) {
  while (w->at < w->size_bytes) {
    const uint8_t* prefix = memchr(w->bytes + w->at, 0xFF, w->size_bytes - w->at);
    if (prefix == NULL) return false;
    w->at = (size_t)(prefix - w->bytes) + 1;
    while (w->at < w->size_bytes && w->bytes[w->at] == 0xFF) w->at++;  // fill bytes
    if (w->at == w->size_bytes) return false;
    *marker_out = w->bytes[w->at++];
    if (*marker_out != 0 && (*marker_out < RST0 || *marker_out > RST7)) return true;
  }
  return false;
}

static bool is_frame_header(uint8_t marker) {
  return marker >= SOF0 && marker <= SOF15 && marker != DHT && marker != JPG && marker != DAC;
}

static bool is_table_or_comment(uint8_t marker) {
  return marker == DHT || marker == DQT || marker == DRI || marker == DNL || marker == COM ||
         (marker >= APP0 && marker <= APP15);
}

static ocl_status read_frame_header(walk* w, uint8_t marker, const uint8_t* segment, size_t size_bytes,
                                    ocl_image_header* header, ocl_detail* detail) {
  if (w->num_components != 0) return corrupt(detail, "two frame headers");
  if (size_bytes < 6) return corrupt(detail, "short frame header");
  header->height_px = (int32_t)read_u16(segment + 1);
  header->width_px = (int32_t)read_u16(segment + 3);
  if (header->height_px == 0 || header->width_px == 0) return corrupt(detail, "no pixels");
  if (marker > SOF2) return unsupported(detail, "of a lossless, hierarchical or arithmetic-coded kind");
  if (segment[0] != 8) return unsupported(detail, "with more than 8 bits per sample");
  w->num_components = segment[5];
  if (w->num_components != 1 && w->num_components != 3 && w->num_components != 4) {
    return unsupported(detail, "with other than 1, 3 or 4 components");
  }
  w->is_progressive = marker == SOF2;
  return OCL_OK;
}

static void read_app1(walk* w, const uint8_t* segment, size_t size_bytes, ocl_image_header* header) {
  static const char kExif[6] = "Exif\0";  // and a second zero
  if (w->has_exif || size_bytes < sizeof kExif || memcmp(segment, kExif, sizeof kExif) != 0) return;
  w->has_exif = true;
  header->orientation = ocl_exif_orientation(segment + sizeof kExif, size_bytes - sizeof kExif);
}

static ocl_status read_segment(walk* w, uint8_t marker, const uint8_t* segment, size_t size_bytes,
                               ocl_image_header* header, ocl_detail* detail) {
  if (is_frame_header(marker)) return read_frame_header(w, marker, segment, size_bytes, header, detail);
  if (marker == APP1) read_app1(w, segment, size_bytes, header);
  if (marker == SOS) {
    if (w->num_components == 0) return corrupt(detail, "scan without a frame header");
    if (++w->num_scans > MAX_SCANS) return corrupt(detail, "too many scans");
    return OCL_OK;
  }
  return is_table_or_comment(marker) ? OCL_OK : corrupt(detail, "unknown segment");
}

// stb_image holds a plane of samples per component, for progressive files also two bytes of coefficient per sample,
// the result and a row per component.
static uint64_t decode_budget_bytes(const walk* w, const ocl_image_header* header) {
  const uint64_t width_px = (uint64_t)header->width_px, height_px = (uint64_t)header->height_px;
  const uint64_t padded_px = (width_px + MAX_MCU_PX) * (height_px + MAX_MCU_PX);
  const uint64_t bytes_per_sample = w->is_progressive ? 3 : 1;
  return padded_px * bytes_per_sample * w->num_components + 3 * width_px * height_px + 4 * width_px +
         DECODER_OVERHEAD_BYTES;
}

static ocl_status finish(const walk* w, ocl_image_header* header, ocl_detail* detail) {
  if (w->num_scans == 0) return corrupt(detail, "no scan");
  const uint64_t num_pixels = (uint64_t)header->width_px * (uint64_t)header->height_px;
  if (num_pixels / PIXELS_PER_BYTE > w->size_bytes) return corrupt(detail, "too few bytes for its pixels");
  header->decode_budget_bytes = decode_budget_bytes(w, header);
  return OCL_OK;
}

ocl_status ocl_image_probe_jpeg(const uint8_t* bytes, size_t size_bytes, ocl_image_header* header_out,
                                ocl_detail* detail) {
  walk w = {.bytes = bytes, .size_bytes = size_bytes, .at = 2};  // behind the start marker
  uint8_t marker;
  while (next_marker(&w, &marker)) {
    if (marker == EOI) return finish(&w, header_out, detail);
    if (size_bytes - w.at < 2) break;
    const size_t length = read_u16(bytes + w.at);
    if (length < 2) return corrupt(detail, "segment of a wrong length");
    if (length > size_bytes - w.at) break;
    OCL_TRY(read_segment(&w, marker, bytes + w.at + 2, length - 2, header_out, detail));
    w.at += length;
  }
  return corrupt(detail, "truncated: no end marker");
}

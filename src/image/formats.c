// Stage: image file -> format, by its first bytes. See formats.h.
#include "image/formats.h"

#include <stdbool.h>
#include <string.h>

typedef struct {
  uint8_t at, size;  // where the magic bytes lie and how many
  const char* magic;
  const char* name;
  const ocl_image_format* format;  // NULL: known, but not read
} known_format;

#define MAGIC(at, text) at, sizeof(text) - 1, text

// The first match counts: longer magics stand before their prefixes.
static const known_format kFormats[] = {
    {MAGIC(0, "\x89PNG\r\n\x1a\n"), "PNG", &ocl_format_png},
    {MAGIC(0, "\xff\xd8\xff"), "JPEG", &ocl_format_jpeg},
    {MAGIC(0, "GIF87a"), "GIF", &ocl_format_gif},
    {MAGIC(0, "GIF89a"), "GIF", &ocl_format_gif},
    {MAGIC(0, "BM"), "BMP", &ocl_format_bmp},
    {MAGIC(8, "WEBP"), "WebP", NULL},
    {MAGIC(4, "ftypavi"), "AVIF", NULL},  // avif, avis
    {MAGIC(4, "ftyphe"), "HEIC", NULL},   // heic, heix, hevc, heim, …
    {MAGIC(4, "ftypm"), "HEIF or MP4", NULL},
    {MAGIC(4, "ftyp"), "MP4", NULL},
    {MAGIC(0, "\0\0\0\x0cJXL "), "JPEG XL", NULL},
    {MAGIC(0, "\xff\x0a"), "JPEG XL", NULL},
    {MAGIC(0, "\0\0\0\x0cjP  "), "JPEG 2000", NULL},
    {MAGIC(0, "\xff\x4f\xff\x51"), "JPEG 2000", NULL},
    {MAGIC(0, "II*\0"), "TIFF", NULL},
    {MAGIC(0, "MM\0*"), "TIFF", NULL},
    {MAGIC(0, "II+\0"), "BigTIFF", NULL},
    {MAGIC(0, "8BPS"), "Photoshop PSD", NULL},
    {MAGIC(0, "\0\0\1\0"), "ICO", NULL},
    {MAGIC(0, "%PDF"), "PDF", NULL},
    {MAGIC(0, "qoif"), "QOI", NULL},
    {MAGIC(0, "P5\n"), "PGM", NULL},
    {MAGIC(0, "P6\n"), "PPM", NULL},
    {MAGIC(0, "#?RADIANCE"), "Radiance HDR", NULL},
    {MAGIC(0, "\x76\x2f\x31\x01"), "OpenEXR", NULL},
    {MAGIC(0, "DDS "), "DDS", NULL},
    {MAGIC(0, "PK\3\4"), "ZIP", NULL},
    {MAGIC(0, "\x1f\x8b"), "gzip", NULL},
};

static bool starts_with(const uint8_t* bytes, size_t size_bytes, const known_format* format) {
  return size_bytes >= (size_t)format->at + format->size &&
         memcmp(bytes + format->at, format->magic, format->size) == 0;
}

static const known_format* find_format(const uint8_t* bytes, size_t size_bytes) {
  for (size_t i = 0; i < sizeof kFormats / sizeof *kFormats; i++) {
    if (starts_with(bytes, size_bytes, &kFormats[i])) return &kFormats[i];
  }
  return NULL;
}

// A download that failed is often a page of markup; so is an SVG.
static const char* name_of_text(const uint8_t* bytes, size_t size_bytes) {
  size_t at = size_bytes >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
  while (at < size_bytes && (bytes[at] == ' ' || bytes[at] == '\t' || bytes[at] == '\r' || bytes[at] == '\n')) at++;
  if (size_bytes - at >= 4 && memcmp(bytes + at, "<svg", 4) == 0) return "SVG";
  if (at < size_bytes && bytes[at] == '<') return "XML or HTML";
  return "unknown format";
}

const ocl_image_format* ocl_image_find_format(const uint8_t* bytes, size_t size_bytes, ocl_detail* detail) {
  const known_format* known = find_format(bytes, size_bytes);
  if (known != NULL && known->format != NULL) return known->format;
  const char* name = known != NULL ? known->name : name_of_text(bytes, size_bytes);
  ocl_status_with_detail(OCL_UNSUPPORTED_IMAGE_FORMAT, detail, "%s", name);
  return NULL;
}

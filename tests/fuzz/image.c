// An image file -> pixels -> a tensor, through ocelli.h and what it passes the pixels to.
#include "fuzz.h"
#include "ocelli.h"

static const int64_t kMaxPixels = 1 << 15;

static void check_tensor(fuzz_bytes* b, const ocl_pixels* pixels) {
  ocl_resize_target target = {.height = fuzz_range(b, 1, 40),
                              .width = fuzz_range(b, 1, 40),
                              .mode = fuzz_below(b, 2) == 0 ? OCL_RESIZE_HALF_PIXEL : OCL_RESIZE_LEGACY,
                              .scale = {1 / 127.5f, 1, 2},
                              .offset = {-1, 0, 100}};
  static const ocl_dtype kDtypes[] = {OCL_FLOAT32, OCL_UINT8, OCL_INT8};
  target.dtype = kDtypes[fuzz_below(b, 3)];
  const ocl_roi roi = {fuzz_byte(b), fuzz_byte(b), fuzz_byte(b), fuzz_byte(b)};
  const bool has_roi = fuzz_one_in(b, 2);
  const size_t elements = (size_t)target.height * (size_t)target.width * 3;
  void* scratch = malloc(ocl_resize_scratch_size_bytes(target.width, target.height));
  void* tensor = malloc(elements * ocl_dtype_size_bytes(target.dtype));
  ocl_detail detail;
  const ocl_status status = ocl_resize_to_tensor(pixels, has_roi ? &roi : NULL, (int32_t)fuzz_byte(b) - 128, &target,
                                                 scratch, tensor, &detail);
  FUZZ_CHECK(status == OCL_OK || (has_roi && status == OCL_INVALID_ROI), "%s", ocl_status_name(status));
  for (size_t i = 0; status == OCL_OK && target.dtype == OCL_FLOAT32 && i < elements; i++) {
    const float value = ((const float*)tensor)[i], scale = target.scale[i % 3], offset = target.offset[i % 3];
    FUZZ_CHECK(value >= offset - 1e-3f && value <= 255 * scale + offset + 1e-3f, "%g is no pixel", (double)value);
  }
  free(scratch);
  free(tensor);
}

// The rows of a file, as they come, at any scale, and also if it is cut short.
static void check_rows(fuzz_bytes* b, const uint8_t* file, size_t size_bytes) {
  const ocl_image_options options = {.max_pixels = kMaxPixels,
                                     .allow_truncated = fuzz_one_in(b, 2),
                                     .scale = fuzz_one_in(b, 2) ? OCL_IMAGE_SCALED : OCL_IMAGE_FULL};
  const ocl_resize_target target = {
      .height = fuzz_range(b, 1, 20), .width = fuzz_range(b, 1, 20), .dtype = OCL_UINT8, .scale = {1, 1, 1}};
  void* scratch = malloc(ocl_resize_scratch_size_bytes(target.width, target.height));
  uint8_t* tensor = malloc((size_t)target.height * (size_t)target.width * 3);
  ocl_image_facts facts;
  ocl_detail detail;
  ocl_image_to_tensor(file, size_bytes, &options, NULL, fuzz_byte(b), &target, scratch, tensor, &facts, &detail);
  free(scratch);
  free(tensor);
}

static void check_upright(ocl_session* session, const ocl_pixels* pixels) {
  int32_t width, height;
  ocl_resize_upright_size(pixels, &width, &height);
  const size_t bytes = (size_t)width * (size_t)height * 3;
  uint8_t* rgb = malloc(bytes);
  const ocl_status status = ocl_session_upright(session, OCL_IGNORE_ALPHA, rgb);
  FUZZ_CHECK(status == OCL_OK, "%s", ocl_status_name(status));
  uint64_t sum = 0, expected = 0;  // the same pixels in other places
  for (size_t i = 0; i < bytes; i++) sum += rgb[i];
  for (size_t i = 0; i < bytes; i++) expected += pixels->data[i / 3 * (size_t)pixels->num_channels + i % 3];
  FUZZ_CHECK(sum == expected, "the upright pixels are others");
  free(rgb);
}

static uint32_t read_be32(const uint8_t* bytes) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

// Makes the checksums of a PNG file right, without which little of it is read.
static void repair_png(uint8_t* file, size_t size_bytes) {
  for (size_t at = 8; at + 12 <= size_bytes;) {
    const size_t length = read_be32(file + at);
    if (length > size_bytes - at - 12) return;
    uint32_t crc = 0xFFFFFFFF;
    for (size_t i = at + 4; i < at + 8 + length; i++) {
      crc ^= file[i];
      for (int32_t bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (0xEDB88320 & -(crc & 1));
    }
    for (size_t i = 0; i < 4; i++) file[at + 8 + length + i] = (uint8_t)(~crc >> (24 - 8 * i));
    at += 12 + length;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size_bytes) {
  enum { HEAD_BYTES = 12 };
  fuzz_bytes head = {bytes, size_bytes < HEAD_BYTES ? size_bytes : HEAD_BYTES};
  if (size_bytes < HEAD_BYTES) return 0;
  uint8_t* file = fuzz_copy(bytes + HEAD_BYTES, size_bytes - HEAD_BYTES);
  if (size_bytes > HEAD_BYTES && file[0] == 0x89) repair_png(file, size_bytes - HEAD_BYTES);
  ocl_session* session;
  if (ocl_session_create(1, &session) != OCL_OK) abort();
  const ocl_image_options options = {.max_pixels = kMaxPixels};
  ocl_image_facts facts;
  if (ocl_session_decode(session, file, size_bytes - HEAD_BYTES, &options, &facts) == OCL_OK) {
    const ocl_pixels pixels = ocl_session_pixels(session);
    FUZZ_CHECK(
        (int64_t)facts.width_px * facts.height_px == (int64_t)pixels.width_px * pixels.height_px && !facts.is_truncated,
        "the facts are others");
    FUZZ_CHECK((int64_t)pixels.width_px * pixels.height_px <= kMaxPixels, "too many pixels");
    check_upright(session, &pixels);
    check_tensor(&head, &pixels);
  }
  check_rows(&head, file, size_bytes - HEAD_BYTES);
  ocl_session_destroy(session);
  free(file);
  return 0;
}

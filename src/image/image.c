// Stage: image file -> pixels, or a tensor. See image.h. header -> limits -> decoder.
// Invariant: a decoder sees only files within the limits.
#include "image/image.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "image/formats.h"
#include "image/jpeg.h"

const ocl_image_format ocl_format_jpeg = {NULL, NULL};

// ---- limits

static ocl_status check_size(const ocl_image_header* header, int64_t max_pixels, ocl_detail* detail) {
  if (header->width_px > OCL_IMAGE_MAX_SIDE_PX || header->height_px > OCL_IMAGE_MAX_SIDE_PX)
    return ocl_status_with_detail(OCL_IMAGE_TOO_LARGE, detail, "%dx%d; the limit is %d pixels on a side",
                                  (int)header->width_px, (int)header->height_px, OCL_IMAGE_MAX_SIDE_PX);
  if ((int64_t)header->width_px * header->height_px <= max_pixels) return OCL_OK;
  return ocl_status_with_detail(OCL_IMAGE_TOO_LARGE, detail, "%dx%d; the limit is %lld pixels (maxPixels)",
                                (int)header->width_px, (int)header->height_px, (long long)max_pixels);
}

static ocl_status check_memory(const ocl_image_header* header, size_t size_bytes, ocl_detail* detail) {
  if (size_bytes > INT_MAX)
    return ocl_status_with_detail(OCL_IMAGE_TOO_LARGE, detail, "the file has more than %d bytes", INT_MAX);
  if (header->working_bytes <= OCL_IMAGE_MAX_WORKING_BYTES) return OCL_OK;
  return ocl_status_with_detail(OCL_IMAGE_TOO_LARGE, detail,
                                "%dx%d needs %llu MiB to decode; the limit is %d MiB, whatever maxPixels is",
                                (int)header->width_px, (int)header->height_px,
                                (unsigned long long)(header->working_bytes >> 20), OCL_IMAGE_MAX_WORKING_BYTES >> 20);
}

// ---- all formats but JPEG

static ocl_status decode_file(const ocl_image_format* format, ocl_image_file* file, int64_t max_pixels) {
  const ocl_status read = format->read_header(file);
  // "too large" says more about a bomb than "too few bytes for its pixels"
  OCL_TRY(check_size(&file->header, max_pixels, file->detail));
  OCL_TRY(read);
  const ocl_image_header* header = &file->header;
  OCL_TRY(check_memory(header, file->size_bytes, file->detail));
  file->pixels = calloc((size_t)header->width_px * (size_t)header->height_px, (size_t)header->num_channels);
  if (file->pixels == NULL) return OCL_OUT_OF_MEMORY;
  return format->decode(file);
}

static ocl_image describe(const ocl_image_header* header, uint8_t* pixels, bool is_truncated) {
  const size_t stride_bytes = (size_t)header->width_px * (size_t)header->num_channels;
  return (ocl_image){.pixels = {.data = pixels,
                                .size_bytes = stride_bytes * (size_t)header->height_px,
                                .stride_bytes = stride_bytes,
                                .width_px = header->width_px,
                                .height_px = header->height_px,
                                .num_channels = header->num_channels,
                                .orientation = header->orientation},
                     .memory = pixels,
                     .is_truncated = is_truncated};
}

static ocl_status decode_whole(const ocl_image_format* format, const uint8_t* bytes, size_t size_bytes,
                               const ocl_image_options* options, ocl_image* image_out, ocl_detail* detail) {
  ocl_image_file file = {.bytes = bytes,
                         .size_bytes = size_bytes,
                         .allow_truncated = options->allow_truncated,
                         .detail = detail,
                         .header = {.orientation = 1}};
  const ocl_status status = decode_file(format, &file, options->max_pixels);
  *image_out = describe(&file.header, file.pixels, file.is_truncated);
  return status;
}

// ---- JPEG

typedef struct {
  ocl_jpeg* jpeg;
  ocl_image_header header;
  int32_t width_px, height_px;  // at the scale
} scaled_jpeg;

// Opens the file; the caller closes j->jpeg, also after a failure.
static ocl_status open_jpeg(const uint8_t* bytes, size_t size_bytes, int64_t max_pixels, scaled_jpeg* j,
                            ocl_detail* detail) {
  const ocl_status opened = ocl_jpeg_open(bytes, size_bytes, &j->header, &j->jpeg, detail);
  OCL_TRY(check_size(&j->header, max_pixels, detail));
  j->header.num_channels = 3;
  return opened;
}

static ocl_status set_scale(scaled_jpeg* j, int32_t scale_log2, uint64_t result_bytes, size_t size_bytes,
                            ocl_detail* detail) {
  OCL_TRY(ocl_jpeg_set_scale(j->jpeg, scale_log2, &j->width_px, &j->height_px, &j->header.working_bytes, detail));
  j->header.working_bytes += result_bytes;
  return check_memory(&j->header, size_bytes, detail);
}

typedef struct {
  uint8_t* pixels;
  size_t stride_bytes;
} array;

static void store_row(void* context, int32_t y, const uint8_t* rgb) {
  const array* a = context;
  memcpy(a->pixels + (size_t)y * a->stride_bytes, rgb, a->stride_bytes);
}

static ocl_status decode_opened(scaled_jpeg* j, size_t size_bytes, const ocl_image_options* options,
                                ocl_image* image_out, ocl_detail* detail) {
  const size_t width = (size_t)j->header.width_px, height = (size_t)j->header.height_px;
  OCL_TRY(set_scale(j, 0, (uint64_t)3 * width * height + width + height, size_bytes, detail));
  uint8_t* memory = malloc(3 * width * height + width + height);
  if (memory == NULL) return OCL_OUT_OF_MEMORY;
  *image_out = describe(&j->header, memory, false);
  uint8_t* needs = memory + 3 * width * height;
  memset(needs, 1, width + height);
  array rows = {memory, 3 * width};
  const ocl_row_sink sink = {needs, needs + height, store_row, &rows};
  return ocl_jpeg_decode(j->jpeg, options->allow_truncated, &sink, &image_out->is_truncated, detail);
}

static ocl_status decode_jpeg(const uint8_t* bytes, size_t size_bytes, const ocl_image_options* options,
                              ocl_image* image_out, ocl_detail* detail) {
  scaled_jpeg j = {0};
  ocl_status status = open_jpeg(bytes, size_bytes, options->max_pixels, &j, detail);
  if (status == OCL_OK) status = decode_opened(&j, size_bytes, options, image_out, detail);
  ocl_jpeg_close(j.jpeg);
  return status;
}

// What a resize needs to know, beside the file.
typedef struct {
  const ocl_roi* roi;
  int32_t quarter_turns;
  const ocl_resize_target* target;
  void *scratch, *tensor;
} request;

static void resize_row(void* context, int32_t y, const uint8_t* rgb) {
  ocl_resize_pass* pass = context;
  ocl_resize_take_row(pass, y, rgb, SIZE_MAX, 3);  // the decoder's row has room behind it
}

static ocl_status choose_scale(const ocl_image_options* options, const ocl_resize_source* source, const request* r,
                               int32_t* scale_log2_out, ocl_detail* detail) {
  const int64_t num_pixels = (int64_t)source->width_px * source->height_px;
  *scale_log2_out = 0;
  if (options->scale == OCL_IMAGE_FULL || (options->scale == OCL_IMAGE_AUTO && num_pixels <= OCL_IMAGE_FULL_PIXELS))
    return OCL_OK;
  return ocl_resize_choose_scale(source, r->roi, r->quarter_turns, r->target, scale_log2_out, detail);
}

static ocl_status resize_opened(scaled_jpeg* j, size_t size_bytes, const ocl_image_options* options, const request* r,
                                ocl_image_facts* facts, ocl_detail* detail) {
  ocl_resize_source source = {j->header.width_px, j->header.height_px, j->header.orientation, 0};
  OCL_TRY(choose_scale(options, &source, r, &source.scale_log2, detail));
  facts->scale_log2 = source.scale_log2;
  OCL_TRY(set_scale(j, source.scale_log2, 0, size_bytes, detail));
  ocl_resize_pass pass;
  OCL_TRY(ocl_resize_begin(&source, r->roi, r->quarter_turns, r->target, r->scratch, r->tensor, &pass, detail));
  uint8_t* needs = calloc((size_t)j->width_px + (size_t)j->height_px, 1);
  if (needs == NULL) return OCL_OUT_OF_MEMORY;
  ocl_resize_mark_needs(&pass, needs, needs + j->height_px);
  const ocl_row_sink sink = {needs, needs + j->height_px, resize_row, &pass};
  const ocl_status status = ocl_jpeg_decode(j->jpeg, options->allow_truncated, &sink, &facts->is_truncated, detail);
  free(needs);
  return status;
}

static void set_size(const ocl_image_header* header, ocl_image_facts* facts) {
  const bool is_sideways = header->orientation >= 5;
  facts->width_px = is_sideways ? header->height_px : header->width_px;
  facts->height_px = is_sideways ? header->width_px : header->height_px;
}

static ocl_status resize_jpeg(const uint8_t* bytes, size_t size_bytes, const ocl_image_options* options,
                              const request* r, ocl_image_facts* facts, ocl_detail* detail) {
  scaled_jpeg j = {0};
  ocl_status status = open_jpeg(bytes, size_bytes, options->max_pixels, &j, detail);
  set_size(&j.header, facts);
  if (status == OCL_OK) status = resize_opened(&j, size_bytes, options, r, facts, detail);
  ocl_jpeg_close(j.jpeg);
  return status;
}

// ---- public

static ocl_status find_format(const uint8_t* bytes, size_t size_bytes, const ocl_image_format** format_out,
                              ocl_detail* detail) {
  if (size_bytes == 0) return OCL_IMAGE_EMPTY;
  *format_out = ocl_image_find_format(bytes, size_bytes, detail);
  return *format_out == NULL ? OCL_UNSUPPORTED_IMAGE_FORMAT : OCL_OK;
}

ocl_status ocl_image_decode(const uint8_t* bytes, size_t size_bytes, const ocl_image_options* options,
                            ocl_image* image_out, ocl_detail* detail) {
  const ocl_image_format* format;
  *image_out = (ocl_image){0};
  OCL_TRY(find_format(bytes, size_bytes, &format, detail));
  const ocl_status status = format == &ocl_format_jpeg
                                ? decode_jpeg(bytes, size_bytes, options, image_out, detail)
                                : decode_whole(format, bytes, size_bytes, options, image_out, detail);
  if (status != OCL_OK) ocl_image_destroy(image_out);
  return status;
}

void ocl_image_destroy(ocl_image* image) {
  if (image == NULL) return;
  free(image->memory);
  *image = (ocl_image){0};
}

ocl_status ocl_image_reserve_scratch(ocl_image_scratch* scratch, const ocl_resize_target* target) {
  const size_t needed = ocl_resize_scratch_size_bytes(target->width, target->height);
  if (needed <= scratch->size_bytes) return OCL_OK;
  free(scratch->memory);
  scratch->memory = malloc(needed);
  scratch->size_bytes = scratch->memory == NULL ? 0 : needed;
  return scratch->memory == NULL ? OCL_OUT_OF_MEMORY : OCL_OK;
}

ocl_status ocl_image_to_tensor(const uint8_t* bytes, size_t size_bytes, const ocl_image_options* options,
                               const ocl_roi* roi, int32_t quarter_turns_clockwise, const ocl_resize_target* target,
                               void* scratch, void* tensor_out, ocl_image_facts* facts_out, ocl_detail* detail) {
  const ocl_image_format* format;
  *facts_out = (ocl_image_facts){0};
  OCL_TRY(find_format(bytes, size_bytes, &format, detail));
  if (format == &ocl_format_jpeg) {
    const request r = {roi, quarter_turns_clockwise, target, scratch, tensor_out};
    return resize_jpeg(bytes, size_bytes, options, &r, facts_out, detail);
  }
  ocl_image image;
  ocl_status status = decode_whole(format, bytes, size_bytes, options, &image, detail);
  if (status == OCL_OK) {
    ocl_resize_upright_size(&image.pixels, &facts_out->width_px, &facts_out->height_px);
    facts_out->is_truncated = image.is_truncated;
    status = ocl_resize_to_tensor(&image.pixels, roi, quarter_turns_clockwise, target, scratch, tensor_out, detail);
  }
  ocl_image_destroy(&image);
  return status;
}

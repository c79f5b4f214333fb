// Stage: JPEG file (ITU-T T.81: 8 bits, Huffman-coded; sequential or progressive) -> rows of RGB, at 1/1, 1/2, 1/4 or
// 1/8 of its size. The samples are those of libjpeg-turbo's default decoder: accurate integer inverse DCTs, "fancy"
// upsampling. Rows of a file with one scan are handed over as they are decoded. Other files need memory for all of
// their coefficients.
#ifndef OCELLI_JPEG_H_
#define OCELLI_JPEG_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "image/rows.h"

typedef struct ocl_jpeg ocl_jpeg;

// Reads the headers up to the first scan. `bytes` must outlive *jpeg_out, which the caller closes.
// If the size was read before a failure, *header_out has it. UNSUPPORTED_IMAGE_FORMAT, IMAGE_CORRUPT, OUT_OF_MEMORY.
ocl_status ocl_jpeg_open(const uint8_t* bytes, size_t size_bytes, ocl_image_header* header_out, ocl_jpeg** jpeg_out,
                         ocl_detail* detail);
void ocl_jpeg_close(ocl_jpeg* jpeg);  // takes NULL

// Sets the scale, 1/1 << scale_log2 (0 to 3). Gives the size of the result: the file's divided by it, rounded up; and
// the bytes that decoding allocates.
// UNSUPPORTED_IMAGE_FORMAT: sampling factors that are no integer multiples of each other.
ocl_status ocl_jpeg_set_scale(ocl_jpeg* jpeg, int32_t scale_log2, int32_t* width_px_out, int32_t* height_px_out,
                              uint64_t* working_bytes_out, ocl_detail* detail);

// Decodes, once. `sink` sees the rows that it needs, from top to bottom.
// IMAGE_CORRUPT: `detail` says where the data ends or is damaged; `sink` may have seen rows. With `allow_truncated`, a
// file that ends too early gives what it has, the rest grey, and *is_truncated_out is set. OUT_OF_MEMORY.
ocl_status ocl_jpeg_decode(ocl_jpeg* jpeg, bool allow_truncated, const ocl_row_sink* sink, bool* is_truncated_out,
                           ocl_detail* detail);

#endif  // OCELLI_JPEG_H_

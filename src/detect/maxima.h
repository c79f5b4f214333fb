// Largest scores, of a row and of columns: the loops over all scores, which are compiled for speed.
#ifndef OCELLI_MAXIMA_H_
#define OCELLI_MAXIMA_H_

#include <stdint.h>

enum { OCL_MAXIMA_ROWS = 4 };

// The largest number of a row; -INFINITY if there is none. NaN is skipped.
float ocl_maxima_row(const float* row, int32_t num_columns);

// Raises `maxima` to what the rows have above their offsets. NaN is skipped.
void ocl_maxima_fold(const float* const rows[OCL_MAXIMA_ROWS], const float offsets[OCL_MAXIMA_ROWS],
                     int32_t num_columns, float* restrict maxima);

#endif

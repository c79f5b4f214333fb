#include "detect/maxima.h"

#include <math.h>

enum { LANES = 16 };

// Independent lanes, so that the compiler makes vectors of them.
float ocl_maxima_row(const float* row, int32_t num_columns) {
  float lanes[LANES];
  for (int32_t i = 0; i < LANES; i++) lanes[i] = -INFINITY;
  int32_t c = 0;
  for (; c + LANES <= num_columns; c += LANES)
    for (int32_t i = 0; i < LANES; i++) lanes[i] = row[c + i] > lanes[i] ? row[c + i] : lanes[i];
  for (; c < num_columns; c++) lanes[0] = row[c] > lanes[0] ? row[c] : lanes[0];
  for (int32_t i = 1; i < LANES; i++) lanes[0] = lanes[i] > lanes[0] ? lanes[i] : lanes[0];
  return lanes[0];
}

void ocl_maxima_fold(const float* const rows[OCL_MAXIMA_ROWS], const float offsets[OCL_MAXIMA_ROWS],
                     int32_t num_columns, float* restrict maxima) {
  const float *r0 = rows[0], *r1 = rows[1], *r2 = rows[2], *r3 = rows[3];
  const float o0 = offsets[0], o1 = offsets[1], o2 = offsets[2], o3 = offsets[3];
  for (int32_t c = 0; c < num_columns; c++) {
    float m = maxima[c];
    m = r0[c] - o0 > m ? r0[c] - o0 : m;
    m = r1[c] - o1 > m ? r1[c] - o1 : m;
    m = r2[c] - o2 > m ? r2[c] - o2 : m;
    m = r3[c] - o3 > m ? r3[c] - o3 : m;
    maxima[c] = m;
  }
}

// Damaged models: a real one, of which the fuzzer has changed some numbers. It is refused, or it runs, in both
// flavours, within its memory; what its memory held before changes nothing.
#include "try_network.h"

// The first bytes of an input say what is done with the model that follows.
enum { HEAD_BYTES = 8 };
#include "mutate_model.h"

// ---- the target ----

static void check_same(const trial_result* a, const trial_result* b) {
  FUZZ_CHECK(a->status == b->status, "%s (%s) or %s (%s)", ocl_status_name(a->status), a->detail,
             ocl_status_name(b->status), b->detail);
  for (int32_t i = 0; i < TRY_MAX_RUNS; i++) FUZZ_CHECK(a->statuses[i] == b->statuses[i], "run %d", (int)i);
  FUZZ_CHECK(a->num_outputs == b->num_outputs && a->size_bytes == b->size_bytes, "%zu bytes or %zu", a->size_bytes,
             b->size_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size_bytes) {
  static trial_result shared, unshared, relaxed;
  fuzz_bytes b = {bytes, size_bytes < HEAD_BYTES ? size_bytes : HEAD_BYTES};
  trial t = {.num_runs = 3, .batches = {1, 0, 2}, .feature_step = -1, .columns_output = -1, .fill = 0xff};
  t.input_seed = fuzz_byte(&b);
  if (fuzz_one_in(&b, 4)) t.batches[0] = 2;
  if (fuzz_one_in(&b, 4)) t.feature_step = fuzz_byte(&b);
  t.is_cut = fuzz_one_in(&b, 2);
  if (fuzz_one_in(&b, 4)) t.columns_output = fuzz_byte(&b);
  t.columns_seed = 7;
  if (size_bytes < HEAD_BYTES) return 0;
  const uint8_t* model = bytes + HEAD_BYTES;
  try_network_simd(model, size_bytes - HEAD_BYTES, &t, &shared);
  t.is_unshared = true;
  t.fill = 0x7f;
  try_network_simd(model, size_bytes - HEAD_BYTES, &t, &unshared);
  check_same(&shared, &unshared);
  FUZZ_CHECK(shared.size_bytes == 0 || memcmp(shared.bytes, unshared.bytes, shared.size_bytes) == 0,
             "memory that is not shared");
  t.is_unshared = t.input_seed % 2 == 0;  // within canaries, or in bands
  try_network_relaxed(model, size_bytes - HEAD_BYTES, &t, &relaxed);
  check_same(&shared, &relaxed);
  return 0;
}

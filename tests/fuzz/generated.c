// Well-formed networks made of the fuzzer's bytes. Each is run in memory as production shares it, and again where every
// tensor has memory of its own: the same bits must come out, whatever the memory held before. Then image by image, with
// all columns, and in the other flavour: the same numbers.
#include <math.h>

#include "network.h"
#include "try_network.h"

typedef void (*try_network)(const uint8_t* model, size_t size_bytes, const trial* t, trial_result* result);

typedef struct {
  network net;
  uint8_t* model;
  size_t size_bytes;
} subject;

// ---- counts ----

static struct {
  uint64_t made, opened, built, run, rerun, columns, features, batches, flavours;
  uint64_t in_made[OCL_NUM_OPERATORS], in_run[OCL_NUM_OPERATORS];
} counts;

static void print_counts(void) {
  fprintf(stderr, "networks: %llu, opened %llu, built %llu, run %llu, at another batch %llu\n",
          (unsigned long long)counts.made, (unsigned long long)counts.opened, (unsigned long long)counts.built,
          (unsigned long long)counts.run, (unsigned long long)counts.rerun);
  fprintf(stderr, "compared: columns %llu, features %llu, images of a batch %llu, flavours %llu\n",
          (unsigned long long)counts.columns, (unsigned long long)counts.features, (unsigned long long)counts.batches,
          (unsigned long long)counts.flavours);
  for (int32_t i = 0; i < OCL_NUM_OPERATORS; i++)
    fprintf(stderr, "  %-30s in %llu networks, %llu run\n", ocl_operators[i].name,
            (unsigned long long)counts.in_made[i], (unsigned long long)counts.in_run[i]);
}

static void count(const network* net, const trial_result* result) {
  static bool is_counting;
  if (!is_counting && getenv("OCELLI_FUZZ_COUNTS") != NULL) atexit(print_counts);
  is_counting = true;
  const bool has_run = result->status == OCL_OK && result->statuses[0] == OCL_OK;
  const bool is_opened = strcmp(result->call, "open") != 0;
  counts.made++;
  counts.opened += is_opened;
  counts.built += is_opened && strcmp(result->call, "build") != 0;
  counts.run += has_run;
  counts.rerun += has_run && result->statuses[2] == OCL_OK;
  bool has[OCL_NUM_OPERATORS] = {false};
  for (int32_t i = 0; i < net->num_operators; i++) has[net->operators[i].row - ocl_operators] = true;
  for (int32_t i = 0; i < OCL_NUM_OPERATORS; i++) {
    counts.in_made[i] += has[i];
    counts.in_run[i] += has[i] && has_run;
  }
  if (getenv("OCELLI_FUZZ_REFUSALS") == NULL || has_run) return;
  fprintf(stderr, "%s: %s: %s\n", result->call,
          ocl_status_name(result->status != OCL_OK ? result->status : result->statuses[0]), result->detail);
}

// ---- comparing ----

static float number_at(const trial_result* result, const trial_output* o, size_t i) {
  const uint8_t* at = result->bytes + o->offset + i * ocl_dtype_size_bytes(o->dtype);
  float real;
  int32_t word;
  int64_t twice;
  switch (o->dtype) {
    case OCL_FLOAT32: memcpy(&real, at, 4); return real;
    case OCL_INT32: memcpy(&word, at, 4); return (float)word;
    case OCL_INT64: memcpy(&twice, at, 8); return (float)twice;
    case OCL_INT8: return (float)(int8_t)*at;
    default: return (float)*at;
  }
}

static const trial_output* find_output(const trial_result* result, int32_t run, int32_t index) {
  for (int32_t i = 0; i < result->num_outputs; i++)
    if (result->outputs[i].run == run && result->outputs[i].index == index) return &result->outputs[i];
  return NULL;
}

static void check_same_bits(const trial_result* a, const trial_result* b, const char* what) {
  FUZZ_CHECK(a->status == b->status, "%s: %s, %s", what, ocl_status_name(a->status), ocl_status_name(b->status));
  for (int32_t i = 0; i < TRY_MAX_RUNS; i++) FUZZ_CHECK(a->statuses[i] == b->statuses[i], "%s: run %d", what, (int)i);
  FUZZ_CHECK(a->num_outputs == b->num_outputs && a->size_bytes == b->size_bytes, "%s: sizes", what);
  for (int32_t i = 0; i < a->num_outputs; i++) {
    const trial_output* o = &a->outputs[i];
    FUZZ_CHECK(memcmp(a->bytes + o->offset, b->bytes + o->offset, o->size_bytes) == 0, "%s: output %d of run %d", what,
               (int)o->index, (int)o->run);
  }
}

static float largest_of(const trial_result* result, const trial_output* o) {
  float largest = 0;
  for (size_t i = 0; i < ocl_shape_num_elements(&o->shape); i++) {
    const float magnitude = fabsf(number_at(result, o, i));
    if (magnitude > largest && magnitude <= 1e30f) largest = magnitude;
  }
  return largest;
}

// `tolerance`: of the largest. What is not finite in both is not compared: the flavours overflow in different places.
static void check_near(float a, float b, float largest, float tolerance, const char* what, size_t i) {
  if (a == b || !isfinite(a) || !isfinite(b) || fabsf(a) > 1e30f) return;
  FUZZ_CHECK(fabsf(a - b) <= tolerance * largest, "%s: element %zu is %.9g, %.9g", what, i, (double)a, (double)b);
}

// ---- image by image, with all columns ----

// Column `i` of the chosen ones, or of all.
static size_t column_of(const trial_result* chosen, const trial_output* o, const trial_output* whole, size_t i) {
  const int32_t last = o->shape.rank - 1, left = o->shape.dims[last], total = whole->shape.dims[last];
  if (!chosen->has_columns || o->index != chosen->columns_output) return i;
  return i / (size_t)left * (size_t)total + (size_t)chosen->columns[i % (size_t)left];
}

static void check_image(const trial_result* all, const trial_output* o, const trial_result* single, int32_t image,
                        int32_t images) {
  const trial_output* whole = find_output(single, image, o->index);
  if (whole == NULL || o->shape.rank != whole->shape.rank || o->shape.rank < 1) return;
  const size_t count = ocl_shape_num_elements(&o->shape) / (size_t)images;
  const float largest = largest_of(single, whole);
  const float tolerance = o->dtype == OCL_FLOAT32 ? 1e-4f : 0;
  for (size_t i = 0; i < count; i++)
    check_near(number_at(all, o, (size_t)image * count + i), number_at(single, whole, column_of(all, o, whole, i)),
               largest, tolerance, "a batch's image differs from the image alone", i);
}

// The outputs of run 2, which is of a batch, against its images alone.
static void check_images(const subject* s, const trial* t, const trial_result* all, try_network run) {
  static trial_result single;
  trial alone = *t;
  const int32_t images = t->batches[2];
  if (all->status != OCL_OK || all->statuses[2] != OCL_OK || images < 1) return;
  if (t->is_cut && t->feature_step >= 0) return;  // its output has another index
  alone.num_runs = images;
  alone.columns_output = alone.feature_step = -1;
  for (int32_t i = 0; i < images; i++) {
    alone.batches[i] = 1;
    alone.first_image[i] = t->first_image[2] + i;
  }
  run(s->model, s->size_bytes, &alone, &single);
  FUZZ_CHECK(single.status == OCL_OK, "%s fails without columns: %s", single.call, ocl_status_name(single.status));
  for (int32_t i = 0; i < all->num_outputs; i++) {
    const trial_output* o = &all->outputs[i];
    if (o->run != 2 || o->index < 0) continue;
    const net_tensor* tensor = &s->net.tensors[s->net.outputs[o->index]];
    if (!tensor->is_batched && images > 1) continue;
    for (int32_t k = 0; k < images; k++) check_image(all, o, &single, k, images);
    counts.batches += images > 1;
  }
  counts.columns += all->has_columns;
}

// ---- the other flavour ----

static void check_flavours(const subject* s, const trial_result* a, const trial_result* b) {
  FUZZ_CHECK(a->status == b->status, "plain: %s (%s), relaxed: %s (%s)", ocl_status_name(a->status), a->detail,
             ocl_status_name(b->status), b->detail);
  FUZZ_CHECK(a->num_outputs == b->num_outputs, "%d outputs, %d outputs", (int)a->num_outputs, (int)b->num_outputs);
  for (int32_t i = 0; i < a->num_outputs; i++)
    FUZZ_CHECK(ocl_shape_is_same(&a->outputs[i].shape, &b->outputs[i].shape), "output %d has two shapes", (int)i);
  if (!s->net.is_smooth) return;
  for (int32_t i = 0; i < a->num_outputs; i++) {
    const trial_output* o = &a->outputs[i];
    const float largest = largest_of(a, o);
    for (size_t e = 0; o->dtype == OCL_FLOAT32 && e < ocl_shape_num_elements(&o->shape); e++)
      check_near(number_at(a, o, e), number_at(b, &b->outputs[i], e), largest, 2e-3f, "the flavours differ", e);
  }
  counts.flavours += a->num_outputs > 0;
}

// ---- the target ----

static void print_tensor(const net_tensor* t, int32_t index) {
  static const char* const kNames[] = {"f32", "f16", "i32", "i64", "i8", "u8", "bool"};
  fprintf(stderr, " t%d:%s[", (int)index, index < 0 ? "none" : kNames[t->dtype]);
  for (int32_t i = 0; index >= 0 && i < t->shape.rank; i++)
    fprintf(stderr, i == 0 ? "%d" : ",%d", (int)t->shape.dims[i]);
  if (index >= 0) fprintf(stderr, t->data != NULL ? "]const" : t->is_batched ? "]batched" : "]");
  if (index >= 0 && t->num_scales > 0) fprintf(stderr, "*%g%+d", (double)t->scales[0], (int)t->zero_points[0]);
}

// For whoever looks into a finding: OCELLI_FUZZ_PRINT=1.
static void print_network(const network* net, const trial* t) {
  fprintf(stderr, "batches %d %d, features %d %s, columns of output %d\n", (int)t->batches[0], (int)t->batches[2],
          (int)t->feature_step, t->is_cut ? "cut" : "", (int)t->columns_output);
  for (int32_t i = 0; i < net->num_operators; i++) {
    const net_operator* op = &net->operators[i];
    fprintf(stderr, "%d %s", (int)i, op->row->name);
    for (int32_t k = 0; k < op->num_inputs; k++) print_tensor(&net->tensors[op->inputs[k]], op->inputs[k]);
    fprintf(stderr, " ->");
    for (int32_t k = 0; k < op->num_outputs; k++) print_tensor(&net->tensors[op->outputs[k]], op->outputs[k]);
    for (int32_t k = 0; k < op->num_options; k++)
      fprintf(stderr, " %d=%d", op->options[k].id,
              op->options[k].is_ints ? op->options[k].ints[0] : (int)op->options[k].value);
    fputc('\n', stderr);
  }
  for (int32_t i = 0; i < net->num_outputs; i++) print_tensor(&net->tensors[net->outputs[i]], net->outputs[i]);
  fprintf(stderr, " are the outputs\n");
}

static trial any_trial(fuzz_bytes* b) {
  trial t = {.num_runs = 4, .feature_step = -1, .columns_output = -1, .fill = 0xff};
  t.input_seed = fuzz_byte(b);
  t.batches[0] = fuzz_one_in(b, 4) ? 2 : 1;
  t.batches[1] = 0;  // again, with the inputs that are there
  t.batches[2] = fuzz_range(b, 1, TRY_MAX_BATCH);
  t.first_image[2] = fuzz_below(b, 3);
  t.batches[3] = t.batches[0];
  if (fuzz_one_in(b, 3)) t.feature_step = fuzz_byte(b);
  t.is_cut = fuzz_one_in(b, 3);
  if (fuzz_one_in(b, 3)) t.columns_output = fuzz_byte(b);
  t.columns_seed = fuzz_byte(b) + 1;
  return t;
}

static void check_network(const subject* s, const trial* t) {
  static trial_result shared, unshared, relaxed;
  try_network_simd(s->model, s->size_bytes, t, &shared);
  count(&s->net, &shared);
  if (shared.status == OCL_OK && shared.statuses[0] == OCL_OK)
    for (int32_t i = 0; i < 24; i++) {
      const trial_output *first = find_output(&shared, 0, i - 1), *again = find_output(&shared, 1, i - 1);
      if (first == NULL || again == NULL) continue;
      FUZZ_CHECK(memcmp(shared.bytes + first->offset, shared.bytes + again->offset, first->size_bytes) == 0,
                 "output %d differs when it is run again", (int)i - 1);
      counts.features += i == 0;
    }
  trial alone = *t;
  alone.is_unshared = true;
  alone.fill = 0x7f;
  try_network_simd(s->model, s->size_bytes, &alone, &unshared);
  check_same_bits(&shared, &unshared, "memory that is not shared");
  check_images(s, t, &shared, try_network_simd);
  // In bands, or within canaries.
  alone.is_unshared = t->columns_seed % 2 == 0;
  try_network_relaxed(s->model, s->size_bytes, &alone, &relaxed);
  check_flavours(s, &shared, &relaxed);
}

int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size_bytes) {
  static subject s;
  fuzz_bytes b = {bytes, size_bytes};
  trial t = any_trial(&b);
  net_generate(&b, &s.net);
  if (!s.net.is_batch_free) t.batches[0] = t.batches[3] = 1;
  if (getenv("OCELLI_FUZZ_PRINT") != NULL) print_network(&s.net, &t);
  s.model = net_write(&s.net, &s.size_bytes);
  check_network(&s, &t);
  free(s.model);
  net_free(&s.net);
  return 0;
}

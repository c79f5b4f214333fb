// Prints dist/layout.js: the layouts of structs, the enumerations, the limits and the status codes that JavaScript
// shares with C. The Makefile compiles this program for wasm32, like the modules, and runs it with Node.
//
// A struct is printed as {size, fields: {name: [type, offset]}}, an array in it as [type, offset, length, stride].
// Names are the C names in camel case. To make another field available to JavaScript, add FIELD(its name).
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "detect/anchors.h"
#include "structs.h"
#include "train/backward.h"
#include "train/ssd_trainer.h"
#include "train/trainer.h"

typedef struct {
  const char *name, *type;
  size_t offset, size_bytes;  // size_bytes: of one element
  size_t length;              // 0: not an array
} field;

// Type names are those of DataView's getters and setters; wasm/engine/memory.js adds Bool and Text (const char*, ends
// in NUL). Any other type must be a pointer; JavaScript reads its address.
#define TYPE(lvalue)          \
  _Generic(&(lvalue),         \
      int32_t*: "Int32",      \
      uint32_t*: "Uint32",    \
      size_t*: "Uint32",      \
      uint64_t*: "BigUint64", \
      float*: "Float32",      \
      double*: "Float64",     \
      bool*: "Bool",          \
      const char**: "Text",   \
      default: ADDRESS)
#define ADDRESS "Uint32"

#define MEMBER(member) (((self*)0)->member)
#define FIELD(member) {#member, TYPE(MEMBER(member)), offsetof(self, member), sizeof MEMBER(member), 0}
#define ARRAY(member)                                                                  \
  {#member, TYPE(MEMBER(member)[0]), offsetof(self, member), sizeof MEMBER(member)[0], \
   sizeof MEMBER(member) / sizeof MEMBER(member)[0]}
#define STRUCT(name, type, ...)                                               \
  do {                                                                        \
    typedef type self;                                                        \
    const field fields[] = {__VA_ARGS__};                                     \
    print_struct(name, sizeof(self), fields, sizeof fields / sizeof *fields); \
  } while (0)

// "head.weighted_hits" -> "weightedHits"
static void print_name(const char* member) {
  const char* dot = strrchr(member, '.');
  for (const char* c = dot == NULL ? member : dot + 1; *c != '\0'; c++) {
    if (*c == '_')
      c++, putchar(toupper(*c));
    else
      putchar(*c);
  }
}

static void print_struct(const char* name, size_t size_bytes, const field* fields, size_t num_fields) {
  printf("export const %s = /** @type {const} */ ({ size: %zu, fields: {", name, size_bytes);
  for (size_t i = 0; i < num_fields; i++) {
    assert(strcmp(fields[i].type, ADDRESS) != 0 || fields[i].size_bytes == sizeof(void*));
    printf("\n  ");
    print_name(fields[i].name);
    printf(": ['%s', %zu", fields[i].type, fields[i].offset);
    if (fields[i].length > 0) printf(", %zu, %zu", fields[i].length, fields[i].size_bytes);
    printf("],");
  }
  printf("\n} });\n");
}

// A value of an enumeration, with its name in JavaScript: OCL_RESIZE_HALF_PIXEL -> half-pixel.
typedef struct {
  const char* name;
  int32_t value;
} constant;

#define CONSTANT(prefix, name) {#name, prefix##name}
#define ENUM(name, ...)                                                \
  do {                                                                 \
    const constant constants[] = {__VA_ARGS__};                        \
    print_enum(name, constants, sizeof constants / sizeof *constants); \
  } while (0)

static void print_enum(const char* name, const constant* constants, size_t num_constants) {
  printf("export const %s = {", name);
  for (size_t i = 0; i < num_constants; i++) {
    printf(" '");
    for (const char* c = constants[i].name; *c != '\0'; c++) putchar(*c == '_' ? '-' : tolower(*c));
    printf("': %d,", (int)constants[i].value);
  }
  printf(" };\n");
}

#define LIMIT(name, value) printf("export const %s = %d;\n", name, (int)(value))

static void print_limits(void) {
  LIMIT("MAX_RESULTS", OCL_SSD_MAX_RESULTS);
  LIMIT("DEFAULT_MAX_PIXELS", OCL_IMAGE_DEFAULT_MAX_PIXELS);
  LIMIT("IGNORE_ALPHA", OCL_IGNORE_ALPHA);
  LIMIT("MAX_ROWS", OCL_NETWORK_MAX_SIZE);
  LIMIT("MAX_LAYERS", OCL_NETWORK_MAX_LAYERS);
}

static void print_engine(void) {
  STRUCT("TENSOR", ocl_graph_tensor, FIELD(name), FIELD(dtype), FIELD(shape.rank), ARRAY(shape.dims), FIELD(scale),
         FIELD(zero_point), FIELD(size_bytes), FIELD(data), FIELD(is_constant));
  STRUCT("STEP", ocl_graph_step_info, FIELD(operator_name), FIELD(output_name), FIELD(output_shape.rank),
         ARRAY(output_shape.dims), FIELD(output_dtype), FIELD(multiply_adds), FIELD(time_us));
  STRUCT("NETWORK", ocl_graph_info, FIELD(arena_bytes), FIELD(num_parameters), FIELD(multiply_adds),
         FIELD(is_batch_free));
#define DTYPE(name, bytes) CONSTANT(OCL_, name),
  ENUM("DTYPES", OCL_DTYPE_LIST(DTYPE));

  STRUCT("METADATA", ocl_bridge_metadata, FIELD(name), FIELD(description), FIELD(version), FIELD(author),
         FIELD(license), FIELD(num_channels), ARRAY(mean), ARRAY(std), FIELD(has_threshold), FIELD(threshold),
         FIELD(default_score), FIELD(transform));
  ENUM("SCORE_TRANSFORMS", CONSTANT(OCL_METADATA_SCORE_, IDENTITY), CONSTANT(OCL_METADATA_SCORE_, LOG),
       CONSTANT(OCL_METADATA_SCORE_, INVERSE_LOGISTIC));
  STRUCT("DETECTOR", ocl_bridge_detector, FIELD(own), FIELD(own_size_bytes), FIELD(anchors), FIELD(num_anchors),
         FIELD(num_classes), FIELD(is_size_exponential), FIELD(is_sigmoid), ARRAY(box_scales));
  STRUCT("TEXT", ocl_bridge_text, FIELD(bytes), FIELD(size_bytes));

  STRUCT("PIXELS", ocl_pixels, FIELD(data), FIELD(size_bytes), FIELD(stride_bytes), FIELD(width_px), FIELD(height_px),
         FIELD(num_channels), FIELD(orientation));
  STRUCT("SIZE", ocl_bridge_size, FIELD(width_px), FIELD(height_px));
  STRUCT("IMAGE_FILE", ocl_bridge_file, FIELD(bytes), FIELD(size_bytes));
  STRUCT("IMAGE_OPTIONS", ocl_bridge_image_options, FIELD(max_pixels), FIELD(allow_truncated), FIELD(scale));
  STRUCT("IMAGE_FACTS", ocl_image_facts, FIELD(width_px), FIELD(height_px), FIELD(scale_log2), FIELD(is_truncated));
  ENUM("IMAGE_SCALES", CONSTANT(OCL_IMAGE_, FULL), CONSTANT(OCL_IMAGE_, SCALED), CONSTANT(OCL_IMAGE_, AUTO));
  STRUCT("ROI", ocl_roi, FIELD(x_px), FIELD(y_px), FIELD(width_px), FIELD(height_px));
  // The session sets the other fields of the target from the input tensor.
  STRUCT("RESIZE_TARGET", ocl_resize_target, FIELD(mode), ARRAY(scale), ARRAY(offset), FIELD(background));
  ENUM("RESIZE_MODES", CONSTANT(OCL_RESIZE_, HALF_PIXEL), CONSTANT(OCL_RESIZE_, LEGACY));

  STRUCT("ANCHORS_GRID", ocl_anchors_grid, FIELD(image_height_px), FIELD(image_width_px), FIELD(num_feature_maps),
         FIELD(feature_maps));
  STRUCT("SSD_ANCHORS", ocl_anchors_ssd, FIELD(num_layers), FIELD(min_scale), FIELD(max_scale), FIELD(scales),
         FIELD(num_aspect_ratios), FIELD(aspect_ratios), FIELD(interpolated_aspect_ratio),
         FIELD(reduce_boxes_in_lowest_layer), FIELD(base_height), FIELD(base_width), FIELD(strides_px),
         FIELD(offsets_px));
  STRUCT("MULTISCALE_ANCHORS", ocl_anchors_multiscale, FIELD(min_level), FIELD(max_level), FIELD(anchor_scale),
         FIELD(num_aspect_ratios), FIELD(aspect_ratios), FIELD(scales_per_octave), FIELD(normalize_coordinates));
  STRUCT("ANCHORS", ocl_bridge_anchors, FIELD(anchors), FIELD(num_anchors));

  STRUCT("SSD_CONFIG", ocl_ssd_config, FIELD(num_anchors), FIELD(num_columns), FIELD(background_column),
         FIELD(converter), ARRAY(box_scales), FIELD(is_size_linear), FIELD(is_x_first), FIELD(num_other_columns),
         FIELD(anchors), FIELD(max_total));
  ENUM("SCORE_CONVERTERS", CONSTANT(OCL_SSD_, SIGMOID), CONSTANT(OCL_SSD_, SOFTMAX), CONSTANT(OCL_SSD_, NONE));
  STRUCT("SSD_OPTIONS", ocl_ssd_options, FIELD(score_threshold), FIELD(iou_threshold), FIELD(max_per_class),
         FIELD(max_total), FIELD(is_class_agnostic), FIELD(is_clipped), FIELD(allowed_classes));
  STRUCT("DETECTIONS", ocl_bridge_detections, FIELD(rows), FIELD(num_rows));
  STRUCT("DETECTION", ocl_session_detection, FIELD(x_px), FIELD(y_px), FIELD(width_px), FIELD(height_px), FIELD(score),
         FIELD(class_id));
}

static void print_train(void) {
  STRUCT("LAYER", ocl_layer, FIELD(kind), FIELD(channels), FIELD(stride), FIELD(size), FIELD(norm), FIELD(activation),
         FIELD(factor), FIELD(added), FIELD(epsilon), FIELD(momentum), FIELD(from), FIELD(shared), FIELD(is_frozen));
  ENUM("LAYER_KINDS", CONSTANT(OCL_, POINTWISE), CONSTANT(OCL_, DEPTHWISE), CONSTANT(OCL_, POOL), CONSTANT(OCL_, CONV3),
       CONSTANT(OCL_, GATE));
  ENUM("LAYER_ACTIVATIONS", CONSTANT(OCL_LAYER_, LINEAR), CONSTANT(OCL_LAYER_, RELU), CONSTANT(OCL_LAYER_, RELU6),
       CONSTANT(OCL_LAYER_, SIGMOID), CONSTANT(OCL_LAYER_, HARD_SIGMOID), CONSTANT(OCL_LAYER_, SWISH),
       CONSTANT(OCL_LAYER_, HARD_SWISH));
  ENUM("LAYER_NORMS", CONSTANT(OCL_NORM_, BIAS), CONSTANT(OCL_NORM_, FROZEN), CONSTANT(OCL_NORM_, LIVE));
  STRUCT("TRAINER_SHAPE", ocl_trainer_shape, FIELD(height), FIELD(width), FIELD(channels), FIELD(max_rows));
  STRUCT("OPTIMIZER", ocl_optimizer, FIELD(kind), FIELD(is_nesterov), FIELD(is_amsgrad), FIELD(is_centered),
         FIELD(momentum), FIELD(beta_1), FIELD(beta_2), FIELD(epsilon), FIELD(weight_decay), FIELD(clip_norm));
  ENUM("OPTIMIZER_KINDS", CONSTANT(OCL_, SGD), CONSTANT(OCL_, ADAM), CONSTANT(OCL_, RMSPROP));
  STRUCT("TRAINER_BUFFERS", ocl_trainer_buffers, FIELD(input), FIELD(labels), FIELD(targets), FIELD(weights),
         FIELD(parameters), FIELD(gradients), FIELD(slots), FIELD(probabilities), FIELD(num_parameters),
         FIELD(num_slots), FIELD(num_classes));
  STRUCT("TRAINER_BATCH", ocl_trainer_batch, FIELD(rows), FIELD(has_targets), FIELD(has_weights),
         FIELD(label_smoothing), FIELD(l2));
  STRUCT("WINDOW", ocl_window, FIELD(images), FIELD(height), FIELD(width), FIELD(channels), FIELD(out_height),
         FIELD(out_width), FIELD(out_channels), FIELD(kernel_height), FIELD(kernel_width), FIELD(stride_y),
         FIELD(stride_x), FIELD(dilation_y), FIELD(dilation_x), FIELD(padding_top), FIELD(padding_left), FIELD(groups),
         FIELD(is_depthwise));
  STRUCT("TRAINER_RESULT", ocl_trainer_result, FIELD(head.loss), FIELD(head.weight), FIELD(head.hits),
         FIELD(head.weighted_hits), FIELD(regularizer));
}

static void print_train_ssd(void) {
  STRUCT("MAP_SHAPE", ocl_map_shape, FIELD(height), FIELD(width), FIELD(channels));
  STRUCT("NETWORK_PLAN", ocl_network_plan, FIELD(layers), FIELD(num_layers), FIELD(inputs), FIELD(num_inputs),
         FIELD(max_rows));
  STRUCT("SSD_HEADS", ocl_ssd_heads, FIELD(boxes), FIELD(scores));
  STRUCT("SSD_PLAN", ocl_ssd_plan, FIELD(heads), FIELD(num_heads), FIELD(anchors), FIELD(num_anchors),
         FIELD(num_columns), FIELD(max_boxes), FIELD(loss.match.matched_iou), FIELD(loss.match.unmatched_iou),
         FIELD(loss.match.is_forced), FIELD(loss.match.swaps_bands), FIELD(loss.matches_predicted), ARRAY(loss.scales),
         FIELD(loss.class_loss), FIELD(loss.has_background), FIELD(loss.alpha), FIELD(loss.gamma),
         FIELD(loss.logit_scale), FIELD(loss.delta), FIELD(loss.negative_weight), FIELD(loss.class_weight),
         FIELD(loss.box_weight), FIELD(loss.is_normalized), FIELD(loss.is_divided_by_coder), FIELD(loss.is_mined),
         FIELD(loss.mine_loss), FIELD(loss.num_hard_examples), FIELD(loss.mine_iou), FIELD(loss.mine_class_weight),
         FIELD(loss.mine_box_weight), FIELD(loss.negatives_per_positive), FIELD(loss.min_negatives));
  ENUM("CLASS_LOSSES", CONSTANT(OCL_CLASS_, SIGMOID), CONSTANT(OCL_CLASS_, FOCAL), CONSTANT(OCL_CLASS_, SOFTMAX));
  ENUM("MINE_LOSSES", CONSTANT(OCL_MINE_, CLASS), CONSTANT(OCL_MINE_, BOX), CONSTANT(OCL_MINE_, BOTH));
  STRUCT("SSD_BUFFERS", ocl_ssd_buffers, FIELD(counts), FIELD(boxes), FIELD(classes), FIELD(weights), FIELD(parameters),
         FIELD(gradients), FIELD(slots), FIELD(encodings), FIELD(logits), FIELD(num_parameters), FIELD(num_slots),
         FIELD(row_length));
  STRUCT("SSD_RESULT", ocl_ssd_trainer_result, FIELD(loss.class_loss), FIELD(loss.box_loss), FIELD(loss.num_matches),
         FIELD(loss.num_positives), FIELD(regularizer));
}

// A type for TypeScript: the names of the status codes.
static void print_status_codes(void) {
#define PRINT(name, message) printf(" | '%s'", #name);
  printf("/** @typedef {never");
  OCL_STATUS_LIST(PRINT)
  printf("} StatusCode */\n");
#undef PRINT
}

int main(void) {
  printf("// Generated by wasm/bridge/layout.c.\n");
  print_status_codes();
  print_limits();
  print_engine();
  print_train();
  print_train_ssd();
  return 0;
}

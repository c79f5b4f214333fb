// The custom operator TFLite_Detection_PostProcess: box encodings [1,N,4], scores [1,N,C], anchors [N,4] -> boxes
// [1,M,4], classes [1,M], scores [1,M], count [1].
#include "detect/detection_postprocess.h"
#include "graph/operators/table.h"
#include "tflite/flexbuffer.h"

typedef struct {
  ocl_detection_postprocess* postprocess;  // owned
  int32_t num_classes;
} postprocess_state;

static ocl_status read_postprocess(const ocl_step* step, ocl_detection_postprocess_params* params, ocl_detail* detail) {
  ocl_flexbuffer_map map;
  *params = (ocl_detection_postprocess_params){.detections_per_class =
                                                   OCL_DETECTION_POSTPROCESS_DEFAULT_DETECTIONS_PER_CLASS};
  OCL_TRY(ocl_flexbuffer_open_map(step->op.options.custom.bytes, step->op.options.custom.size_bytes, &map, detail));
  OCL_TRY(ocl_flexbuffer_get_int(&map, "max_detections", &params->max_detections, detail));
  OCL_TRY(ocl_flexbuffer_get_int(&map, "max_classes_per_detection", &params->max_classes_per_detection, detail));
  OCL_TRY(ocl_flexbuffer_get_int(&map, "detections_per_class", &params->detections_per_class, detail));
  OCL_TRY(ocl_flexbuffer_get_int(&map, "num_classes", &params->num_classes, detail));
  OCL_TRY(ocl_flexbuffer_get_float(&map, "nms_score_threshold", &params->nms_score_threshold, detail));
  OCL_TRY(ocl_flexbuffer_get_float(&map, "nms_iou_threshold", &params->nms_iou_threshold, detail));
  OCL_TRY(ocl_flexbuffer_get_float(&map, "y_scale", &params->box_scales[0], detail));
  OCL_TRY(ocl_flexbuffer_get_float(&map, "x_scale", &params->box_scales[1], detail));
  OCL_TRY(ocl_flexbuffer_get_float(&map, "h_scale", &params->box_scales[2], detail));
  OCL_TRY(ocl_flexbuffer_get_float(&map, "w_scale", &params->box_scales[3], detail));
  return ocl_flexbuffer_get_bool(&map, "use_regular_nms", &params->use_regular_nms, detail);
}

static ocl_status build_postprocess(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  for (int32_t i = 0; i < 3; i++) {
    const ocl_value* input = ocl_graph_in(graph, step, i);
    if (input->dtype != OCL_FLOAT32 && !ocl_graph_is_quantized(input))
      return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "input %d must be float or 8-bit", (int)i);
  }
  for (int32_t i = 0; i < 4; i++)
    if (ocl_graph_out(graph, step, i)->dtype != OCL_FLOAT32)
      return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "output %d must be float", (int)i);
  ocl_detection_postprocess_params params;
  OCL_TRY(read_postprocess(step, &params, detail));
  postprocess_state* state = step->state;
  state->num_classes = params.num_classes;
  return ocl_detection_postprocess_create(&params, &state->postprocess, detail);
}

static size_t real_bytes(const ocl_value* value) {
  return value->dtype == OCL_FLOAT32 ? 0 : ocl_shape_num_elements(&value->shape) * sizeof(float);
}

static const uint64_t kWorkPerComparison = 16;  // in multiply-adds

static ocl_status plan_postprocess(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_detection_postprocess* postprocess = ((postprocess_state*)step->state)->postprocess;
  const ocl_shape* encodings = &ocl_graph_in(graph, step, 0)->shape;
  const ocl_shape* scores = &ocl_graph_in(graph, step, 1)->shape;
  const ocl_shape* anchors = &ocl_graph_in(graph, step, 2)->shape;
  if (encodings->rank != 3 || scores->rank != 3 || anchors->rank != 2 || encodings->dims[0] != 1 ||
      scores->dims[0] != 1 || encodings->dims[2] != 4 || anchors->dims[1] != 4 ||
      anchors->dims[0] != encodings->dims[1] || scores->dims[1] != encodings->dims[1])
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail,
                            "its inputs must have shapes [1,N,4], [1,N,C] and [N,4]");
  OCL_TRY(ocl_detection_postprocess_scratch_size(postprocess, encodings->dims[1], scores->dims[2],
                                                 &step->workspace_bytes, detail));
  uint64_t bytes = step->workspace_bytes;
  for (int32_t i = 0; i < 3; i++) bytes += real_bytes(ocl_graph_in(graph, step, i));
  if (bytes > INT32_MAX)
    return ocl_graph_reject(step, OCL_MODEL_TOO_LARGE, detail, "it has too many anchors (%d)", (int)anchors->dims[0]);
  step->workspace_bytes = (size_t)bytes;
  step->other_work = kWorkPerComparison * ocl_detection_postprocess_count_comparisons(postprocess, encodings->dims[1]);
  const int32_t rows = ocl_detection_postprocess_num_rows(postprocess);
  ocl_graph_out(graph, step, 0)->shape = (ocl_shape){3, {1, rows, 4}};
  ocl_graph_out(graph, step, 1)->shape = (ocl_shape){2, {1, rows}};
  ocl_graph_out(graph, step, 2)->shape = (ocl_shape){2, {1, rows}};
  ocl_graph_out(graph, step, 3)->shape = (ocl_shape){1, {1}};
  return OCL_OK;
}

// The value's elements as floats. An 8-bit value is dequantized to *next in the workspace, which then moves on.
static const float* reals(const ocl_value* value, float** next) {
  if (value->dtype == OCL_FLOAT32) return value->data;
  float* out = *next;
  const size_t count = ocl_shape_num_elements(&value->shape);
  for (size_t i = 0; i < count; i++) out[i] = ocl_graph_real_at(value, i);
  *next += count;
  return out;
}

static enum xnn_status run_postprocess(ocl_graph* graph, ocl_step* step) {
  const ocl_shape* scores_shape = &ocl_graph_in(graph, step, 1)->shape;
  float* next = step->workspace;
  const float* encodings = reals(ocl_graph_in(graph, step, 0), &next);
  const float* scores = reals(ocl_graph_in(graph, step, 1), &next);
  const float* anchors = reals(ocl_graph_in(graph, step, 2), &next);
  ocl_detection_postprocess_run(((postprocess_state*)step->state)->postprocess, scores_shape->dims[1],
                                scores_shape->dims[2], encodings, scores, anchors, next,
                                ocl_graph_out(graph, step, 0)->data, ocl_graph_out(graph, step, 1)->data,
                                ocl_graph_out(graph, step, 2)->data, ocl_graph_out(graph, step, 3)->data);
  return xnn_status_success;
}

static void drop_postprocess(ocl_step* step) {
  ocl_detection_postprocess_destroy(((postprocess_state*)step->state)->postprocess);
}

static int32_t num_classes(const ocl_step* step) {
  return ((const postprocess_state*)step->state)->num_classes;
}

const ocl_kind ocl_kind_TFLite_Detection_PostProcess = {.state_bytes = sizeof(postprocess_state),
                                                        .build = build_postprocess,
                                                        .plan = plan_postprocess,
                                                        .run = run_postprocess,
                                                        .drop = drop_postprocess,
                                                        .num_classes = num_classes};

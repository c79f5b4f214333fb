// Stage: the part of TFLite's schema.fbs that we read, as data for ocl_flatbuffer_verify().
#include "tflite/internal.h"

static const ocl_flatbuffer_field kConvFields[] = {
    OCL_FIELD_SCALAR("padding", OCL_CONV_PADDING, 1),
    OCL_FIELD_SCALAR("stride_w", OCL_CONV_STRIDE_W, 4),
    OCL_FIELD_SCALAR("stride_h", OCL_CONV_STRIDE_H, 4),
    OCL_FIELD_SCALAR("fused_activation_function", OCL_CONV_ACTIVATION, 1),
    OCL_FIELD_SCALAR("dilation_w", OCL_CONV_DILATION_W, 4),
    OCL_FIELD_SCALAR("dilation_h", OCL_CONV_DILATION_H, 4)};
static const ocl_flatbuffer_field kDepthwiseFields[] = {
    OCL_FIELD_SCALAR("padding", OCL_CONV_PADDING, 1),
    OCL_FIELD_SCALAR("stride_w", OCL_CONV_STRIDE_W, 4),
    OCL_FIELD_SCALAR("stride_h", OCL_CONV_STRIDE_H, 4),
    OCL_FIELD_SCALAR("depth_multiplier", OCL_DEPTHWISE_MULTIPLIER, 4),
    OCL_FIELD_SCALAR("fused_activation_function", OCL_DEPTHWISE_ACTIVATION, 1),
    OCL_FIELD_SCALAR("dilation_w", OCL_DEPTHWISE_DILATION_W, 4),
    OCL_FIELD_SCALAR("dilation_h", OCL_DEPTHWISE_DILATION_H, 4)};
static const ocl_flatbuffer_field kPoolFields[] = {
    OCL_FIELD_SCALAR("padding", OCL_CONV_PADDING, 1),
    OCL_FIELD_SCALAR("stride_w", OCL_CONV_STRIDE_W, 4),
    OCL_FIELD_SCALAR("stride_h", OCL_CONV_STRIDE_H, 4),
    OCL_FIELD_SCALAR("filter_width", OCL_POOL_FILTER_W, 4),
    OCL_FIELD_SCALAR("filter_height", OCL_POOL_FILTER_H, 4),
    OCL_FIELD_SCALAR("fused_activation_function", OCL_POOL_ACTIVATION, 1)};
static const ocl_flatbuffer_field kFullyConnectedFields[] = {
    OCL_FIELD_SCALAR("fused_activation_function", OCL_FULLY_CONNECTED_ACTIVATION, 1),
    OCL_FIELD_SCALAR("weights_format", OCL_FULLY_CONNECTED_WEIGHTS_FORMAT, 1),
    OCL_FIELD_SCALAR("keep_num_dims", OCL_FULLY_CONNECTED_KEEP_NUM_DIMS, 1)};
static const ocl_flatbuffer_field kSoftmaxFields[] = {OCL_FIELD_SCALAR("beta", OCL_SOFTMAX_BETA, 4)};
static const ocl_flatbuffer_field kConcatenationFields[] = {
    OCL_FIELD_SCALAR("axis", OCL_CONCATENATION_AXIS, 4),
    OCL_FIELD_SCALAR("fused_activation_function", OCL_CONCATENATION_ACTIVATION, 1)};
static const ocl_flatbuffer_field kBinaryFields[] = {
    OCL_FIELD_SCALAR("fused_activation_function", OCL_BINARY_ACTIVATION, 1)};
static const ocl_flatbuffer_field kResizeFields[] = {
    OCL_FIELD_SCALAR("align_corners", OCL_RESIZE_ALIGN_CORNERS, 1),
    OCL_FIELD_SCALAR("half_pixel_centers", OCL_RESIZE_HALF_PIXEL_CENTERS, 1)};
static const ocl_flatbuffer_field kResizeNearestFields[] = {
    OCL_FIELD_SCALAR("align_corners", OCL_RESIZE_NEAREST_ALIGN_CORNERS, 1),
    OCL_FIELD_SCALAR("half_pixel_centers", OCL_RESIZE_NEAREST_HALF_PIXEL_CENTERS, 1)};
static const ocl_flatbuffer_field kReshapeFields[] = {OCL_FIELD_VECTOR("new_shape", OCL_RESHAPE_DIMS, 4)};
static const ocl_flatbuffer_field kSqueezeFields[] = {OCL_FIELD_VECTOR("squeeze_dims", OCL_RESHAPE_DIMS, 4)};
static const ocl_flatbuffer_field kReducerFields[] = {OCL_FIELD_SCALAR("keep_dims", OCL_REDUCE_KEEP_DIMS, 1)};
static const ocl_flatbuffer_field kStridedSliceFields[] = {
    OCL_FIELD_SCALAR("begin_mask", OCL_STRIDED_SLICE_BEGIN_MASK, 4),
    OCL_FIELD_SCALAR("end_mask", OCL_STRIDED_SLICE_END_MASK, 4),
    OCL_FIELD_SCALAR("ellipsis_mask", OCL_STRIDED_SLICE_ELLIPSIS_MASK, 4),
    OCL_FIELD_SCALAR("new_axis_mask", OCL_STRIDED_SLICE_NEW_AXIS_MASK, 4),
    OCL_FIELD_SCALAR("shrink_axis_mask", OCL_STRIDED_SLICE_SHRINK_AXIS_MASK, 4),
    OCL_FIELD_SCALAR("offset", OCL_STRIDED_SLICE_IS_OFFSET, 1)};
static const ocl_flatbuffer_field kPackFields[] = {OCL_FIELD_SCALAR("values_count", OCL_PACK_VALUES_COUNT, 4),
                                                   OCL_FIELD_SCALAR("axis", OCL_PACK_AXIS, 4)};

static const ocl_flatbuffer_schema kOptions[] = {
    {OCL_OPTIONS_CONV_2D, OCL_FLATBUFFER_FIELDS(kConvFields)},
    {OCL_OPTIONS_DEPTHWISE_CONV_2D, OCL_FLATBUFFER_FIELDS(kDepthwiseFields)},
    {OCL_OPTIONS_POOL_2D, OCL_FLATBUFFER_FIELDS(kPoolFields)},
    {OCL_OPTIONS_FULLY_CONNECTED, OCL_FLATBUFFER_FIELDS(kFullyConnectedFields)},
    {OCL_OPTIONS_SOFTMAX, OCL_FLATBUFFER_FIELDS(kSoftmaxFields)},
    {OCL_OPTIONS_CONCATENATION, OCL_FLATBUFFER_FIELDS(kConcatenationFields)},
    {OCL_OPTIONS_ADD, OCL_FLATBUFFER_FIELDS(kBinaryFields)},
    {OCL_OPTIONS_MUL, OCL_FLATBUFFER_FIELDS(kBinaryFields)},
    {OCL_OPTIONS_SUB, OCL_FLATBUFFER_FIELDS(kBinaryFields)},
    {OCL_OPTIONS_RESIZE_BILINEAR, OCL_FLATBUFFER_FIELDS(kResizeFields)},
    {OCL_OPTIONS_RESIZE_NEAREST_NEIGHBOR, OCL_FLATBUFFER_FIELDS(kResizeNearestFields)},
    {OCL_OPTIONS_RESHAPE, OCL_FLATBUFFER_FIELDS(kReshapeFields)},
    {OCL_OPTIONS_SQUEEZE, OCL_FLATBUFFER_FIELDS(kSqueezeFields)},
    {OCL_OPTIONS_REDUCER, OCL_FLATBUFFER_FIELDS(kReducerFields)},
    {OCL_OPTIONS_STRIDED_SLICE, OCL_FLATBUFFER_FIELDS(kStridedSliceFields)},
    {OCL_OPTIONS_PACK, OCL_FLATBUFFER_FIELDS(kPackFields)},
    {0, 0, NULL},
};

static const ocl_flatbuffer_schema kPresence = {0, 0, NULL};  // a table of which only the presence matters
static const ocl_flatbuffer_field kQuantizationFields[] = {
    OCL_FIELD_VECTOR("scale", OCL_QUANTIZATION_SCALE, 4),
    OCL_FIELD_VECTOR("zero_point", OCL_QUANTIZATION_ZERO_POINT, 8),
    OCL_FIELD_SCALAR("details_type", OCL_QUANTIZATION_DETAILS_TYPE, 1),
    OCL_FIELD_SCALAR("quantized_dimension", OCL_QUANTIZATION_AXIS, 4)};
static const ocl_flatbuffer_schema kQuantization = {0, OCL_FLATBUFFER_FIELDS(kQuantizationFields)};
static const ocl_flatbuffer_field kTensorFields[] = {
    OCL_FIELD_VECTOR("shape", OCL_TENSOR_SHAPE, 4),
    OCL_FIELD_SCALAR("type", OCL_TENSOR_TYPE, 1),
    OCL_FIELD_SCALAR("buffer", OCL_TENSOR_BUFFER, 4),
    OCL_FIELD_STRING("name", OCL_TENSOR_NAME),
    OCL_FIELD_TABLE("quantization", OCL_TENSOR_QUANTIZATION, &kQuantization),
    OCL_FIELD_SCALAR("is_variable", OCL_TENSOR_IS_VARIABLE, 1),
    OCL_FIELD_TABLE("sparsity", OCL_TENSOR_SPARSITY, &kPresence),
    OCL_FIELD_VECTOR("shape_signature", OCL_TENSOR_SHAPE_SIGNATURE, 4),
    OCL_FIELD_SCALAR("external_buffer", OCL_TENSOR_EXTERNAL_BUFFER, 4)};
static const ocl_flatbuffer_schema kTensor = {0, OCL_FLATBUFFER_FIELDS(kTensorFields)};
static const ocl_flatbuffer_field kOperatorFields[] = {
    OCL_FIELD_SCALAR("opcode_index", OCL_OPERATOR_OPCODE_INDEX, 4),
    OCL_FIELD_VECTOR("inputs", OCL_OPERATOR_INPUTS, 4),
    OCL_FIELD_VECTOR("outputs", OCL_OPERATOR_OUTPUTS, 4),
    OCL_FIELD_SCALAR("builtin_options_type", OCL_OPERATOR_OPTIONS_TYPE, 1),
    OCL_FIELD_UNION("builtin_options", OCL_OPERATOR_OPTIONS, kOptions),
    OCL_FIELD_VECTOR("custom_options", OCL_OPERATOR_CUSTOM_OPTIONS, 1),
    OCL_FIELD_SCALAR("large_custom_options_offset", OCL_OPERATOR_LARGE_CUSTOM_OPTIONS_OFFSET, 8)};
static const ocl_flatbuffer_schema kOperator = {0, OCL_FLATBUFFER_FIELDS(kOperatorFields)};
static const ocl_flatbuffer_field kSubgraphFields[] = {
    OCL_FIELD_TABLES("tensors", OCL_SUBGRAPH_TENSORS, &kTensor), OCL_FIELD_VECTOR("inputs", OCL_SUBGRAPH_INPUTS, 4),
    OCL_FIELD_VECTOR("outputs", OCL_SUBGRAPH_OUTPUTS, 4),
    OCL_FIELD_TABLES("operators", OCL_SUBGRAPH_OPERATORS, &kOperator)};
static const ocl_flatbuffer_schema kSubgraph = {0, OCL_FLATBUFFER_FIELDS(kSubgraphFields)};
static const ocl_flatbuffer_field kOperatorCodeFields[] = {
    OCL_FIELD_SCALAR("deprecated_builtin_code", OCL_OPERATOR_CODE_DEPRECATED, 1),
    OCL_FIELD_STRING("custom_code", OCL_OPERATOR_CODE_CUSTOM),
    OCL_FIELD_SCALAR("builtin_code", OCL_OPERATOR_CODE_BUILTIN, 4)};
static const ocl_flatbuffer_schema kOperatorCode = {0, OCL_FLATBUFFER_FIELDS(kOperatorCodeFields)};
static const ocl_flatbuffer_field kBufferFields[] = {OCL_FIELD_VECTOR("data", OCL_BUFFER_DATA, 1),
                                                     OCL_FIELD_SCALAR("offset", OCL_BUFFER_OFFSET, 8),
                                                     OCL_FIELD_SCALAR("size", OCL_BUFFER_SIZE, 8)};
static const ocl_flatbuffer_schema kBuffer = {0, OCL_FLATBUFFER_FIELDS(kBufferFields)};
static const ocl_flatbuffer_field kMetadataFields[] = {OCL_FIELD_STRING("name", OCL_METADATA_ENTRY_NAME),
                                                       OCL_FIELD_SCALAR("buffer", OCL_METADATA_ENTRY_BUFFER, 4)};
static const ocl_flatbuffer_schema kMetadata = {0, OCL_FLATBUFFER_FIELDS(kMetadataFields)};
static const ocl_flatbuffer_field kModelFields[] = {
    OCL_FIELD_SCALAR("version", OCL_MODEL_VERSION, 4),
    OCL_FIELD_TABLES("operator_codes", OCL_MODEL_OPERATOR_CODES, &kOperatorCode),
    OCL_FIELD_TABLES("subgraphs", OCL_MODEL_SUBGRAPHS, &kSubgraph),
    OCL_FIELD_TABLES("buffers", OCL_MODEL_BUFFERS, &kBuffer),
    OCL_FIELD_TABLES("metadata", OCL_MODEL_METADATA, &kMetadata)};
const ocl_flatbuffer_schema ocl_tflite_schema = {0, OCL_FLATBUFFER_FIELDS(kModelFields)};

// The part of TFLite's schema.fbs that ocelli reads, as data for ocl_flatbuffer_verify().
#include "tflite/internal.h"
#include "tflite/operators.h"

static const ocl_flatbuffer_field kSparseListFields[] = {
    OCL_FIELD_MEMBER("Int32Vector", 1), OCL_FIELD_VECTOR("values", 0, 4),   OCL_FIELD_MEMBER("Uint16Vector", 2),
    OCL_FIELD_VECTOR("values", 0, 2),   OCL_FIELD_MEMBER("Uint8Vector", 3), OCL_FIELD_VECTOR("values", 0, 1)};
static const ocl_flatbuffer_schema kSparseList = OCL_FLATBUFFER_SCHEMA(kSparseListFields);
static const ocl_flatbuffer_field kSparseLevelFields[] = {
    OCL_FIELD_SCALAR("format", OCL_SPARSE_FORMAT, 1),
    OCL_FIELD_SCALAR("dense_size", OCL_SPARSE_DENSE_SIZE, 4),
    OCL_FIELD_SCALAR("array_segments_type", OCL_SPARSE_SEGMENTS_TYPE, 1),
    OCL_FIELD_UNION("array_segments", OCL_SPARSE_SEGMENTS, &kSparseList),
    OCL_FIELD_SCALAR("array_indices_type", OCL_SPARSE_INDICES_TYPE, 1),
    OCL_FIELD_UNION("array_indices", OCL_SPARSE_INDICES, &kSparseList)};
static const ocl_flatbuffer_schema kSparseLevel = OCL_FLATBUFFER_SCHEMA(kSparseLevelFields);
static const ocl_flatbuffer_field kSparsityFields[] = {
    OCL_FIELD_VECTOR("traversal_order", OCL_SPARSE_ORDER, 4), OCL_FIELD_VECTOR("block_map", OCL_SPARSE_BLOCK_MAP, 4),
    OCL_FIELD_TABLES("dim_metadata", OCL_SPARSE_LEVELS, &kSparseLevel)};
static const ocl_flatbuffer_schema kSparsity = OCL_FLATBUFFER_SCHEMA(kSparsityFields);
static const ocl_flatbuffer_field kQuantizationFields[] = {
    OCL_FIELD_VECTOR("scale", OCL_QUANTIZATION_SCALE, 4),
    OCL_FIELD_VECTOR("zero_point", OCL_QUANTIZATION_ZERO_POINT, 8),
    OCL_FIELD_SCALAR("details_type", OCL_QUANTIZATION_DETAILS_TYPE, 1),
    OCL_FIELD_SCALAR("quantized_dimension", OCL_QUANTIZATION_AXIS, 4)};
static const ocl_flatbuffer_schema kQuantization = OCL_FLATBUFFER_SCHEMA(kQuantizationFields);
static const ocl_flatbuffer_field kTensorFields[] = {
    OCL_FIELD_VECTOR("shape", OCL_TENSOR_SHAPE, 4),
    OCL_FIELD_SCALAR("type", OCL_TENSOR_TYPE, 1),
    OCL_FIELD_SCALAR("buffer", OCL_TENSOR_BUFFER, 4),
    OCL_FIELD_STRING("name", OCL_TENSOR_NAME),
    OCL_FIELD_TABLE("quantization", OCL_TENSOR_QUANTIZATION, &kQuantization),
    OCL_FIELD_SCALAR("is_variable", OCL_TENSOR_IS_VARIABLE, 1),
    OCL_FIELD_TABLE("sparsity", OCL_TENSOR_SPARSITY, &kSparsity),
    OCL_FIELD_VECTOR("shape_signature", OCL_TENSOR_SHAPE_SIGNATURE, 4),
    OCL_FIELD_SCALAR("external_buffer", OCL_TENSOR_EXTERNAL_BUFFER, 4)};
static const ocl_flatbuffer_schema kTensor = OCL_FLATBUFFER_SCHEMA(kTensorFields);
static const ocl_flatbuffer_field kOperatorFields[] = {
    OCL_FIELD_SCALAR("opcode_index", OCL_OPERATOR_OPCODE_INDEX, 4),
    OCL_FIELD_VECTOR("inputs", OCL_OPERATOR_INPUTS, 4),
    OCL_FIELD_VECTOR("outputs", OCL_OPERATOR_OUTPUTS, 4),
    OCL_FIELD_SCALAR("builtin_options_type", OCL_OPERATOR_OPTIONS_TYPE, 1),
    OCL_FIELD_UNION("builtin_options", OCL_OPERATOR_OPTIONS, &ocl_operators_options),
    OCL_FIELD_VECTOR("custom_options", OCL_OPERATOR_CUSTOM_OPTIONS, 1),
    OCL_FIELD_SCALAR("large_custom_options_offset", OCL_OPERATOR_LARGE_CUSTOM_OPTIONS_OFFSET, 8)};
static const ocl_flatbuffer_schema kOperator = OCL_FLATBUFFER_SCHEMA(kOperatorFields);
static const ocl_flatbuffer_field kSubgraphFields[] = {
    OCL_FIELD_TABLES("tensors", OCL_SUBGRAPH_TENSORS, &kTensor), OCL_FIELD_VECTOR("inputs", OCL_SUBGRAPH_INPUTS, 4),
    OCL_FIELD_VECTOR("outputs", OCL_SUBGRAPH_OUTPUTS, 4),
    OCL_FIELD_TABLES("operators", OCL_SUBGRAPH_OPERATORS, &kOperator)};
static const ocl_flatbuffer_schema kSubgraph = OCL_FLATBUFFER_SCHEMA(kSubgraphFields);
static const ocl_flatbuffer_field kOperatorCodeFields[] = {
    OCL_FIELD_SCALAR("deprecated_builtin_code", OCL_OPERATOR_CODE_DEPRECATED, 1),
    OCL_FIELD_STRING("custom_code", OCL_OPERATOR_CODE_CUSTOM),
    OCL_FIELD_SCALAR("builtin_code", OCL_OPERATOR_CODE_BUILTIN, 4)};
static const ocl_flatbuffer_schema kOperatorCode = OCL_FLATBUFFER_SCHEMA(kOperatorCodeFields);
static const ocl_flatbuffer_field kBufferFields[] = {OCL_FIELD_VECTOR("data", OCL_BUFFER_DATA, 1),
                                                     OCL_FIELD_SCALAR("offset", OCL_BUFFER_OFFSET, 8),
                                                     OCL_FIELD_SCALAR("size", OCL_BUFFER_SIZE, 8)};
static const ocl_flatbuffer_schema kBuffer = OCL_FLATBUFFER_SCHEMA(kBufferFields);
static const ocl_flatbuffer_field kMetadataFields[] = {OCL_FIELD_STRING("name", OCL_METADATA_ENTRY_NAME),
                                                       OCL_FIELD_SCALAR("buffer", OCL_METADATA_ENTRY_BUFFER, 4)};
static const ocl_flatbuffer_schema kMetadata = OCL_FLATBUFFER_SCHEMA(kMetadataFields);
static const ocl_flatbuffer_field kPortFields[] = {OCL_FIELD_STRING("name", OCL_SIGNATURE_PORT_NAME),
                                                   OCL_FIELD_SCALAR("tensor_index", OCL_SIGNATURE_PORT_TENSOR, 4)};
static const ocl_flatbuffer_schema kPort = OCL_FLATBUFFER_SCHEMA(kPortFields);
static const ocl_flatbuffer_field kSignatureFields[] = {OCL_FIELD_TABLES("inputs", OCL_SIGNATURE_INPUTS, &kPort),
                                                        OCL_FIELD_TABLES("outputs", OCL_SIGNATURE_OUTPUTS, &kPort),
                                                        OCL_FIELD_STRING("signature_key", OCL_SIGNATURE_KEY),
                                                        OCL_FIELD_SCALAR("subgraph_index", OCL_SIGNATURE_SUBGRAPH, 4)};
static const ocl_flatbuffer_schema kSignature = OCL_FLATBUFFER_SCHEMA(kSignatureFields);
static const ocl_flatbuffer_field kModelFields[] = {
    OCL_FIELD_SCALAR("version", OCL_MODEL_VERSION, 4),
    OCL_FIELD_TABLES("operator_codes", OCL_MODEL_OPERATOR_CODES, &kOperatorCode),
    OCL_FIELD_TABLES("subgraphs", OCL_MODEL_SUBGRAPHS, &kSubgraph),
    OCL_FIELD_TABLES("buffers", OCL_MODEL_BUFFERS, &kBuffer),
    OCL_FIELD_TABLES("metadata", OCL_MODEL_METADATA, &kMetadata),
    OCL_FIELD_TABLES("signature_defs", OCL_MODEL_SIGNATURES, &kSignature)};
const ocl_flatbuffer_schema ocl_tflite_schema = OCL_FLATBUFFER_SCHEMA(kModelFields);

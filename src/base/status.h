// Status codes: the one list of all failures, with the message that users read. The names are stable: they are
// `OcelliError.code` in JavaScript. The numbers change with the list.
#ifndef OCELLI_STATUS_H_
#define OCELLI_STATUS_H_

// X(name, message)
#define OCL_STATUS_LIST(X)                                                                                \
  X(OK, "no error")                                                                                       \
  X(OUT_OF_MEMORY, "not enough memory")                                                                   \
  X(INVALID_ARGUMENT, "an argument is out of its range")                                                  \
  /* image/ */                                                                                            \
  X(IMAGE_EMPTY, "the image has no bytes")                                                                \
  X(UNSUPPORTED_IMAGE_FORMAT, "not a PNG, JPEG, BMP or GIF image")                                        \
  X(IMAGE_CORRUPT, "the image is damaged or truncated")                                                   \
  X(IMAGE_TOO_LARGE, "the image has more pixels than the limit")                                          \
  X(INVALID_PIXELS, "the pixel array does not fit its width, height, channels and stride")                \
  X(INVALID_ROI, "the region of interest is empty or outside the image")                                  \
  /* tflite/ */                                                                                           \
  X(MODEL_TRUNCATED, "the model is too short to be a .tflite file")                                       \
  X(MODEL_NOT_TFLITE, "the model is not a .tflite file (no TFL3 identifier)")                             \
  X(MODEL_BAD_OFFSET, "the model is damaged: an offset leaves the file")                                  \
  X(MODEL_BAD_TABLE, "the model is damaged: a table is malformed")                                        \
  X(MODEL_BAD_VECTOR, "the model is damaged: a vector leaves the file")                                   \
  X(MODEL_BAD_STRING, "the model is damaged: a string leaves the file or does not end")                   \
  X(MODEL_MISALIGNED, "the model is damaged: its data is not aligned to its element size")                \
  X(MODEL_NO_SUBGRAPH, "the model has no subgraph")                                                       \
  X(MODEL_NO_SIGNATURE, "the model does not have this signature")                                         \
  X(MODEL_BAD_TENSOR_INDEX, "the model names a tensor that it does not have")                             \
  X(MODEL_BAD_OPCODE, "the model names an operator code that it does not have")                           \
  X(MODEL_BAD_BUFFER, "a buffer of the model is missing, leaves the file or does not fit its tensor")     \
  X(MODEL_BAD_SHAPE, "a tensor of the model has an impossible shape")                                     \
  X(MODEL_BAD_DTYPE, "ocelli does not support an element type of the model")                              \
  X(MODEL_BAD_QUANTIZATION, "a tensor of the model has impossible quantization parameters")               \
  X(MODEL_BAD_OPTION, "an operator of the model has an option out of its range")                          \
  X(MODEL_BAD_ARITY, "an operator of the model has too few or too many inputs or outputs")                \
  X(MODEL_BAD_ORDER, "the model's operators are not in execution order, or two of them write one tensor") \
  X(MODEL_UNSUPPORTED_FEATURE, "the model uses a TFLite feature that ocelli does not support")            \
  /* tflite/metadata.c, tflite/zip.c */                                                                   \
  X(BAD_METADATA, "the model's metadata or its associated files are damaged")                             \
  /* graph/ */                                                                                            \
  X(UNSUPPORTED_OPERATOR, "ocelli does not support an operator of the model")                             \
  X(MODEL_BAD_GRAPH, "the model's operators and tensors do not fit together")                             \
  X(MODEL_TOO_LARGE, "the model needs more memory or computation than ocelli allows")                     \
  X(BATCH_NOT_FREE, "the model has a fixed batch size")                                                   \
  X(FEATURES_UNUSABLE, "the tensor is not a feature map that can be averaged")                            \
  X(INDEX_OUT_OF_RANGE, "the model computed an index from this input that its tensor does not have")      \
  /* ocelli.c */                                                                                          \
  X(SSD_SHAPE_MISMATCH, "the shapes of the detection heads do not match the anchors and classes")

typedef enum {
#define OCL_STATUS_ENUM(name, message) OCL_##name,
  OCL_STATUS_LIST(OCL_STATUS_ENUM)
#undef OCL_STATUS_ENUM
      OCL_NUM_STATUSES
} ocl_status;

// Details beyond the status, for the user (which operator, which tensor): NUL-terminated, empty if there are none.
typedef struct {
  char text[200];
} ocl_detail;

// "IMAGE_CORRUPT". Static storage; never NULL.
const char* ocl_status_name(ocl_status status);
// "the image is damaged or truncated". Static storage; never NULL.
const char* ocl_status_message(ocl_status status);
// Writes a printf-style text into `detail` (cut to fit; `detail` may be NULL) and returns `status`.
ocl_status ocl_status_with_detail(ocl_status status, ocl_detail* detail, const char* format, ...)
    __attribute__((format(printf, 3, 4)));

// Returns from the calling function if `expression` is not OCL_OK.
#define OCL_TRY(expression)                   \
  do {                                        \
    const ocl_status ocl_try_ = (expression); \
    if (ocl_try_ != OCL_OK) return ocl_try_;  \
  } while (0)

#endif  // OCELLI_STATUS_H_

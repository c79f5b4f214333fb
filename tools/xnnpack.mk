# Builds OUT/libxnnpack.a for one SIMD flavour. The main Makefile calls it; OUT's name contains a hash of this file.
#   make -f tools/xnnpack.mk FLAVOUR=simd|relaxed CC=… AR=… FAST=-O… SMALL=-O… SOURCES=… XNNPACK_DIR=… OUT=…
# CC includes the target's flags: those of a module or those of native/native.mk. FAST is for the microkernels, SMALL for
# the other files.
# Generated files include PER_FILE microkernels each, because 600 single compilations would spend most of their time in
# emcc's start-up. An interrupted build continues where it stopped. A module's objects are compiled with atomics, so they
# link into modules with and without threads. The linker drops unused code.
SHELL := bash
.DELETE_ON_ERROR:

X := $(XNNPACK_DIR)
NAME := xnnpack $(notdir $(OUT))

# The files that ocelli's operators need: no subgraph, runtime, JIT, sparse or f16 compute.
OPERATORS := average-pooling-nhwc binary-elementwise-nd constant-pad-nd convolution-nhwc fully-connected-nc \
  max-pooling-nhwc reduce-nd resize-bilinear-nhwc softmax-nc transpose-nd unary-elementwise-nc
CORE := allocator cache datatype im2col indirection init memory microkernel-utils microparams-init mutex normalization \
  operator-delete operator-run operator-utils params
REFERENCE := packing

FLAGS := -ffunction-sections -fdata-sections -fno-math-errno -w \
  -DXNN_ENABLE_CPUINFO=0 -DXNN_ENABLE_ASSEMBLY=0 -DXNN_ENABLE_KLEIDIAI=0 -DXNN_ENABLE_GEMM_M_SPECIALIZATION=1 \
  -DXNN_ENABLE_DWCONV_MULTIPASS=0 -DXNN_WASM_REVECTORIZE=0 -DXNN_ENABLE_MEMOPT=1 -DXNN_ENABLE_SPARSE=0 \
  -DXNN_LOG_LEVEL=0 -DNDEBUG -DPTHREADPOOL_NO_DEPRECATED_API \
  -I$(OUT)/include -I$X/include -I$X/src -I$X -I$(SOURCES)/pthreadpool/include -I$(SOURCES)/fp16/include -I$(SOURCES)/fxdiv/include

# ocelli does not use the f16, dynamically quantized and 4-bit kernels, but XNNPACK's configuration tables refer to some
# of them, so they are compiled; the linker drops the others.
ISAS := scalar wasm wasmsimd $(if $(filter relaxed,$(FLAVOUR)),wasmrelaxedsimd)
KERNELS := $(foreach isa,$(ISAS),$(shell awk '/^SET.PROD_/ { on = 1 } on && match($$0, /src.*[.]c/) { print substr($$0, RSTART, RLENGTH) } /[\051]/ { on = 0 }' $X/cmake/gen/$(isa)_microkernels.cmake))
TABLES := $(patsubst $X/%,%,$(wildcard $X/src/tables/*.c))

SINGLES := $(CORE:%=src/%.c) $(OPERATORS:%=src/operators/%.c) $(patsubst $X/%,%,$(wildcard $X/src/configs/*.c)) \
  $(REFERENCE:%=src/reference/%.cc)
SINGLE_OBJECTS := $(patsubst src/%,$(OUT)/obj/%.o,$(SINGLES))

PER_FILE := 24
NUM_BATCHES := $(shell echo $$(( ($(words $(KERNELS) $(TABLES)) + $(PER_FILE) - 1) / $(PER_FILE) )))
BATCHES := $(shell seq -f '$(OUT)/obj/kernels-%02g' $(NUM_BATCHES))
OBJECTS := $(BATCHES:%=%.o) $(SINGLE_OBJECTS)

$(OUT)/libxnnpack.a: $(OBJECTS)
	@rm -f $@ && $(AR) qcs $@ $^ && echo "  $(NAME): done"

# An empty stand-in: the kernel f32-qs8-vcvt-wasmsimd-magic includes <arm_neon.h> but uses only WASM SIMD.
$(OUT)/include/arm_neon.h:
	@mkdir -p $(@D) && echo '#include <wasm_simd128.h>' >$@

$(BATCHES:%=%.c): $(OUT)/obj/kernels-%.c:
	@mkdir -p $(@D) && printf '%s\n' $(KERNELS) $(TABLES) | sed -n "$$((10#$* * $(PER_FILE) - $(PER_FILE) + 1)),$$((10#$* * $(PER_FILE)))s/.*/#include \"&\"/p" >$@.tmp && mv $@.tmp $@

progress = @mkdir -p $(@D) && echo "  $(NAME): $$(find $(OUT)/obj -name '*.o' | wc -l)/$(words $(OBJECTS)) $(*F)"

$(BATCHES:%=%.o): %.o: %.c $(OUT)/include/arm_neon.h
	$(progress)
	@$(CC) $(FAST) $(FLAGS) -std=c11 -c $< -o $@

# The other files run once per operator, so they are compiled for size.
UNUSED_IN := operators/binary-elementwise-nd operators/unary-elementwise-nc operators/reduce-nd configs/dwconv-config \
  configs/gemm-config configs/transpose-config
$(UNUSED_IN:%=$(OUT)/obj/%.c.o): EXTRA := -include tools/xnnpack_unused.h
$(OUT)/obj/%.c.o: $X/src/%.c
	$(progress)
	@$(CC) $(SMALL) $(FLAGS) $(EXTRA) -std=c11 -c $< -o $@
$(OUT)/obj/%.cc.o: $X/src/%.cc
	$(progress)
	@$(CC) $(SMALL) $(FLAGS) -std=c++17 -fno-exceptions -fno-rtti -c $< -o $@

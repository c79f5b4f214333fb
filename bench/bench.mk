# Benchmarks against other engines; included by the Makefile. `make bench` prints a report and writes it to
# build/bench/report.md.

BENCH_NODE := node_modules/node-24/bin/node
BARE_SOURCES := bench/bare/bare.c $(addprefix src/tflite/,tflite.c operators.c schema.c verify.c flatbuffer.c weights.c) $(addprefix src/base/,status.c tensor.c text.c)
HEADS_SOURCES := bench/heads/heads.c $(addprefix src/detect/,ssd.c nms.c maxima.c)
BENCH_WASM := $(BARE_WASM) build/bench/heads.wasm

# Links with the flags of the single-threaded variants: $(call bench_link,flavour,exports,objects and libraries)
bench_link = mkdir -p $(@D) && echo "  $(1): link $(@F)" && \
  $$(cat build/emcc) -O1 -msimd128 -mbulk-memory -matomics --no-entry -sFILESYSTEM=0 -sASSERTIONS=0 \
  -sALLOW_MEMORY_GROWTH -sINITIAL_MEMORY=$$(($(INITIAL_PAGES) * 65536)) -sMAXIMUM_MEMORY=$$(($(MAXIMUM_PAGES) * 65536)) \
  -sSTACK_SIZE=$(STACK_BYTES) -Wl,--stack-first -Wl,--gc-sections -sEXPORTED_FUNCTIONS=@$(2) $(3) \
  -o build/$(1)/$(@F:.wasm=.mjs) 2> >(grep -v '^cache:INFO' >&2) && \
  $$($$(dirname $$(cat build/emcc))/em-config BINARYEN_ROOT)/bin/wasm-opt -O3 --enable-simd --enable-bulk-memory \
  --enable-threads --enable-sign-ext --enable-mutable-globals --enable-nontrapping-float-to-int \
  $(if $(filter relaxed,$(1)),--enable-relaxed-simd) build/$(1)/$(@F) -o $@

# So that one that does not link any more is noticed.
test: $(BENCH_WASM)

# Bare XNNPACK (bench/bare), from the same objects and the same library as ocelli's modules.
build/bench/bare-%.wasm: build/xnnpack-% bench/bare/exports.txt bench/subgraph.mk
	@$(MAKE) -s -f bench/subgraph.mk FLAVOUR=$* CC="$(XNNPACK_CC)" AR="$(XNNPACK_AR)" $(XNNPACK_LEVELS) \
	  SOURCES=$(SOURCES) XNNPACK_DIR=$(XNNPACK_DIR) OUT=$$(cat build/xnnpack-$*)/subgraph
	@$(call bench_link,$*,bench/bare/exports.txt,$(filter %.o,$^) \
	  $$(cat build/xnnpack-$*)/subgraph/libxnnpack-subgraph.a $$(cat build/xnnpack-$*)/libxnnpack.a)
$(foreach flavour,simd relaxed,$(eval build/bench/bare-$(flavour).wasm: \
  $(BARE_SOURCES:%.c=build/$(flavour)/%.o) build/$(flavour)/pool/shim.o))

build/bench/heads.wasm: $(HEADS_SOURCES:%.c=build/relaxed/%.o) bench/heads/exports.txt
	@$(call bench_link,relaxed,bench/heads/exports.txt,$(filter %.o,$^))

bench-photos: all ## large photos: decode 'full' and 'scaled' compared, and times beside sharp
	@mkdir -p build/bench && { $(BENCH_NODE) bench/photos.js --times && $(BENCH_NODE) bench/photos.js; } | tee build/bench/photos.md; exit $${PIPESTATUS[0]}

bench: all $(BENCH_WASM) build/package/package.json ## compare times with bare XNNPACK, LiteRT.js and TensorFlow.js
	@{ echo "# ocelli: benchmarks"; echo; \
	  $(BENCH_NODE) bench/network.js --variant relaxed && $(BENCH_NODE) bench/network.js --variant simd && \
	  $(BENCH_NODE) bench/choices.js && $(BENCH_NODE) bench/pipeline.js && $(BENCH_NODE) bench/startup.js && $(BENCH_NODE) bench/page.js && $(BENCH_NODE) bench/line.js && \
	  $(BENCH_NODE) bench/cold-start.js && $(BENCH_NODE) bench/features.js && $(BENCH_NODE) bench/train.js && \
	  $(BENCH_NODE) bench/evaluate.js; } | tee build/bench/report.md; \
	exit $${PIPESTATUS[0]}

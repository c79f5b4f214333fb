# Benchmarks against independent engines; included by the Makefile. build/bench/report.md is what `make bench` prints.

BENCH_NODE := node_modules/node-24/bin/node
BARE_SOURCES := bench/bare/bare.c $(wildcard src/tflite*.c) src/flatbuffer.c src/weights.c src/status.c
BARE_LINK_FLAGS = -O1 -msimd128 -mbulk-memory -matomics --no-entry -sFILESYSTEM=0 -sASSERTIONS=0 -sALLOW_MEMORY_GROWTH \
  -sINITIAL_MEMORY=$$(($(INITIAL_PAGES) * 65536)) -sMAXIMUM_MEMORY=$$(($(MAXIMUM_PAGES) * 65536)) \
  -sSTACK_SIZE=$(STACK_BYTES) -Wl,--stack-first -Wl,--gc-sections -sEXPORTED_FUNCTIONS=@bench/bare/exports.txt
BARE_WASM_OPT = $$($$(dirname $$(cat build/emcc))/em-config BINARYEN_ROOT)/bin/wasm-opt -O3 --enable-simd \
  --enable-bulk-memory --enable-threads --enable-sign-ext --enable-mutable-globals --enable-nontrapping-float-to-int

# Bare XNNPACK (bench/bare): linked as the single-threaded variants are, with the same objects and library.
define bare_rules
build/bench/bare-$(1).wasm: $(BARE_SOURCES:%.c=build/$(1)/%.o) build/$(1)/pool/shim.o build/xnnpack-$(1) \
  bench/bare/exports.txt bench/subgraph.mk
	@mkdir -p $$(@D) && $$(MAKE) -f bench/subgraph.mk FLAVOUR=$(1) EMCC=$$$$(cat build/emcc) SOURCES=$$(SOURCES) \
	  XNNPACK_DIR=$$(XNNPACK_DIR) OUT=$$$$(cat build/xnnpack-$(1))/subgraph
	@echo "  $(1): link bare XNNPACK"
	@$$$$(cat build/emcc) $$(BARE_LINK_FLAGS) $$(filter %.o,$$^) \
	  $$$$(cat build/xnnpack-$(1))/subgraph/libxnnpack-subgraph.a $$$$(cat build/xnnpack-$(1))/libxnnpack.a \
	  -o build/$(1)/bare.mjs 2> >(grep -v '^cache:INFO' >&2)
	@$$(BARE_WASM_OPT) $(if $(filter relaxed,$(1)),--enable-relaxed-simd) build/$(1)/bare.wasm -o $$@
endef
$(foreach flavour,simd relaxed,$(eval $(call bare_rules,$(flavour))))

bench: all build/bench/bare-simd.wasm build/bench/bare-relaxed.wasm ## ratios to bare XNNPACK and to LiteRT.js
	@{ echo "# ocelli: benchmarks"; echo; \
	  $(BENCH_NODE) bench/network.js --variant relaxed && $(BENCH_NODE) bench/network.js --variant simd && \
	  $(BENCH_NODE) bench/pipeline.js && $(BENCH_NODE) bench/startup.js; } | tee build/bench/report.md; \
	exit $${PIPESTATUS[0]}

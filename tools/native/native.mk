# Builds the whole library natively under ASan and UBSan, with the kernels that the modules have: SIMDe translates the
# WebAssembly SIMD of XNNPACK's kernels and of ours. 32 bits find the sizes that wrap in WebAssembly, and not in 64 bits.
# build/native/WIDTH-FLAVOUR/libocelli.a contains all of src/ and XNNPACK, for plain or for relaxed SIMD.
NATIVE_HEADERS := $(wildcard tools/native/include/*.h tools/native/include/*/*.h)
NATIVE_BUILDS := 32-simd 32-relaxed 64-simd 64-relaxed
# For fuzzing (tests/fuzz/README.md): src/ tells libFuzzer which branches it takes, and XNNPACK checks its assertions.
FUZZ_BUILDS := 32-simd-fuzz 32-relaxed-fuzz
# UBSan does not check function types, because XNNPACK calls its kernels through pointers of other types. XNNPACK's kernels
# are compiled without UBSan: it sees nothing in vectors, and compiling would take three times as long.
native_cc = clang-19 -m$(firstword $(subst -, ,$(1))) $(if $(findstring relaxed,$(1)),-D__wasm_relaxed_simd__) -Itools/native/include \
  -O1 -g1 -fno-omit-frame-pointer -msse4.1 -ffp-contract=off -fno-math-errno -flax-vector-conversions=all \
  -fsanitize=address,undefined -fno-sanitize=function -fno-sanitize-recover=undefined
NATIVE_OBJECTS := $(patsubst %.c,%.o,$(filter-out src/graph/threads.c,$(C_FILES)) tools/native/native.c) pool/shim.o

# $(1): build
define native_rules
build/xnnpack-native-$(1): XNNPACK_CC := $(call native_cc,$(1)) $(if $(findstring fuzz,$(1)),-Itools/native/assertions)
build/xnnpack-native-$(1): XNNPACK_AR := llvm-ar-19 --thin
build/xnnpack-native-$(1): XNNPACK_LEVELS := FAST=-fno-sanitize=undefined
build/xnnpack-native-$(1): $(NATIVE_HEADERS) $(if $(findstring fuzz,$(1)),tools/native/assertions/assert.h)
build/native/$(1)/%.o: %.c $$(C_HEADERS) $(NATIVE_HEADERS) build/sources
	@mkdir -p $$(@D) && echo "  native $(1): $$<"
	@$(call native_cc,$(1)) $(if $(findstring fuzz,$(1)),-fsanitize=fuzzer-no-link) $$(WARNINGS) $$(FILE_FLAGS) $$(INCLUDES) -c $$< -o $$@
build/native/$(1)/pool/%.o: build/sources
	@mkdir -p $$(@D) && $(call native_cc,$(1)) -w -DNDEBUG $$(INCLUDES) -c $$(SOURCES)/pthreadpool/src/$$*.c -o $$@
build/native/$(1)/libocelli.a: $(NATIVE_OBJECTS:%=build/native/$(1)/%) build/xnnpack-native-$(1)
	@rm -f $$@ && llvm-ar-19 --thin qcs $$@ $$(filter %.o,$$^) $$$$(cat build/xnnpack-native-$(1))/libxnnpack.a
endef
$(foreach build,$(NATIVE_BUILDS) $(FUZZ_BUILDS),$(eval $(call native_rules,$(build))))

# ---- tests ----

# Tests of what relaxed SIMD changes run in both flavours, the others in the plain one.
NATIVE_TESTS := $(foreach build,$(NATIVE_BUILDS),$(patsubst tests/c/%.c,build/native/$(build)/tests/%, \
  $(wildcard $(if $(findstring relaxed,$(build)),$(addprefix tests/c/,graph/test_*.c train/test_*.c),tests/c/*/test_*.c))))

# $(1): build
define native_test_rules
$(addprefix build/native/$(1)/tests/graph/,test_golden test_hostile): build/native/cases/hostile.txt
build/native/$(1)/tests/%: tests/c/%.c build/native/$(1)/libocelli.a $$(wildcard tests/c/*.h tests/c/*/*.h)
	@mkdir -p $$(@D) && echo "  native $(1): $$*" && $(call native_cc,$(1)) $$(WARNINGS) -Itests/c $$(INCLUDES) $$< build/native/$(1)/libocelli.a \
	  -fuse-ld=lld -Wl,--wrap=xnn_pack_f32_conv_goki_w -Wl,-u,__asan_default_options -lm -o $$@
endef
$(foreach build,$(NATIVE_BUILDS),$(eval $(call native_test_rules,$(build))))

build/native/cases/hostile.txt: tests/c/graph/write_cases.js tests/golden_cases.js $(wildcard tests/fuzz/*.js tests/data/ops/* tests/data/models/*) \
  | node_modules/.installed
	@rm -rf $(@D) && node $< $(@D)
test-c: $(NATIVE_TESTS) ## build the native C tests and run them under ASan and UBSan, in 32 and 64 bits
	@for test in $(NATIVE_TESTS); do $$test || echo "# $$test ended with $$?"; done | awk '{ print } \
	  /^ok .* # SKIP / { skipped++; next } /^ok / { passed++ } /^not ok / { failed++ } /^# .* ended with / { broken = 1 } \
	  END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped; exit broken }'
include tests/fuzz/fuzz.mk

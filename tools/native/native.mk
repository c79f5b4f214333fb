# Builds the whole library natively under ASan and UBSan, with the kernels that the modules have: SIMDe translates the
# WebAssembly SIMD of XNNPACK's kernels and of ours. 32 bits find the sizes that wrap in WebAssembly, and not in 64 bits.
# build/native/WIDTH-FLAVOUR/libocelli.a contains all of src/ and XNNPACK, for plain or for relaxed SIMD.
NATIVE_HEADERS := $(wildcard tools/native/include/*.h tools/native/include/*/*.h)
NATIVE_BUILDS := 32-simd 32-relaxed 64-simd 64-relaxed
# For fuzzing (tests/fuzz/README.md): src/ tells libFuzzer which branches it takes. In 32 bits, XNNPACK checks its assertions.
FUZZ_BUILDS := 32-simd-fuzz 32-relaxed-fuzz
# UBSan does not check function types, because XNNPACK calls its kernels through pointers of other types. XNNPACK's kernels
# are compiled without UBSan: it sees nothing in vectors, and compiling would take three times as long.
native_cc = clang-19 -m$(firstword $(subst -, ,$(1))) $(if $(findstring relaxed,$(1)),-D__wasm_relaxed_simd__) -Itools/native/include \
  -O1 -g1 -fno-omit-frame-pointer -msse4.1 -ffp-contract=off -fno-math-errno -flax-vector-conversions=all \
  $(if $(findstring threads,$(1)),-fsanitize=thread -DOCL_THREADS,-fsanitize=address,undefined -fno-sanitize=function -fno-sanitize-recover=undefined)
# The thread pool, under TSan, which has 64 bits only.
THREADS_BUILD := 64-simd-threads
NATIVE_OBJECTS := $(patsubst %.c,%.o,$(filter-out src/graph/threads.c,$(C_FILES)) tools/native/native.c)

# Of our code and of its tests: what a function does not set is neither 0 nor NULL by chance.
SOILED := -ftrivial-auto-var-init=pattern

# $(1): build
define native_rules
build/xnnpack-native-$(1): XNNPACK_CC := $(call native_cc,$(1)) $(if $(findstring fuzz,$(1)),-Itools/native/assertions)
build/xnnpack-native-$(1): XNNPACK_AR := llvm-ar-19 --thin
build/xnnpack-native-$(1): XNNPACK_LEVELS := FAST=-fno-sanitize=undefined
build/xnnpack-native-$(1): $(NATIVE_HEADERS) $(if $(findstring fuzz,$(1)),tools/native/assertions/assert.h)
build/native/$(1)/%.o: %.c $$(C_HEADERS) $(NATIVE_HEADERS) build/sources
	@mkdir -p $$(@D) && echo "  native $(1): $$<"
	@$(CCACHE) $(call native_cc,$(1)) $(if $(findstring fuzz,$(1)),-fsanitize=fuzzer-no-link) $(if $(findstring coverage,$(1)),$(COVERAGE)) $$(WARNINGS) $(SOILED) $$(FILE_FLAGS) $$(INCLUDES) -c $$< -o $$@
build/native/$(1)/pool/%.o: build/sources
	@mkdir -p $$(@D) && $(CCACHE) $(call native_cc,$(1)) -w -DNDEBUG $$(INCLUDES) -c $$(SOURCES)/pthreadpool/src/$$*.c -o $$@
build/native/$(1)/libocelli.a: $(patsubst %,build/native/$(1)/%,$(NATIVE_OBJECTS) $(if $(findstring threads,$(1)),src/graph/threads.o pool/portable-api.o pool/fastpath.o,pool/shim.o)) build/xnnpack-native-$(1)
	@rm -f $$@ && llvm-ar-19 --thin qcs $$@ $$(filter %.o,$$^) $$$$(cat build/xnnpack-native-$(1))/libxnnpack.a
endef
build/native/$(THREADS_BUILD)/src/graph/threads.o: FILE_FLAGS = -D_GNU_SOURCE -include tools/native/threads/wasm_atomics.h
# Counters keep some loops from being unrolled.
COVERAGE := -fprofile-instr-generate -fcoverage-mapping -Wno-pass-failed
COVERAGE_BUILDS := $(NATIVE_BUILDS:%=%-coverage)
$(foreach build,$(COVERAGE_BUILDS),$(eval build/xnnpack-native-$(build): build/xnnpack-native-$(build:-coverage=); @cp $$< $$@))
# In 32 bits, one XNNPACK for the tests and for fuzzing.
$(foreach build,$(FUZZ_BUILDS),$(eval build/xnnpack-native-$(build:-fuzz=): build/xnnpack-native-$(build); @cp $$< $$@))
$(foreach build,$(NATIVE_BUILDS) $(FUZZ_BUILDS) $(THREADS_BUILD) $(COVERAGE_BUILDS),$(eval $(call native_rules,$(build))))

# ---- tests ----

# Tests of what relaxed SIMD changes run in both flavours, the others in the plain one.
NATIVE_TESTS := $(foreach build,$(NATIVE_BUILDS),$(patsubst tests/c/%.c,build/native/$(build)/tests/%, \
  $(if $(findstring relaxed,$(build)),$(wildcard $(addprefix tests/c/,bridge/test_*.c graph/test_*.c train/test_*.c)),$(filter-out tests/c/threads/%,$(wildcard tests/c/*/test_*.c))))) \
  build/native/$(THREADS_BUILD)/tests/threads/test_threads
# $(1): build
define native_test_rules
$(addprefix build/native/$(1)/tests/,graph/test_golden graph/test_graph graph/test_hostile graph/test_parts session/test_allocation session/test_session threads/test_threads): build/native/cases/hostile.txt
build/native/$(1)/tests/session/test_allocation: TEST_FLAGS := $(foreach name,malloc calloc realloc aligned_alloc memalign posix_memalign free,-Wl,--wrap=$(name))
build/native/$(1)/tests/%.o: tests/c/%.c $$(C_HEADERS) $(NATIVE_HEADERS) $$(wildcard tests/c/*.h tests/c/*/*.h) build/sources
	@mkdir -p $$(@D) && echo "  native $(1): $$*" \
	  && $(CCACHE) $(call native_cc,$(1)) $(if $(findstring coverage,$(1)),$(COVERAGE)) $$(WARNINGS) $(SOILED) -Itests/c $$(INCLUDES) -c $$< -o $$@
build/native/$(1)/tests/bridge/test_measure.o: wasm/bridge/exports_measure.c
build/native/$(1)/tests/%: build/native/$(1)/tests/%.o build/native/$(1)/libocelli.a
	@$(call native_cc,$(1)) $$(filter %.o %.a,$$^) -fuse-ld=lld $(if $(findstring coverage,$(1)),$(COVERAGE)) $$(TEST_FLAGS) \
	  -Wl,--wrap=xnn_pack_f32_conv_goki_w -Wl,-u,__asan_default_options -lm -o $$@
.PRECIOUS: build/native/$(1)/tests/%.o
endef
$(foreach build,$(NATIVE_BUILDS) $(THREADS_BUILD) $(COVERAGE_BUILDS),$(eval $(call native_test_rules,$(build))))

build/native/cases/hostile.txt: tests/c/graph/write_cases.js tests/c/session/networks.js tests/golden_cases.js \
  $(wildcard tests/c/graph/*.js tests/node/engine/convolution.js tests/node/engine/blocks.js tests/fuzz/*.js tests/data/ops/* tests/data/models/*) \
  | $(CONSTANTS) node_modules/.installed
	@rm -rf $(@D) && node $< $(@D)
test-c: $(NATIVE_TESTS) ## build the native C tests and run them under ASan and UBSan, in 32 and 64 bits
	@for test in $(NATIVE_TESTS); do $$test || echo "# $$test ended with $$?"; done | awk '{ print } \
	  /^ok .* # SKIP / { skipped++; next } /^ok / { passed++ } /^not ok / { failed++ } /^# .* ended with / { broken = 1 } \
	  END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped; exit broken }'

# ---- coverage ----

COVERED_TESTS := $(foreach build,$(COVERAGE_BUILDS),$(patsubst build/native/$(build:-coverage=)/%,build/native/$(build)/%, \
  $(filter build/native/$(build:-coverage=)/%,$(NATIVE_TESTS))))
coverage: $(COVERED_TESTS) ## how many lines of src/ the native tests run; tools/native/uncovered.json lists the others
	@rm -rf build/coverage && mkdir -p build/coverage && for test in $(COVERED_TESTS); do \
	  LLVM_PROFILE_FILE=build/coverage/$$(echo $$test | cut -d/ -f3)-%p.profraw $$test >/dev/null || { echo "# $$test failed"; exit 1; }; done
	@for build in $(COVERAGE_BUILDS); do profile=build/coverage/$$build; llvm-profdata-19 merge -sparse $$profile-*.profraw -o $$profile.profdata \
	  && llvm-cov-19 export -format=lcov $$(printf -- '-object %s ' $(COVERED_TESTS) | grep -o "build/native/$$build/[^ ]*" | sed 's/^/-object /') \
	    -instr-profile=$$profile.profdata '-ignore-filename-regex=(tests|tools|bridge|xnnpack|pthreadpool|simde)/' >$$profile.info || exit 1; done
	@node tools/native/coverage.js build/coverage
include tests/fuzz/fuzz.mk

# Compare the decoders with libjpeg-turbo and libpng (Debian's libjpeg62-turbo-dev and libpng-dev): part of `make soak`.
IMAGE_SOAKS := build/native/64-simd/soak/jpeg build/native/64-simd/soak/png
build/native/64-simd/soak/jpeg: SOAK_LIBRARY := -ljpeg
build/native/64-simd/soak/png: SOAK_LIBRARY := -lpng
# Prints files for tests/data/make/pictures.py.
PICTURES := build/native/64-simd/soak/pictures
$(IMAGE_SOAKS) $(PICTURES): build/native/64-simd/soak/%: tests/c/soak/%.c build/native/64-simd/libocelli.a $(wildcard tests/c/*.h tests/c/image/*.h)
	@mkdir -p $(@D) && echo '  native 64-simd: soak/$*' && $(call native_cc,64-simd) $(WARNINGS) -Itests/c $(INCLUDES) $< build/native/64-simd/libocelli.a \
	  -fuse-ld=lld -Wl,--wrap=xnn_pack_f32_conv_goki_w -Wl,-u,__asan_default_options $(SOAK_LIBRARY) -lm -o $@

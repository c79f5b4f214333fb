# The fuzz targets of tests/fuzz (its README.md says what they do and how to run them).
FUZZ_TARGETS := image resize model detect train session mutated generated
FUZZ_HEADERS := $(wildcard tests/fuzz/*.h tests/c/*.h tests/c/tflite/*.h)
FUZZ_PARTS := generator generate_step generate_families network_file
fuzz_cc = $(call native_cc,$(1)) $(WARNINGS) -fsanitize=fuzzer-no-link -Itests/c -Itests/fuzz

# try_network.c gives every tensor memory of its own, runs no bands, and refuses long work: it defines what these files define.
build/native/%-fuzz/src/base/arena.o: FILE_FLAGS = -Docl_arena_plan=ocl_arena_plan_shared
build/native/%-fuzz/src/graph/bands.o: FILE_FLAGS = -DOCL_SMALL_CACHES -Docl_graph_find_bands=ocl_graph_find_bands_of_all
build/native/%-fuzz/src/graph/operators/conv_rows.o: FILE_FLAGS = -DOCL_SMALL_CACHES
build/native/%-fuzz/src/graph/limits.o: FILE_FLAGS = -Docl_graph_check_work=ocl_graph_check_work_limited

define fuzz_rules
build/native/$(1)/fuzz/%.o: tests/fuzz/%.c $$(FUZZ_HEADERS) $$(C_HEADERS) $(NATIVE_HEADERS) build/sources
	@mkdir -p $$(@D) && echo "  native $(1): $$<" && $(CCACHE) $$(call fuzz_cc,$(1)) $$(INCLUDES) -c $$< -o $$@
# try_network.c with a library of its own, of which the program sees only its function.
build/native/$(1)/fuzz/flavour.o: build/native/$(1)/fuzz/try_network.o build/native/$(1)/libocelli.a
	@clang-19 -m32 -r -nostdlib -fuse-ld=lld -Wl,--wrap=xnn_pack_f32_conv_goki_w $$^ -o $$@ \
	  && llvm-objcopy-19 --wildcard --keep-global-symbol='try_network_*' --keep-global-symbol=___asan_globals_registered --keep-global-symbol='asan.module_*' $$@
endef
$(foreach build,$(FUZZ_BUILDS),$(eval $(call fuzz_rules,$(build))))

FUZZ := build/native/32-simd-fuzz
FUZZ_ENGINE := -fsanitize=fuzzer
FUZZ_LINK = $(call native_cc,32-simd-fuzz) $(FUZZ_ENGINE) -fuse-ld=lld -Wl,--wrap=xnn_pack_f32_conv_goki_w -Wl,-u,__asan_default_options -lm
$(FUZZ)/fuzz/mutated $(FUZZ)/fuzz/generated: $(FUZZ)/fuzz/%: $(FUZZ)/fuzz/%.o $(FUZZ_PARTS:%=$(FUZZ)/fuzz/%.o) \
  $(FUZZ_BUILDS:%=build/native/%/fuzz/flavour.o) $(FUZZ)/libocelli.a
	@echo "  fuzz: $*" && $(FUZZ_LINK) $^ -o $@
$(FUZZ)/fuzz/image $(FUZZ)/fuzz/resize $(FUZZ)/fuzz/model $(FUZZ)/fuzz/detect $(FUZZ)/fuzz/train: $(FUZZ)/fuzz/%: \
  $(FUZZ)/fuzz/%.o $(FUZZ)/fuzz/try_network.o $(FUZZ)/libocelli.a
	@echo "  fuzz: $*" && $(FUZZ_LINK) $^ -o $@
$(FUZZ)/fuzz/session: $(FUZZ)/fuzz/session.o $(FUZZ_PARTS:%=$(FUZZ)/fuzz/%.o) $(FUZZ)/fuzz/try_network.o $(FUZZ)/libocelli.a
	@echo "  fuzz: $(@F)" && $(FUZZ_LINK) $^ -o $@
FUZZ_PROGRAMS := $(FUZZ_TARGETS:%=$(FUZZ)/fuzz/%)

build/fuzz/seeds: tests/fuzz/write_seeds.js $(wildcard tests/fuzz/*.js) $(wildcard tests/data/ops/*.tflite) $(CONSTANTS) node_modules/.installed
	@rm -rf $@ && node $< $@

# $(1): options, $(2): folder for new inputs. libFuzzer writes to its first folder.
define fuzz_each
	@for target in $(FUZZ_TARGETS); do mkdir -p $(2)/$$target build/fuzz/findings; \
	  $(FUZZ)/fuzz/$$target $(1) -artifact_prefix=build/fuzz/findings/$$target- -max_len=25000 \
	  $(2)/$$target tests/fuzz/corpus/$$target $(3) >build/fuzz/$$target.log 2>&1 \
	  || { tail -60 build/fuzz/$$target.log; exit 1; }; \
	  echo "  fuzz: $$target, $$(grep -a '^Done' build/fuzz/$$target.log)"; done
endef
FUZZ_S := 60
fuzz: $(FUZZ_PROGRAMS) build/fuzz/seeds ## fuzz every target natively, for FUZZ_S seconds each (60)
	$(call fuzz_each,-max_total_time=$(FUZZ_S) -timeout=60 -rss_limit_mb=3000,build/fuzz/corpus,build/fuzz/seeds/$$target)
# Counted in inputs, not in seconds: the same on every machine.
FUZZ_RUNS := 2000
test-fuzz: $(FUZZ_PROGRAMS) ## the fuzz targets' corpus, and some new inputs
	@rm -rf build/fuzz/new
	$(call fuzz_each,-seed=1 -runs=$(FUZZ_RUNS) -timeout=300 -rss_limit_mb=3000,build/fuzz/new,)

# ocelli: `make help` lists the targets. tools/setup.sh installs the packages that this file needs.
SHELL := bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
JOBS := $(shell nproc)
# Tools that need a newer Node than Debian's.
NODE := node_modules/node-24/bin/node
# One job more than cores, because downloads and browser tests often wait.
MAKEFLAGS += -j$(shell expr $(JOBS) + 1) --no-print-directory

# One module per variant: plain or relaxed SIMD, one thread or several.
VARIANTS := simd relaxed simd-threads relaxed-threads
INITIAL_PAGES := 64
MAXIMUM_PAGES := 16384
STACK_BYTES := 262144
# Limits for one variant, gzipped: the wasm alone, and the wasm with all JavaScript files that are loaded with it.
WASM_BUDGET_BYTES := 160000
SIZE_BUDGET_BYTES := 204800
# Of an entry that comes beside the module.
BESIDE_BUDGET_BYTES := 6144

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ocelli
# What another checkout compiled is not compiled again. The folder of the checkout is not in the hash: all paths are relative.
CCACHE := $(shell command -v ccache)
export CCACHE_DIR := $(CACHE)/ccache
export CCACHE_NOHASHDIR := true
export CCACHE_COMPILERTYPE := clang
export CCACHE_MAXSIZE := 1G
# Training is a separate module, so that a detector does not contain it. It needs no XNNPACK.
TRAIN_VARIANTS := train-simd train-relaxed
WASM := $(VARIANTS:%=dist/ocelli-%.wasm) $(TRAIN_VARIANTS:%=dist/ocelli-%.wasm)
# Generated JavaScript: constants of this file, struct layouts and the operator table of the modules.
CONSTANTS := dist/build.js dist/layout.js dist/operators.js
MODEL := dist/models/ssd_mobilenet_v2_oidv4.bin
INT8_MODEL := dist/models/ssd_mobilenet_v2_oidv4-int8.gz
COMPRESSED_MODEL := dist/models/ssd_mobilenet_v2_oidv4.gz
# What ocelli/inline carries.
INLINE_MODEL := $(COMPRESSED_MODEL)
INLINE := dist/inline/model.js
SOURCES = $(shell cat build/sources)
XNNPACK_DIR ?= $(SOURCES)/xnnpack

.PHONY: all wasm help release bundlers detect queue picture docs lighthouse serve test test-node test-node-20 test-node-24 test-browser test-firefox test-webkit test-edge test-service test-package test-docs test-c test-fuzz fuzz coverage mutants soak soak-long bench bench-photos evaluate lint format check-size check-types clean
all: wasm $(MODEL) $(INT8_MODEL) $(COMPRESSED_MODEL) $(INLINE) dist/font.js dist/web/browser.js docs/operators.md sbom.cdx.json ## everything that `npm pack` needs
wasm: $(WASM) $(CONSTANTS) ## the four wasm variants and the two for training

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# ---- toolchain and XNNPACK, in the user's cache ----

build/emcc: tools/toolchain.sh tools/trixie.sh
	@mkdir -p build && tools/toolchain.sh >$@.tmp && mv $@.tmp $@
# The same path keeps its time, so that nothing is compiled again.
build/sources: tools/sources.sh tools/trixie.sh
	@mkdir -p build && tools/sources.sh >$@.tmp && { cmp -s $@.tmp $@ || cp $@.tmp $@; } && rm $@.tmp

# build/xnnpack-… contains the path of a built library. The path has a hash of everything that the library is made from.
XNNPACK_OF_WASM := build/xnnpack-simd build/xnnpack-relaxed
BARE_WASM := build/bench/bare-simd.wasm build/bench/bare-relaxed.wasm
$(XNNPACK_OF_WASM): build/emcc
$(XNNPACK_OF_WASM) $(BARE_WASM): XNNPACK_CC = $$(cat build/emcc) -msimd128 -mbulk-memory -matomics $(if $(findstring relaxed,$@),-mrelaxed-simd)
$(XNNPACK_OF_WASM) $(BARE_WASM): XNNPACK_AR = $$(dirname $$(cat build/emcc))/emar
$(XNNPACK_OF_WASM) $(BARE_WASM): XNNPACK_LEVELS := FAST=-O3 SMALL=-Os
build/xnnpack-%: build/sources tools/xnnpack.mk tools/xnnpack_unused.h
	@cc="$(XNNPACK_CC)"; key=$$({ cat $(filter tools/%,$^); $$cc -dumpversion; echo $$cc "$(XNNPACK_LEVELS)" $(XNNPACK_DIR) $(SOURCES); } | sha256sum | cut -c1-12); \
	out=$(CACHE)/xnnpack-$$key/$*; \
	$(MAKE) -f tools/xnnpack.mk FLAVOUR=$(if $(findstring relaxed,$*),relaxed,simd) CC="$$cc" AR="$(XNNPACK_AR)" $(XNNPACK_LEVELS) \
	  SOURCES=$(SOURCES) XNNPACK_DIR=$(XNNPACK_DIR) OUT=$$out && echo $$out >$@

# ---- C sources: compiled for plain and for relaxed SIMD; files that use OCL_THREADS again for threads ----

C_FILES := $(wildcard src/*.c src/*/*.c src/*/*/*.c)
TRAIN_SOURCES := $(wildcard src/train/*.c)
COMMON_EXPORTS := wasm/bridge/exports_common.c
C_SOURCES := $(filter-out src/graph/threads.c $(TRAIN_SOURCES),$(C_FILES)) $(addprefix wasm/bridge/,exports.c exports_measure.c) \
  $(COMMON_EXPORTS)
THREADED_SOURCES := $(shell grep -l OCL_THREADS $(C_SOURCES))
C_HEADERS := $(wildcard src/*.h src/*/*.h src/*/*/*.h src/*/*.def wasm/bridge/*.h)
WARNINGS := -std=c11 -Wall -Wextra -Werror
INCLUDES = -Isrc -isystem $(XNNPACK_DIR)/include -isystem $(SOURCES)/pthreadpool/include \
  -isystem $(SOURCES)/fxdiv/include -isystem $(SOURCES)/pthreadpool/src -isystem $(XNNPACK_DIR)/src
# -ffp-contract=off: no fused multiply-adds, so that the plain variant gives the same bits on every engine.
WASM_FLAGS := -msimd128 -mbulk-memory -matomics -ffp-contract=off -fno-math-errno -ffunction-sections

# Files with inner loops (pixels, filter taps, scores) are compiled for speed. Of the others, those that run for each
# element of an image or a tensor are compiled for size, and those that run once for an operator for the smallest size.
HOT := src/image/resize.c src/image/jpeg_transform.c src/detect/maxima.c src/detect/nms.c src/graph/operators/fixed_point.c src/tflite/weights.c \
  $(addprefix src/kernels/,dwconv_f32.c dwconv_qs8.c elementwise_f32.c gemm_f32.c gemm_qs8.c hybrid_f32.c pack_f32.c) $(TRAIN_SOURCES) wasm/bridge/exports_measure.c
WARM := src/base/inflate.c $(addprefix src/image/,bmp.c gif.c jpeg_bits.c jpeg_blocks.c jpeg_rows.c png.c) $(wildcard src/detect/*.c) src/graph/step.c $(addprefix src/graph/operators/,binary.c conv_builtin.c \
  conv_rows.c pool.c reduce.c resize.c unary.c)
# What -O3 does more adds 1 KB to each of these and makes it no faster.
build/%/src/image/resize.o build/%/src/kernels/dwconv_f32.o: FILE_FLAGS := -O2
# Matrix kernels in the order of their source: LLVM's own order holds more vectors at once than x86 has registers, and one
# spilled sum costs half of the speed.
build/%/src/kernels/gemm_f32.o: FILE_FLAGS := -mllvm -pre-RA-sched=source
build/%/$(COMMON_EXPORTS:.c=.o): FILE_FLAGS = -DOCL_ABI=$$(cat build/abi)

# $(1): variant
define compile_rules
$(1)_FLAGS := $$(WASM_FLAGS) $(if $(findstring relaxed,$(1)),-mrelaxed-simd) $(if $(findstring threads,$(1)),-DOCL_THREADS)
build/$(1)/%.o: %.c $$(C_HEADERS) build/emcc build/sources
	@mkdir -p $$(@D) && echo "  $(1): $$<"
	@$$(CCACHE) $$$$(cat build/emcc) $$(WARNINGS) $$(if $$(filter $$<,$$(HOT)),-O3,$$(if $$(filter $$<,$$(WARM)),-Os,-Oz)) $$($(1)_FLAGS) $$(FILE_FLAGS) $$(INCLUDES) -c $$< -o $$@
build/$(1)/$(COMMON_EXPORTS:.c=.o): build/abi
endef
$(foreach variant,$(VARIANTS),$(eval $(call compile_rules,$(variant))))

# emcc's JavaScript output is not used: wasm/engine/memory.js replaces it. At -O1 emcc does not rename imports and
# exports. wasm-opt then optimizes as -O3 does, except that it does not inline large functions into their only caller:
# engines compile a function as a whole, so large ones delay the first call.
WASM_OPT_LEVEL := -O3 -ocimfs 100
# $(1): variant, $(2): list of exports, $(3): objects and libraries
define link
	@mkdir -p dist build/$(1) && echo "  $(1): link"
	@$$(cat build/emcc) -O1 -msimd128 -mbulk-memory -matomics --no-entry -sFILESYSTEM=0 -sASSERTIONS=0 \
	  -sALLOW_MEMORY_GROWTH -sABORTING_MALLOC=0 -sINITIAL_MEMORY=$$(($(INITIAL_PAGES) * 65536)) \
	  -sMAXIMUM_MEMORY=$$(($(MAXIMUM_PAGES) * 65536)) -sSTACK_SIZE=$(STACK_BYTES) -Wl,--stack-first -Wl,--gc-sections $(if $(filter train-%,$(1)),,-Wl,--wrap=xnn_pack_f32_conv_goki_w) \
	  -sEXPORTED_FUNCTIONS=@$(2) -sERROR_ON_UNDEFINED_SYMBOLS -Wno-pthreads-mem-growth \
	  $(if $(findstring threads,$(1)),-sWASM_WORKERS -sSHARED_MEMORY -sIMPORTED_MEMORY) \
	  $(3) -o build/$(1)/ocelli.mjs 2> >(grep -v '^cache:INFO' >&2)
	@$$($$(dirname $$(cat build/emcc))/em-config BINARYEN_ROOT)/bin/wasm-opt $(WASM_OPT_LEVEL) \
	  --enable-simd --enable-bulk-memory --enable-threads --enable-sign-ext --enable-mutable-globals --enable-nontrapping-float-to-int \
	  $(if $(findstring relaxed,$(1)),--enable-relaxed-simd) --strip-debug --strip-producers --strip-target-features build/$(1)/ocelli.wasm -o $@
endef

# $(1): simd or relaxed
define pool_rules
build/$(1)/pool/%.o: build/emcc build/sources
	@mkdir -p $$(@D) && $$(CCACHE) $$$$(cat build/emcc) -w -Os -DNDEBUG $$($(1)_FLAGS) $$(INCLUDES) -c $$(SOURCES)/pthreadpool/src/$$*.c -o $$@
endef
$(foreach flavour,simd relaxed,$(eval $(call pool_rules,$(flavour))))

# $(1): variant, $(2): simd or relaxed, $(3): threads or nothing
define variant_rules
$(1)_OBJECTS := $$(foreach source,$$(C_SOURCES) $(if $(3),src/graph/threads.c),build/$$(if $$(filter $$(source),$$(THREADED_SOURCES)),$(1),$(2))/$$(source:.c=.o)) \
  $$(patsubst %,build/$(2)/pool/%.o,$(if $(3),portable-api fastpath,shim))
dist/ocelli-$(1).wasm: $$($(1)_OBJECTS) wasm/bridge/exports.txt build/xnnpack-$(2)
	$$(call link,$(1),wasm/bridge/exports.txt,$$($(1)_OBJECTS) $$$$(cat build/xnnpack-$(2))/libxnnpack.a)
endef
$(foreach variant,$(VARIANTS),$(eval $(call variant_rules,$(variant),$(patsubst %-threads,%,$(variant)),$(findstring threads,$(variant)))))

define train_rules
train-$(1)_OBJECTS := $$(patsubst %.c,build/$(1)/%.o,$$(TRAIN_SOURCES) $(addprefix src/,base/status.c base/tensor.c base/text.c tflite/weights.c) wasm/bridge/exports_train.c $(COMMON_EXPORTS))
dist/ocelli-train-$(1).wasm: $$(train-$(1)_OBJECTS) wasm/bridge/exports_train.txt
	$$(call link,train-$(1),wasm/bridge/exports_train.txt,$$(train-$(1)_OBJECTS))
endef
$(foreach variant,$(TRAIN_VARIANTS),$(eval $(call train_rules,$(variant:train-%=%))))

# Offsets, sizes and enumerations of C, printed by a program compiled for wasm32 from the same headers.
build/layout.js: wasm/bridge/layout.c $(C_HEADERS) build/emcc
	@mkdir -p build && echo '  layout' && $$(cat build/emcc) $(WARNINGS) -Isrc -sENVIRONMENT=node $< -o build/layout.cjs \
	  2> >(grep -v '^cache:INFO' >&2) && node build/layout.cjs >$@
# A hash of the layouts and exports. It is in the modules and in JavaScript, which refuses a .wasm with another one.
build/abi: build/layout.js $(wildcard wasm/bridge/exports*)
	@echo 0x$$(cat $^ | sha256sum | cut -c1-7) >$@
dist/layout.js: build/layout.js build/abi
	@mkdir -p dist && { cat build/layout.js; echo "export const ABI = $$(cat build/abi);"; } >$@
# The rows of src/tflite/operators.def, for JavaScript and the manual.
build/operators: wasm/bridge/operators.c src/tflite/operators.def src/tflite/tflite.h
	@mkdir -p build && gcc $(WARNINGS) -Isrc $< -o $@
dist/operators.js: build/operators
	@mkdir -p dist && $< >$@
docs/operators.md: build/operators
	@$< --markdown >$@

# The constants of this file that JavaScript needs.
dist/build.js: Makefile package.json
	@mkdir -p dist && { echo '// Made by the Makefile.'; \
	  echo "export const VERSION = '$$(sed -n 's/.*"version": "\(.*\)".*/\1/p' package.json)';"; \
	  echo 'export const INITIAL_PAGES = $(INITIAL_PAGES);'; echo 'export const MAXIMUM_PAGES = $(MAXIMUM_PAGES);'; } >$@

# ---- npm packages, model, label font, types ----

node_modules/.installed: package.json package-lock.json
	@echo '  npm: installing' && npm ci --silent --no-audit --no-fund && touch $@
$(MODEL) dist/models/manifest.js &: models/fetch.js models/manifest.json
	@node models/fetch.js && touch $(MODEL) dist/models/manifest.js
# The wasm modules are order-only: they run the quantizer, but a new build of them does not change its output.
$(INT8_MODEL): models/quantize.js models/made.js models/calibration.js tools/made.sh tools/samples.sh $(wildcard wasm/quantize/*.js) $(COMPRESSED_MODEL) \
  | dist/ocelli-simd.wasm dist/ocelli-relaxed.wasm $(CONSTANTS) node_modules/.installed
	@tools/made.sh $< $@ $(filter %.gz %.wasm,$^ $|)
$(COMPRESSED_MODEL): models/compress.js models/made.js models/calibration.js tools/made.sh tools/samples.sh $(wildcard wasm/compress/*.js) $(MODEL) \
  | dist/ocelli-simd.wasm dist/ocelli-relaxed.wasm dist/ocelli-train-simd.wasm $(CONSTANTS) node_modules/.installed
	@tools/made.sh $< $@ $(filter %.bin %.wasm,$^ $|)
dist/font.js: tools/make-font.js node_modules/.installed
	@node tools/make-font.js
# Bundles for browsers, because each level of imports costs a page a round trip. The output lies two folders deep, as
# wasm/platform/ does, so that relative URLs stay valid. The tracker, the tiles and the table of carbon intensities (@tgwf/co2) stay
# outside, and are loaded on demand. Element and hooks are bundled without the detector, which they load from dist/web.
BESIDE := element react
WEB_SOURCES := $(wildcard wasm/*/*.js wasm/*/*/*.js)
dist/web/browser.js: $(WEB_SOURCES) $(CONSTANTS) $(MODEL) node_modules/.installed
	@npx esbuild wasm/platform/browser.js wasm/platform/worker.browser.js wasm/platform/thread.browser.js --bundle --external:./page.js '--external:@tgwf/*' --external:../track/index.js --external:../tiles/index.js --minify --format=esm --outdir=dist/web --log-level=warning
	@npx esbuild wasm/inline/browser.js --bundle --external:../platform/page.js --external:../platform/carried.js '--external:@tgwf/*' --external:../track/index.js --external:../tiles/index.js '--external:../../dist/inline/*' --minify --format=esm --outdir=dist/inline --log-level=warning
	@sed -i 's,"../platform/[a-z]*.js","../web/page.js",g;s,"../../dist/inline/,"./,g' dist/inline/browser.js
	@npx esbuild web/page=wasm/platform/page.js web/train=wasm/train/browser.js track/index=wasm/track/index.js \
	  tiles/index=wasm/tiles/index.js --bundle --minify --format=esm --outdir=dist --sourcemap --sources-content=false \
	  --log-level=warning --external:@tgwf/co2/data --external:../track/index.js --external:../tiles/index.js
	@npx esbuild $(foreach name,$(BESIDE),$(name)/index=wasm/$(name)/index.js) --bundle --minify --format=esm --outdir=dist --log-level=warning \
	  --external:../platform/browser.js --external:react
	@sed -i 's,"../platform/browser.js","../web/browser.js",' $(BESIDE:%=dist/%/index.js)
$(INLINE): tools/make-inline.js $(WEB_SOURCES) $(WASM) $(CONSTANTS) $(INLINE_MODEL) dist/models/manifest.js node_modules/.installed
	@node tools/make-inline.js $(INLINE_MODEL)
PACKAGED_SOURCES := $(WEB_SOURCES) $(wildcard wasm/*/*.d.ts)
TYPES := dist/types/wasm/vision/index.d.ts
# What the package is made of, with versions, hashes and licences.
sbom.cdx.json: tools/sbom.js tools/sources.sh tools/toolchain.sh $(WASM) models/manifest.json package.json package-lock.json node_modules/.installed
	@echo '  sbom' && $(NODE) $< $$(cat build/emcc) $@
types: $(TYPES) ## type declarations, from the JSDoc comments
$(TYPES): $(PACKAGED_SOURCES) tsconfig.json tsconfig.types.json $(CONSTANTS) $(INLINE) dist/font.js $(MODEL) node_modules/.installed
	@echo '  types' && rm -rf dist/types && npx tsc -p tsconfig.types.json \
	  && cp wasm/element/*.d.ts dist/types/wasm/element/ && touch $@

# ---- example ----

detect: all ## detect objects in sample photos: print them, draw them into out/
	@photos=$$(tools/photos.sh) && node bin/ocelli.js detect --out out/ $$photos/astronaut.png $$photos/chelsea.png $$photos/coffee.png

# The example as its users get it: in a folder of its own, with the packed package.
queue: build/package/package.json ## photos through a queue in PostgreSQL: a database and two workers of examples/queue-worker, in out/queue/
	@tools/postgresql.sh && mkdir -p out/queue && cp examples/queue-worker/* out/queue && cd out/queue \
	  && npm install --silent --prefer-offline --install-links ../../build/package && PATH=$(CURDIR)/node_modules/node-24/bin:$$PATH exec node start.js

evaluate: all ## measure the default detector's forms on 162 labelled photos (190 MB to download, once); report in out/evaluate/
	@node bin/ocelli.js evaluate "$$(node tools/boxes.js)" --weights full,compressed --precision float,int8 --decode full,scaled --bootstrap 1000 --report out/evaluate
	@cp out/evaluate/precision-recall-3.svg docs/evaluate.svg # of the default's weights, decoded at full size

# ---- the package, as npm installs it ----

build/package/package.json: $(TYPES) $(WASM) $(MODEL) $(INT8_MODEL) $(COMPRESSED_MODEL) $(INLINE) dist/font.js dist/web/browser.js sbom.cdx.json package.json \
  $(PACKAGED_SOURCES) $(wildcard bin/*.js bin/*/*.js docs/* *.md NOTICE LICENSE models/README.md)
	@rm -rf build/package && mkdir -p build/package && npm pack --silent --ignore-scripts --pack-destination build >/dev/null \
	  && tar -xzf build/ocelli-*.tgz -C build/package --strip-components=1 && rm build/ocelli-*.tgz && touch $@

release: node_modules/.installed ## build the commit twice, compare every file, and write the tarball and its sums into out/release/
	@env -u MAKEFLAGS -u MAKELEVEL $(NODE) tools/release.js

# Next.js, for its example only: it takes 340 MB, and npm cannot lock its packages for other systems.
build/examples/node_modules/.installed: examples/next/package.json
	@mkdir -p build/examples/node_modules && echo '  npm: installing Next.js' && cd build/examples && npm install --silent \
	  --no-audit --no-fund --no-save --no-package-lock $$(sed -nE 's/^ +"(next|react|react-dom)": "(.*)".*/\1@\2/p' $(CURDIR)/$<) \
	  && touch $(CURDIR)/$@

picture: all ## make the picture of the README
	@node tools/picture.js docs/detections.jpg

# ---- the documentation site ----

SITE := build/docs/site
PAGES := $(wildcard *.md docs/* docs/guides/*) models/README.md
SITE_SOURCES := $(wildcard tools/docs/*.js tools/docs/.vitepress/*.js tools/docs/.vitepress/theme/*)
docs: $(SITE)/index.html ## the documentation site, with the demo pages: build/docs/site
docs: $(SITE)/demo/index.html
$(SITE)/index.html: $(PAGES) $(SITE_SOURCES) tools/owner.json $(TYPES) node_modules/.installed
	@mkdir -p build/docs && echo '  docs' && $(NODE) tools/docs/stage.js \
	  && { $(NODE) node_modules/vitepress/bin/vitepress.js build tools/docs >build/docs/log 2>&1 || { cat build/docs/log; exit 1; }; }
# The demo pages lie beside the pages of VitePress, with the package and the sample photos.
$(SITE)/demo/index.html: $(SITE)/index.html $(wildcard web/* tools/docs/live/*) tools/docs/demo.js build/package/package.json
	@$(NODE) tools/docs/demo.js $(SITE) $$(tools/photos.sh) && touch $@

PORT := 8080
serve: docs ## serve the documentation site and the demo pages on PORT=8080
	@node tools/serve.js --port $(PORT) --isolate /=$(SITE)

lighthouse: docs ## Lighthouse's figures of the site and the demo pages; reports in out/lighthouse
	@$(NODE) tools/docs/lighthouse.js $(SITE)

# ---- tests ----

include tools/native/native.mk

# The example in ocelli.h's comment as a program: tests/c/example completes it, and tests/node/native runs it in Node.
build/example/example.inc: src/ocelli.h
	@mkdir -p $(@D) && sed -n '/^#/q;s,^//   ,,p' $< >$@
EXAMPLE_OBJECTS := $(filter-out build/simd/wasm/%,$(simd_OBJECTS))
build/example/example.mjs: tests/c/example/example.c build/example/example.inc $(EXAMPLE_OBJECTS) build/xnnpack-simd
	@echo '  example' && $$(cat build/emcc) $(WARNINGS) -O1 $(simd_FLAGS) $(INCLUDES) -Ibuild/example -sNODERAWFS -sALLOW_MEMORY_GROWTH \
	  -Wl,--wrap=xnn_pack_f32_conv_goki_w $< $(EXAMPLE_OBJECTS) $$(cat build/xnnpack-simd)/libxnnpack.a -o $@ 2> >(grep -v '^cache:INFO' >&2)

# On Node 20 only what depends on Node or on its engine: files, processes, threads, the module. The rest is JavaScript alone, or
# native programs. `make soak` runs all of it.
ON_NODE_20 := $(addsuffix .test.js,$(addprefix bin/,cli endings inputs mistakes outputs) draw/% engine/% models/% platform/% \
  tflite/% $(addprefix train/,keras ssd-heads train) \
  $(addprefix vision/,calls concurrency detector images loading sources workers))
TEST_FILES_24 := $(wildcard tests/node/*/*.test.js)
TEST_FILES_20 := $(filter $(ON_NODE_20:%=tests/node/%),$(TEST_FILES_24))
BROWSER_TEST_FILES := $(filter-out %/others.test.js,$(wildcard tests/browser/*.test.js))
FIREFOX_TEST_FILES := $(patsubst %,tests/browser/%.test.js,page routes inputs load pool video element react quantize others)
# In WebKit without tests of what the engine has no part in.
OF_NO_ENGINE := options of a running detector|module, model and worker from assetsUrl
WEBKIT_TEST_FILES := $(patsubst %,tests/browser/%.test.js,page routes inputs element react others)
EDGE_TEST_FILES := $(wildcard tests/edge/*.test.js)
SERVICE_TEST_FILES := $(wildcard tests/service/*.test.js)
# What hangs is named after an hour (a busy machine takes half of it): Node's own limits do not end a file that waits for a process.
NODE_TEST = timeout --foreground 60m node_modules/node-$(1)/bin/node --test --test-reporter=./tests/reporter.js
TEST := $(call NODE_TEST,24)
# A page can wait for something that never comes: such a test ends after 10 minutes, and the others run.
BROWSER_TEST = $(TEST) --test-concurrency=1 --test-timeout=600000
# The longest come first.
test: all test-browser test-node-24 test-node-20 test-firefox test-webkit test-docs test-package test-service test-edge test-fuzz check-format check-types check-size lint ## all tests and checks
test-node: test-node-20 test-node-24 ## test the library and the command line, on Node 20 and 24
test-node-20 test-node-24: test-node-%: all $(NATIVE_TESTS) build/example/example.mjs node_modules/.installed
	@echo 'Node $*:' && $(call NODE_TEST,$*) --test-concurrency=3 $(TEST_FILES_$*)

mutants: all build/package/package.json $(filter build/native/64-%,$(NATIVE_TESTS)) node_modules/.installed ## put MUTANTS=200 faults of SEED=1 into the code, one at a time, and list those that no test notices; report in out/mutants/
	@node_modules/node-24/bin/node tools/mutants/main.js

soak: all build/package/package.json build/native/32-simd/tests/session/test_allocation $(IMAGE_SOAKS) node_modules/.installed ## long tests (100 000 damaged models and images, 10 000 hostile texts, 40 000 JPEGs and PNGs against libjpeg and libpng, 1 000 objects, 2 000 requests, digits), then the benchmarks
	@node_modules/node-24/bin/node tests/fuzz/soak.js
	@$(MAKE) test-node-20 ON_NODE_20=%
	@for soak in $(IMAGE_SOAKS); do $$soak sound 0 10000 && $$soak damaged 0 20000 || exit 1; done
	@OCELLI_SOAK=1 $(TEST) --test-concurrency=1 tests/browser/video.test.js tests/edge/service.test.js \
	  tests/service/node-server.test.js tests/node/train/digits.test.js \
	  tests/node/engine/resources.test.js tests/node/convert/hostile.test.js
	@OCELLI_SOAK=1 NODE_OPTIONS=--max-old-space-size=128 $(TEST) tests/node/report/hostile.test.js
	@OCELLI_SOAK=1 build/native/32-simd/tests/session/test_allocation
	@OCELLI_SOAK=1 OCELLI_BROWSER=firefox $(TEST) tests/browser/page.test.js
	@$(MAKE) bundlers
	@$(MAKE) bench

soak-long: all build/package/package.json node_modules/.installed ## a million inferences, a million requests …: goes on where it was, for SOAK_S=600 seconds; report in out/soak-long/
	@$(NODE) tests/soak/long.js

test-browser: build/package/package.json build/examples/node_modules/.installed node_modules/.installed ## test the package in Chromium
	@$(BROWSER_TEST) $(BROWSER_TEST_FILES)

test-firefox: build/package/package.json node_modules/.installed ## test the package in Firefox, where it may behave differently
	@OCELLI_BROWSER=firefox $(BROWSER_TEST) $(FIREFOX_TEST_FILES)

test-webkit: build/package/package.json node_modules/.installed ## test the package in WebKit, Safari's engine, where it may behave differently
	@run() { OCELLI_BROWSER=webkit $(BROWSER_TEST) --test-skip-pattern='$(OF_NO_ENGINE)' $$1; }; failed=; \
	  for file in $(WEBKIT_TEST_FILES); do run $$file || { \
	    echo 'WebKit: once more, since its own process may crash (a null pointer in JavaScriptCore was seen)'; run $$file; } || failed=1; done; \
	  [ -z "$$failed" ]

test-edge: build/package/package.json node_modules/.installed ## test the package and the Worker example in workerd
	@$(TEST) --test-concurrency=1 $(EDGE_TEST_FILES)

test-service: build/package/package.json node_modules/.installed ## test the server example, on Node 20 and 24
	@for node in 20 24; do $(call NODE_TEST,$$node) --test-concurrency=1 $(SERVICE_TEST_FILES) || exit 1; done

test-docs: build/package/package.json node_modules/.installed ## run the snippets of the documents, compare their figures
	@$(TEST) tests/docs/*.test.js

test-package: build/package/package.json node_modules/.installed ## test the packed npm package and the README's snippets
	@$(TEST) --test-concurrency=1 $(wildcard tests/package/*.test.js)

# npm installs the tools and examples, outside the checkout.
bundlers: build/package/package.json node_modules/.installed ## test each row of docs/bundlers.md and each example, as npm installs them
	@tools/postgresql.sh && $(TEST) --test-concurrency=1 tests/bundlers/*.test.js

# What these tools know of files that have not changed since. They name files by their full paths.
CHECKED := $(CACHE)/checked$(CURDIR)
check-types: node_modules/.installed all
	@$(NODE) node_modules/.bin/tsc --noEmit -p tsconfig.json --incremental --tsBuildInfoFile $(CHECKED)/types
FORMATTED_C := $(C_FILES) $(filter %.h,$(C_HEADERS)) $(NATIVE_HEADERS) $(wildcard wasm/bridge/*.c tools/native/*.c tests/c/*.h tests/c/*/*.[ch])
check-format: node_modules/.installed
	@$(NODE) node_modules/.bin/prettier --log-level warn --check --cache --cache-strategy content --cache-location $(CHECKED)/prettier . \
	  && $(NODE) node_modules/.bin/eslint --cache --cache-strategy content --cache-location $(CHECKED)/eslint . \
	  && clang-format-19 --dry-run --Werror $(FORMATTED_C)
format: node_modules/.installed ## format all source files
	@$(NODE) node_modules/.bin/prettier --log-level warn --write . && clang-format-19 -i $(FORMATTED_C)
lint: build/lint build/lint-imports build/lint-spelling ## clang-tidy, import and include rules, file sizes, names, links and spelling
	@node tools/lint/check.js
# Files that include headers of XNNPACK or Emscripten are left out.
TIDIED := $(filter-out $(addprefix src/image/jpeg_,blocks.c rows.c transform.c) src/graph/% src/kernels/%,$(C_FILES))
build/lint: $(TIDIED:%=build/tidy/%)
	@touch $@
build/tidy/%.c: %.c $(C_HEADERS) .clang-tidy tools/lint/tidy.sh
	@mkdir -p $(@D) && echo '  clang-tidy: $<' && tools/lint/tidy.sh $< && touch $@

SPELLED := $(filter-out %.svg %.jpg,$(PAGES)) $(wildcard web/*.html tests/*/README.md examples/*/README.md)
build/lint-spelling: $(SPELLED) $(wildcard tools/lint/cspell.json tools/lint/words.txt) node_modules/.installed
	@mkdir -p build && echo '  cspell' && $(NODE) node_modules/.bin/cspell lint --config tools/lint/cspell.json --no-progress --no-summary $(SPELLED) && touch $@

# Folders are prerequisites too: their times change when files are moved. dependency-cruiser needs Node 22.
IMPORTING := wasm bin web examples
build/lint-imports: $(shell find $(IMPORTING:%=%/) -type d -o -name '*.js') .dependency-cruiser.js node_modules/.installed
	@mkdir -p build && echo '  dependency-cruiser' && node_modules/node-24/bin/node node_modules/.bin/depcruise \
	  --config .dependency-cruiser.js $(IMPORTING) >$@.tmp || { cat $@.tmp; exit 1; }
	@mv $@.tmp $@

# The size of what a Node process, or a page with a worker, loads for one variant: the wasm and the JavaScript.
# In Node nothing is downloaded, so its JavaScript counts as a bundler would write it: without comments.
# The largest file first: the order of the hashed names would change the sum by chance.
check-size: wasm dist/models/manifest.js dist/web/browser.js
	@rm -rf build/size && npx esbuild wasm/platform/node.js wasm/platform/thread.node.js wasm/platform/worker.node.js --bundle --splitting --minify --platform=node --format=esm \
	  --outdir=build/size --log-level=warning --external:@tgwf/co2/data --external:image-size --external:../tiles/index.js
	@for variant in $(VARIANTS); do \
	  size=$$(gzip -9c dist/ocelli-$$variant.wasm | wc -c); \
	  echo "  size: $$variant, wasm: $$size of $(WASM_BUDGET_BYTES) bytes, gzipped"; \
	  [ $$size -le $(WASM_BUDGET_BYTES) ] || exit 1; \
	  for files in "$$(echo $$(ls -S build/size/*.js))" "$$(echo dist/web/page.js dist/web/*browser.js)"; do \
	  size=$$(cat dist/ocelli-$$variant.wasm $$files | gzip -9 | wc -c); \
	  echo "  size: $$variant, $$(dirname $${files%% *}): $$size of $(SIZE_BUDGET_BYTES) bytes, gzipped"; \
	  [ $$size -le $(SIZE_BUDGET_BYTES) ] || exit 1; done; done
	@for name in $(BESIDE); do \
	  size=$$(gzip -9c dist/$$name/index.js | wc -c); \
	  echo "  size: ocelli/$$name: $$size of $(BESIDE_BUDGET_BYTES) bytes, gzipped"; \
	  [ $$size -le $(BESIDE_BUDGET_BYTES) ] || exit 1; done

include bench/bench.mk

clean: ## remove build outputs, but not downloads
	@rm -rf build dist out sbom.cdx.json

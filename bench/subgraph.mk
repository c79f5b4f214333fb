# Builds libxnnpack-subgraph.a, what bare XNNPACK needs on top of libxnnpack.a, into OUT; called by bench.mk with the
# variables of tools/xnnpack.mk, whose flags and rules it takes.
include tools/xnnpack.mk
.DEFAULT_GOAL := $(OUT)/libxnnpack-subgraph.a

NODES := binary concatenate convolution-2d copy depthwise-convolution-2d pack-lh reshape-helpers unary validation
# XNNPACK's graph rewriting names the NCHW convolutions, its messages the names of everything.
SUBGRAPH := memory-planner runtime subgraph tensor $(NODES:%=subgraph/%) operators/convolution-nchw \
  enums/datatype-strings enums/microkernel-type enums/operator-type
OBJECTS := $(SUBGRAPH:%=$(OUT)/obj/%.c.o)

$(OUT)/libxnnpack-subgraph.a: $(OBJECTS) bench/subgraph.mk
	@rm -f $@ && $(dir $(EMCC))emar qcs $@ $(OBJECTS) && echo "  xnnpack $(FLAVOUR): subgraph done"

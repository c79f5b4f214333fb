# Builds OUT/libxnnpack-subgraph.a: what bare XNNPACK needs beyond libxnnpack.a. bench.mk calls it with the variables of
# tools/xnnpack.mk; flags and rules come from there.
include tools/xnnpack.mk
.DEFAULT_GOAL := $(OUT)/libxnnpack-subgraph.a

NODES := binary concatenate convolution-2d copy depthwise-convolution-2d pack-lh reshape-helpers unary validation
# XNNPACK's graph rewriting refers to the NCHW convolutions, and its log messages to the name tables.
SUBGRAPH := memory-planner runtime subgraph tensor $(NODES:%=subgraph/%) operators/convolution-nchw \
  enums/datatype-strings enums/microkernel-type enums/operator-type
OBJECTS := $(SUBGRAPH:%=$(OUT)/obj/%.c.o)

$(OUT)/libxnnpack-subgraph.a: $(OBJECTS) bench/subgraph.mk
	@rm -f $@ && $(AR) qcs $@ $(OBJECTS) && echo "  xnnpack $(FLAVOUR): subgraph done"

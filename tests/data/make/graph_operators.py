"""
TensorFlow's graph operators one by one, for the converter: an operator's attributes, its inputs, and what TensorFlow computes.
Written are numbers as text, so that a reader sees the case.
"""

import json

import numpy as np
from common import parse_folder, random, tf
from google.protobuf.json_format import MessageToDict
from tensorflow.python.framework import op_def_registry as registry

raw = tf.raw_ops
CASES = []


def x(*shape, name="x", low=-3, high=3):
    """Eighths of whole numbers: exact in float32, and short as text."""
    values = random(f"{name} {shape}").integers(low * 8, high * 8, size=shape, endpoint=True)
    return (values / 8).astype(np.float32)


def i(*values):
    return np.array(values, np.int32)


def n(value):
    return np.array(value, np.int32)


def f(value):
    return np.array(value, np.float32)


def spell(array):
    array = np.asarray(array)
    kind = {"f": "float32", "i": "int32", "b": "bool"}[array.dtype.kind]
    values = [float(str(v)) if array.dtype.kind == "f" else int(v) for v in array.ravel()]
    return {"dtype": kind, "shape": list(array.shape), "values": values}


def case(op, inputs, **attrs):
    """Inputs in the order of the operator's definition; an inner list is an input that is a list."""
    flat = [each for given in inputs for each in (given if isinstance(given, list) else [given])]
    with tf.Graph().as_default() as graph, tf.compat.v1.Session() as session:
        constants = [tf.constant(each) for each in flat]
        made = graph.create_op(op, constants, name="y", attrs={key: wrap(value) for key, value in types(op, flat, attrs).items()})
        outputs = session.run(list(made.outputs)[: 1 if "BatchNorm" in op else None])
        attr = MessageToDict(made.node_def).get("attr", {})
    CASES.append({
        "op": op,
        "defaults": defaults(made.node_def),
        "attr": {key: value for key, value in attr.items() if not key.startswith("_output")},
        "inputs": [spell(each) for each in flat],
        "outputs": [spell(each) for each in outputs],
    })


def wrap(value):
    """An attribute as attr_value.proto has it."""
    made = tf.compat.v1.AttrValue()
    if isinstance(value, bool):
        made.b = value
    elif isinstance(value, int):
        made.i = value
    elif isinstance(value, float):
        made.f = value
    elif isinstance(value, str):
        made.s = value.encode()
    elif isinstance(value, tf.DType):
        made.type = value.as_datatype_enum
    elif isinstance(value[0], str):
        made.list.s.extend(each.encode() for each in value)
    elif isinstance(value[0], tf.DType):
        made.list.type.extend(each.as_datatype_enum for each in value)
    else:
        made.list.i.extend(value)
    return made


def defaults(node):
    """The attributes that a file may leave out, because they have their defaults."""
    known = {attr.name: attr.default_value for attr in registry.get(node.op).attr if attr.HasField("default_value")}
    return [key for key, value in node.attr.items() if key in known and value == known[key]]


def types(op, inputs, attrs):
    """The attributes that name the inputs' types and how many there are, from the operator's definition."""
    arguments = registry.get(op).input_arg
    single = sum(1 for arg in arguments if not arg.number_attr and not arg.type_list_attr)
    found, at = {}, 0
    for arg in arguments:
        count = len(inputs) - single if arg.number_attr or arg.type_list_attr else 1
        count = min(count, len(inputs) - at)
        if arg.number_attr:
            found[arg.number_attr] = count
        if arg.type_list_attr:
            found[arg.type_list_attr] = [tf.as_dtype(each.dtype) for each in inputs[at : at + count]]
        if arg.type_attr:
            found[arg.type_attr] = tf.as_dtype(inputs[at].dtype)
        at += count
    return {**found, **attrs}


def elementwise():
    a, b = x(1, 2, 3, 4), x(1, 2, 3, 4, name="b")
    for op in "Add AddV2 Sub Mul RealDiv Div DivNoNan FloorDiv FloorMod Maximum Minimum SquaredDifference".split():
        case(op, [a, b + (b == 0) * (op != "DivNoNan")])
    case("Sub", [a, x(4, name="row")])
    case("Sub", [a, x(3, 1, name="column")])
    case("Sub", [x(1, 1, 3, 1, name="thin"), x(2, 1, 4, name="other")])
    case("Pow", [abs(a) + f(0.5), f(2.5)])
    case("Pow", [a, f(3)])
    case("Div", [i(7, -7, 9, -9), i(2, 2, -2, -4)])
    case("FloorDiv", [i(7, -7, 9, -9), i(2, 2, -2, -4)])
    case("FloorMod", [i(7, -7, 9, -9), i(2, 2, -2, -4)])
    case("AddN", [[a, b, x(1, 2, 3, 4, name="c")]])
    case("ClipByValue", [a, f(-1.25), f(1.5)])
    for op in "Less LessEqual Greater GreaterEqual Equal NotEqual".split():
        case(op, [np.round(a), np.round(b)])
    for op in ["LogicalAnd", "LogicalOr"]:
        case(op, [np.array([False, False, True, True]), np.array([False, True, False, True])])
    case("LogicalNot", [np.array([False, True])])
    case("SelectV2", [a > b, a, b])
    case("SelectV2", [x(3, 1, name="given") > 0, a, x(4, name="row")])
    case("Select", [np.array([True, False]), x(2, 3), x(2, 3, name="b")])


def unary():
    a = x(1, 2, 3, 4)
    for op in "Abs Ceil Elu Erf Exp Floor Neg OnesLike Relu Relu6 Round Selu Sigmoid Sign Softplus Square Tanh ZerosLike".split():
        case(op, [a * (2 if op == "Relu6" else 1)])
    case("Round", [f([[0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 2.75, -2.75]])])
    case("Erf", [f([[3.25, -3.25, 4.5, -4.5, 0.001, 2.875, 3, -3, 1, 0]])])
    for op in "Log Rsqrt Sqrt Reciprocal".split():
        case(op, [abs(a) + f(0.125)])
    case("LeakyRelu", [a], alpha=0.375)
    case("LeakyRelu", [a])
    case("Softmax", [a])
    case("LogSoftmax", [a])
    case("Cast", [a], DstT=tf.int32)
    case("Cast", [a], DstT=tf.bool)
    case("Cast", [i(-3, 0, 4)], DstT=tf.float32)
    case("BiasAdd", [a, x(4, name="bias")])


def reductions():
    a = x(2, 3, 4, 2)
    for op in "Sum Mean Prod Max Min".split():
        for axes in [i(1, 2), i(-1), n(1), i(0, 3)]:
            case(op, [a, axes], keep_dims=bool(np.array_equal(axes, [-1])))
    for op in ["All", "Any"]:
        case(op, [x(2, 3, 4, low=-1, high=2) > (-0.75 if op == "All" else 1.5), i(-2)])
        case(op, [x(2, 3, 4, low=-1, high=2) > (-0.875 if op == "All" else 1.5), i(0, 2)], keep_dims=True)
    for op in ["ArgMax", "ArgMin"]:
        for axis in [0, 1, -1]:
            case(op, [np.round(a), n(axis)], output_type=tf.int32)
    case("TopKV2", [np.round(x(3, 7)), n(4)], sorted=True)


def windows():
    a = x(2, 5, 7, 3)
    conv = lambda op, data, kernel, **attrs: case(op, [data, kernel], **{"strides": [1, 1, 1, 1], "padding": "SAME", **attrs})
    k = x(3, 2, 3, 2, name="k", low=-1, high=1)
    conv("Conv2D", a, k)
    conv("Conv2D", a, k, padding="VALID")
    conv("Conv2D", a, k, strides=[1, 2, 2, 1])
    conv("Conv2D", a, k, strides=[1, 3, 3, 1], padding="VALID")
    conv("Conv2D", a, k, dilations=[1, 2, 3, 1])
    conv("Conv2D", a, k, dilations=[1, 2, 2, 1], padding="VALID")
    conv("Conv2D", a, k, padding="EXPLICIT", explicit_paddings=[0, 0, 1, 2, 3, 0, 0, 0])
    conv("Conv2D", x(1, 4, 4, 9), x(2, 2, 9, 3, name="k", low=-1, high=1), strides=[1, 2, 2, 1])
    d = x(2, 3, 3, 2, name="k", low=-1, high=1)
    conv("DepthwiseConv2dNative", a, d)
    conv("DepthwiseConv2dNative", a, d, strides=[1, 2, 2, 1], padding="VALID")
    conv("DepthwiseConv2dNative", a, x(2, 3, 3, 1, name="k"), padding="EXPLICIT", explicit_paddings=[0, 0, 0, 2, 1, 3, 0, 0])
    for padding, shape in [("SAME", [1, 5, 7, 2]), ("SAME", [1, 6, 8, 2]), ("VALID", [1, 7, 9, 2])]:
        case("Conv2DBackpropInput", [i(*shape), x(3, 3, 2, 3, name="k", low=-1, high=1), x(1, 3, 4, 3)], strides=[1, 2, 2, 1], padding=padding)
    for op in ["AvgPool", "MaxPool"]:
        case(op, [a], ksize=[1, 2, 3, 1], strides=[1, 2, 2, 1], padding="SAME")
        case(op, [a], ksize=[1, 3, 2, 1], strides=[1, 1, 3, 1], padding="VALID")
    case("MatMul", [x(2, 5), x(5, 3, name="w")])
    case("MatMul", [x(2, 6), x(3, 6, name="w")], transpose_b=True)
    case("BatchMatMulV2", [x(2, 3, 5), x(5, 2, name="w")])
    case("BatchMatMulV2", [x(2, 3, 5), x(4, 5, name="w")], adj_y=True)
    norm = [x(3, name=name) for name in ["gamma", "beta", "mean"]] + [x(3, name="variance", low=1, high=4)]
    case("FusedBatchNormV3", [a, *norm], epsilon=0.01, is_training=False, U=tf.float32)
    case("FusedBatchNorm", [a, *norm], is_training=False)
    bias = x(2, name="bias")
    for names in [["BiasAdd"], ["BiasAdd", "Relu"], ["BiasAdd", "Relu6"], ["BiasAdd", "Elu"], ["BiasAdd", "LeakyRelu"]]:
        case("_FusedConv2D", [a, k, [bias]], strides=[1, 1, 2, 1], padding="VALID", fused_ops=names, num_args=1, leakyrelu_alpha=0.375)
    case("_FusedMatMul", [x(2, 5), x(5, 3, name="w"), [x(3, name="bias")]], fused_ops=["BiasAdd", "Relu"])


def moves():
    a = x(2, 3, 4, 2)
    case("Transpose", [a, i(0, 2, 3, 1)])
    case("Transpose", [x(2, 3, 4), i(0, 2, 1)])
    case("Reshape", [a, i(2, -1, 3)])
    case("Reshape", [a, i(2, 24)])
    case("ExpandDims", [x(2, 3), n(1)])
    case("ExpandDims", [x(2, 3), n(-1)])
    case("Squeeze", [x(2, 1, 3, 1)])
    case("Squeeze", [x(2, 1, 3, 1)], squeeze_dims=[-1])
    case("Squeeze", [x(2, 1, 3, 1)], squeeze_dims=[1])
    case("ConcatV2", [[a, x(2, 3, 1, 2, name="b"), x(2, 3, 2, 2, name="c")], n(2)])
    case("ConcatV2", [[x(2, 3), x(2, 2, name="b")], n(-1)])
    case("Pack", [[x(2, 3), x(2, 3, name="b")]], axis=1)
    case("Pack", [[x(2, 3), x(2, 3, name="b"), x(2, 3, name="c")]], axis=-1)
    case("Unpack", [x(2, 3, 4)], axis=1, num=3)
    case("Unpack", [x(2, 3, 2)], axis=-1, num=2)
    case("Split", [n(2), a], num_split=2)
    case("Split", [n(-1), a], num_split=2)
    case("SplitV", [x(2, 7), i(2, 4, 1), n(1)], num_split=3)
    case("SplitV", [x(2, 7, 2), i(3, -1), n(-2)], num_split=2)
    case("Slice", [a, i(0, 1, 2, 0), i(2, 2, -1, 1)])
    case("Slice", [a, i(0, 0, 1, 1), i(-1, 3, 2, -1)])
    whole = dict(begin_mask=0, end_mask=0, ellipsis_mask=0, new_axis_mask=0, shrink_axis_mask=0)
    for begin, end, step, masks in [
        ([0, 1, 0], [2, 3, 4], [1, 1, 2], {}),
        ([0, 0, 1], [0, 0, 4], [1, 1, 2], dict(begin_mask=1, end_mask=3)),
        ([0, -2, -3], [2, -1, -1], [1, 1, 1], {}),
        ([0, 9, 0], [2, 0, 9], [1, -1, 3], dict(begin_mask=2)),
        ([0, 0, 9], [2, 3, 0], [1, 1, -2], dict(end_mask=4)),
        ([0, 2, 2], [2, -9, 0], [1, -1, -1], {}),
        ([0, 1, 2], [2, 2, 3], [1, 1, 1], dict(shrink_axis_mask=2)),
        ([0, -1], [2, 0], [1, 1], dict(shrink_axis_mask=2)),
        ([0, 1], [0, 3], [1, 1], dict(ellipsis_mask=1)),
        ([0, 0, 1], [2, 0, 2], [1, 1, 1], dict(ellipsis_mask=2, shrink_axis_mask=4)),
        ([0, 0, 1], [2, 0, 3], [1, 1, 1], dict(new_axis_mask=2)),
        ([0, 0, 0, 1], [2, 0, 0, 3], [1, 1, 1, 1], dict(new_axis_mask=2, ellipsis_mask=4)),
        ([0, 0, 3], [2, 3, 1], [1, 2, -1], {}),
        ([0, 0, 0], [2, 3, 4], [1, 2, 3], {}),
        ([0, 0, -1], [2, 3, -9], [1, 1, -3], {}),
    ]:
        case("StridedSlice", [x(2, 3, 4), i(*begin), i(*end), i(*step)], **{**whole, **masks})
    case("StridedSlice", [x(2, 3, 4, 5), i(0, 1), i(2, 3), i(1, 1)], **whole)
    case("Gather", [x(4, 3), i(2, 0, 3)])
    case("GatherV2", [a, i(2, 0, 0), n(1)])
    case("GatherV2", [a, i(1, 0), n(-1)])
    case("GatherV2", [x(2, 3, 4), np.array([[2, 0], [1, 1]], np.int32), n(1)])
    case("GatherV2", [x(2, 3, 4), np.array([[2, 0], [1, 1]], np.int32), n(1)], batch_dims=1)
    case("GatherV2", [x(2, 3, 4), np.array([[2, 0], [1, 3]], np.int32), n(2)], batch_dims=1)
    case("GatherNd", [x(2, 3, 4), np.array([[1, 2], [0, 1], [1, 0]], np.int32)])
    case("GatherNd", [x(2, 3, 4), np.array([[[1, 2, 3], [0, 1, 0]]], np.int32)])
    case("Pad", [x(2, 3, 4), np.array([[0, 0], [1, 2], [3, 0]], np.int32)])
    case("PadV2", [x(2, 3, 4), np.array([[0, 0], [2, 0], [0, 1]], np.int32), f(-7)])
    for mode in ["REFLECT", "SYMMETRIC"]:
        case("MirrorPad", [x(2, 3, 4), np.array([[0, 0], [1, 2], [2, 1]], np.int32)], mode=mode)
    case("Tile", [x(2, 3, 2), i(1, 2, 3)])
    case("BroadcastTo", [x(2, 1, 3), i(2, 2, 3)])
    case("BroadcastTo", [x(1, 3), i(2, 4, 3)])
    case("DepthToSpace", [x(1, 2, 3, 12)], block_size=2)
    case("SpaceToDepth", [x(1, 4, 6, 3)], block_size=2)
    pads = np.array([[1, 0], [1, 2]], np.int32)
    case("SpaceToBatchND", [x(2, 5, 3, 2), i(2, 3), pads])
    case("BatchToSpaceND", [x(12, 2, 3, 2), i(2, 3), np.array([[1, 0], [2, 1]], np.int32)])
    case("SpaceToBatchND", [x(2, 4, 3, 2), i(2), np.array([[0, 2]], np.int32)])
    case("BatchToSpaceND", [x(4, 2, 3, 2), i(2), np.array([[1, 1]], np.int32)])
    for op in ["ResizeBilinear", "ResizeNearestNeighbor"]:
        for size in [i(5, 8), i(2, 3), i(1, 7)]:
            case(op, [x(1, 3, 5, 2), size])
            case(op, [x(1, 3, 5, 2), size], half_pixel_centers=True)
            case(op, [x(1, 3, 5, 2), size], align_corners=True)
    case("Fill", [i(2, 3), f(2.5)])
    case("Range", [n(2), n(11), n(3)])
    case("Range", [n(9), n(1), n(-2)])
    case("Rank", [a])
    case("Shape", [a])
    case("Size", [a])
    case("SparseToDense", [np.array([[0, 1], [1, 2]], np.int32), i(2, 4), x(2), f(-1)])
    case("SparseToDense", [np.array([[0, 1], [1, 2]], np.int32), i(2, 4), f(3), f(-1)])


def main():
    out = parse_folder(__doc__, "convert")
    for group in [elementwise, unary, reductions, windows, moves]:
        group()
    lines = ",\n".join(json.dumps(each, separators=(",", ":")) for each in CASES)
    (out / "operators.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()

"""
Cases of the operators that are families: a group FAMILY.json for each, with all its files in FAMILY.bin, of single operators in files built by hand, over
shapes, axes, broadcasts and quantizations, and of graphs as TensorFlow's converter writes them.
"""

import tempfile
from pathlib import Path

import common
import files
import ops
from common import np, tf
from files import schema
from single_ops import constant, tensor

B = schema.BuiltinOperator
IMAGE = [1, 4, 5, 6]

# Which of TFLite's kernels compute a case's outputs, where its reference kernels do not have the operator, or compute
# sums in int8 that overflow.
BUILTIN_ONLY = ("elu", "ceil", "round", "depth_to_space", "sum_")


def kernels_for(case):
    return common.BUILTIN if case.startswith(BUILTIN_ONLY) else common.REFERENCE


def options(name, **fields):
    table = getattr(schema, f"{name}OptionsT")()
    for field, value in fields.items():
        assert hasattr(table, field)
        setattr(table, field, value)
    return table


def reals(case, shape):
    return common.random(case).normal(0, 1.5, shape)


def positives(case, shape):
    return np.abs(reals(case, shape)) + 0.05


def wholes(case, shape):
    """Not zero, of both signs, from -8 to 8."""
    random = common.random(case)
    return random.integers(1, 9, shape) * np.where(random.random(shape) < 0.5, -1, 1)


# ---- on one element ----

# Name, options table, whether inputs are positive, dtypes of its 8-bit forms, their version, scale and zero point of the
# int8 output if they are fixed.
UNARY = [
    ("elu", None, False, ("int8",), 1, None),
    ("tanh", None, False, ("int8", "uint8"), 2, (1 / 128, 0)),
    ("exp", "Exp", False, ("int8",), 2, (0.3, -128)),
    ("log", None, True, ("int8",), 2, None),
    ("sqrt", None, True, (), 1, None),
    ("rsqrt", None, True, ("int8",), 2, (0.02, -128)),
    ("square", "Square", False, (), 1, None),
    ("neg", "Neg", False, (), 1, None),
    ("floor", None, False, (), 1, None),
    ("ceil", None, False, (), 1, None),
    ("round", None, False, (), 1, None),
    ("sign", "Sign", False, (), 1, None),
    ("relu_n1_to_1", None, False, ("int8", "uint8"), 1, None),
    ("relu_0_to_1", None, False, ("int8", "uint8"), 1, None),
]


def unary_of(name, table, dtype, output=None, version=1, shape=IMAGE, given=None):
    model_options = options(table, **(given or {})) if table else None
    quantization = dict(zip(("scale", "zero_point"), output)) if output else {}
    return files.single_operator(
        getattr(B, name.upper()),
        model_options,
        tensor(dtype, shape),
        [],
        tensor(dtype, shape, **quantization),
        version,
    )


def unary():
    for name, table, is_positive, narrow, version, output in UNARY:
        values = positives if is_positive else reals
        yield f"{name}.float32", unary_of(name, table, "float32"), values
        for dtype in narrow:
            fixed = (output[0], output[1] + 128) if output and dtype == "uint8" else output
            yield f"{name}.{dtype}", unary_of(name, table, dtype, fixed, version), values
    for name, given in (("leaky_relu", 0.1), ("leaky_relu_negative", -0.4), ("leaky_relu_large", 2.5)):
        for dtype in ("float32", "int8", "uint8"):
            yield f"{name}.{dtype}", unary_of("leaky_relu", "LeakyRelu", dtype, given={"alpha": given}), reals
    for name, given in (("gelu", False), ("gelu_by_tanh", True)):
        for dtype, version in (("float32", 1), ("int8", 2), ("uint8", 2)):
            model = unary_of("gelu", "Gelu", dtype, version=version, given={"approximate": given})
            yield f"{name}.{dtype}", model, reals
    for name in ("neg", "abs"):
        yield f"{name}.int32", unary_of(name, name.capitalize(), "int32", shape=[2, 5]), wholes
    yield "logical_not.bool", unary_of("logical_not", "LogicalNot", "bool", shape=[7]), reals
    yield "rank_six.float32", unary_of("tanh", None, "float32", shape=[1, 2, 1, 3, 2, 2]), reals
    yield "scalar.float32", unary_of("neg", "Neg", "float32", shape=[]), reals


def cast():
    for from_type in ("float32", "int32", "int64", "bool"):
        for to_type in ("float32", "int32", "int64", "bool", "uint8"):
            if from_type == to_type:
                continue
            table = options("Cast", inDataType=files.TYPES[from_type], outDataType=files.TYPES[to_type])
            model = files.single_operator(B.CAST, table, tensor(from_type, [3, 5]), [], {"dtype": to_type, "shape": [3, 5]})
            yield f"cast_{from_type}_{to_type}.{from_type}", model, lambda case, shape: np.abs(reals(case, shape)) * 20


# ---- on two elements ----

PAIRS = [("scalar", [], []), ("row", [3, 4], [4]), ("both", [3, 1], [1, 4]), ("image", [1, 5, 1, 6], [5, 7, 1])]
PAIRS_OF_TWO = [*PAIRS, ("wider", [4], [3, 4]), ("five", [2, 1, 3, 1, 2], [4, 1, 5, 1])]

ARITHMETIC = [
    ("div", "Div", wholes, ("float32", "int32", "uint8")),
    ("floor_div", "FloorDiv", wholes, ("float32", "int32")),
    ("floor_mod", "FloorMod", wholes, ("float32", "int32")),
    ("squared_difference", "SquaredDifference", reals, ("float32", "int32", "int8")),
    ("maximum", "MaximumMinimum", reals, ("float32", "int32", "int64", "int8", "uint8")),
    ("minimum", "MaximumMinimum", reals, ("float32", "int32", "int64", "int8", "uint8")),
    ("pow", "Pow", positives, ("float32",)),
]
COMPARISONS = ["Equal", "NotEqual", "Less", "LessEqual", "Greater", "GreaterEqual"]


def snake(name):
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))


def second(case, dtype, shape, values, quantization):
    """The constant second operand."""
    real = values(f"{case}.second", shape)
    if not quantization:
        return constant(real, dtype)
    limits = np.iinfo(dtype)
    stored = np.rint(real / quantization["scale"]) + quantization["zero_point"]
    return constant(np.clip(stored, limits.min, limits.max), dtype) | quantization


def two_operands(name, table, pair, dtype, values, output_type, is_tied=False):
    pair_name, a, b = pair
    case = f"{name}_{pair_name}.{dtype}"
    step = lambda scale, zero: {"scale": scale, "zero_point": zero + 128 * (dtype == "uint8")}
    is_narrow = dtype in ("int8", "uint8")
    of_a, of_b = (step(0.031, 7), step(0.031 if is_tied else 0.05, 7 if is_tied else -20)) if is_narrow else ({}, {})
    of_output = of_a if is_tied else step(0.09, -11) if is_narrow and output_type == dtype else {}
    shape = list(np.broadcast_shapes(a, b))
    model = files.single_operator(
        getattr(B, snake(name).upper()),
        options(table),
        tensor(dtype, a, **of_a),
        [second(case, dtype, b, values, of_b)],
        {"dtype": output_type, "shape": shape, **of_output},
        version=2 if is_narrow else 1,
    )
    return case, model, values


def arithmetic():
    for name, table, values, dtypes in ARITHMETIC:
        for dtype in dtypes:
            # TFLite broadcasts these over more than four dimensions.
            pairs = PAIRS_OF_TWO if name in ("div", "maximum", "minimum") and dtype == "float32" else PAIRS
            for pair in pairs:
                yield two_operands(name, table, pair, dtype, values, dtype, is_tied=name in ("maximum", "minimum"))
    base = constant([2, 3, -2, 0, 1, 2, 5, -3, 4], "float32")
    yield "pow_of_negatives.float32", files.single_operator(
        B.POW, options("Pow"), tensor("float32", [9]), [base], tensor("float32", [9])
    ), wholes
    exponents = constant([2, 3, 0, 1, 2, 5, 3, 4, 7])
    yield "pow.int32", files.single_operator(B.POW, options("Pow"), tensor("int32", [9]), [exponents], tensor("int32", [9])), wholes
    for activation in (1, 2, 3):
        table = options("Div", fusedActivationFunction=activation)
        yield f"div_activation{activation}.float32", files.single_operator(
            B.DIV, table, tensor("float32", [3, 4]), [second("div", "float32", [4], wholes, {})], tensor("float32", [3, 4])
        ), wholes


def sums():
    """ADD_N of the input, constants, and the input again."""
    for dtype in ("float32", "int32"):
        for name, shape, constants in (("two", [7], 1), ("three", IMAGE, 2), ("five", [1, 3, 2, 3, 2], 4)):
            case = f"add_n_{name}.{dtype}"
            values = wholes if dtype == "int32" else reals
            parts = [constant(values(f"{case}.{i}", shape), dtype) for i in range(constants)]
            yield case, files.single_operator(
                B.ADD_N, options("AddN"), tensor(dtype, shape), parts, tensor(dtype, shape)
            ), values


def comparisons():
    for name in COMPARISONS:
        for dtype in ("float32", "int32", "int64", "int8", "uint8"):
            for pair in PAIRS[1:3] if dtype == "float32" else PAIRS[1:2]:
                yield two_operands(name, name, pair, dtype, wholes, "bool")
    for name in ("LogicalAnd", "LogicalOr"):
        yield two_operands(name, name, PAIRS[2], "bool", lambda case, shape: reals(case, shape) > 0, "bool")


def select():
    sets = [
        ("select", "Select", "same", [3, 4], [3, 4], [3, 4]),
        ("select", "Select", "rows", [3], [3, 4], [3, 4]),
        ("select_v2", "SelectV2", "same", [3, 4], [3, 4], [3, 4]),
        ("select_v2", "SelectV2", "broadcast", [2, 1, 3], [1, 4, 3], [3]),
        ("select_v2", "SelectV2", "scalar", [], [3, 4], []),
    ]
    for name, table, suffix, condition, a, b in sets:
        shape = [3, 4] if suffix == "rows" else list(np.broadcast_shapes(condition, a, b))
        for dtype in ("float32", "int8", "int64"):
            case = f"{name}_{suffix}.{dtype}"
            chosen = constant(common.random(case).random(condition) < 0.5, "bool")
            other = {**constant(common.random(case).integers(-9, 9, b), dtype), **tensor(dtype, b)}
            yield case, files.single_operator(
                getattr(B, name.upper()), options(table), tensor(dtype, a), [chosen, other], tensor(dtype, shape), position=1
            ), wholes


# ---- over dimensions ----

REDUCED = [
    ("hw", [1, 5, 7, 6], [1, 2], False),
    ("hw_keep", [1, 5, 7, 6], [1, 2], True),
    ("last", [2, 3, 4, 9], [-1], False),
    ("apart", [2, 3, 4, 5], [0, 2], False),
    ("all", [2, 3, 4], [0, 1, 2], False),
    ("vector", [13], [0], True),
    ("five", [2, 2, 3, 2, 4], [1, 3], False),
    ("none", [2, 3], [], False),
]
REDUCTIONS = [
    ("sum", ("float32", "int32", "int64", "int8", "uint8"), reals),
    ("reduce_min", ("float32", "int32", "int8", "uint8"), reals),
    ("reduce_max", ("int32", "int64"), reals),
    ("reduce_prod", ("float32", "int32"), lambda case, shape: common.random(case).integers(1, 3, shape)),
    ("reduce_any", ("bool",), lambda case, shape: reals(case, shape) - 2),
    ("reduce_all", ("bool",), lambda case, shape: reals(case, shape) + 2),
]


def reductions():
    for name, dtypes, values in REDUCTIONS:
        for dtype in dtypes:
            for suffix, shape, axes, keep in REDUCED if dtype in ("float32", "int8", "bool") else REDUCED[1:3]:
                reduced = np.max(np.zeros(shape), axis=tuple(axes), keepdims=keep).shape if axes else shape
                is_scaled = name == "sum" and axes and dtype in ("int8", "uint8")
                scale = {"scale": 0.11, "zero_point": 3 if dtype == "int8" else 140} if is_scaled else {}
                yield f"{name}_{suffix}.{dtype}", files.single_operator(
                    getattr(B, name.upper()),
                    options("Reducer", keepDims=keep),
                    tensor(dtype, shape),
                    [constant(np.int32(axes))],
                    tensor(dtype, reduced, **scale),
                    version=2 if dtype in ("int8", "uint8") else 1,
                ), values
    for dtype in ("float32", "int8"):
        for suffix, shape, axis in (("last", [2, 3, 4, 9], -1), ("batch", [3, 2, 4], 0)):
            yield f"arg_min_{suffix}.{dtype}", files.single_operator(
                B.ARG_MIN,
                options("ArgMin", outputType=files.TYPES["int32"]),
                tensor(dtype, shape),
                [constant(axis)],
                tensor("int32", np.delete(shape, axis)),
                version=2 if dtype == "int8" else 1,
            ), wholes
    for suffix, shape, k in (("some", [20], 5), ("all", [3, 7], 7), ("classes", [1, 1001], 10)):
        for dtype in ("float32", "int32", "int8", "uint8"):
            to = [*shape[:-1], k]
            yield f"topk_v2_{suffix}.{dtype}", files.single_operator(
                B.TOPK_V2,
                options("TopKV2"),
                tensor(dtype, shape),
                [constant(k)],
                [tensor(dtype, to), tensor("int32", to)],
                version=2 if dtype in ("int8", "uint8") else 1,
            ), wholes


def normalizations():
    for name, table, fixed in (("l2_normalization", "L2Norm", (1 / 128, 0)), ("log_softmax", "LogSoftmax", (16 / 256, 127))):
        for suffix, shape in (("vector", [7]), ("rows", [3, 4]), ("image", [1, 3, 4, 19])):
            for dtype in ("float32", "int8", "uint8"):
                zero = fixed[1] + 128 * (dtype == "uint8")
                output = {} if dtype == "float32" else {"scale": fixed[0], "zero_point": zero}
                yield f"{name}_{suffix}.{dtype}", files.single_operator(
                    getattr(B, name.upper()),
                    options(table),
                    tensor(dtype, shape),
                    [],
                    tensor(dtype, shape, **output),
                    version=1 if dtype == "float32" else 2,
                ), reals


# ---- moves ----


def moved(name, table, dtype, shape, constants, outputs, fields=None, position=0, version=2):
    outputs = [tensor(dtype, each) for each in outputs]
    return files.single_operator(
        getattr(B, name.upper()),
        options(table, **(fields or {})),
        tensor(dtype, shape),
        constants,
        outputs,
        version,
        position,
    )


# Name, operator, options table, its fields, input shape, constants, output shapes, which input the map is, version.
MOVES = [
    ("slice", "slice", "Slice", {}, [2, 3, 4], [[1, 1, 0], [1, 2, -1]], [[1, 2, 4]]),
    ("slice_image", "slice", "Slice", {}, [1, 5, 7, 6], [[0, 1, 2, 3], [1, 3, 4, 2]], [[1, 3, 4, 2]]),
    ("slice_five", "slice", "Slice", {}, [1, 2, 3, 2, 4], [[0, 1, 0, 0, 1], [1, 1, 3, 2, 2]], [[1, 1, 3, 2, 2]]),
    ("split", "split", "Split", {"numSplits": 3}, [2, 6, 3], [1], [[2, 2, 3]] * 3, 1),
    ("split_channels", "split", "Split", {"numSplits": 2}, [1, 3, 2, 6], [-1], [[1, 3, 2, 3]] * 2, 1),
    ("split_v", "split_v", "SplitV", {"numSplits": 3}, [4, 6], [[1, -1, 2], -1], [[4, 1], [4, 3], [4, 2]]),
    ("unpack", "unpack", "Unpack", {"num": 3, "axis": 1}, [2, 3, 4], [], [[2, 4]] * 3),
    ("unpack_last", "unpack", "Unpack", {"num": 2, "axis": -1}, [3, 2], [], [[3]] * 2),
    ("gather", "gather", "Gather", {"axis": 1}, [2, 6, 3], [[3, 2, 1]], [[2, 3, 3]]),
    ("gather_negative_axis", "gather", "Gather", {"axis": -1}, [4, 6], [[[1, 0], [3, 3]]], [[4, 2, 2]]),
    ("gather_one", "gather", "Gather", {"axis": 0}, [2, 6, 3], [1], [[6, 3]]),
    ("broadcast_to", "broadcast_to", "BroadcastTo", {}, [3, 1], [[2, 3, 4]], [[2, 3, 4]], 0, 3),
    ("broadcast_to_six", "broadcast_to", "BroadcastTo", {}, [2, 1, 2], [[1, 2, 1, 2, 3, 2]], [[1, 2, 1, 2, 3, 2]], 0, 3),
    ("tile", "tile", "Tile", {}, [2, 1, 3], [[2, 4, 2]], [[4, 4, 6]], 0, 1),
    ("mirror_pad", "mirror_pad", "MirrorPad", {"mode": 0}, [3, 4], [[[1, 2], [0, 3]]], [[6, 7]]),
    ("mirror_pad_symmetric", "mirror_pad", "MirrorPad", {"mode": 1}, [1, 5, 7, 2], [[[0, 0], [1, 2], [3, 0], [1, 1]]], [[1, 8, 10, 4]]),
    ("depth_to_space", "depth_to_space", "DepthToSpace", {"blockSize": 2}, [1, 2, 3, 8], [], [[1, 4, 6, 2]]),
    ("depth_to_space_3", "depth_to_space", "DepthToSpace", {"blockSize": 3}, [2, 3, 1, 18], [], [[2, 9, 3, 2]]),
    ("space_to_depth", "space_to_depth", "SpaceToDepth", {"blockSize": 2}, [1, 4, 6, 2], [], [[1, 2, 3, 8]]),
    ("batch_to_space", "batch_to_space_nd", "BatchToSpaceND", {}, [6, 3, 5, 2], [[2, 3], [[1, 0], [2, 1]]], [[1, 5, 12, 2]]),
    ("batch_to_space_three", "batch_to_space_nd", "BatchToSpaceND", {}, [8, 3, 2], [[4], [[1, 2]]], [[2, 9, 2]]),
    ("space_to_batch", "space_to_batch_nd", "SpaceToBatchND", {}, [2, 3, 5, 2], [[2, 3], [[1, 0], [2, 2]]], [[12, 2, 3, 2]]),
    ("space_to_batch_three", "space_to_batch_nd", "SpaceToBatchND", {}, [2, 5, 2], [[4], [[1, 2]]], [[8, 2, 2]]),
    ("slice_ellipsis", "strided_slice", "StridedSlice", {"ellipsisMask": 1}, [1, 5, 7, 6], [[0, 1], [0, 3], [1, 1]], [[1, 5, 7, 2]]),
    ("slice_new_axis", "strided_slice", "StridedSlice", {"newAxisMask": 2, "beginMask": 1, "endMask": 1}, [3, 4], [[0, 0, 1], [0, 0, 3], [1, 1, 1]], [[3, 1, 2]]),
]  # fmt: skip


def moves():
    for name, operator, table, fields, shape, constants, outputs, *rest in MOVES:
        position, version = [*rest, *(0, 2)[len(rest) :]]
        for dtype in ("float32", "int32", "int8", "uint8") if name == operator else ("float32", "int8"):
            values = [constant(each) for each in constants]
            version = 1 if dtype == "float32" and version == 2 else version
            model = moved(operator, table, dtype, shape, values, outputs, fields, position, version)
            yield f"{name}.{dtype}", model, wholes
    for dtype in ("float32", "int32", "int8", "uint8"):
        padded = constant([[0, 0], [1, 2], [3, 0], [1, 1]])
        value = {**constant([5], dtype), **tensor(dtype, [1])}
        yield f"padv2.{dtype}", moved("padv2", "PadV2", dtype, [1, 5, 7, 2], [padded, value], [[1, 8, 10, 4]]), wholes
    yield "fill.int32", moved("fill", "Fill", "int32", [], [constant([2, 3])], [[2, 3]], position=1, version=1), wholes
    zeros = moved("zeros_like", "ZerosLike", "float32", [2, 3], [], [[2, 3]], version=1)
    yield "zeros_like.float32", zeros, wholes
    rank = files.single_operator(B.RANK, options("Rank"), tensor("float32", [2, 3]), [], tensor("int32", []))
    yield "rank.float32", rank, wholes


# ---- weights ----

# Name, input shape, kernel, strides, padding (0: same, 1: valid), output channels, how much smaller than the largest.
TRANSPOSED = [
    ("2x2_s2", [1, 4, 5, 3], (2, 2), (2, 2), 0, 4, 0),
    ("3x3_s2_same", [1, 4, 5, 3], (3, 3), (2, 2), 0, 4, 0),
    ("3x3_s2_same_odd", [1, 4, 5, 3], (3, 3), (2, 2), 0, 4, 1),
    ("3x3_s2_valid", [2, 4, 5, 3], (3, 3), (2, 2), 1, 2, 0),
    ("4x4_s2", [1, 3, 3, 8], (4, 4), (2, 2), 0, 5, 0),
    ("1x3_s1_s2", [1, 3, 4, 2], (1, 3), (1, 2), 1, 3, 0),
    ("1x1_s2", [1, 3, 4, 2], (1, 1), (2, 2), 0, 3, 0),
]


def transpose_conv():
    for name, shape, kernel, strides, padding, channels, less in TRANSPOSED:
        size = [
            shape[1 + d] * strides[d] - less if padding == 0 else (shape[1 + d] - 1) * strides[d] + kernel[d]
            for d in (0, 1)
        ]
        output = [shape[0], *size, channels]
        weights = reals(f"{name}.weights", [channels, *kernel, shape[3]]).astype(np.float32) / 3
        bias = reals(f"{name}.bias", [channels]).astype(np.float32)

        def model(dtype, weights, bias, activation=0, scale=None):
            table = options(
                "TransposeConv",
                padding=padding,
                strideH=strides[0],
                strideW=strides[1],
                fusedActivationFunction=activation,
            )
            quantization = dict(zip(("scale", "zero_point"), scale)) if scale else {}
            return files.single_operator(
                B.TRANSPOSE_CONV,
                table,
                tensor(dtype, shape),
                [constant(output), weights, *([bias] if bias else [])],
                tensor(dtype, output, **quantization),
                version=4 if activation else 3,
                position=2,
            )

        of_weights, of_bias = constant(weights, "float32"), constant(bias, "float32")
        yield f"transpose_conv_{name}.float32", model("float32", of_weights, None), reals
        yield f"transpose_conv_{name}_bias_relu6.float32", model("float32", of_weights, of_bias, 3), reals
        scales = np.abs(weights).max(axis=(1, 2, 3)) / 127
        stored = constant(np.rint(weights / scales[:, None, None, None]), "int8") | {"scale": scales}
        stored_bias = constant(np.rint(bias / (scales * 0.031)), "int32") | {"scale": scales * 0.031}
        yield f"transpose_conv_{name}.int8", model("int8", stored, stored_bias, 0, (0.05, -10)), reals
        yield f"transpose_conv_{name}_relu.int8", model("int8", stored, stored_bias, 1, (0.03, -128)), reals
        step = {"scale": 0.01, "zero_point": 120}
        unsigned = constant(np.clip(np.rint(weights / 0.01) + 120, 0, 255), "uint8") | step
        yield f"transpose_conv_{name}.uint8", model("uint8", unsigned, None, 0, (0.05, 100)), reals


# ---- look-ups ----

# Name, options table, its fields, input shape, indices, output shape.
LOOKUPS = [
    ("gather_nd", "GatherNd", {}, [5, 3], [[4], [0], [2], [0]], [4, 3]),
    ("gather_nd_elements", "GatherNd", {}, [2, 4, 3], [[[1, 3, 0], [0, 0, 2]]], [1, 2]),
    ("gather_nd_pixels", "GatherNd", {}, [1, 4, 5, 6], [[0, 3, 4], [0, 0, 0], [0, 1, 2]], [3, 6]),
    ("gather_batch", "Gather", {"axis": 1, "batchDims": 1}, [2, 5, 3], [[4, 0], [1, 1]], [2, 2, 3]),
    ("gather_batch_last", "Gather", {"axis": 2, "batchDims": 1}, [2, 3, 5], [[4, 0], [1, 1]], [2, 3, 2]),
    ("gather_batch_negative", "Gather", {"axis": -1, "batchDims": -1}, [2, 3, 5], [[4, 0], [1, 1]], [2, 3, 2]),
]


def brightest(x):
    """[N, H, W, C] -> for each channel, the place of its largest number, as MoveNet finds it: [N * C, 4]"""
    _, _, width, channels = x.shape
    place = tf.argmax(tf.reshape(x, [-1, channels]), 0, tf.int32)
    return tf.stack([tf.zeros_like(place), place // width, place % width, tf.range(channels)], 1)


COMPUTED = [
    ("lookup_gather_nd", lambda x, w: tf.gather_nd(x * 2.0, brightest(x))),
    ("lookup_gather", lambda x, w: tf.gather(tf.reshape(x, [42, 8]), tf.argmax(tf.reshape(x, [42, 8]), 0), axis=0)),
    ("lookup_top_k", lambda x, w: tf.gather(tf.reshape(x, [42, 8]), tf.math.top_k(x[0, 0, :, 0], 3)[1], axis=0)),
]


def make_lookups(out):
    for name, table, fields, shape, indices, to in LOOKUPS:
        operator = "gather" if table == "Gather" else "gather_nd"
        for dtype in ("float32", "int32", "int8", "uint8"):
            version = 3 if table == "Gather" and dtype != "float32" else 1
            model = moved(operator, table, dtype, shape, [constant(indices)], [to], fields, version=version)
            yield ops.write_case(out, f"{name}.{dtype}", model, wholes(name, shape))
    for name, build in COMPUTED:
        yield ops.make(out, f"{name}_converted", [1, 6, 7, 8], "fp32", build)


# ---- dilated convolutions as TensorFlow writes them: SPACE_TO_BATCH_ND, convolution, BATCH_TO_SPACE_ND ----

# Name, input shape, kernel, blocks, paddings, crops, activation.
DILATED = [
    ("same", [1, 8, 8, 5], (3, 3), [2, 2], [[2, 2], [2, 2]], [[0, 0], [0, 0]], 0),
    ("same_odd", [1, 9, 7, 5], (3, 3), [2, 2], [[2, 3], [2, 3]], [[0, 1], [0, 1]], 3),
    ("batch_of_two", [2, 11, 10, 3], (3, 3), [3, 3], [[3, 4], [3, 5]], [[0, 1], [0, 2]], 1),
    ("valid", [1, 12, 12, 4], (3, 3), [4, 4], [[0, 0], [0, 0]], [[0, 0], [0, 0]], 0),
    ("column", [1, 12, 12, 4], (3, 1), [4, 2], [[4, 4], [0, 0]], [[0, 0], [0, 0]], 0),
    # Crops past the padding: not one dilated convolution.
    ("cropped", [1, 8, 8, 5], (3, 3), [2, 2], [[0, 2], [2, 0]], [[1, 0], [0, 0]], 0),
]


def dilated(case, dtype, shape, kernel, block, paddings, crops, activation, is_depthwise):
    narrow = {"float32": {}, "int8": {"scale": 0.031, "zero_point": 7}, "uint8": {"scale": 0.031, "zero_point": 121}}[dtype]
    wide = {"float32": {}, "int8": {"scale": 0.09, "zero_point": -5}, "uint8": {"scale": 0.09, "zero_point": 100}}[dtype]
    batch, *size, channels = shape
    outputs = channels if is_depthwise else 4
    inner = [(size[d] + sum(paddings[d])) // block[d] for d in (0, 1)]
    convolved = [batch * block[0] * block[1], *(inner[d] - kernel[d] + 1 for d in (0, 1)), outputs]
    to = [batch, *(convolved[1 + d] * block[d] - sum(crops[d]) for d in (0, 1)), outputs]
    file = files.empty()
    [graph] = file.subgraphs
    add = lambda *tensor, **data: files.add_tensor(file, *tensor, **data)
    x, y = add("x", dtype, shape, **narrow), add("y", dtype, to, **wide)
    blocks, pads, cuts = (
        add(name, "int32", list(np.shape(values)), data=np.int32(values))
        for name, values in (("blocks", block), ("paddings", paddings), ("crops", crops))
    )
    real = reals(f"{case}.weights", [1, *kernel, outputs] if is_depthwise else [outputs, *kernel, channels]) / 4
    bias = reals(f"{case}.bias", [outputs]) / 4
    if dtype == "float32":
        stored, step, of_bias = real.astype(np.float32), {}, ("float32", bias.astype(np.float32), {})
    else:
        limits, zero = np.iinfo(dtype), 0 if dtype == "int8" else 120
        stored = np.clip(np.rint(real / 0.01) + zero, limits.min, limits.max).astype(dtype)
        step = {"scale": 0.01, "zero_point": zero}
        of_bias = ("int32", np.rint(bias / (0.01 * 0.031)).astype(np.int32), {"scale": 0.01 * 0.031, "zero_point": 0})
    weights = add("weights", dtype, list(real.shape), data=stored, **step)
    biases = add("bias", of_bias[0], [outputs], data=of_bias[1], **of_bias[2])
    spread = add("spread", dtype, [convolved[0], *inner, channels], **narrow)
    sums = add("sums", dtype, convolved, **wide)
    graph.inputs, graph.outputs = [x], [y]
    version = 1 if dtype == "float32" else 2
    fields = {"padding": 1, "strideH": 1, "strideW": 1, "fusedActivationFunction": activation}
    if is_depthwise:
        convolution = B.DEPTHWISE_CONV_2D, options("DepthwiseConv2D", depthMultiplier=1, **fields)
    else:
        convolution = B.CONV_2D, options("Conv2D", **fields)
    code = lambda operator, version: files.operator_code(operator, version=version)
    files.add_operator(
        file, code(B.SPACE_TO_BATCH_ND, version), [x, blocks, pads], [spread], options("SpaceToBatchND")
    )
    files.add_operator(
        file, code(convolution[0], 3 if dtype == "int8" else 1), [spread, weights, biases], [sums], convolution[1]
    )
    files.add_operator(file, code(B.BATCH_TO_SPACE_ND, version), [sums, blocks, cuts], [y], options("BatchToSpaceND"))
    return files.write(file)


def dilations():
    for name, *rest in DILATED:
        for dtype in ("float32", "int8", "uint8"):
            for kind in ("convolution", "depthwise"):
                case = f"dilated_{kind}_{name}"
                yield f"{case}.{dtype}", dilated(case, dtype, *rest, kind == "depthwise"), reals


# ---- as TensorFlow's converter writes them ----


def softened(x, w):
    """After a convolution, so that int8 has ranges of its own."""
    return ops.conv(x, w, 1, 8, gain=0.5)


CONVERTED = [
    ("elu", lambda x, w: tf.nn.elu(softened(x, w))),
    # One step of the convolution is less than one of its tangent.
    ("tanh", lambda x, w: tf.tanh(ops.conv(x, w, 1, 8, gain=0.1))),
    ("leaky_relu", lambda x, w: tf.nn.leaky_relu(softened(x, w), 0.1)),
    ("gelu", lambda x, w: tf.nn.gelu(softened(x, w))),
    ("maximum", lambda x, w: tf.maximum(softened(x, w), x * 0.5)),
    ("squared_difference", lambda x, w: tf.math.squared_difference(softened(x, w), x)),
    ("l2_normalize", lambda x, w: tf.nn.l2_normalize(softened(x, w), -1)),
    ("log_softmax", lambda x, w: tf.nn.log_softmax(softened(x, w))),
    ("split", lambda x, w: tf.concat(tf.split(softened(x, w), 2, 3)[::-1], 3)),
    ("transpose_conv", lambda x, w: tf.nn.conv2d_transpose(x, w.kernel(3, 3, 5, 8), [1, 12, 14, 5], 2)),
    ("where", lambda x, w: tf.where(tf.constant([True, False] * 4), softened(x, w), x)),
    ("shape_arithmetic", lambda x, w: tf.reshape(softened(x, w), [tf.shape(x)[0], tf.reduce_prod(tf.shape(x)[1:])])),
]


def make_converted(out):
    for name, build in CONVERTED:
        for kind in ("fp32", "fp16", "int8") if "conv" in name or name == "elu" else ("fp32", "int8"):
            yield ops.make(out, f"{name}_converted", [1, 6, 7, 8], kind, build, kernels_for(name))


# ---- weights that the file stores in fewer bytes ----


def pruned(name, shape, block):
    """A matrix, of which one block in five is not zero."""
    random = common.random(name)
    keep = random.random([size // length for size, length in zip(shape, block)]) > 0.8
    for axis, length in enumerate(block):
        keep = np.repeat(keep, length, axis)
    return (random.normal(0, 0.3, shape) * keep).astype(np.float32)


def dense_layer(weights):
    return [2, weights.shape[1]], lambda x: tf.matmul(x, tf.constant(weights.T.copy()))


def pointwise(weights):
    kernel = weights.T.reshape(1, 1, *weights.T.shape).copy()
    return [1, 4, 5, weights.shape[1]], lambda x: tf.nn.conv2d(x, tf.constant(kernel), 1, "SAME")


SPARSE = [
    ("sparse_blocks", dense_layer(pruned("sparse_blocks", (48, 64), (1, 4)))),
    ("sparse_elements", dense_layer(pruned("sparse_elements", (48, 64), (1, 1)))),
    ("sparse_pointwise", pointwise(pruned("sparse_pointwise", (32, 64), (1, 1)))),
]


def make_sparse(out):
    for name, (shape, build) in SPARSE:
        function = tf.function(build, input_signature=[tf.TensorSpec(shape, tf.float32)], autograph=False)
        # Of sparse float16 blocks TFLite 2.15 reads the stored elements as if they were all.
        for kind in ("fp32", "dynamic") if name == "sparse_blocks" else ("fp32", "fp16", "dynamic"):
            converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()], function)
            converter.optimizations = [tf.lite.Optimize.EXPERIMENTAL_SPARSITY]
            if kind != "fp32":
                converter.optimizations.append(tf.lite.Optimize.DEFAULT)
            if kind == "fp16":
                converter.target_spec.supported_types = [tf.float16]
            model = converter.convert()
            assert any(tensor.sparsity for tensor in files.read(model).subgraphs[0].tensors)
            yield ops.write_case(out, f"{name}.{kind}", model, reals(name, shape), common.BUILTIN)


def make_4_bit(out):
    """TFLite 2.15 computes the outputs from the same weights in 8 bits: it does not convert 4 bits to float."""
    for name, shape in (("even", [6, 10]), ("odd", [3, 7])):
        stored = common.random(name).integers(-8, 8, shape).astype(np.int8)
        file = files.empty()
        [graph] = file.subgraphs
        add = lambda *tensor, **data: files.add_tensor(file, *tensor, **data)
        x, y = add("x", "float32", [2, shape[1]]), add("y", "float32", [2, shape[0]])
        weights = add("weights", "int8", shape, scale=np.linspace(0.05, 0.1, shape[0]), data=stored)
        floats = add("floats", "float32", shape)
        graph.inputs, graph.outputs = [x], [y]
        files.add_operator(file, files.operator_code(B.DEQUANTIZE, version=5), [weights], [floats])
        files.add_operator(
            file, files.operator_code(B.FULLY_CONNECTED), [x, floats, -1], [y], options("FullyConnected")
        )
        case = ops.write_case(out, f"4_bits_{name}.fp32", files.write(file), reals(name, [2, shape[1]]), common.BUILTIN)
        nibbles = np.append(stored.ravel() & 15, [0] * (stored.size % 2)).astype(np.uint8)
        graph.tensors[weights].type = schema.TensorType.INT4
        file.buffers[graph.tensors[weights].buffer].data = nibbles[0::2] | nibbles[1::2] << 4
        (out / case["model"]).write_bytes(files.write(file))
        yield case


def pack(path, folder, cases):
    """
    Joins the files of the cases into one. Where a case has a file's name, it then has the file's offset and size: models
    at multiples of 16.
    """
    joined = bytearray()

    def move(name):
        joined.extend(bytes(-len(joined) % 16))
        content = (folder / name).read_bytes()
        joined.extend(content)
        return [len(joined) - len(content), len(content)]

    for case in cases:
        case["pack"] = path.name
        case["model"] = move(case["model"])
        for part in (case["input"], *case["outputs"]):
            part["file"] = move(part["file"])
    path.write_bytes(joined)
    common.write_json(path.with_suffix(".json"), cases)


FAMILIES = [
    *(unary, cast, arithmetic, sums, comparisons, select, reductions, normalizations, moves, transpose_conv, dilations),
]


def main():
    out = common.parse_folder(__doc__, "ops")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for family in FAMILIES:
            cases = []
            for case, model, values in family():
                kernels = kernels_for(case)
                [details] = common.interpreter(model, kernels).get_input_details()
                real = np.asarray(values(case, details["shape"]), np.float32)
                cases.append(ops.write_case(folder, case, model, real, kernels))
            pack(out / f"{family.__name__}.bin", folder, cases)
        pack(out / "lookups.bin", folder, list(make_lookups(folder)))
        pack(out / "converted.bin", folder, list(make_converted(folder)))
        pack(out / "compressed.bin", folder, [*make_sparse(folder), *make_4_bit(folder)])


if __name__ == "__main__":
    main()

"""
Cases of REDUCE_MAX, PRELU, ARG_MAX and ABS, a group GROUP.json for each: single operators in files built by hand, over shapes, axes,
broadcasts and quantizations that TensorFlow's converter would not write, and after a convolution as it writes them.
"""

import common
import files
import ops
from common import np, tf
from files import schema

# Scale and zero point by type: not symmetric, and such that no two reals of the tests share a step by accident.
QUANTIZATION = {
    "float32": {},
    "int8": {"scale": 0.031, "zero_point": 7},
    "uint8": {"scale": 0.031, "zero_point": 121},
}


def tensor(dtype, shape, **quantization):
    return {"dtype": dtype, "shape": shape, **(quantization or QUANTIZATION.get(dtype, {}))}


def constant(values, dtype="int32"):
    array = np.asarray(values, dtype)
    return {"dtype": dtype, "shape": array.shape, "data": array}


def reals(name, shape):
    """Both signs; some values twice, so that a maximum is found more than once."""
    values = common.random(name).normal(0, 1.5, shape).astype(np.float32)
    flat = values.reshape(-1)
    flat[::7] = flat[::-7][: len(flat[::7])]
    return values


# Name, input shape, axes. TFLite runs REDUCE_MAX in 8 bits only where input and output share scale and zero point.
REDUCED = [
    ("hw", [1, 5, 7, 6], [1, 2]),
    ("height", [1, 5, 7, 6], [1]),
    ("width_negative", [1, 5, 7, 6], [-2]),
    ("channels", [1, 5, 7, 6], [3]),
    ("channels_negative", [2, 3, 4, 9], [-1]),
    ("batch", [3, 2, 4, 5], [0]),
    ("hw_unordered_negative", [2, 3, 4, 9], [-2, 1]),
    ("twice_the_same", [1, 5, 7, 6], [2, -2]),
    ("apart", [2, 3, 4, 5], [0, 2]),
    ("all", [2, 3, 4, 5], [0, 1, 2, 3]),
    ("rows", [6, 10], [1]),
    ("vector", [13], [0]),
    ("one_element", [1, 1, 1, 3], [1, 2]),
]


def reduce_max():
    for dtype in ("float32", "int8", "uint8"):
        for name, shape, axes in REDUCED:
            for keep in (False, True):
                options = schema.ReducerOptionsT()
                options.keepDims = keep
                reduced = np.max(np.zeros(shape), axis=tuple({axis % len(shape) for axis in axes}), keepdims=keep)
                yield f"reduce_max_{name}{'_keep' if keep else ''}.{dtype}", files.single_operator(
                    schema.BuiltinOperator.REDUCE_MAX,
                    options,
                    tensor(dtype, shape),
                    [constant(axes)],
                    tensor(dtype, reduced.shape),
                    version=1 if dtype == "float32" else 2,
                )


# Name, input shape, shape of alpha, range of alpha.
SLOPES = [
    ("channel", [1, 5, 6, 9], [9], (-0.5, 0.8)),
    ("channel_kept", [1, 5, 6, 9], [1, 1, 9], (-0.5, 0.8)),
    ("one", [1, 5, 6, 9], [1], (0.25, 0.25)),
    ("one_of_three_dimensions", [1, 5, 6, 9], [1, 1, 1], (0.1, 0.1)),
    ("element", [1, 5, 6, 9], [5, 6, 9], (-0.5, 0.8)),
    ("pixel", [1, 5, 6, 9], [5, 6, 1], (-0.5, 0.8)),
    ("column", [1, 5, 6, 9], [1, 6, 1], (-0.5, 0.8)),
    ("row_and_channel", [1, 5, 6, 9], [5, 1, 9], (-0.5, 0.8)),
    ("batch_of_two", [2, 4, 3, 17], [1, 1, 17], (0.0, 2.0)),
    ("four_dimensions", [2, 4, 3, 17], [1, 1, 1, 17], (0.0, 2.0)),
    ("features", [3, 20], [20], (-0.5, 0.8)),
]

# Scale and zero point of input, alpha and output.
PRELU_STEPS = {
    "int8": [
        ("", (0.031, 7), (0.0065, -3), (0.031, 7)),
        ("_scaled", (0.031, 7), (0.0157, 0), (0.052, -20)),
        ("_finer", (0.043, -11), (0.0157, 12), (0.02, -90)),
    ],
    "uint8": [
        ("", (0.031, 121), (0.0065, 125), (0.031, 121)),
        ("_scaled", (0.031, 121), (0.0157, 128), (0.052, 100)),
    ],
}


def prelu():
    for name, shape, alpha_shape, (low, high) in SLOPES:
        alpha = common.random(f"prelu_{name}.alpha").uniform(low, high, alpha_shape)
        yield f"prelu_{name}.float32", files.single_operator(
            schema.BuiltinOperator.PRELU,
            None,
            tensor("float32", shape),
            [constant(alpha, "float32")],
            tensor("float32", shape),
        )
        for dtype, all_steps in PRELU_STEPS.items():
            for suffix, *steps in all_steps:
                of_input, of_alpha, of_output = [dict(zip(("scale", "zero_point"), step)) for step in steps]
                limits = np.iinfo(dtype)
                stored = np.rint(alpha / of_alpha["scale"]) + of_alpha["zero_point"]
                slope = constant(np.clip(stored, limits.min, limits.max), dtype) | of_alpha
                yield f"prelu_{name}{suffix}.{dtype}", files.single_operator(
                    schema.BuiltinOperator.PRELU,
                    None,
                    tensor(dtype, shape, **of_input),
                    [slope],
                    tensor(dtype, shape, **of_output),
                )


# Name, input shape, axis.
SEARCHED = [
    ("channels", [1, 5, 7, 6], 3),
    ("channels_negative", [2, 3, 4, 9], -1),
    ("width", [1, 5, 7, 6], 2),
    ("height_negative", [1, 5, 7, 6], -3),
    ("batch", [3, 2, 4, 5], 0),
    ("classes", [2, 21], 1),
    ("classes_negative", [1, 1001], -1),
    ("vector", [13], 0),
    ("one_class", [1, 4, 4, 1], 3),
]


def arg_max():
    for dtype in ("float32", "int8", "uint8"):
        for name, shape, axis in SEARCHED:
            for index in ("int32", "int64"):
                options = schema.ArgMaxOptionsT()
                options.outputType = files.TYPES[index]
                yield f"arg_max_{name}_{index}.{dtype}", files.single_operator(
                    schema.BuiltinOperator.ARG_MAX,
                    options,
                    tensor(dtype, shape),
                    [constant(axis)],
                    tensor(index, np.delete(shape, axis)),
                    version=1 if dtype == "float32" else 2,
                )


# Scale and zero point of input and output. TFLite runs ABS in int8 only, not in uint8.
ABS_STEPS = [
    ("", (0.031, 7), (0.031, 7)),
    ("_scaled", (0.031, 7), (0.052, -20)),
    ("_finer", (0.043, -11), (0.02, -90)),
    ("_positive", (0.031, 7), (0.0157, -128)),
]


def absolute():
    def model(version, of_input, of_output):
        options = schema.AbsOptionsT()
        return files.single_operator(schema.BuiltinOperator.ABS, options, of_input, [], of_output, version)

    for name, shape in (("image", [1, 5, 7, 6]), ("features", [3, 20]), ("vector", [13])):
        yield f"abs_{name}.float32", model(1, tensor("float32", shape), tensor("float32", shape))
    for suffix, *steps in ABS_STEPS:
        ends = [tensor("int8", [1, 5, 7, 6], **dict(zip(("scale", "zero_point"), step))) for step in steps]
        yield f"abs_image{suffix}.int8", model(2, *ends)


def reduce_max_after_conv(x, w):
    return tf.reduce_max(ops.conv(x, w, 1, 10), [1, 2])


def prelu_after_conv(x, w):
    y = ops.conv(x, w, 3, 10, 2)
    return tf.nn.relu(y) + w.uniform(-0.5, -0.05, 1, 1, 10) * tf.nn.relu(-y)  # as Keras writes it: fused to PRELU


def arg_max_after_conv(x, w):
    return tf.argmax(ops.conv(x, w, 1, 10), 3, tf.int32)


def abs_after_conv(x, w):
    # One step of the convolution is two of its absolute value, but no more than one of the sum.
    return x + tf.abs(ops.conv(x, w, 1, 8, gain=0.3))


def main():
    out = common.parse_folder(__doc__, "ops")
    for name, group, after_conv in (
        ("reduce_max", reduce_max, reduce_max_after_conv),
        ("prelu", prelu, prelu_after_conv),
        ("arg_max", arg_max, arg_max_after_conv),
        ("abs", absolute, abs_after_conv),
    ):
        cases = []
        for case, model in group():
            [details] = common.interpreter(model, common.REFERENCE).get_input_details()
            cases.append(ops.write_case(out, case, model, reals(case, details["shape"])))
        for kind in ("fp32", "fp16", "int8", "uint8io"):
            cases.append(ops.make(out, after_conv.__name__, [1, 6, 7, 8], kind, after_conv))
        common.write_json(out / f"{name}.json", cases)


if __name__ == "__main__":
    main()

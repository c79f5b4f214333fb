"""
Operator cases: small .tflite files of a few operators each, as TensorFlow's own converter writes them, with an input and the
outputs of TFLite's reference kernels.
"""

import common
import files
from common import np, tf
from files import schema

TWO = ("fp32", "int8")
FOUR = ("fp32", "fp16", "dynamic", "int8")
SIX = ("fp32", "fp16", "dynamic", "int8", "uint8io", "int8float")

CASES = []


def case(shape, kinds=TWO):
    """Registers a graph: a function of its input and of a source of weights, named as the case is."""

    def register(build):
        CASES.append((build.__name__, shape, kinds, build))
        return build

    return register


class Weights:
    """Weights of a size that keeps activations near 1."""

    def __init__(self, name):
        self.random = common.random(name)

    def normal(self, *shape, scale=1.0):
        return tf.constant(self.random.normal(0, scale, shape).astype(np.float32))

    def kernel(self, *shape):
        return self.normal(*shape, scale=1 / np.sqrt(np.prod(shape[:-1])))

    def uniform(self, low, high, *shape):
        return tf.constant(self.random.uniform(low, high, shape).astype(np.float32))


def conv(x, w, size, channels, stride=1, padding="SAME", dilation=1, groups=1, gain=1.0):
    kernel = w.kernel(size, size, x.shape[-1] // groups, channels) * gain
    y = tf.nn.conv2d(x, kernel, stride, padding, dilations=dilation)
    return tf.nn.bias_add(y, w.normal(channels, scale=0.3))


def depthwise(x, w, size, stride=1, padding="SAME", multiplier=1):
    channels = x.shape[-1]
    kernel = w.normal(size, size, channels, multiplier, scale=1 / size)
    y = tf.nn.depthwise_conv2d(x, kernel, [1, stride, stride, 1], padding)
    return tf.nn.bias_add(y, w.normal(channels * multiplier, scale=0.3))


def dense(x, w, units, bias=True):
    y = tf.matmul(x, w.kernel(x.shape[-1], units))
    return tf.nn.bias_add(y, w.normal(units, scale=0.3)) if bias else y


@case([1, 13, 17, 8], FOUR)
def conv3x3_s1_same_relu6(x, w):
    return tf.nn.relu6(conv(x, w, 3, 16))


@case([1, 20, 16, 3], ("fp32", "int8", "uint8io"))
def conv3x3_s2_same_even_relu(x, w):
    return tf.nn.relu(conv(x, w, 3, 12, 2))


@case([1, 21, 15, 3])
def conv3x3_s2_valid_odd(x, w):
    return conv(x, w, 3, 12, 2, "VALID")


@case([1, 9, 9, 24], ("fp32", "fp16", "dynamic", "int8", "int8float"))
def conv1x1_relu6(x, w):
    return tf.nn.relu6(conv(x, w, 1, 40))


@case([1, 16, 15, 8])
def conv3x3_dilation2(x, w):
    return conv(x, w, 3, 8, dilation=2)


@case([1, 19, 22, 4])
def conv5x5_s2_same(x, w):
    return conv(x, w, 5, 8, 2)


@case([1, 11, 12, 16])
def conv1x1_s2(x, w):
    return conv(x, w, 1, 20, 2)


@case([1, 10, 10, 24], FOUR)
def dw3x3_s1_relu6(x, w):
    return tf.nn.relu6(depthwise(x, w, 3))


@case([1, 19, 13, 20])
def dw3x3_s2_odd(x, w):
    return depthwise(x, w, 3, 2)


@case([1, 14, 18, 20])
def dw3x3_s2_even(x, w):
    return depthwise(x, w, 3, 2)


@case([1, 15, 16, 12])
def dw5x5_s2(x, w):
    return depthwise(x, w, 5, 2)


@case([1, 9, 9, 6])
def dw3x3_multiplier2(x, w):
    return depthwise(x, w, 3, padding="VALID", multiplier=2)


@case([1, 17, 17, 6])
def pad_then_conv_s2_valid(x, w):
    return conv(tf.pad(x, [[0, 0], [0, 1], [0, 1], [0, 0]]), w, 3, 10, 2, "VALID")


@case([1, 16, 17, 6])
def pad_then_dw_s2_valid(x, w):
    return depthwise(tf.pad(x, [[0, 0], [0, 1], [1, 0], [0, 0]]), w, 3, 2, "VALID")


@case([1, 5, 7, 3])
def pad_nhwc(x, w):
    return tf.pad(x, [[0, 0], [1, 2], [2, 1], [0, 0]])


@case([1, 8, 8, 12])
def residual_add(x, w):
    return x + conv(x, w, 1, 12)


@case([1, 8, 8, 12])
def residual_add_relu(x, w):
    # Of a range that the sum does not cut off: a step of the convolution is no more than one of the output.
    return tf.nn.relu(x + conv(x, w, 1, 12, gain=0.3))


@case([1, 6, 6, 12])
def add_const_broadcast_channel(x, w):
    return x + w.normal(12)


@case([1, 6, 6, 12])
def mul_const_channel_add_const(x, w):
    return x * w.uniform(0.5, 2, 12) + w.normal(12)


@case([1, 7, 7, 12])
def squeeze_excite_mul_broadcast(x, w):
    return x * tf.sigmoid(conv(tf.reduce_mean(x, [1, 2], keepdims=True), w, 1, 12))


@case([1, 7, 7, 12])
def hard_swish_block(x, w):
    y = conv(x, w, 1, 12)
    return y * tf.nn.relu6(y + 3) * (1 / 6)


@case([1, 7, 7, 12])
def hard_sigmoid_gate(x, w):
    return x * (tf.nn.relu6(conv(x, w, 1, 12) + 3) * (1 / 6))


@case([1, 11, 12, 8])
def avgpool_3x3_s2_same(x, w):
    return tf.nn.avg_pool2d(x, 3, 2, "SAME")


@case([1, 7, 7, 32])
def avgpool_7x7_valid_squeeze(x, w):
    return tf.reshape(tf.nn.avg_pool2d(x, 7, 1, "VALID"), [1, 32])


@case([1, 9, 11, 8])
def maxpool_2x2_s2_same_odd(x, w):
    return tf.nn.max_pool2d(x, 2, 2, "SAME")


@case([1, 9, 11, 8])
def maxpool_3x3_s1_valid(x, w):
    return tf.nn.max_pool2d(x, 3, 1, "VALID")


@case([1, 7, 9, 32])
def mean_hw(x, w):
    return tf.reduce_mean(x, [1, 2])


@case([1, 7, 9, 32])
def mean_hw_keepdims(x, w):
    return tf.reduce_mean(x, [1, 2], keepdims=True)


@case([1, 7, 7, 32], SIX)
def mean_fc_softmax(x, w):
    return tf.nn.softmax(dense(tf.reduce_mean(x, [1, 2]), w, 10))


@case([1, 64], ("fp32", "dynamic", "int8"))
def fc_no_bias_relu6(x, w):
    return tf.nn.relu6(dense(x, w, 24, bias=False))


@case([1, 4, 4, 3], ("fp32", "dynamic", "int8"))
def reshape_fc(x, w):
    return dense(tf.reshape(x, [1, 48]), w, 16)


@case([3, 32])
def fc_batch3_logistic(x, w):
    return tf.sigmoid(dense(x, w, 10))


@case([1, 5, 5, 6])
def softmax_4d(x, w):
    return tf.nn.softmax(x * 3.0)


@case([1, 6, 6, 8])
def concat_channel(x, w):
    return tf.concat([conv(x, w, 1, 16), tf.nn.max_pool2d(x, 3, 1, "SAME")], 3)


@case([1, 6, 6, 8])
def concat_axis1_heads(x, w):
    large = tf.reshape(conv(x, w, 1, 8), [1, 72, 4])
    small = tf.reshape(conv(tf.nn.max_pool2d(x, 2, 2, "SAME"), w, 1, 8), [1, 18, 4])
    return tf.concat([large, small], 1)


@case([1, 5, 7, 4])
def resize_bilinear_half_pixel(x, w):
    return tf.compat.v1.image.resize_bilinear(x, [12, 9], half_pixel_centers=True)


@case([1, 5, 7, 4])
def resize_bilinear_legacy(x, w):
    return tf.compat.v1.image.resize_bilinear(x, [12, 9])


@case([1, 5, 7, 4])
def resize_bilinear_align_corners(x, w):
    return tf.compat.v1.image.resize_bilinear(x, [12, 9], align_corners=True)


@case([1, 6, 6, 8])
def relu_relu6_logistic_chain(x, w):
    return tf.sigmoid(tf.nn.relu6(tf.nn.relu(x * 2.0) * 1.5))


@case([1, 6, 5, 8])
def expand_dims_transpose_free(x, w):
    return tf.reshape(tf.nn.avg_pool2d(x, [6, 5], 1, "VALID"), [1, 8])


@case([1, 8, 8, 8])
def grouped_conv2(x, w):
    return conv(x, w, 3, 8, groups=2)


@case([1, 14, 14, 3], SIX)
def inverted_residual_block(x, w):
    y = tf.nn.relu6(conv(x, w, 1, 18))
    y = tf.nn.relu6(depthwise(y, w, 3))
    return x + conv(y, w, 1, 3)


@case([1, 6, 6, 8])
def two_inputs_none_but_two_outputs(x, w):
    y = conv(x, w, 1, 8)
    return {"mean": tf.reduce_mean(y, [1, 2]), "plane": y}


# Weights of over 1024 elements: the converter leaves smaller ones in float.
@case([1, 9, 9, 32], FOUR)
def big_conv1x1(x, w):
    return conv(x, w, 1, 64)


@case([1, 12, 13, 16], FOUR)
def big_conv3x3_s2(x, w):
    return conv(x, w, 3, 24, 2)


@case([1, 8, 8, 160], FOUR)
def big_dw3x3(x, w):
    return depthwise(x, w, 3)


@case([2, 96], FOUR)
def big_fc(x, w):
    return dense(x, w, 48)


@case([1, 6, 6, 8])
def relu_alone(x, w):
    return tf.nn.relu(x)


@case([1, 6, 6, 8])
def relu6_alone(x, w):
    return tf.reshape(tf.nn.relu6(x * 1.0), [1, 36, 8])


@case([1, 6, 6, 8])
def logistic_alone(x, w):
    return tf.sigmoid(x)


@case([1, 7, 7, 32])
def squeeze_after_avgpool(x, w):
    return tf.squeeze(tf.nn.avg_pool2d(x, 7, 1, "VALID"), [1, 2])


def make(out, name, shape, kind, build, kernels=common.REFERENCE):
    """One graph in one kind of file: what cases.json says of it."""

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.float32)])
    def function(x):
        return build(x, Weights(name))

    inputs = common.random(f"{name}.input")
    representative = [inputs.normal(0, 1.5, shape).astype(np.float32) for _ in range(20)]
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()], function)
    model = common.convert(converter, kind, representative)
    if name == "squeeze_after_avgpool":
        model = squeeze_for_reshape(model)
    return write_case(out, f"{name}.{kind}", model, representative[-1], kernels)


def squeeze_for_reshape(model):
    """TensorFlow's converter writes every squeeze as a RESHAPE; other converters do not."""
    file = files.read(model)
    [graph] = file.subgraphs
    operator = graph.operators[-1]
    file.operatorCodes[operator.opcodeIndex] = files.operator_code(schema.BuiltinOperator.SQUEEZE)
    operator.inputs = operator.inputs[:1]
    operator.builtinOptionsType = schema.BuiltinOptions.SqueezeOptions
    operator.builtinOptions = schema.SqueezeOptionsT()
    operator.builtinOptions.squeezeDims = [1, 2]
    return files.write(file)


def write_case(out, name, model, real, kernels=common.REFERENCE):
    """kernels: those that compute the outputs."""
    engine = common.interpreter(model, kernels)
    [tensor] = engine.get_input_details()
    stored = common.quantize(real, tensor)
    outputs = common.run(model, stored, kernels)
    optimized = common.run(model, stored, common.BUILTIN)
    (out / f"{name}.tflite").write_bytes(model)
    common.write_array(out / f"{name}.input.bin", stored)
    for i, output in enumerate(outputs):
        common.write_array(out / f"{name}.output{i}.bin", output)
    return {
        "name": name,
        "model": f"{name}.tflite",
        "ops": common.operator_names(model),
        "input": describe(f"{name}.input.bin", stored, tensor),
        "outputs": [
            describe(f"{name}.output{i}.bin", output, details)
            | {"optimized_kernels_differ_by": common.difference(output, optimized[i])}
            for i, (output, details) in enumerate(zip(outputs, engine.get_output_details()))
        ],
    }


def describe(file, array, tensor):
    return {
        "file": file,
        "shape": list(array.shape),
        "dtype": array.dtype.name,
        "quantization": common.quantization(tensor),
    }


def main():
    out = common.parse_folder(__doc__, "ops")
    cases = [make(out, name, shape, kind, build) for name, shape, kinds, build in CASES for kind in kinds]
    common.write_json(out / "cases.json", cases)


if __name__ == "__main__":
    main()

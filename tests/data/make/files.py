"""TFLite files by hand: read, changed, built of single operators, written. The classes are those of TensorFlow's schema."""

import flatbuffers
import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

TYPES = {
    "float32": schema.TensorType.FLOAT32,
    "float16": schema.TensorType.FLOAT16,
    "int8": schema.TensorType.INT8,
    "uint8": schema.TensorType.UINT8,
    "int32": schema.TensorType.INT32,
    "int64": schema.TensorType.INT64,
    "bool": schema.TensorType.BOOL,
}


def read(model):
    return schema.ModelT.InitFromPackedBuf(model, 0)


def write(model):
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def operator_code(builtin, custom=None, version=1):
    code = schema.OperatorCodeT()
    code.builtinCode = builtin
    code.deprecatedBuiltinCode = min(builtin, 127)
    code.customCode = custom
    code.version = version
    return code


def add_tensor(model, name, dtype, shape, scale=None, zero_point=0, data=None):
    """Its index in the only subgraph."""
    buffer = schema.BufferT()
    if data is not None:
        buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
    model.buffers.append(buffer)
    tensor = schema.TensorT()
    tensor.name, tensor.type, tensor.shape = name, TYPES[dtype], list(shape)
    tensor.buffer = len(model.buffers) - 1
    if scale is not None:
        scales = np.atleast_1d(scale)  # several: one for each index of dimension 0
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = list(map(float, scales)), [zero_point] * len(scales)
    model.subgraphs[0].tensors.append(tensor)
    return len(model.subgraphs[0].tensors) - 1


def add_operator(model, code, inputs, outputs, options=None):
    """options: the table of builtin options, or the bytes of custom ones."""
    model.operatorCodes.append(code)
    operator = schema.OperatorT()
    operator.opcodeIndex = len(model.operatorCodes) - 1
    operator.inputs, operator.outputs = inputs, outputs
    if isinstance(options, bytes):
        operator.customOptions = np.frombuffer(options, np.uint8)
    elif options is not None:
        kind = type(options).__name__.removesuffix("T")
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
        operator.builtinOptions = options
    model.subgraphs[0].operators.append(operator)


def empty():
    model = schema.ModelT()
    model.version, model.description = 3, "made by hand"
    model.buffers = [schema.BufferT()]  # by convention the first is empty
    model.operatorCodes = []
    graph = schema.SubGraphT()
    graph.name, graph.tensors, graph.operators = "main", [], []
    model.subgraphs = [graph]
    return model


def single_operator(builtin, options, input, constants, output, version=1, position=0):
    """
    A file of one operator. input, output, constants: dicts of add_tensor's arguments but the name; constants may be empty;
    output may be a list. position: which of the operator's inputs the input is.
    """
    outputs = output if isinstance(output, list) else [output]
    model = empty()
    [graph] = model.subgraphs
    first = add_tensor(model, "input", **input)
    others = [add_tensor(model, f"constant{i}", **constant) for i, constant in enumerate(constants)]
    last = [add_tensor(model, "output" if i == 0 else f"output{i}", **each) for i, each in enumerate(outputs)]
    graph.inputs, graph.outputs = [first], last
    inputs = [*others[:position], first, *others[position:]]
    add_operator(model, operator_code(builtin, version=version), inputs, last, options)
    return write(model)

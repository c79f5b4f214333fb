// One network for each operator and dtype, for two that differ, and for each limit of scales, and whether it runs. test_hostile.c loads them.
import { OPERATORS } from '../../../wasm/tflite/operators.js';

/** @typedef {import('../../fuzz/tiny_models.js').Dtype} Dtype */
/** @typedef {import('../../fuzz/tiny_models.js').TinyTensor} TinyTensor */
/** @typedef {import('../../fuzz/tiny_models.js').TinyOperator} TinyOperator */
/** @typedef {(of: (...shape: number[]) => TinyTensor) => [inputs: TinyTensor[], outputs: TinyTensor[], options?: TinyOperator['options']]} Form */

/** @type {Dtype[]} */
const DTYPES = ['float32', 'float16', 'int32', 'uint8', 'int64', 'bool', 'int8'];
const REALS = ['float32', 'uint8', 'int8'];
const NUMBERS = [...REALS, 'int32', 'int64'];
/** Elements of 1 or 4 bytes. */
const COPIED = [...REALS, 'int32', 'bool'];

/** @param {number[]} data @returns {TinyTensor} */
const int32s = (...data) => ({ shape: [data.length], dtype: 'int32', data });
/** @type {(dtype: Dtype, ...shape: number[]) => TinyTensor} */
const typed = (dtype, ...shape) => ({ shape, dtype });

/** @type {Form} */
const UNARY = (of) => [[of(2)], [of(2)]];
/** @type {Form} */
const BINARY = (of) => [[of(2), of(2)], [of(2)]];
/** @type {Form} */
const COMPARISON = (of) => [[of(2), of(2)], [typed('bool', 2)]];
/** @type {Form} */
const REDUCTION = (of) => [[of(2), int32s(0)], [of()]];
/** @type {Form} */
const ARGUMENT = (of) => [[of(2), int32s(0)], [typed('int32')]];

/** @type {[operators: string, dtypes: string[], form: Form][]} */
const TABLE = [
  ['ABS NEG SIGN SQUARE', NUMBERS, UNARY],
  ['ADD SUB MUL DIV FLOOR_DIV FLOOR_MOD MAXIMUM MINIMUM POW SQUARED_DIFFERENCE', NUMBERS, BINARY],
  ['ADD_N', ['float32', 'int32'], BINARY],
  ['LESS LESS_EQUAL GREATER GREATER_EQUAL EQUAL NOT_EQUAL', [...NUMBERS, 'bool'], COMPARISON],
  ['LOGICAL_AND LOGICAL_OR', ['bool'], COMPARISON],
  ['LOGICAL_NOT', ['bool'], UNARY],
  ['RELU RELU6 RELU_N1_TO_1 RELU_0_TO_1 LOGISTIC TANH EXP LOG SQRT RSQRT FLOOR CEIL ROUND', REALS, UNARY],
  ['LEAKY_RELU ELU GELU HARD_SWISH LOG_SOFTMAX L2_NORMALIZATION', REALS, UNARY],
  ['ZEROS_LIKE', DTYPES, UNARY],
  ['MEAN', REALS, REDUCTION],
  ['SUM REDUCE_MAX REDUCE_MIN', NUMBERS, REDUCTION],
  ['REDUCE_PROD', ['float32', 'int32', 'int64'], REDUCTION],
  ['REDUCE_ANY REDUCE_ALL', ['bool'], REDUCTION],
  ['ARG_MAX ARG_MIN', REALS, ARGUMENT],
  [
    'TOPK_V2',
    NUMBERS,
    (of) => [
      [of(2), int32s(1)],
      [of(1), typed('int32', 1)],
    ],
  ],
  ['SOFTMAX', REALS, (of) => [[of(2)], [of(2)], [9, ['f32', 0, 1]]]],
  ['PRELU', REALS, BINARY],
  ['SELECT SELECT_V2', DTYPES, (of) => [[typed('bool', 2), of(2), of(2)], [of(2)]]],
  ['RESHAPE', DTYPES, (of) => [[of(2), int32s(1, 2)], [of(1, 2)]]],
  ['SQUEEZE', DTYPES, (of) => [[of(1, 2)], [of(2)], [30, ['ints', 0, [0]]]]],
  ['EXPAND_DIMS', DTYPES, (of) => [[of(2), int32s(0)], [of(1, 2)]]],
  ['SHAPE', DTYPES, (of) => [[of(2)], [typed('int32', 1)]]],
  ['RANK', DTYPES, (of) => [[of(2)], [typed('int32')]]],
  ['TRANSPOSE', COPIED, (of) => [[of(2, 3), int32s(1, 0)], [of(3, 2)]]],
  ['PAD', COPIED, (of) => [[of(2), int32s(0, 1)], [of(3)]]],
  ['MIRROR_PAD', DTYPES, (of) => [[of(2), int32s(0, 1)], [of(3)], [77]]],
  ['TILE', DTYPES, (of) => [[of(2), int32s(2)], [of(4)]]],
  ['BROADCAST_TO', DTYPES, (of) => [[of(1), int32s(2)], [of(2)]]],
  ['GATHER', DTYPES, (of) => [[of(2), int32s(1)], [of(1)], [23]]],
  ['GATHER_ND', DTYPES, (of) => [[of(2), { ...int32s(1), shape: [1, 1] }], [of(1)]]],
  ['SLICE', DTYPES, (of) => [[of(2), int32s(0), int32s(1)], [of(1)]]],
  ['STRIDED_SLICE', DTYPES, (of) => [[of(2), int32s(0), int32s(1), int32s(1)], [of(1)], [32]]],
  ['CONCATENATION', DTYPES, (of) => [[of(2), of(2)], [of(4)], [10]]],
  ['PACK', DTYPES, (of) => [[of(2), of(2)], [of(2, 2)], [59, ['i32', 0, 2]]]],
  ['UNPACK', DTYPES, (of) => [[of(1, 2)], [of(2)], [64, ['i32', 0, 1]]]],
  ['SPLIT', DTYPES, (of) => [[int32s(0), of(2)], [of(2)], [35, ['i32', 0, 1]]]],
  ['FILL', DTYPES, (of) => [[int32s(2), of()], [of(2)]]],
  ['SPACE_TO_DEPTH', DTYPES, (of) => [[of(1, 2, 2, 1)], [of(1, 1, 1, 4)], [19, ['i32', 0, 2]]]],
  ['DEPTH_TO_SPACE', DTYPES, (of) => [[of(1, 1, 1, 4)], [of(1, 2, 2, 1)], [94, ['i32', 0, 2]]]],
  [
    'SPACE_TO_BATCH_ND',
    DTYPES,
    (of) => [[of(1, 2, 2, 1), int32s(2, 2), { ...int32s(0, 0, 0, 0), shape: [2, 2] }], [of(4, 1, 1, 1)]],
  ],
  ['RESIZE_BILINEAR', REALS, (of) => [[of(1, 2, 2, 1), int32s(3, 3)], [of(1, 3, 3, 1)], [15]]],
  ['RESIZE_NEAREST_NEIGHBOR', DTYPES, (of) => [[of(1, 2, 2, 1), int32s(3, 3)], [of(1, 3, 3, 1)], [74]]],
  [
    'MAX_POOL_2D AVERAGE_POOL_2D',
    REALS,
    (of) => [
      [of(1, 2, 2, 1)],
      [of(1, 1, 1, 1)],
      [5, ['i8', 0, 1], ['i32', 1, 1], ['i32', 2, 1], ['i32', 3, 2], ['i32', 4, 2]],
    ],
  ],
];

/** @param {string} name @param {Form} form @param {Dtype} dtype */
function networkOfDtype(name, form, dtype) {
  /** @type {Partial<Record<Dtype, Partial<TinyTensor>>>} */
  // The quantization that TFLite prescribes for probabilities is that of LOGISTIC and SOFTMAX.
  const bytes = { uint8: { scale: 1 / 256 }, int8: { scale: 1 / 256, zeroPoint: -128 } };
  return networkOf(
    name,
    form((...shape) => ({ shape, dtype, ...bytes[dtype] })),
  );
}

/** @param {string} name @param {ReturnType<Form>} form */
function networkOf(name, [inputs, outputs, options]) {
  const tensors = [...inputs, ...outputs];
  const indices = tensors.map((_, i) => i);
  const [taken, given] = [indices.slice(0, inputs.length), indices.slice(inputs.length)];
  const { code } = OPERATORS[/** @type {keyof typeof OPERATORS} */ (name)];
  return {
    ...{ tensors, inputs: taken.filter((i) => !tensors[i].data), outputs: given },
    operators: [{ code, inputs: taken, outputs: given, options }],
  };
}

// ---- scales ----

/** @param {number} scale @param {number[]} shape @returns {TinyTensor} */
const int8s = (scale, ...shape) => ({ shape, dtype: 'int8', scale });
/** @param {Dtype} dtype @param {number | number[]} scale of each output channel, or of all */
const conv = (dtype, scale) => {
  const channels = Array.isArray(scale) ? scale.length : 1;
  return /** @type {ReturnType<Form>} */ ([
    [
      { shape: [1, 1, 1, 1], dtype, scale: 1 },
      { shape: [channels, 1, 1, 1], dtype, scale, data: Array(channels).fill(1) },
    ],
    [{ shape: [1, 1, 1, channels], dtype, scale: 1 }],
    [1, ['i32', 1, 1], ['i32', 2, 1]],
  ]);
};

/** By the ratio of an input's scale and the output's: the smallest, and the first that is too large. */
const SCALES =
  /** @type {[name: string, from: number, to: number, form: (ratio: number) => ReturnType<Form>][]} */ ([
    ...['ADD', 'SUB'].flatMap((name) => [
      [name, 2 ** -10, 256, (/** @type {number} */ ratio) => [[int8s(ratio, 2), int8s(1, 2)], [int8s(1, 2)]]],
      [name, 2 ** -10, 256, (/** @type {number} */ ratio) => [[int8s(1, 2), int8s(ratio, 2)], [int8s(1, 2)]]],
    ]),
    ['MUL', 2 ** -16, 256, (ratio) => [[int8s(ratio, 2), int8s(1, 2)], [int8s(1, 2)]]],
    ['MUL', 2 ** -16, 256, (ratio) => [[int8s(0.5, 2), int8s(ratio, 2)], [int8s(0.5, 2)]]],
    ['MEAN', 2 ** -10, 256, (ratio) => [[int8s(ratio, 2), int32s(0)], [int8s(1)]]],
    ['CONV_2D', 0, 256, (ratio) => conv('int8', [1, ratio])],
    ['CONV_2D', 2 ** -32, 256, (ratio) => conv('uint8', ratio)],
  ]);

/** The next smaller float. @param {number} power of two */
const below = (power) => power * (1 - 2 ** -24);

export const SCALE_NETWORKS = SCALES.flatMap(([name, from, to, form]) => {
  const ratios = [
    ...(from > 0
      ? [
          { ratio: below(from), runs: false },
          { ratio: from, runs: true },
        ]
      : []),
    ...[
      { ratio: below(to), runs: true },
      { ratio: to, runs: false },
    ],
  ];
  return ratios.map(({ ratio, runs }) => ({
    name: `${name} with a scale ${ratio} times as large`,
    status: runs ? 'OK' : 'UNSUPPORTED_OPERATOR',
    network: networkOf(name, form(ratio)),
  }));
});

export const DTYPE_NETWORKS = TABLE.flatMap(([names, dtypes, form]) =>
  names.split(' ').flatMap((name) =>
    DTYPES.map((dtype) => ({
      name: `${name} of ${dtype}`,
      status: dtypes.includes(dtype) ? 'OK' : 'UNSUPPORTED_OPERATOR',
      network: networkOfDtype(name, form, dtype),
    })),
  ),
);

/** These compare the dtypes first. */
const COMPARING = ['ADD_N', 'REDUCE_PROD', 'REDUCE_MAX', 'REDUCE_MIN', 'REDUCE_ANY', 'REDUCE_ALL'];

/** Outputs of another dtype than the inputs. */
export const MIXED_NETWORKS = TABLE.flatMap(([names, dtypes, form]) => {
  const [inputs, outputs, options] = form((...shape) => ({ shape, dtype: 'float32' }));
  if (outputs.every(({ dtype }) => dtype !== 'float32')) return [];
  const others = outputs.map((output) => ({ ...output, dtype: /** @type {const} */ ('int32') }));
  return names.split(' ').map((name) => ({
    name: `${name} from float32 to int32`,
    status:
      dtypes === DTYPES || dtypes === COPIED || COMPARING.includes(name)
        ? 'MODEL_BAD_GRAPH'
        : 'UNSUPPORTED_OPERATOR',
    network: networkOf(name, [inputs, others, options]),
  }));
});

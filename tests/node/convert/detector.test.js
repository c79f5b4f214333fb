// What is read of a detector's graph: its preprocessing, its anchors and box coder, its scores, its suppression. Graphs of
// the operators that say it, against the numbers that they were made of.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readHeads } from '../../../wasm/convert/detector/heads.js';
import { readPreprocessing } from '../../../wasm/convert/detector/input.js';
import { readSuppression } from '../../../wasm/convert/detector/nms.js';
import { Facts } from '../../../wasm/convert/graph/facts.js';
import { make } from '../../../wasm/convert/graph/graph.js';
import { at, floats, ints, number } from './refs.js';
import { assertNear } from './run_graph.js';

/** @typedef {import('../../../wasm/convert/graph/graph.js').Ref} Ref */

const axis = (/** @type {number} */ i) => ({ axis: { i } });
/** @param {string} name @param {'DT_FLOAT' | 'DT_UINT8'} type */
const image = (name, type = 'DT_FLOAT') =>
  make(name, 'Placeholder', [], { dtype: { type: type === 'DT_FLOAT' ? 1 : 4 } });
const window = { strides: { list: { i: [1, 1, 1, 1] } }, padding: { s: new TextEncoder().encode('SAME') } };
const conv = (/** @type {Ref} */ x) =>
  make('conv', 'Conv2D', [x, floats(new Array(6).fill(1), [1, 1, 3, 2])], window);

describe('preprocessing', () => {
  /** @param {(x: Ref) => Ref} build @param {number[]} [shape] @param {'DT_FLOAT' | 'DT_UINT8'} [type] */
  const read = (build, shape = [1, 20, 30, 3], type = 'DT_FLOAT') => {
    const x = image('image', type);
    const output = conv(build(x));
    const facts = new Facts([output], new Map([[x.node, shape]]));
    return { ...readPreprocessing([output], facts), first: output.node };
  };
  const resize = (/** @type {Ref} */ x, attrs = {}) =>
    make('resize', 'ResizeBilinear', [x, ints([6, 8])], attrs);

  test('the size of a resize, and its convention', () => {
    const legacy = read((x) => resize(x));
    assert.deepEqual([legacy.size, legacy.resize], [[6, 8], 'legacy']);
    const half = read((x) => resize(x, { half_pixel_centers: { b: true } }));
    assert.deepEqual([half.size, half.resize], [[6, 8], 'half-pixel']);
  });
  test('the size of the image, if nothing resizes it', () => {
    const { size, resize: convention, scale, offset } = read((x) => x);
    assert.deepEqual([size, convention, scale, offset], [[20, 30], 'half-pixel', [1, 1, 1], [0, 0, 0]]);
  });
  test('the convolution takes the new input, without padding before it', () => {
    const { input, first } = read((x) =>
      make('pad', 'Pad', [make('m', 'Mul', [x, number(2)]), ints([0, 0, 1, 1, 1, 1, 0, 0], [4, 2])]),
    );
    assert.equal(first.inputs[0].node.op, 'Pad');
    assert.equal(first.inputs[0].node.inputs[0], input);
    assert.equal(input.node.name, 'normalized_input_image_tensor');
  });
  test('(x * 2 - 3) / 4 + 5, a channel at a time', () => {
    const { scale, offset, normalization } = read(
      (x) => {
        const product = make('m', 'Mul', [floats([2, 4, 8]), x]);
        const difference = make('s', 'Sub', [product, number(3)]);
        return make('a', 'AddV2', [floats([5, 6, 7]), make('d', 'RealDiv', [difference, number(4)])]);
      },
      undefined,
      'DT_UINT8',
    );
    assertNear(scale, [0.5, 1, 2]);
    // The walk goes back from the convolution: what is added before a division is divided, too.
    assertNear(offset, [5 - 3 / 4, 6 - 3 / 4, 7 - 3 / 4]);
    assertNear(normalization?.std ?? [], [2, 1, 0.5]);
    assertNear(normalization?.mean ?? [], [-2 * 4.25, -5.25, -0.5 * 6.25]);
  });
  test('of floats, the rescaling says which pixels they are', () => {
    const scaled = (/** @type {number} */ factor, /** @type {number} */ shift) =>
      read((x) => make('s', 'Sub', [make('m', 'Mul', [x, number(factor)]), number(shift)])).normalization;
    assertNear(scaled(1 / 127.5, 1)?.std ?? [], [127.5, 127.5, 127.5]);
    assertNear(scaled(2, 1)?.std ?? [], [127.5, 127.5, 127.5]);
    assertNear(scaled(2, 1)?.mean ?? [], [127.5, 127.5, 127.5]);
    assert.equal(scaled(3.5, 0), undefined);
    assert.equal(read((x) => x).normalization?.std[0], undefined);
  });
  test('operators that change no pixel', () => {
    const { scale } = read((x) => {
      const slices = make(
        'split',
        'Split',
        [ints([0], []), make('m', 'Div', [make('c', 'Cast', [x], { DstT: { type: 1 } }), number(4)])],
        { num_split: { i: 1 } },
      );
      return make('e', 'ExpandDims', [
        make('q', 'Squeeze', [slices], { squeeze_dims: { list: { i: [0] } } }),
        ints([0], []),
      ]);
    });
    assertNear(scale, [0.25, 0.25, 0.25]);
  });
  /** @type {[string, (x: Ref) => Ref, number[], RegExp][]} */
  const refused = [
    [
      'align_corners',
      (x) => resize(x, { align_corners: { b: true } }),
      [1, 20, 30, 3],
      /'resize' resizes with align_corners/,
    ],
    [
      'a slice that turns channels',
      (x) =>
        make('turn', 'StridedSlice', [x, ints([0, 0, 0, 2]), ints([1, 20, 30, -9]), ints([1, 1, 1, -1])]),
      [1, 20, 30, 3],
      /'turn' swaps channels/,
    ],
    [
      'another operator',
      (x) => make('abs', 'Abs', [x]),
      [1, 20, 30, 3],
      /its preprocessing has Abs at 'abs'/,
    ],
    [
      'a constant in front of a difference',
      (x) => make('s', 'Sub', [number(1), x]),
      [1, 20, 30, 3],
      /has Sub at 's' without a constant/,
    ],
    [
      'a constant in front of a quotient',
      (x) => make('d', 'RealDiv', [number(1), x]),
      [1, 20, 30, 3],
      /has RealDiv at 'd' without a constant/,
    ],
    [
      'a constant of two numbers',
      (x) => make('m', 'Mul', [x, floats([1, 2], [2, 1])]),
      [1, 2, 1, 3],
      /without a constant for one or three channels/,
    ],
    [
      'a constant in place of the image',
      () => make('c', 'Cast', [number(1)], { DstT: { type: 1 } }),
      [1, 20, 30, 3],
      /'c' in its preprocessing does not depend on the image/,
    ],
    ['two images', (x) => make('m', 'Mul', [x, x]), [1, 20, 30, 3], /has Mul at 'm' without a constant/],
    ['no fixed size', (x) => x, [1, -1, -1, 3], /its input has no fixed size/],
    [
      'a chain without end',
      (x) =>
        Array.from({ length: 201 }).reduce(
          (/** @type {Ref} */ ref) => make('c', 'Cast', [ref], { DstT: { type: 1 } }),
          x,
        ),
      [1, 20, 30, 3],
      /over 200 operators/,
    ],
  ];
  for (const [name, build, shape, message] of refused)
    test(`${name} is refused`, () =>
      assert.throws(() => read(build, shape), { code: 'DETECTOR_NOT_UNDERSTOOD', message }));
  test('199 operators are read', () => {
    const build = (/** @type {Ref} */ x) =>
      Array.from({ length: 199 }).reduce((/** @type {Ref} */ ref) => make('m', 'Mul', [ref, number(1)]), x);
    assert.deepEqual(read(build).scale, [1, 1, 1]);
  });
  test('no convolution', () => {
    const x = image('image');
    const y = make('y', 'Neg', [x]);
    assert.throws(() => readPreprocessing([y], new Facts([y], new Map([[x.node, [1, 2, 2, 3]]]))), {
      code: 'DETECTOR_NOT_UNDERSTOOD',
      message: /found no convolution/,
    });
  });
});

describe('anchors, box coder and scores', () => {
  // Two rows of three anchors: centre y, centre x, height, width.
  const ANCHORS = [0, 1].flatMap((row) =>
    [0, 1, 2].map((column) => [(row + 0.5) / 2, (column + 0.5) / 3, 0.25 + row / 8, 0.5 + column / 8]),
  );
  const N = ANCHORS.length;

  /**
   * A graph that decodes boxes as the Object Detection API does.
   * @param {object} [how]
   * @param {number[]} [how.coder] divisors of ty, tx, th, tw
   * @param {number[]} [how.order] the columns of the encodings that are ty, tx, th, tw
   * @param {number[]} [how.pixels] height and width, if anchors are pixels
   * @param {boolean} [how.isXFirst] edges are x, y, x, y
   * @param {(scores: Ref) => Ref} [how.convert]
   * @param {(part: Ref, i: number) => Ref} [how.change]
   * @param {number} [how.columns] of the scores
   */
  const read = ({
    coder = [10, 10, 5, 5],
    order = [0, 1, 2, 3],
    pixels = [1, 1],
    isXFirst = false,
    convert = (x) => x,
    change = (x) => x,
    columns = 3,
  } = {}) => {
    const x = image('image');
    const flat = (/** @type {number} */ size) =>
      make('flat', 'Reshape', [
        make('w', 'MatMul', [x, floats(new Array(4 * N * size).fill(1), [4, N * size])]),
        ints([1, N, size]),
      ]);
    const boxes = flat(4);
    const parts = make(
      'parts',
      'Unpack',
      [make('rows', 'Squeeze', [boxes], { squeeze_dims: { list: { i: [0] } } })],
      { ...axis(1), num: { i: 4 } },
    );
    const [ty, tx, th, tw] = order.map((column, i) =>
      change(make(`t${i}`, 'RealDiv', [at(parts, column), number(coder[i])]), i),
    );
    const [cy, cx, h, w] = [0, 1, 2, 3].map((i) =>
      floats(ANCHORS.map((anchor) => anchor[i] * pixels[i % 2])),
    );
    const side = (/** @type {Ref} */ t, /** @type {Ref} */ of) =>
      make('side', 'Mul', [make('exp', 'Exp', [t]), of]);
    const centre = (/** @type {Ref} */ t, /** @type {Ref} */ of, /** @type {Ref} */ from) =>
      make('centre', 'AddV2', [make('shift', 'Mul', [t, of]), from]);
    const edges = (/** @type {Ref} */ middle, /** @type {Ref} */ length) =>
      ['Sub', 'AddV2'].map((op) => make('edge', op, [middle, make('half', 'Mul', [length, number(0.5)])]));
    const [[y0, y1], [x0, x1]] = [
      edges(centre(ty, h, cy), side(th, h)),
      edges(centre(tx, w, cx), side(tw, w)),
    ];
    const decoded = make('decoded', 'Pack', isXFirst ? [x0, y0, x1, y1] : [y0, x0, y1, x1], axis(1));
    const scores = convert(flat(columns));
    const nms = make('nms', 'NonMaxSuppressionV3', [
      decoded,
      make('best', 'Max', [scores, ints([0, 2])]),
      ints([5], []),
      number(0.5),
      number(0.1),
    ]);
    const facts = new Facts([nms], new Map([[x.node, [1, 4]]]));
    return readHeads([nms], facts, [20, 30]);
  };
  const flat = ANCHORS.flat();

  test('in parts of the image', () => {
    const { anchors, boxCoder, boxColumns, converter, background, numClasses, scores } = read();
    assertNear(anchors, flat);
    assert.deepEqual(
      [boxCoder, boxColumns, converter, background, numClasses],
      [[10, 10, 5, 5], [0, 1, 2, 3], 'none', false, 3],
    );
    assert.equal(scores.node.op, 'Reshape');
  });
  test('in pixels', () => assertNear(read({ pixels: [20, 30] }).anchors, flat));
  test('columns in another order, and unequal divisors', () => {
    const { anchors, boxCoder, boxColumns } = read({ coder: [4, 8, 2.5, 0.125], order: [1, 0, 3, 2] });
    assertNear(anchors, flat);
    assert.deepEqual(
      [boxCoder, boxColumns],
      [
        [4, 8, 2.5, 0.125],
        [1, 0, 3, 2],
      ],
    );
  });
  test('edges with x first', () => {
    const { anchors, boxCoder, boxColumns } = read({ coder: [4, 8, 2, 16], isXFirst: true });
    assertNear(anchors, flat);
    assert.deepEqual(
      [boxCoder, boxColumns],
      [
        [4, 8, 2, 16],
        [0, 1, 2, 3],
      ],
    );
  });
  test('divisors are rounded to 1/1000 only if they are near it', () => {
    assert.deepEqual(read({ coder: [10.00001, 10, 5, 5] }).boxCoder[0], 10);
    const [odd] = read({ coder: [0.30042, 10, 5, 5] }).boxCoder;
    assert.ok(Math.abs(odd - 0.30042) < 1e-6);
  });
  /** @type {[string, Parameters<typeof read>[0]][]} */
  const refused = [
    ['a divisor below 0', { coder: [-10, 10, 5, 5] }],
    [
      'an encoding without effect',
      { change: (part, i) => (i === 0 ? make('none', 'Mul', [part, number(0)]) : part) },
    ],
    ['two encodings of one part', { order: [0, 0, 2, 3] }],
    ...[1.015, 1 / 1.015].map(
      (factor) =>
        /** @type {[string, Parameters<typeof read>[0]]} */ ([
          `a divisor of one anchor, ${factor.toFixed(3)} times as small,`,
          {
            change: (part, i) =>
              i === 1 ? make('each', 'Mul', [part, floats([1, 1, 1, factor, 1, 1])]) : part,
          },
        ]),
    ),
  ];
  for (const [name, how] of refused)
    test(`${name} is refused`, () =>
      assert.throws(() => read(how), {
        code: 'DETECTOR_NOT_UNDERSTOOD',
        message: /column \d of the box encodings/,
      }));
  test('divisors that differ by less than a hundredth', () => {
    const change = (/** @type {Ref} */ part, /** @type {number} */ i) =>
      i === 1 ? make('each', 'Mul', [part, floats([1, 1, 1, 1.005, 1, 1])]) : part;
    assert.equal(read({ change }).boxCoder[1], 10);
  });

  const slice = (/** @type {Ref} */ x) => make('cut', 'Slice', [x, ints([0, 0, 1]), ints([-1, -1, -1])]);
  const sigmoid = (/** @type {Ref} */ x) => make('sigmoid', 'Sigmoid', [x]);
  const softmax = (/** @type {Ref} */ x) => make('softmax', 'Softmax', [x]);
  /** @type {[string, (x: Ref) => Ref, [string, boolean, number]][]} */
  const converters = [
    ['sigmoid', sigmoid, ['sigmoid', false, 3]],
    ['softmax with a background', (x) => slice(softmax(x)), ['softmax', true, 2]],
    ['sigmoid with a background', (x) => slice(sigmoid(x)), ['sigmoid', true, 2]],
    ['a background that is cut off before', (x) => slice(x), ['none', true, 2]],
    ['what comes behind the cut does not count', (x) => sigmoid(slice(softmax(x))), ['softmax', true, 2]],
  ];
  for (const [name, convert, expected] of converters)
    test(name, () => {
      const { converter, background, numClasses } = read({ convert });
      assert.deepEqual([converter, background, numClasses], expected);
    });
  test('logits that are scaled before the converter are the scores', () => {
    const scaled = (/** @type {number} */ factor) => (/** @type {Ref} */ x) =>
      sigmoid(make('scaled', 'Mul', [x, number(factor)]));
    assert.equal(read({ convert: scaled(0.5) }).scores.node.name, 'scaled');
    assert.equal(read({ convert: scaled(1) }).scores.node.name, 'flat');
    const after = (/** @type {Ref} */ x) => make('scaled', 'Mul', [sigmoid(x), number(0.5)]);
    assert.equal(read({ convert: after }).scores.node.name, 'flat');
  });
});

describe('suppression', () => {
  const boxes = image('boxes');
  const scores = image('scores');
  /**
   * @param {string} op
   * @param {Ref[]} limits
   * @param {{attrs?: object, numClasses?: number, after?: (nms: Ref) => Ref, shapes?: number[][]}} [how]
   */
  const read = (
    op,
    limits,
    { attrs = {}, numClasses = 3, after = (x) => x, shapes = [[9, 4], [9]] } = {},
  ) => {
    const nms = make('nms', op, [boxes, scores, ...limits], attrs);
    const output = after(nms);
    const facts = new Facts(
      [output],
      new Map([
        [boxes.node, shapes[0]],
        [scores.node, shapes[1]],
      ]),
    );
    return readSuppression([output], facts, [nms.node], numClasses);
  };
  const usual = [ints([7], []), number(0.6), number(0.25)];
  test('one operator for all classes', () =>
    assert.deepEqual(read('NonMaxSuppressionV3', usual), {
      ...{ scoreThreshold: 0.25, iouThreshold: 0.6, maxPerClass: 7, maxResults: 7, classAgnostic: true },
    }));
  test('of one class', () =>
    assert.deepEqual(read('NonMaxSuppressionV3', usual, { numClasses: 1 }), {
      ...{ scoreThreshold: 0.25, iouThreshold: 0.6, maxPerClass: 7, maxResults: 7, classAgnostic: false },
    }));
  test('combined', () =>
    assert.deepEqual(
      read('CombinedNonMaxSuppression', [ints([7], []), ints([15], []), number(0.6), number(0.25)]),
      {
        ...{ scoreThreshold: 0.25, iouThreshold: 0.6, maxPerClass: 7, maxResults: 15, classAgnostic: false },
      },
    ));
  test('older operators have no threshold of scores', () => {
    const first = read('NonMaxSuppression', [ints([7], [])], {
      attrs: { iou_threshold: { f: Math.fround(0.4) } },
    });
    assert.deepEqual([first.scoreThreshold, first.iouThreshold], [0, 0.4]);
    assert.equal(read('NonMaxSuppression', [ints([7], [])]).iouThreshold, 0.5);
    const second = read('NonMaxSuppressionV2', [...usual]);
    assert.deepEqual([second.scoreThreshold, second.iouThreshold], [0, 0.6]);
  });
  test('thresholds beyond what scores are', () => {
    assert.equal(read('NonMaxSuppressionV3', [usual[0], usual[1], number(-Infinity)]).scoreThreshold, 0);
    assert.equal(read('NonMaxSuppressionV3', [usual[0], usual[1], number(2)]).scoreThreshold, 1);
  });
  test('limits in a Minimum', () => {
    const least = (/** @type {Ref} */ a, /** @type {Ref} */ b) => make('least', 'Minimum', [a, b]);
    assert.equal(
      read('NonMaxSuppressionV3', [least(ints([7], []), scores), ...usual.slice(1)]).maxPerClass,
      7,
    );
    assert.equal(
      read('NonMaxSuppressionV3', [least(scores, ints([8], [])), ...usual.slice(1)]).maxPerClass,
      8,
    );
    assert.equal(
      read('NonMaxSuppressionV3', [least(image('n'), ints([9, 6])), ...usual.slice(1)]).maxPerClass,
      6,
    );
    const many = Array.from({ length: 200_000 }, (_, i) => 200_003 - i);
    assert.equal(
      read('NonMaxSuppressionV3', [least(image('n'), ints(many)), ...usual.slice(1)]).maxPerClass,
      4,
    );
    for (const limit of [least(scores, scores), scores])
      assert.throws(() => read('NonMaxSuppressionV3', [limit, ...usual.slice(1)]), {
        code: 'DETECTOR_NOT_UNDERSTOOD',
        message: /the limits of 'nms' are not constant/,
      });
  });
  test('soft suppression is refused', () => {
    assert.equal(read('NonMaxSuppressionV5', [...usual, number(0)]).maxPerClass, 7);
    assert.throws(() => read('NonMaxSuppressionV5', [...usual, number(0.5)]), {
      code: 'DETECTOR_NOT_UNDERSTOOD',
      message: /soft-NMS/,
    });
  });
  /** @type {[string, (nms: Ref) => Ref, number][]} */
  const totals = [
    [
      'the first of a list',
      (nms) => make('first', 'StridedSlice', [nms, ints([0]), ints([5]), ints([1])]),
      5,
    ],
    ['not the first', (nms) => make('rest', 'StridedSlice', [nms, ints([1]), ints([5]), ints([1])]), 7],
    [
      'a part of a shape',
      (nms) => make('part', 'StridedSlice', [make('s', 'Shape', [nms]), ints([0]), ints([5]), ints([1])]),
      7,
    ],
    ['the best', (nms) => make('best', 'TopKV2', [nms, ints([4], [])]), 4],
    ['a Minimum', (nms) => make('least', 'Minimum', [make('n', 'Size', [nms]), ints([6], [])]), 6],
    [
      'the smallest of them',
      (nms) =>
        make('best', 'TopKV2', [
          make('first', 'StridedSlice', [nms, ints([0]), ints([3]), ints([1])]),
          ints([4], []),
        ]),
      3,
    ],
    ['a single one is no limit', (nms) => make('best', 'TopKV2', [nms, ints([1], [])]), 7],
  ];
  for (const [name, after, expected] of totals)
    test(`in all: ${name}`, () =>
      assert.equal(read('NonMaxSuppressionV3', usual, { after }).maxResults, expected));
  test('in all: the size of the outputs', () => {
    const nms = make('nms', 'NonMaxSuppressionV3', [boxes, scores, ...usual]);
    const [found, none, unknown, others] = ['found', 'none', 'unknown', 'others'].map((name) => image(name));
    const outputs = [nms, found, none, unknown, others];
    const shapes = new Map([
      [found.node, [1, 11, 4]],
      [none.node, [1, 0, 4]],
      [unknown.node, [1, -1, 4]],
      [others.node, [1, 2, 5]],
    ]);
    const facts = new Facts(outputs, shapes);
    assert.equal(readSuppression(outputs, facts, [nms.node], 3).maxResults, 11);
  });
  test('in all, of an operator for each class: as many for each', () => {
    const each = [0, 1].map((i) => make(`nms${i}`, 'NonMaxSuppressionV3', [boxes, scores, ...usual]));
    const facts = new Facts(
      each,
      new Map([
        [boxes.node, [9, 4]],
        [scores.node, [9]],
      ]),
    );
    const { maxResults, classAgnostic } = readSuppression(
      each,
      facts,
      each.map(({ node }) => node),
      2,
    );
    assert.deepEqual([maxResults, classAgnostic], [14, false]);
  });
});

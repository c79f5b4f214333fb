// From a detector's first convolution back to its image: which size, and what becomes of a pixel on the way.
import { convertFailure } from '../errors.js';
import { make } from '../graph/graph.js';
import { inOrder } from '../graph/simplify.js';

/**
 * @typedef {import('../graph/graph.js').Node} Node
 * @typedef {import('../graph/graph.js').Ref} Ref
 * @typedef {import('../graph/facts.js').Facts} Facts
 *
 * @typedef {object} Preprocessing
 * @property {Ref} input what the network now takes: [1, height, width, 3]
 * @property {number[]} size height, width
 * @property {number[]} scale of each channel: value = pixel * scale + offset, pixel in [0, 255]
 * @property {number[]} offset
 * @property {'legacy' | 'half-pixel'} resize
 */

const CONVOLUTIONS = new Set(['Conv2D', '_FusedConv2D']);
const TRANSPARENT = new Set([
  'Cast',
  'ExpandDims',
  'Squeeze',
  'Reshape',
  'Pack',
  'Unpack',
  'StridedSlice',
  'Split',
  'SplitV',
  'Slice',
  'ConcatV2',
  'Identity',
  'ZerosLike',
]);
const MAX_HOPS = 200;
const MAX_UNIT_SCALE = 0.05; // per level of 255; an image in [0, 1] is scaled by more

/**
 * @param {Ref[]} outputs
 * @param {Facts} facts
 * @returns {Preprocessing}
 */
export function readPreprocessing(outputs, facts) {
  const nodes = inOrder(outputs);
  const first = nodes.find(({ op, inputs }) => CONVOLUTIONS.has(op) && facts.value(inputs[1]));
  if (!first) throw convertFailure('DETECTOR_NOT_UNDERSTOOD', 'it has no convolution');
  const [start] = first.inputs[0].node.op === 'Pad' ? first.inputs[0].node.inputs : first.inputs;
  const path = new Path(facts);
  const image = path.follow(start);
  const shape = facts.shape(image) ?? [];
  const size = path.size ?? shape.slice(1, 3);
  if (size.length !== 2 || size.some((side) => !(side > 0)))
    throw convertFailure(
      'DETECTOR_NOT_UNDERSTOOD',
      'its input has no fixed size: only fixed_shape_resizer can be converted',
    );
  const isUnit =
    image.node.dtype('dtype') !== 'uint8' && path.scale.every((scale) => Math.abs(scale) > MAX_UNIT_SCALE);
  const input = make('normalized_input_image_tensor', 'Placeholder', []);
  replace(nodes, start, input);
  return {
    input,
    size,
    scale: path.scale.map((scale) => (isUnit ? scale / 255 : scale)),
    offset: path.offset,
    resize: path.resize,
  };
}

/** @param {Node[]} nodes @param {Ref} from @param {Ref} to */
function replace(nodes, from, to) {
  for (const node of nodes)
    node.inputs = node.inputs.map((ref) => (ref.node === from.node && ref.index === from.index ? to : ref));
}

/** What happens between the image and a value: value = image * scale + offset, by channel. */
class Path {
  scale = [1, 1, 1];
  offset = [0, 0, 0];
  /** @type {number[] | undefined} */ size;
  /** @type {'legacy' | 'half-pixel'} */ resize = 'half-pixel';

  /** @param {Facts} facts */
  constructor(facts) {
    this.facts = facts;
  }

  /** @param {Ref} ref @returns {Ref} the image */
  follow(ref) {
    for (let hops = 0; hops < MAX_HOPS; hops++) {
      if (ref.node.op === 'Placeholder') return ref;
      ref = this.#before(ref.node);
    }
    throw convertFailure('DETECTOR_NOT_UNDERSTOOD', 'its preprocessing is too long');
  }

  /** @param {Node} node */
  #before(node) {
    const { op, inputs } = node;
    if (op === 'Mul' || op === 'RealDiv' || op === 'Div' || op === 'Add' || op === 'AddV2' || op === 'Sub')
      return this.#affine(node);
    if (op === 'ResizeBilinear') {
      if (node.bool('align_corners'))
        throw convertFailure('DETECTOR_NOT_UNDERSTOOD', `'${node.name}' aligns corners`);
      this.resize = node.bool('half_pixel_centers') ? 'half-pixel' : 'legacy';
      this.size = this.facts.sizes(inputs[1]);
      return inputs[0];
    }
    if (op === 'StridedSlice' && [...(this.facts.value(inputs[3])?.data ?? [])].some((step) => step < 0))
      throw convertFailure('DETECTOR_NOT_UNDERSTOOD', `'${node.name}' swaps channels`);
    if (!TRANSPARENT.has(op))
      throw convertFailure('DETECTOR_NOT_UNDERSTOOD', `${op} at '${node.name}' in its preprocessing`);
    const image = inputs.find((input) => !this.facts.value(input));
    if (!image) throw convertFailure('DETECTOR_NOT_UNDERSTOOD', `'${node.name}' depends on no image`);
    return image;
  }

  /** @param {Node} node */
  #affine({ name, op, inputs }) {
    const values = inputs.map((ref) => this.facts.value(ref));
    const at = values.findIndex((value) => value);
    const constant = values[at]?.data;
    if (
      !constant ||
      (constant.length !== 1 && constant.length !== 3) ||
      (op !== 'Mul' && !op.startsWith('Add') && at === 0)
    )
      throw convertFailure('DETECTOR_NOT_UNDERSTOOD', `${op} at '${name}' in its preprocessing`);
    [0, 1, 2].forEach((c) => {
      const value = constant[constant.length === 1 ? 0 : c];
      if (op === 'Mul') this.scale[c] *= value;
      else if (op === 'RealDiv' || op === 'Div') this.scale[c] /= value;
      else this.offset[c] += this.scale[c] * (op === 'Sub' ? -value : value);
    });
    return inputs[1 - at];
  }
}

// Reads a detector's preprocessing: walks back from its first convolution to its image, and collects size, scale,
// offset and resize method. Then replaces the preprocessing by a new input.
import { convertFailure } from '../errors.js';
import { unscaledRange } from '../normalization.js';
import { make } from '../graph/graph.js';
import { inOrder } from '../graph/simplify.js';

/**
 * @typedef {import('../graph/graph.js').Node} Node
 * @typedef {import('../graph/graph.js').Ref} Ref
 * @typedef {import('../graph/facts.js').Facts} Facts
 *
 * @typedef {object} Preprocessing
 * @property {Ref} input the network's new input [1, height, width, 3]
 * @property {number[]} size height, width
 * @property {{mean: number[], std: number[]}} [normalization] value = (pixel - mean) / std; undefined: the graph does not
 *   say which values its image has
 * @property {number[]} scale of the graph's preprocessing: network's value = image's value * scale + offset
 * @property {number[]} offset
 * @property {'legacy' | 'half-pixel'} resize
 */

const CONVOLUTIONS = new Set(['Conv2D', '_FusedConv2D']);
/** Operators that do not change pixel values. */
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

/**
 * @param {Ref[]} outputs
 * @param {Facts} facts
 * @returns {Preprocessing}
 */
export function readPreprocessing(outputs, facts) {
  const nodes = inOrder(outputs);
  const first = nodes.find(({ op, inputs }) => CONVOLUTIONS.has(op) && facts.value(inputs[1]));
  if (!first) throw convertFailure('DETECTOR_NOT_UNDERSTOOD', 'found no convolution');
  const [start] = first.inputs[0].node.op === 'Pad' ? first.inputs[0].node.inputs : first.inputs;
  const path = new Path(facts);
  const image = path.follow(start);
  const shape = facts.shape(image) ?? [];
  const size = path.size ?? shape.slice(1, 3);
  if (size.length !== 2 || size.some((side) => !(side > 0)))
    throw convertFailure(
      'DETECTOR_NOT_UNDERSTOOD',
      'its input has no fixed size; only detectors with fixed_shape_resizer can be converted',
    );
  const input = make('normalized_input_image_tensor', 'Placeholder', []);
  replace(nodes, start, input);
  return {
    input,
    size,
    normalization: path.normalization(image.node.dtype('dtype') === 'uint8'),
    scale: path.scale,
    offset: path.offset,
    resize: path.resize,
  };
}

/** Replaces `from` by `to` in the inputs of all nodes. @param {Node[]} nodes @param {Ref} from @param {Ref} to */
function replace(nodes, from, to) {
  for (const node of nodes)
    node.inputs = node.inputs.map((ref) => (ref.node === from.node && ref.index === from.index ? to : ref));
}

/** The computation between the image and a value: value = image * scale + offset, per channel. */
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
      ref = this.#stepBack(ref.node);
    }
    throw convertFailure('DETECTOR_NOT_UNDERSTOOD', `its preprocessing has over ${MAX_HOPS} operators`);
  }

  /**
   * @param {boolean} isBytes whether the image has values from 0 to 255
   * @returns {Preprocessing['normalization']}
   */
  normalization(isBytes) {
    const range = isBytes ? { std: [1] } : unscaledRange(this.scale, this.offset);
    if (!range) return undefined;
    const [unit] = range.std;
    return {
      mean: this.scale.map((scale, c) => 0 - (this.offset[c] * unit) / scale),
      std: this.scale.map((scale) => unit / scale),
    };
  }

  /** Adds the node's effect, and returns the input that depends on the image. @param {Node} node @returns {Ref} */
  #stepBack(node) {
    const { op, inputs } = node;
    if (op === 'Mul' || op === 'RealDiv' || op === 'Div' || op === 'Add' || op === 'AddV2' || op === 'Sub')
      return this.#affine(node);
    if (op === 'ResizeBilinear') {
      if (node.bool('align_corners'))
        throw convertFailure('DETECTOR_NOT_UNDERSTOOD', `'${node.name}' resizes with align_corners`);
      this.resize = node.bool('half_pixel_centers') ? 'half-pixel' : 'legacy';
      this.size = this.facts.sizes(inputs[1]);
      return inputs[0];
    }
    if (op === 'StridedSlice' && [...(this.facts.value(inputs[3])?.data ?? [])].some((step) => step < 0))
      throw convertFailure('DETECTOR_NOT_UNDERSTOOD', `'${node.name}' swaps channels`);
    if (!TRANSPARENT.has(op))
      throw convertFailure('DETECTOR_NOT_UNDERSTOOD', `its preprocessing has ${op} at '${node.name}'`);
    const image = inputs.find((input) => !this.facts.value(input));
    if (!image)
      throw convertFailure(
        'DETECTOR_NOT_UNDERSTOOD',
        `'${node.name}' in its preprocessing does not depend on the image`,
      );
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
      throw convertFailure(
        'DETECTOR_NOT_UNDERSTOOD',
        `its preprocessing has ${op} at '${name}' without a constant for one or three channels`,
      );
    [0, 1, 2].forEach((c) => {
      const value = constant[constant.length === 1 ? 0 : c];
      if (op === 'Mul') this.scale[c] *= value;
      else if (op === 'RealDiv' || op === 'Div') this.scale[c] /= value;
      else this.offset[c] += this.scale[c] * (op === 'Sub' ? -value : value);
    });
    return inputs[1 - at];
  }
}

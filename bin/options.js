// Options that several commands take.
import { DEFAULT_MAX_PIXELS } from '../dist/layout.js';
import { DECODES, MAX_PIXELS } from '../wasm/vision/reading.js';
import { WEIGHTS } from '../wasm/vision/spec/forms.js';
import { PRECISIONS, THREADS } from '../wasm/vision/vision_model.js';

/** The range of a number of items that only the command line limits. */
export const COUNT = { min: 1, max: 1e6, integer: true };

export const threads = /** @type {const} */ ({
  type: 'number',
  value: 'N',
  about: 'compute with N threads',
  range: THREADS,
  default: 1,
});

export const deterministic = /** @type {const} */ ({
  type: 'flag',
  about: 'use plain SIMD only: every machine computes the same bits',
});

export const precision = /** @type {const} */ ({
  type: 'choice',
  value: 'P',
  about: 'the numbers to compute with; auto uses 8 bits if this machine is fast at them',
  choices: PRECISIONS,
});

export const weights = /** @type {const} */ ({
  type: 'choice',
  value: 'W',
  about:
    'of the model that comes with ocelli: compressed, a quarter of the download, or full, in float16 as published',
  choices: WEIGHTS,
  otherwise: 'a model of your own is given with --model',
  defaultText: WEIGHTS[0],
});

/** For commands that take a model as an argument. */
export const ownWeights = /** @type {const} */ ({
  ...weights,
  otherwise: 'a model of your own is given as an argument',
});

export const labels = /** @type {const} */ ({
  type: 'text',
  value: 'FILE',
  about: 'the names of the classes, one on each line',
  defaultText: 'the names that come with the model',
});

export const input = /** @type {const} */ ({
  type: 'text',
  value: 'VALUES',
  about:
    'the values that the model takes, if the file does not say: [-1,1], [0,1], [0,255], imagenet, or JSON such as ' +
    '{"scale": 0.00784314, "offset": -1, "resize": "half-pixel", "fit": "crop"} with value = pixel * scale + offset; ' +
    'JSON text or the name of a JSON file',
});

export const ssd = /** @type {const} */ ({
  type: 'text',
  value: 'JSON',
  about:
    "how to turn the model's outputs into boxes, if the file does not say: {anchors or anchorGenerator, boxCoder, " +
    'scores, background}; JSON text or the name of a JSON file. docs/api.md has an example',
});

export const force = /** @type {const} */ ({
  type: 'flag',
  about: 'overwrite files that ocelli did not write; inputs are never overwritten',
});

export const signature = /** @type {const} */ ({
  type: 'text',
  value: 'NAME',
  about: 'which of the signatures in the file to run; ocelli inspect lists them',
  defaultText: 'the first subgraph',
});

export const maxPixels = /** @type {const} */ ({
  type: 'number',
  value: 'N',
  about: 'refuse images of more than N pixels',
  range: MAX_PIXELS,
  default: DEFAULT_MAX_PIXELS,
});

export const strict = /** @type {const} */ ({
  type: 'flag',
  about:
    'stop at the first image that cannot be read, and write nothing; without it such images are named and left out',
});

/** How image files are read. */
export const reading = /** @type {const} */ ({
  decode: {
    type: 'choice',
    value: 'SCALE',
    about:
      'decode JPEG files at full size, or at 1/2, 1/4 or 1/8 of it as long as both sides stay twice as large as the ' +
      "network's input",
    choices: DECODES,
    defaultText: 'scaled for images of more than 4 megapixels, unless --deterministic is given',
  },
  'max-pixels': maxPixels,
});

/** Where features are taken from. */
export const extractor = /** @type {const} */ ({
  model: {
    type: 'file',
    value: 'FILE',
    about: 'a .tflite file, or - for standard input',
    defaultText: "the backbone of ocelli's detector",
  },
  weights,
  layer: {
    type: 'text',
    value: 'NAME',
    about: 'pool this tensor inside the network',
    defaultText: "the model's output if it is a vector, otherwise MobileNetV2's Conv_1",
  },
  signature,
  input,
  threads,
  deterministic,
  ...reading,
  strict,
});

// ---- positionals ----

export const images = /** @type {const} */ ({
  name: 'IMAGE',
  what: 'at least one image',
  about:
    "PNG, JPEG, BMP or GIF; a directory with such files; a pattern such as 'photos/**/*.jpg'; - is standard input",
  repeated: true,
  optionNames: ['image', 'images', 'img', 'source', 'src', 'file', 'files', 'path'],
});

/** What other tools call a model that is no option here. */
export const MODEL_OPTIONS = /** @type {const} */ (['model', 'm', 'file', 'input', 'source']);

export const optionalModel = /** @type {const} */ ({
  name: 'MODEL',
  what: 'a .tflite file',
  about: '- is standard input; default: the detector that comes with ocelli',
  optional: true,
  optionNames: MODEL_OPTIONS,
});

export const outputModel = /** @type {const} */ ({
  name: 'OUT.tflite',
  what: 'a .tflite file to write',
  about: '- is standard output',
  writes: ['.tflite'],
  optionNames: ['out', 'output', 'o', 'output-file', 'outfile'],
});

export const classDirectory = /** @type {const} */ ({
  name: 'DIR',
  what: 'a directory with a folder of images for each class',
  about: 'hidden files and folders are left out',
});

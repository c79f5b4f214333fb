// What users may type: each command's help text and, beside it, the options as node:util's parseArgs takes them.

export const HELP = `\
Usage: ocelli COMMAND [options] [files]

Finds objects in photos, classifies and compares them with MobileNetV2, as one small WebAssembly module.

Commands:
  detect IMAGE...    what is in the photos, and where
  embed IMAGE...     a feature vector for each photo
  similar QUERY IMAGE...
                     the photos most like one
  classify IMAGE...  what each photo shows, with a classifier of yours
  inspect [MODEL]    what is in a .tflite file
  bench [MODEL]      how fast it runs here
  convert SOURCE OUT a model as TensorFlow publishes it, as a .tflite file
  quantize MODEL OUT a .tflite file that computes in 8 bits, from photos for it to be calibrated on
  train DIR          a classifier from photos in a directory for each class
  evaluate MODEL DIR how well a classifier does on such photos

Options:
  -h, --help         this text; after a command, the command's
  --version          the version

Example:
  ocelli detect photo.jpg --out found.png

Exit status: 0; 1 if an input could not be used; 2 if the command line could not be understood.
`;

const DETECT = `\
Usage: ocelli detect [options] IMAGE...

Prints a table of the objects in each image: label, score, and box in pixels of the upright image. IMAGE is a PNG,
JPEG, BMP or GIF file, or - for standard input.

Options:
  --score N          show what scores above N, 0 to 1; default 0.5
  --iou N            drop a box that overlaps a better one of its class by more than N, 0 to 1; default 0.6
  --max N            show the N best; default 100
  --classes A,B      show these classes only: names, MIDs (/m/...) or numbers
  --deny A,B         do not show these
  --json             one JSON object a line for each image instead of the table:
                     {file, width, height, detections: [{label, labelId, mid, score, box: {x, y, width, height}}],
                      precision, ms: {decode, preprocess, network, postprocess}}
  --out FILE.png     also write the image with boxes and labels drawn on it
  --out DIR          the same for any number of images, as DIR/NAME.png; no input is ever overwritten
  --report           also the energy and emissions of it all, measured or estimated
  --threads N        default 1
  --precision P      float (default), int8, or auto: 8 bits where this machine is fast at them
  --deterministic    plain SIMD: the same digits on every machine
  -h, --help         this text

Another model than the one that comes with ocelli:
  --model FILE       a .tflite file, or - for standard input
  --labels FILE      names of its classes, one a line
  --input JSON       how pixels become its input (value = pixel * scale + offset), where the file does not say, such as
                     '{"scale": 0.00784314, "offset": -1, "resize": "half-pixel"}'
  --ssd JSON         how its outputs become boxes, where the file does not say: {anchors or anchorGenerator, boxCoder,
                     scores, background}; the entries of models/manifest.json are examples
  JSON is the text itself or the name of a file with it.

Examples:
  ocelli detect photo.jpg
  ocelli detect --score 0.3 --classes Dog,Cat --out found/ photos/*.jpg
  curl -s https://example.com/photo.jpg | ocelli detect --json -
`;

const EMBED = `\
Usage: ocelli embed [options] IMAGE...

Prints the feature vector of each image. IMAGE is a PNG, JPEG, BMP or GIF file, or - for standard input.

Options:
  --json             one JSON object a line for each image: {file, features}
  --npy FILE         write them as one float32 array [images, length] for NumPy, a row for each image that is listed
  --normalize        divide each vector by its length
  --model FILE       a .tflite file, or - for standard input; default: the backbone of ocelli's own detector
  --layer NAME       pool this tensor inside the network; default: the model's own vector, else MobileNetV2's Conv_1
  --input JSON       how pixels become its input (value = pixel * scale + offset), where the file does not say, such as
                     '{"scale": 0.00392157, "offset": 0, "resize": "half-pixel"}'; or the name of a file with it
  --threads N        default 1
  --deterministic    plain SIMD: the same digits on every machine
  -h, --help         this text

Example:
  ocelli embed --npy features.npy photos/*.jpg
`;

const SIMILAR = `\
Usage: ocelli similar [options] QUERY IMAGE...

Prints the images by how alike they are to QUERY: the cosine of the angle between their feature vectors, best first.
One of the files may be - for standard input.

Options:
  --top N            the N best; default: all
  --json             one JSON object: {query, matches: [{file, similarity}]}
  --model FILE       a .tflite file, or - for standard input; default: the backbone of ocelli's own detector
  --layer NAME       pool this tensor inside the network; default: the model's own vector, else MobileNetV2's Conv_1
  --input JSON       how pixels become its input (value = pixel * scale + offset), where the file does not say, such as
                     '{"scale": 0.00392157, "offset": 0, "resize": "half-pixel"}'; or the name of a file with it
  --threads N        default 1
  --deterministic    plain SIMD: the same digits on every machine
  -h, --help         this text

Example:
  ocelli similar --top 5 cat.jpg photos/*.jpg
`;

const CLASSIFY = `\
Usage: ocelli classify --model FILE [options] IMAGE...

Prints the most probable classes of each image. IMAGE is a PNG, JPEG, BMP or GIF file, or - for standard input.

Options:
  --model FILE       a classifier as .tflite file, or - for standard input
  --labels FILE      names of its classes, one a line; default: those in the file
  --top N            the N most probable; default 5
  --json             one JSON object a line for each image: {file, classes: [{label, labelId, score}]}
  --input JSON       how pixels become its input (value = pixel * scale + offset), where the file does not say, such as
                     '{"scale": 0.00392157, "offset": 0, "resize": "half-pixel"}'; or the name of a file with it
  --threads N        default 1
  --deterministic    plain SIMD: the same digits on every machine
  -h, --help         this text

Example:
  ocelli classify --model flowers.tflite --top 3 photo.jpg
`;

const INSPECT = `\
Usage: ocelli inspect [options] [MODEL]

Prints what is in a .tflite file: inputs, outputs, operators, parameters, multiply-adds, memory, labels. MODEL is a
file, or - for standard input; default: the detector that comes with ocelli.

Options:
  --operators        list every operator, not only how many there are of each kind
  --classes A,B      of a detector, also what is saved by computing these classes only: names, MIDs or numbers
  --json             one JSON object, with every operator
  -h, --help         this text

Example:
  ocelli inspect --operators model.tflite
`;

const BENCH = `\
Usage: ocelli bench [options] [MODEL]

Measures how long a model takes to load and to run on noise, beside what this machine could do at best: its
multiply-adds per second in registers. MODEL is a .tflite file, or - for standard input; default: the detector that
comes with ocelli.

Options:
  --runs N           warm runs; default 50
  --threads N        default 1
  --precision P      of the default model: float (default), int8, or auto: 8 bits where this machine is fast at them
  --baseline         also the same network with XNNPACK's own kernels, in turns with ours
  --operators        also list the operators that take the most time
  --json             one JSON object: {variant, precision, threads, fma_gmacs, dot_gmacs, bound_ms,
                     network: {median_ms, min_ms}, baseline: {median_ms, min_ms}, operators: [...], ...}; *_gmacs are
                     10^9 multiply-adds per second of one core, null where it has no dot products
  -h, --help         this text

Example:
  ocelli bench --threads 2 --operators
`;

const CONVERT = `\
Usage: ocelli convert [options] SOURCE OUT.tflite

Converts a model as TensorFlow publishes it. SOURCE is a SavedModel or hub module (a directory, or .tar.gz or .zip), a
frozen graph (.pb), a TensorFlow.js folder or its model.json, or - for standard input. Of a detector of the Object
Detection API, what stands before and after the network is read and written as metadata: the file then needs no option
anywhere. OUT.tflite is written whole or not at all.

Options:
  --weights KIND     fp32 (default), fp16, or int8 (per channel; activations stay float)
  --batch N          images a run; or 'dynamic', the default where the source leaves it free. A detector's is 1
  --signature NAME   which signature of a SavedModel; default: serving_default, else default, else the first
  --outputs A,B      which outputs of the signature, or names of any nodes; default: the signature's
  --classes A,B      of a detector, leave out the heads of all other classes for good: names, MIDs or numbers
  --keep-batch-norm  keep the batch norm that was folded into convolutions, in the metadata: ocelli train can then train
                     it too
  --json             print one JSON object: {kind, bytes, operators, notes}
  -h, --help         this text

Examples:
  ocelli convert openimages_v4_ssd_mobilenet_v2_1.tar.gz detector.tflite
  ocelli convert --weights fp16 --classes Dog,Cat saved_model/ pets.tflite
`;

const QUANTIZE = `\
Usage: ocelli quantize [options] MODEL.tflite OUT.tflite --images DIR

Makes a network compute in 8 bits, by TFLite's 8-bit specification. The photos in DIR (PNG, JPEG, BMP or GIF), like
those that it is to see, say which numbers each of its tensors holds; a hundred are plenty. Prints what it changed.
OUT.tflite is written whole or not at all. MODEL.tflite may be - for standard input.

Options:
  --images DIR       the photos
  --ranges METHOD    mse (default: least squared error), minmax, average or percentile
  --float A,B        names of tensors (ocelli inspect --operators): what makes them stays in float
  --takes TYPE       what goes in: float32 (default), uint8 (pixels as they are) or int8
  --gives TYPE       what comes out: float32 (default) or int8
  --uncorrected      leave the biases as they are
  --input JSON       how pixels become its input, where the file does not say
  --report DIR       also write quantization.md and quantization.json: signal to noise of each layer, size, speed,
                     and how detections changed
  --json             print the report as one JSON object
  -h, --help         this text

Example:
  ocelli quantize detector.tflite detector-int8.tflite --images photos/ --report report/
`;

const TRAIN = `\
Usage: ocelli train [options] DIR

Trains a classifier on the photos in DIR/CLASS/: a softmax layer on the features of a network, and the network's last
blocks, if wanted. At least one of --out and --report is needed.

Options:
  --out FILE.tflite  write the classifier, with its labels, as one file; of several, the best
  --report DIR       write a model card with tables, plots, emissions.csv and JSON
  --epochs N         default 20
  --batch N          photos in a step; default 32
  --optimizer NAME   sgd, momentum, nesterov, adam, adamw or rmsprop; default rmsprop, as Keras
  --lr N             learning rate; default 0.01 for sgd and momentum, 0.001 for the others
  --validation N     this part of the photos is not trained on; default 0.2
  --seed N           of the first weights, the order, the validation part; default 0
  --unfreeze N       train the last N inverted residual blocks as well; default 0
  --batch-norm MODE  of those blocks: frozen (default), or training, which needs a file converted with
                     --keep-batch-norm. Where a file has it folded, folded kernels and their biases are trained
  --compare A,B      several trainings: batch32, batch64 (with sgd, unless --optimizer says otherwise), adam, rmsprop
  --model FILE       a .tflite file with float weights to take features from; default: the detector's backbone
  --input JSON       how pixels become its input, where the file does not say
  --country CODE     of the grid, three letters (FRA); default: the world's average
  --intensity N      of the grid, g CO2e per kWh
  --tdp N            of the processor, watts; default: 4 for each hardware thread
  --threads N        for the features; default 1
  --deterministic    plain SIMD: the same weights on every machine
  --json             one JSON object instead of the table
  -h, --help         this text

Examples:
  ocelli train photos/ --out flowers.tflite
  ocelli train photos/ --compare batch32,batch64,adam,rmsprop --report card/ --country FRA
`;

const EVALUATE = `\
Usage: ocelli evaluate [options] MODEL DIR

Runs a classifier, as ocelli train writes it, on the photos in DIR/CLASS/: accuracy, loss, precision and recall of each
class, and what is taken for what.

Options:
  --threads N        default 1
  --json             one JSON object
  -h, --help         this text

Example:
  ocelli evaluate flowers.tflite photos/
`;

const help = /** @type {const} */ ({ type: 'boolean', short: 'h' });

export const COMMANDS = /** @type {const} */ ({
  detect: {
    help: DETECT,
    maxArguments: Number.POSITIVE_INFINITY,
    options: {
      model: { type: 'string' },
      labels: { type: 'string' },
      score: { type: 'string' },
      iou: { type: 'string' },
      max: { type: 'string' },
      classes: { type: 'string', multiple: true },
      deny: { type: 'string', multiple: true },
      input: { type: 'string' },
      ssd: { type: 'string' },
      threads: { type: 'string' },
      precision: { type: 'string' },
      deterministic: { type: 'boolean' },
      json: { type: 'boolean' },
      out: { type: 'string' },
      report: { type: 'boolean' },
      help,
    },
  },
  embed: {
    help: EMBED,
    maxArguments: Number.POSITIVE_INFINITY,
    options: {
      json: { type: 'boolean' },
      npy: { type: 'string' },
      normalize: { type: 'boolean' },
      model: { type: 'string' },
      layer: { type: 'string' },
      input: { type: 'string' },
      threads: { type: 'string' },
      deterministic: { type: 'boolean' },
      help,
    },
  },
  similar: {
    help: SIMILAR,
    maxArguments: Number.POSITIVE_INFINITY,
    options: {
      top: { type: 'string' },
      json: { type: 'boolean' },
      model: { type: 'string' },
      layer: { type: 'string' },
      input: { type: 'string' },
      threads: { type: 'string' },
      deterministic: { type: 'boolean' },
      help,
    },
  },
  classify: {
    help: CLASSIFY,
    maxArguments: Number.POSITIVE_INFINITY,
    options: {
      model: { type: 'string' },
      labels: { type: 'string' },
      top: { type: 'string' },
      json: { type: 'boolean' },
      input: { type: 'string' },
      threads: { type: 'string' },
      deterministic: { type: 'boolean' },
      help,
    },
  },
  inspect: {
    help: INSPECT,
    maxArguments: 1,
    options: {
      operators: { type: 'boolean' },
      classes: { type: 'string', multiple: true },
      json: { type: 'boolean' },
      help,
    },
  },
  bench: {
    help: BENCH,
    maxArguments: 1,
    options: {
      runs: { type: 'string' },
      precision: { type: 'string' },
      threads: { type: 'string' },
      baseline: { type: 'boolean' },
      operators: { type: 'boolean' },
      json: { type: 'boolean' },
      help,
    },
  },
  convert: {
    help: CONVERT,
    maxArguments: 2,
    options: {
      weights: { type: 'string' },
      batch: { type: 'string' },
      signature: { type: 'string' },
      outputs: { type: 'string', multiple: true },
      classes: { type: 'string', multiple: true },
      'keep-batch-norm': { type: 'boolean' },
      json: { type: 'boolean' },
      help,
    },
  },
  quantize: {
    help: QUANTIZE,
    maxArguments: 2,
    options: {
      images: { type: 'string' },
      ranges: { type: 'string' },
      float: { type: 'string', multiple: true },
      takes: { type: 'string' },
      gives: { type: 'string' },
      uncorrected: { type: 'boolean' },
      input: { type: 'string' },
      report: { type: 'string' },
      json: { type: 'boolean' },
      help,
    },
  },
  train: {
    help: TRAIN,
    maxArguments: 1,
    options: {
      out: { type: 'string' },
      report: { type: 'string' },
      epochs: { type: 'string' },
      batch: { type: 'string' },
      optimizer: { type: 'string' },
      lr: { type: 'string' },
      validation: { type: 'string' },
      seed: { type: 'string' },
      unfreeze: { type: 'string' },
      'batch-norm': { type: 'string' },
      compare: { type: 'string' },
      model: { type: 'string' },
      input: { type: 'string' },
      country: { type: 'string' },
      intensity: { type: 'string' },
      tdp: { type: 'string' },
      threads: { type: 'string' },
      deterministic: { type: 'boolean' },
      json: { type: 'boolean' },
      help,
    },
  },
  evaluate: {
    help: EVALUATE,
    maxArguments: 2,
    options: { threads: { type: 'string' }, json: { type: 'boolean' }, help },
  },
});

/**
 * The options of a command, as given.
 * @template {keyof typeof COMMANDS} Name
 * @typedef {ReturnType<typeof import('node:util').parseArgs<{options: typeof COMMANDS[Name]['options']}>>['values']} Values
 */

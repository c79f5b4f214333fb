// Which tests belong to which folder: the only place that says so. A mutant is tried with the tests of the longest path
// that it starts with.

/**
 * @typedef {object} Folder
 * @property {string} path a folder, or files of it that run elsewhere
 * @property {'node' | 'example' | 'native' | 'wasm' | 'package'} kind what a mutant of it is built into: nothing; nothing, but its
 *   tests run a copy of it; the native tests; the modules; the package that npm makes
 * @property {string[]} tests glob patterns; behind a native build's name and a colon, run in that build instead of 64-simd
 * @property {Pick<Folder, 'kind' | 'tests'>} [then] slower tests, of what these do not notice
 */

const node = (/** @type {string} */ name) => `tests/node/${name}/*.test.js`;
const c = (/** @type {string} */ name) => `tests/c/${name}/test_*.c`;
/** Run with the code for relaxed SIMD, too. @param {string} name */
const both = (name) => [c(name), `64-relaxed:${c(name)}`];
const PLATFORM_OF_PAGES = [
  'browser',
  'canvas',
  'fetch',
  'page',
  'web',
  'files',
  'pool/serve.browser',
  'worker.browser',
];

/** Fast tests of the module through JavaScript: its interface, and operators one by one. */
const ENGINE = [
  ...['contract', 'operators', 'builtin', 'dequantized', 'nearest', 'kernels', 'blocks', 'hostile'].map(
    (name) => `engine/${name}`,
  ),
  ...['tensorflow', 'operators', 'rules', 'lowering', 'layers'].map((name) => `convert/${name}`),
].map((name) => `tests/node/${name}.test.js`);
/** From an image to detections and features. */
const DETECTIONS = [
  ...[
    'reading',
    'results',
    'classifier',
    'detections',
    'detector',
    'features',
    'view',
    'signatures',
    'change',
  ],
].map((name) => `tests/node/vision/${name}.test.js`);
/** @param {string[]} tests @returns {Pick<Folder, 'kind' | 'tests'>} */
const inModules = (tests) => ({ kind: 'wasm', tests });
/** @param {string[]} tests @returns {Pick<Folder, 'kind' | 'tests'>} */
const inPackage = (tests) => ({ kind: 'package', tests });
const LIMITS = 'tests/node/shared/limits.test.js';

/** @type {Folder[]} */
export const FOLDERS = [
  {
    ...{ path: 'src/', kind: 'native', then: inModules([...ENGINE, ...DETECTIONS]) },
    tests: [c('session'), 'tests/c/graph/test_hostile.c', 'tests/c/tflite/test_signatures.c'],
  },
  { path: 'src/base/', kind: 'native', tests: [c('base'), c('tflite'), 'tests/c/image/test_png.c'] },
  { path: 'src/detect/', kind: 'native', tests: [c('detect')] },
  {
    ...{ path: 'src/graph/', kind: 'native', then: inModules(ENGINE) },
    tests: [...both('graph'), 'tests/c/session/test_allocation.c'],
  },
  { path: 'src/graph/threads.c', kind: 'native', tests: [`64-simd-threads:${c('threads')}`] },
  {
    ...{ path: 'src/graph/operators/', kind: 'native', then: inModules(ENGINE) },
    tests: [...both('graph'), 'tests/c/session/test_allocation.c'],
  },
  { path: 'src/image/', kind: 'native', tests: [c('image')] },
  { path: 'src/kernels/', kind: 'native', tests: both('graph'), then: inModules(ENGINE) },
  {
    ...{ path: 'src/tflite/', kind: 'native', tests: [c('tflite'), c('graph')] },
    then: inModules(['field', 'own_labels', 'signatures'].map((name) => `tests/node/vision/${name}.test.js`)),
  },
  { path: 'src/train/', kind: 'native', tests: [c('train')] },
  {
    ...{ path: 'wasm/bridge/', kind: 'wasm' },
    tests: [
      ...[...ENGINE, ...DETECTIONS],
      ...['engine/layout', 'engine/bridge', 'engine/threads', 'vision/field', 'vision/own_labels'].map(
        (name) => `tests/node/${name}.test.js`,
      ),
      ...['keras', 'states', 'train', 'backbone', 'tiny', 'ssd-heads'].map(
        (name) => `tests/node/train/${name}.test.js`,
      ),
    ],
  },
  {
    ...{ path: 'wasm/bridge/exports_measure.c', kind: 'native', tests: both('bridge') },
    then: inModules(['tests/node/engine/bridge.test.js']),
  },
  ...[
    'compress',
    'convert',
    'draw',
    'element',
    'evaluate',
    'quantize',
    'react',
    'report',
    'shared',
    'tiles',
    'track',
    'train',
  ].map((name) => ({
    path: `wasm/${name}/`,
    kind: /** @type {const} */ ('node'),
    tests: [node(name), LIMITS],
  })),
  { path: 'wasm/engine/', kind: 'node', tests: [node('engine'), node('vision')] },
  {
    ...{ path: 'wasm/tflite/', kind: 'node' },
    tests: [
      ...[node('tflite'), node('convert')],
      ...['quantize/exact', 'quantize/operators', 'train/states', 'train/batch-norm', 'bin/written'].map(
        (name) => `tests/node/${name}.test.js`,
      ),
    ],
  },
  {
    path: 'wasm/vision/',
    kind: 'node',
    tests: [node('vision'), 'tests/node/platform/video.test.js', LIMITS],
  },
  { path: 'wasm/platform/', kind: 'node', tests: [node('platform'), node('vision')] },
  ...['edge', 'edge_light', 'workerd'].map((name) => ({
    ...{ path: `wasm/platform/${name}.js`, kind: /** @type {const} */ ('node'), tests: [node('platform')] },
    then: inPackage(['tests/edge/workerd.test.js']),
  })),
  ...PLATFORM_OF_PAGES.map((name) => ({
    ...{ path: `wasm/platform/${name}.js`, kind: /** @type {const} */ ('node') },
    tests: [node('platform'), node('vision')],
    then: inPackage(
      ['load', 'inputs', 'page', 'routes', 'video', 'pool'].map((test) => `tests/browser/${test}.test.js`),
    ),
  })),
  { path: 'wasm/inline/', kind: 'node', tests: ['tests/node/platform/inline.test.js'] },
  { path: 'bin/', kind: 'node', tests: [node('bin'), 'tests/node/evaluate/cli.test.js'] },
  {
    ...{ path: 'examples/service/', kind: 'node' },
    tests: ['app', 'bulk', 'worker'].map((name) => `tests/service/${name}.test.js`),
    then: { kind: 'example', tests: ['tests/service/node-server.test.js'] },
  },
];

/** The entry of a file. @param {string} file */
export function folderOf(file) {
  const fitting = FOLDERS.filter(({ path }) => file.startsWith(path));
  return fitting.toSorted((a, b) => b.path.length - a.path.length).at(0);
}

/** The folder that a file's kill rate counts for. @param {string} file */
export function rateOf(file) {
  const { path = '' } = folderOf(file) ?? {};
  return path.endsWith('/') ? path.slice(0, -1) : path.slice(0, path.lastIndexOf('/'));
}

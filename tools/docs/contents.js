// The pages of the documentation site, in the order of its sidebar. Links and sidebar are made from this list; `make lint`
// checks that every document is in it.

/**
 * @typedef {object} Page
 * @property {string} title in the sidebar
 * @property {string} file in the repository
 * @property {string} [path] on the site, without an ending; default: that of the file without `docs/`
 */

/** @typedef {{title: string, pages: Page[]}} Section */

/** @type {Section[]} */
export const SECTIONS = [
  {
    title: 'Start',
    pages: [
      { title: 'What it is', file: 'README.md', path: 'index' },
      { title: 'In a page', file: 'docs/browser.md' },
      { title: 'Camera', file: 'docs/guides/camera.md' },
      { title: 'Node', file: 'docs/guides/node.md' },
      { title: 'Edge workers', file: 'docs/edge.md' },
      { title: 'Command line', file: 'docs/command-line.md' },
    ],
  },
  {
    title: 'Detect',
    pages: [
      { title: 'Video and tracking', file: 'docs/guides/video.md' },
      { title: 'Small objects', file: 'docs/guides/small-objects.md' },
      { title: '80 or 601 classes', file: 'docs/guides/more-classes.md' },
      { title: 'Features and similar images', file: 'docs/features.md' },
      { title: 'Element and React', file: 'docs/element.md' },
    ],
  },
  {
    title: 'Make models',
    pages: [
      { title: 'Train a classifier', file: 'docs/guides/train-classifier.md' },
      { title: 'Train a detector', file: 'docs/guides/train-detector.md' },
      { title: 'Convert', file: 'docs/convert.md' },
      { title: 'Quantize to 8 bits', file: 'docs/quantize.md' },
      { title: 'Compress the download', file: 'docs/compress.md' },
      { title: 'Evaluate', file: 'docs/evaluate.md' },
    ],
  },
  {
    title: 'Deploy',
    pages: [
      { title: 'Bundlers', file: 'docs/bundlers.md' },
      { title: 'Content policy and isolation', file: 'docs/guides/policies.md' },
      { title: 'Offline', file: 'docs/guides/offline.md' },
      { title: 'Lambda and containers', file: 'docs/guides/lambda.md' },
      { title: 'Workers and pools', file: 'docs/parallel.md' },
      { title: 'Performance tips', file: 'docs/guides/performance.md' },
    ],
  },
  {
    title: 'Help',
    pages: [
      { title: 'Questions', file: 'docs/faq.md' },
      { title: 'When something fails', file: 'docs/guides/troubleshooting.md' },
      { title: 'Errors', file: 'docs/errors.md' },
      { title: 'Coming from another package', file: 'docs/migrate.md' },
      { title: 'Glossary', file: 'docs/guides/glossary.md' },
    ],
  },
  {
    title: 'Reference',
    pages: [
      { title: 'Options and results', file: 'docs/api.md' },
      { title: 'Tracking', file: 'docs/track.md' },
      { title: 'Training', file: 'docs/training.md' },
      { title: 'Where it runs', file: 'docs/guides/platforms.md' },
      { title: 'Models that run', file: 'docs/models.md' },
      { title: 'Cards of the models', file: 'models/README.md', path: 'model-cards' },
      { title: 'Operators', file: 'docs/operators.md' },
      { title: 'Benchmarks', file: 'docs/benchmarks.md' },
    ],
  },
  {
    title: 'Project',
    pages: [
      { title: 'Changes', file: 'CHANGELOG.md', path: 'changelog' },
      { title: 'Versions', file: 'docs/guides/versions.md' },
      { title: 'Security', file: 'SECURITY.md', path: 'security' },
      { title: 'Architecture', file: 'ARCHITECTURE.md', path: 'architecture' },
      { title: 'Contributing', file: 'CONTRIBUTING.md', path: 'contributing' },
    ],
  },
];

export const PAGES = SECTIONS.flatMap(({ pages }) => pages);

/**
 * The path of a page on the site, without an ending.
 * @param {Page} page
 */
export const pathOf = ({ file, path }) => path ?? file.replace(/^docs\//, '').replace(/\.md$/, '');

/**
 * The entries of the package that have types, such as `ocelli/draw`.
 * @param {{name: string, exports: Record<string, {types?: string}>}} manifest its package.json
 */
export function entriesOf({ name, exports }) {
  return (
    Object.keys(exports)
      // What a worker loads has no exports, what TSX knows of the element has no code.
      .filter((key) => exports[key].types && !['./worker', './element/react'].includes(key))
      .map((key) => name + key.slice(1))
  );
}

/**
 * Entries of the package: what they have, and the document whose first JavaScript that imports it is the example on its
 * page of the API reference.
 * @type {Record<string, {about: string, document: string}>}
 */
export const ENTRIES = {
  ocelli: { about: 'Detectors, classifiers, features.', document: 'README.md' },
  'ocelli/inline': {
    about: 'The same as `ocelli`, for bundles that run away from the files of the package.',
    document: 'docs/bundlers.md',
  },
  'ocelli/draw': { about: 'Draws detections into pixels or on a canvas.', document: 'docs/guides/node.md' },
  'ocelli/png': { about: 'Writes PNG files.', document: 'docs/guides/node.md' },
  'ocelli/track': { about: 'Numbers objects from frame to frame.', document: 'docs/track.md' },
  'ocelli/element': { about: 'The element `<ocelli-detector>`.', document: 'docs/element.md' },
  'ocelli/react': { about: 'Hooks for React.', document: 'docs/element.md' },
  'ocelli/train': { about: 'Trains classifiers and detectors.', document: 'docs/training.md' },
  'ocelli/convert': {
    about: 'Converts models of TensorFlow to `.tflite` files.',
    document: 'docs/convert.md',
  },
  'ocelli/quantize': { about: 'Makes 8-bit models.', document: 'docs/quantize.md' },
  'ocelli/compress': { about: 'Makes models smaller to download.', document: 'docs/compress.md' },
  'ocelli/evaluate': { about: 'Measures detectors and classifiers.', document: 'docs/evaluate.md' },
};

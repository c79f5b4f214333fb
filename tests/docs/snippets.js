// The snippets of the documents, and what they find around them: an installed package, files, and the variables that the
// text around a snippet speaks of.
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { zipSync } from 'fflate';
import { findSnippets } from '../../tools/docs/markdown.js';
import { convert } from '../../wasm/convert/node.js';
import { ObjectDetector } from '../../wasm/platform/node.js';
import { DEFAULT_MODEL, packagePhoto, samplePath, testData } from '../node/shared.js';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const HOME = join(ROOT, 'build/snippets');

/** @typedef {import('../../tools/docs/markdown.js').Snippet & {file: string, title: string}} Snippet */

/** @returns {Snippet[]} of README.md and docs/ */
export const listSnippets = () =>
  ['README.md', 'models/README.md', ...globSync('docs/**/*.md', { cwd: ROOT }).sort()].flatMap((file) =>
    findSnippets(readFileSync(join(ROOT, file), 'utf8')).map((snippet) => ({
      ...snippet,
      file,
      title: `${file}:${snippet.line}`,
    })),
  );

const GROUND_TRUTH = {
  images: [{ id: 1, file_name: 'chelsea.png', width: 451, height: 300 }],
  categories: [{ id: 1, name: 'Cat' }],
  annotations: [{ id: 1, image_id: 1, category_id: 1, bbox: [4, 4, 410, 290], area: 118900, iscrowd: 0 }],
};
/** In MOTChallenge's format. */
const DETECTIONS = '1,-1,10,10,50,80,0.9\n2,-1,12,10,50,80,0.9\n3,-1,14,10,50,80,0.9\n';
const LABEL_MAP = [1, 2, 3].map((id) => `item {\n  id: ${id}\n  display_name: "class ${id}"\n}\n`).join('');
const RESULTS = [{ image_id: 1, category_id: 1, bbox: [4, 4, 410, 290], score: 0.9 }];

/**
 * What a snippet may use without declaring it: a statement for each name. Later ones may use earlier ones.
 * @type {Record<string, string>}
 */
const GIVEN = {
  readFileSync: `import { readFileSync } from 'node:fs';`,
  writeFile: `import { writeFile } from 'node:fs/promises';`,
  ObjectDetector: `import { ObjectDetector } from 'ocelli';`,
  detector: `const detector = await (await import('ocelli')).ObjectDetector.create();`,
  photo: `const photo = (await import('node:fs')).readFileSync('photo.jpg');`,
  other: `const other = (await import('node:fs')).readFileSync('cup.png');`,
  file: `const file = (await import('node:fs')).readFileSync('photo.jpg');`,
  photos: `const photos = ['photo.jpg', 'cup.png'];`,
  frame: `const frame = (await import('node:fs')).readFileSync('street.jpg');`,
  frames: `const frames = Array(3).fill((await import('node:fs')).readFileSync('street.jpg'));`,
  show: `const show = console.log;`,
  bytes: `const bytes = (await import('node:fs')).readFileSync('model.tflite');`,
  images: `const images = ['photo.jpg', 'cup.png'].map((name) => readFileSync(name));`,
  source: `const source = (await import('node:fs')).readFileSync('source.zip');`,
  groundTruth: `const groundTruth = ${JSON.stringify(GROUND_TRUTH)};`,
  detections: `const detections = ${JSON.stringify(RESULTS)};`,
  files: `const files = { 'instances.json': readFileSync('val2017/instances.json'), 'chelsea.png': readFileSync('photo.jpg') };`,
};

/**
 * A snippet as a program of its own.
 * @param {string} code
 * @param {string} [check] statements after it
 */
export function complete(code, check = '') {
  const isDeclared = (/** @type {string} */ name) =>
    new RegExp(`(?:const|let|import|for \\(const)\\s+(?:\\{[^}]*\\b|\\[[^\\]]*\\b)?${name}\\b`).test(code);
  const uses = (/** @type {string} */ text, /** @type {string} */ name) =>
    new RegExp(`(?<![.\\w'/])${name}\\b(?!:)`).test(text);
  /** @type {string[]} */
  const given = [];
  for (const [name, statement] of Object.entries(GIVEN).reverse())
    if (!isDeclared(name) && uses([code, check, ...given].join('\n'), name)) given.unshift(statement);
  return [...given, code, check].join('\n');
}

/** @param {string} folder of tests/data/convert @returns {Record<string, Uint8Array>} its files */
const readFolder = (folder) =>
  Object.fromEntries(
    globSync('*', { cwd: testData(`convert/${folder}`) }).map((name) => [
      name,
      new Uint8Array(readFileSync(testData(`convert/${folder}/${name}`))),
    ]),
  );

/** How many classes a document's model has here, if they are not those of the package's detector. */
const CLASSES = /** @type {Record<string, number>} */ ({
  'docs/features.md': 10,
});

/** Small models, and the labels of the package's detector: made once. */
async function makeModels() {
  const layers = readFolder('tfjs_layers_small_classifier');
  const { model: classifier } = await convert(layers, { input: '[-1,1]', verify: false });
  const detector = await ObjectDetector.create();
  const labels = detector.labels.map((label) => (typeof label === 'string' ? label : label.name));
  detector.close();
  const graph = readFolder('retinanet')['combined.pb'];
  const names = labels.slice(0, 10);
  const metadata = JSON.stringify({ packageName: '@teachablemachine/image', labels: names, imageSize: 96 });
  const teachable = zipSync({ ...layers, 'metadata.json': new TextEncoder().encode(metadata) });
  return { classifier, labels, layers: zipSync(layers), graph, teachable };
}

/** @type {ReturnType<typeof makeModels> | undefined} */
let models;

/** A classifier of ten classes. */
export const smallClassifier = async () => (await (models ??= makeModels())).classifier;

/**
 * A folder with the package installed, and files with the names that the documents use.
 * @param {string} document
 */
export async function makeFolder(document) {
  models ??= makeModels();
  const { classifier, labels, layers, graph, teachable } = await models;
  const folder = join(HOME, document.replace(/\W+/g, '-'));
  rmSync(folder, { recursive: true, force: true });
  const write = (/** @type {string | Uint8Array} */ content, /** @type {string[]} */ ...names) => {
    for (const name of names) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
  };
  write('{ "private": true, "type": "module" }', 'package.json');
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(join(ROOT, 'build/package'), join(folder, 'node_modules/ocelli'));
  // Formats are told by content.
  write(packagePhoto('chelsea.png'), 'photo.jpg', 'cat.png', 'cat.jpg', 'val2017/chelsea.png');
  write(packagePhoto('coffee.png'), 'cup.png');
  write(readFileSync(samplePath('photos/data_basketball1.png')), 'street.jpg');
  for (const i of [1, 2, 3]) {
    write(packagePhoto('chelsea.png'), `sorted/cat/${i}.png`);
    write(packagePhoto('coffee.png'), `sorted/cup/${i}.png`);
  }
  // Where a folder of photos is meant to have a folder for each class, it has.
  if (/evaluate/.test(document)) {
    write(packagePhoto('chelsea.png'), 'photos/chelsea.png');
    write(JSON.stringify(GROUND_TRUTH), 'photos/instances.json');
  } else if (/train/.test(document))
    cpSync(join(folder, 'sorted'), join(folder, 'photos'), { recursive: true });
  else {
    write(packagePhoto('chelsea.png'), 'photos/cat.jpg');
    write(packagePhoto('coffee.png'), 'photos/cup.jpg');
  }
  write(JSON.stringify(GROUND_TRUTH), 'instances.json', 'val2017/instances.json', 'boxes/instances.json');
  write(packagePhoto('chelsea.png'), 'boxes/chelsea.png');
  write(JSON.stringify(RESULTS), 'results.json');
  const dataset = {
    'instances.json': readFileSync(join(folder, 'instances.json')),
    'chelsea.png': packagePhoto('chelsea.png'),
  };
  write(zipSync(dataset), 'photos.zip');
  write(DETECTIONS, 'det.txt');
  write(classifier, 'model.tflite', 'mobilenet.tflite', 'flowers.tflite');
  for (const name of ['detector.tflite', 'a.tflite', 'b.tflite'])
    copyFileSync(DEFAULT_MODEL, join(folder, name));
  write(layers, 'source.zip');
  write(teachable, 'my_model.zip');
  write(graph, 'ssd_mobilenet_v2_coco_2018_03_29/frozen_inference_graph.pb');
  const archives = ['openimages_v4_ssd_mobilenet_v2_1', 'mobilenet-v2-tensorflow2-130-224-feature-vector'];
  for (const name of ['ssd_mobilenet_v2_coco_2018_03_29', ...archives])
    execFileSync('tar', ['-czf', `${name}.tar.gz`, 'ssd_mobilenet_v2_coco_2018_03_29'], { cwd: folder });
  write(LABEL_MAP, 'mscoco_label_map.pbtxt');
  write(labels.slice(0, CLASSES[document]).join('\n'), 'labels.txt');
  return folder;
}

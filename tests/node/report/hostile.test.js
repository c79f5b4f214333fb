// Hostile texts through every reader and every writer: what is written has the structure that it has for a harmless text,
// nothing but OcelliErrors is thrown, and nothing takes long or much memory. `make soak` tries 10 000 texts.
import assert from 'node:assert/strict';
import { zipSync } from 'fflate';
import { marked } from 'marked';
import { test } from 'node:test';
import { DOMParser } from '@xmldom/xmldom';
import { toText } from '../../../bin/evaluate/print.js';
import { layOut } from '../../../bin/common.js';
import { bold, print, printError } from '../../../bin/output.js';
import { convert } from '../../../wasm/convert/node.js';
import {
  evaluateClassification,
  evaluateDetections,
  expandHierarchy,
  makeClassifierReport,
  makeEvaluationReport,
  matchClasses,
  readClassTable,
  readDataset,
  readDetections,
} from '../../../wasm/evaluate/index.js';
import { readRows } from '../../../wasm/evaluate/read/csv.js';
import { readFile } from '../../../wasm/quantize/file.js';
import { toHtml } from '../../../wasm/quantize/page.js';
import { toMarkdown } from '../../../wasm/quantize/report.js';
import { makeReport } from '../../../wasm/report/report.js';
import { toLine } from '../../../wasm/shared/text.js';
import { readSafetensors, writeSafetensors } from '../../../wasm/tflite/safetensors.js';
import { checkLabels } from '../../../wasm/train/labels.js';
import { TransferLearner } from '../../../wasm/train/node.js';
import { readState } from '../../../wasm/train/state.js';
import { checkInput, readFileLabels, resolveLabels } from '../../../wasm/vision/model_spec.js';
import { checkSsd } from '../../../wasm/vision/spec/ssd.js';
import { hostileText, NUM_FRAGMENTS } from '../../fuzz/texts.js';
import { withHostileFields } from '../../fuzz/values.js';

const NUMBERS = process.env.OCELLI_SOAK
  ? Array.from({ length: 10_000 }, (_, i) => i)
  : Array.from({ length: (NUM_FRAGMENTS + 120) >> 2 }, (_, i) => 4 * i);
/** Heaps breathe. */
const FLAT_MIB = 64;
/** Of processor time, on a slow machine. */
const MOST_MS = 1000;
const HARMLESS = 'harmless';
/** The name of a class that stays as it is. */
const SECOND = 'the second class';
const utf8 = new TextEncoder();
/** @param {unknown} value */
const json = (value) => utf8.encode(JSON.stringify(value));
/** @param {string} text */
const xml = (text) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
/** @param {string} text */
const csv = (text) => `"${text.replaceAll('"', '""')}"`;

/** @param {string} name @param {string} [file] */
const coco = (name, file = 'a.png') => ({
  images: [{ id: 1, file_name: file, width: 9, height: 9 }],
  categories: [
    { id: 1, name },
    { id: 2, name: SECOND },
  ],
  annotations: [{ id: 1, image_id: 1, category_id: 1, bbox: [1, 1, 5, 5], area: 25, iscrowd: 0 }],
});

const learner = await TransferLearner.create();
learner.addFeatures(Float32Array.of(0, 1, 2, 3), ['a', 'b']);
await learner.fit({ epochs: 1, batchSize: 2 });
const configuration = await learner.describeFit({ name: 'training' });
const saved = readSafetensors(learner.save());
learner.close();

/** What a text becomes on its way in: the names that come out. @type {Record<string, (text: string) => Promise<string[]> | string[]>} */
const READERS = {
  async coco(text) {
    const { groundTruth } = await readDataset({ 'a.json': json(coco(text, text)) });
    return [groundTruth.categories[0].name, String(groundTruth.images[0].file_name)];
  },
  async voc(text) {
    const file = `<annotation><filename>${xml(text)}</filename><object><name>${xml(text)}</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></object></annotation>`;
    const { groundTruth } = await readDataset({ 'a.xml': utf8.encode(file) });
    return [groundTruth.categories[0].name, String(groundTruth.images[0].file_name)];
  },
  async yolo(text) {
    const yaml = `names: [${JSON.stringify(text)}]\nval: images\n`;
    const { groundTruth } = await readDataset({ 'data.yaml': utf8.encode(yaml), 'images/a.png': PNG });
    return groundTruth.categories.map(({ name }) => name);
  },
  async openImages(text) {
    const { groundTruth } = await readDataset({
      'boxes.csv': utf8.encode(`ImageID,LabelName,XMin,XMax,YMin,YMax\na,/m/1,0,1,0,1\n`),
      'names.csv': utf8.encode(`/m/1,${csv(text)}\n`),
    });
    return groundTruth.categories.map(({ name }) => name);
  },
  async zip(text) {
    const { groundTruth } = await readDataset(zipSync({ [`${text.slice(0, 9000)}.json`]: json(coco(text)) }));
    return groundTruth.categories.map(({ name }) => name);
  },
  detections(text) {
    const box = { x: 1, y: 1, width: 5, height: 5 };
    const line = JSON.stringify({ file: text, detections: [{ label: text, score: 0.5, box }] });
    readDetections(line, text, coco(text, text));
    return [];
  },
  table: (text) => [...readClassTable(`${csv(text)},${csv(text)}`, text).values()],
  labels: (text) => readFileLabels(`${text}\n${SECOND}`).map(({ name }) => name),
  own: (text) => {
    const labels = resolveLabels(
      undefined,
      { labels: 'a', own: JSON.stringify({ mids: [text] }) },
      undefined,
    );
    return labels.flatMap(({ name, mid }) => [name, mid ?? '']);
  },
  learner: (text) => (checkLabels([text]), [text]),
  state(text) {
    const { tensors, metadata } = saved;
    const state = JSON.stringify({ ...JSON.parse(metadata.state), labels: [text, 'b'] });
    return readState(writeSafetensors(tensors, { ...metadata, state })).labels.slice(0, 1);
  },
  async keras(text) {
    const layers = [
      { class_name: 'InputLayer', config: { name: text, batch_input_shape: [null, 2] }, inbound_nodes: [] },
      { class_name: 'ReLU', config: { name: text, units: 1 }, inbound_nodes: [[[text, 0, 0, {}]]] },
    ];
    const config = { name: text, layers: [layers[0], { ...layers[1], config: { name: `${text}2` } }] };
    const topology = {
      class_name: 'Functional',
      config: { ...config, input_layers: [[text, 0, 0]], output_layers: [[`${text}2`, 0, 0]] },
    };
    const model = { format: 'layers-model', modelTopology: { model_config: topology }, weightsManifest: [] };
    const converted = await convert({ 'model.json': json(model) }, { verify: false });
    return readFile(converted.model).tensors.map(({ name }) => name);
  },
};

const PNG = (await import('fast-png')).encode({
  data: new Uint8Array(27),
  width: 3,
  height: 3,
  channels: 3,
  depth: 8,
});

/** @param {Record<string, string | Uint8Array>} files */
const textsOf = (files) =>
  Object.fromEntries(Object.entries(files).map(([name, content]) => [name, String(content)]));

/** @param {Record<string, string | Uint8Array>} files of a report, pictures among them */
const svgsOf = (files) =>
  textsOf(Object.fromEntries(Object.entries(files).filter(([name]) => name.endsWith('.svg'))));

/** The files and the screens that have a name. @type {Record<string, (name: string) => Record<string, string>>} */
const WRITERS = {
  evaluation(name) {
    const found = { image_id: 1, category_id: 1, score: 0.9, bbox: [1, 1, 5, 5] };
    const evaluation = evaluateDetections(coco(name, name), [found], { threshold: 0.5 });
    const run = {
      ...{ name, evaluation, unmatched: { categories: [name], labels: [name] } },
      worst: [{ name, summary: '1 missed', png: PNG }],
    };
    const {
      'report.html': html,
      'report.md': md,
      'report.json': data,
      ...plots
    } = makeEvaluationReport([run], {
      ...{ dataset: name, format: 'COCO', date: new Date(0) },
    });
    return { ...textsOf({ html, md, json: data }), terminal: toText(evaluation), ...svgsOf(plots) };
  },
  classifier(name) {
    const rows = [Float32Array.of(0.9, 0.1), Float32Array.of(0.2, 0.8)];
    const evaluation = evaluateClassification([name, SECOND], [0, 1], rows);
    const about = { model: name, dataset: name, date: new Date(0) };
    const {
      'report.html': html,
      'report.md': md,
      'report.json': data,
      ...plots
    } = makeClassifierReport(evaluation, about, [{ name, summary: `${name} (0.100)`, png: PNG }]);
    return { ...textsOf({ html, md, json: data }), ...svgsOf(plots) };
  },
  card(name) {
    const { data } = configuration;
    const run = { ...configuration, name, data: { ...data, classes: [name, SECOND], kept: [SECOND] } };
    const {
      'README.md': md,
      'report.html': html,
      'tables.md': table,
      'emissions.csv': cells,
      'report.json': text,
      ...plots
    } = makeReport([run], {
      ...{ project: name, backbone: name, license: name || HARMLESS, date: new Date(0) },
      ...{ dataset: name, baseModel: name || HARMLESS, file: name || HARMLESS },
    });
    const [, front, body] = /^---\n(.*?)\n---\n(.*)$/s.exec(md) ?? [];
    return { front, 'body.md': body, html, 'tables.md': table, csv: cells, json: text, ...plots };
  },
  quantization(name) {
    const report = {
      ...{ layers: [{ name, isInt8: true, signalToNoise: 1 }], bytes: { float: 1, quantized: 1 } },
      ...{ ms: { float: 1, quantized: 1 }, images: 1 },
    };
    return { md: toMarkdown(report), html: toHtml(report) };
  },
  table: (name) => ({
    terminal: layOut(
      [
        ['', 'x'],
        [name, name],
      ],
      'lr',
    ).join('\n'),
  }),
  screen: (name) => ({ terminal: printed(() => print(`${bold(name)} x`)) }),
  message: (name) => ({ terminal: printed(() => printError(toLine(name))) }),
};

/** @param {() => void} act */
function printed(act) {
  /** @type {string[]} */
  const parts = [];
  const streams = [process.stdout, process.stderr].map((stream) => {
    const { write } = stream;
    stream.write = (/** @type {any} */ text) => parts.push(String(text)) > 0;
    return () => (stream.write = write);
  });
  try {
    act();
  } finally {
    for (const restore of streams) restore();
    process.exitCode = 0;
  }
  return parts.join('');
}

/**
 * The tags with the names of their attributes, sorted: the order of rows depends on the name. Every < and " of a text is
 * escaped, or it shows here.
 * @param {string} html
 */
function tagsOf(html) {
  return Array.from(html.matchAll(/<[^>]*>?/g), ([tag]) => tag.replace(/"[^"]*"/g, '""')).sort();
}

/** @param {string} text */
function checkXml(text) {
  // It warns of U+FFFD, which stands for what was unsafe.
  const fail = (/** @type {string} */ level, /** @type {string} */ message) =>
    level === 'warning' || assert.fail(message);
  new DOMParser({ onError: fail }).parseFromString(text, 'text/xml');
}

const UNSAFE = /(?!\n)\p{Cc}|[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\p{Cs}]|\u{e0041}/u;

/** What a reader of the file would see of its structure. @param {string} kind @param {string} text */
function structureOf(kind, text) {
  if (kind.endsWith('md')) return tagsOf(String(marked.parse(text, { gfm: true })));
  if (kind === 'html') return tagsOf(text);
  if (kind.endsWith('svg')) {
    checkXml(text);
    return tagsOf(text);
  }
  if (kind === 'csv') {
    const rows = Array.from(readRows(text, kind), ({ cells }) => cells);
    for (const cell of rows.slice(1).flat()) assert.doesNotMatch(cell, /^[=+@]|^-\D/);
    return rows.map((cells) => cells.length);
  }
  if (kind === 'json') {
    assert.doesNotMatch(text, UNSAFE);
    return Object.keys(JSON.parse(text));
  }
  return text.split('\n').length;
}

/** @type {Map<string, unknown>} */
const expected = new Map();
for (const [writer, write] of Object.entries(WRITERS))
  for (const [kind, text] of Object.entries(write(HARMLESS)))
    expected.set(`${writer} ${kind}`, structureOf(kind, text));

/** Processor time of our readers and writers, in ms; that of marked and of the XML parser does not count. */
let spent = 0;

/** @template T @param {() => T | Promise<T>} act */
async function timed(act) {
  const start = process.cpuUsage();
  try {
    return await act();
  } finally {
    const { user, system } = process.cpuUsage(start);
    spent += (user + system) / 1000;
  }
}

/** @param {string} name */
async function checkWriters(name) {
  for (const [writer, write] of Object.entries(WRITERS)) {
    for (const [kind, text] of Object.entries(await timed(() => write(name)))) {
      const where = `${writer} ${kind}`;
      assert.deepEqual(
        structureOf(kind, text),
        expected.get(where),
        `${where}: ${JSON.stringify(name.slice(0, 200))}`,
      );
      assert.doesNotMatch(text, UNSAFE, `${where}: ${JSON.stringify(name.slice(0, 200))}`);
    }
  }
}

/** @param {string} text */
async function checkReaders(text) {
  const names = new Set([text]);
  for (const [reader, read] of Object.entries(READERS)) {
    try {
      for (const name of await timed(() => read(text))) names.add(name);
    } catch (error) {
      const { name, stack } = /** @type {Error} */ (error);
      assert.equal(name, 'OcelliError', `${reader}: ${JSON.stringify(text.slice(0, 200))}: ${stack}`);
    }
  }
  names.delete(SECOND);
  return names;
}

/** @param {number} number of a text @returns {Promise<number>} milliseconds of processor time */
async function tryText(number) {
  spent = 0;
  for (const name of await checkReaders(hostileText(number))) await checkWriters(name);
  return spent;
}

test(`${NUMBERS.length} texts`, async (t) => {
  let slowest = { ms: 0, number: 0 };
  let before = 0;
  for (const [i, number] of NUMBERS.entries()) {
    const ms = await tryText(number);
    if (ms > slowest.ms) slowest = { ms, number };
    if (i === NUMBERS.length >> 2) before = process.memoryUsage().rss; // Engines compile what they run at first.
  }
  const grown = (process.memoryUsage().rss - before) / 2 ** 20;
  t.diagnostic(
    `slowest: text ${slowest.number}, ${slowest.ms.toFixed(0)} ms; resident ${grown.toFixed(0)} MiB more`,
  );
  if (process.env.OCELLI_SOAK) assert.ok(slowest.ms < MOST_MS, `text ${slowest.number}: ${slowest.ms} ms`);
  else assert.ok(grown < FLAT_MIB, `${grown} MiB more`); // `make soak` limits the heap.
});

const DETECTION = { image_id: 1, category_id: 1, score: 0.9, bbox: [1, 1, 5, 5] };
const OWN_RESULT = {
  file: 'a.png',
  detections: [{ label: 'a', mid: '/m/1', score: 0.5, box: { x: 1, y: 1, width: 5, height: 5 } }],
};
const SSD = {
  anchorGenerator: {
    type: 'ssd',
    numLayers: 1,
    minScale: 0.2,
    maxScale: 0.9,
    aspectRatios: [1],
    featureMaps: [[1, 1]],
  },
  ...{ anchors: [[0.5, 0.5, 1, 1]], boxCoder: [10, 10, 5, 5], scores: 'sigmoid', background: true },
};
const OWN = {
  ...{ resize: 'legacy', fit: 'crop', scores: 'none', like: 'x', sha256: 'x', mids: ['/m/1'] },
  suppression: {
    scoreThreshold: 0.1,
    iouThreshold: 0.5,
    maxPerClass: 10,
    maxResults: 10,
    classAgnostic: true,
  },
};
const LAYERS = [
  {
    class_name: 'InputLayer',
    config: { name: 'x', batch_input_shape: [null, 2], dtype: 'float32' },
    inbound_nodes: [],
  },
  {
    class_name: 'Dense',
    config: { name: 'y', units: 1, activation: 'relu', use_bias: true },
    inbound_nodes: [[['x', 0, 0, {}]]],
  },
];
const WEB_MODEL = {
  format: 'layers-model',
  modelTopology: {
    keras_version: '2.15.0',
    model_config: {
      class_name: 'Functional',
      config: { name: 'm', layers: LAYERS, input_layers: [['x', 0, 0]], output_layers: [['y', 0, 0]] },
    },
  },
  weightsManifest: [
    {
      paths: ['a.bin'],
      weights: [
        {
          name: 'y/kernel',
          shape: [2, 1],
          dtype: 'float32',
          quantization: { dtype: 'uint8', min: 0, scale: 1 },
        },
        { name: 'y/bias', shape: [1], dtype: 'float32' },
      ],
    },
  ],
};

/** Readers of JSON, with what they read. @type {Record<string, [object, (value: any) => unknown]>} */
const JSON_READERS = {
  coco: [
    coco('a'),
    async (value) => {
      const { groundTruth } = await readDataset(
        { 'a.json': json(value), 'b.txt': new Uint8Array(0) },
        { annotations: 'a.json' },
      );
      const evaluation = evaluateDetections(groundTruth, [DETECTION], { threshold: 0.5 });
      matchClasses(groundTruth.categories, [{ name: 'a' }]);
      return makeEvaluationReport([{ name: 'x', evaluation }], { dataset: 'x', date: new Date(0) });
    },
  ],
  results: [
    [DETECTION],
    (value) => {
      const { detections } = readDetections(JSON.stringify(value), 'x', coco('a'));
      return evaluateDetections(coco('a'), detections, {});
    },
  ],
  own: [
    [OWN_RESULT],
    (value) => {
      const { detections } = readDetections(JSON.stringify(value), 'x', coco('a'));
      return evaluateDetections(coco('a'), detections, {});
    },
  ],
  classTable: [{ a: 'b', c: 'd' }, (value) => readClassTable(JSON.stringify(value), 'x')],
  hierarchy: [
    { LabelName: '/m/0', Subcategory: [{ LabelName: '/m/1', Part: [{ LabelName: '/m/2' }] }] },
    (value) => expandHierarchy(coco('a'), value),
  ],
  yolo: [
    { path: '.', names: { 0: 'a', 1: 'b' }, val: ['images'], nc: 2 },
    (value) =>
      readDataset({
        'data.yaml': json(value),
        'images/a.png': PNG,
        'labels/a.txt': utf8.encode('0 0.5 0.5 0.1 0.1'),
      }),
  ],
  ssd: [SSD, checkSsd],
  input: [{ scale: [1, 1, 1], offset: 0, resize: 'legacy', fit: 'crop' }, checkInput],
  metadata: [
    OWN,
    (value) => resolveLabels(undefined, { labels: 'a', own: JSON.stringify(value) }, undefined),
  ],
  state: [
    JSON.parse(saved.metadata.state),
    (value) =>
      readState(writeSafetensors(saved.tensors, { ...saved.metadata, state: JSON.stringify(value) })),
  ],
  webModel: [
    WEB_MODEL,
    (value) => convert({ 'model.json': json(value), 'a.bin': new Uint8Array(12) }, { verify: false }),
  ],
};

for (const [reader, [sound, read]] of Object.entries(JSON_READERS)) {
  test(`${reader}: every field of another type`, async () => {
    for (const { path, value } of withHostileFields(sound)) {
      try {
        await read(value);
      } catch (error) {
        const { name, stack } = /** @type {Error} */ (error);
        assert.equal(name, 'OcelliError', `${path}: ${stack}`);
      }
    }
  });
}

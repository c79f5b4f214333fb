// Data sets in every format give the same boxes, and each fault is named by file and line.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { zipSync } from 'fflate';
import { encode } from 'fast-png';
import {
  evaluateDetections,
  matchClasses,
  readClassTable,
  readDataset,
  readDetections,
  withLabels,
} from '../../../wasm/evaluate/index.js';

/** @typedef {Record<string, string | Uint8Array>} Texts */

const utf8 = new TextEncoder();
/** YAML that would be 9 to the power of 7 items. */
const ALIASES = Array.from({ length: 8 }, (_, i) => {
  const item = i === 0 ? 'x' : `*a${i - 1}`;
  return `a${i}: &a${i} [${Array(9).fill(item).join(', ')}]`;
}).join('\n');
/** @param {number} width @param {number} height */
const picture = (width, height) =>
  encode({ data: new Uint8Array(width * height * 3), width, height, channels: 3, depth: 8 });
const PICTURES = { 'images/val/a.png': picture(200, 100), 'images/val/b.png': picture(50, 80) };

/** @param {Texts} files */
const bytesOf = (files) =>
  Object.fromEntries(
    Object.entries(files).map(([name, content]) => [
      name,
      typeof content === 'string' ? utf8.encode(content) : content,
    ]),
  );

/** @param {Texts} files @param {import('../../../wasm/evaluate/index.js').DatasetOptions} [options] */
const read = (files, options) => readDataset(bytesOf(files), options);

/** @param {import('../../../wasm/evaluate/index.js').GroundTruth} truth */
function boxesOf({ images, categories, annotations }) {
  const stem = (/** @type {any} */ id) =>
    String(images.find((image) => image.id === id)?.file_name)
      .replace(/^.*\//, '')
      .replace(/\.png$/, '');
  const nameOf = new Map(categories.map(({ id, name }) => [id, name]));
  return annotations
    .map(
      ({ image_id: id, category_id: category, bbox }) =>
        `${stem(id)} ${nameOf.get(category)} ${bbox.map((n) => Number(n.toFixed(9)))}`,
    )
    .sort();
}

const EXPECTED = ['a cat 20,10,100,50', 'a dog 0,0,50,25', 'b dog 5,8,10,16'];

const COCO = {
  images: [
    { id: 1, file_name: 'a.png', width: 200, height: 100 },
    { id: 2, file_name: 'b.png', width: 50, height: 80 },
  ],
  categories: [
    { id: 1, name: 'cat' },
    { id: 5, name: 'dog' },
  ],
  annotations: [
    { id: 1, image_id: 1, category_id: 1, bbox: [20, 10, 100, 50], area: 5000, iscrowd: 0 },
    { id: 2, image_id: 1, category_id: 5, bbox: [0, 0, 50, 25], area: 1250, iscrowd: 0 },
    { id: 3, image_id: 2, category_id: 5, bbox: [5, 8, 10, 16], area: 160, iscrowd: 0 },
  ],
};

/** @param {string} name @param {number[]} corners */
const object = (name, [xmin, ymin, xmax, ymax], more = '') =>
  `  <object>\n    <name>${name}</name>${more}\n    <bndbox><xmin>${xmin}</xmin><ymin>${ymin}</ymin><xmax>${xmax}</xmax><ymax>${ymax}</ymax></bndbox>\n  </object>\n`;
/** @param {string} file @param {string} objects */
const annotation = (file, objects) =>
  `<annotation>\n  <filename>${file}</filename>\n  <size><width>200</width><height>100</height></size>\n${objects}</annotation>\n`;
const VOC = {
  'Annotations/a.xml': annotation(
    'a.png',
    object('cat', [20, 10, 120, 60]) + object('dog', [0, 0, 50, 25], '<difficult>1</difficult>'),
  ),
  'Annotations/b.xml': annotation('b.png', object('dog', [5, 8, 15, 24])),
};
const YOLO = {
  'data.yaml': 'path: ../somewhere\nval: images/val\nnames:\n  0: cat\n  1: dog\n',
  'labels/val/a.txt': '0 0.35 0.35 0.5 0.5\n1 0.125 0.125 0.25 0.25\n',
  'labels/val/b.txt': '1 0.1 0.1 0.3 0.1 0.3 0.3 0.1 0.3\n',
};
const HEADER =
  'ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside\n';
const OPEN_IMAGES = {
  'validation-annotations-bbox.csv': `${HEADER}a,x,/m/01yrx,1,0.1,0.6,0.1,0.6,0,0,0,0,0\na,x,/m/0bt9lr,1,0,0.25,0,0.25,0,0,1,0,0\nb,x,/m/0bt9lr,1,0.1,0.3,0.1,0.3,0,0,0,0,0\n`,
  'class-descriptions-boxable.csv': '/m/01yrx,cat\n/m/0bt9lr,dog\n',
  'validation-annotations-human-imagelabels-boxable.csv':
    'ImageID,Source,LabelName,Confidence\nc,verification,/m/01yrx,0\n',
};

describe('a data set of', () => {
  const formats = /** @type {[string, Texts][]} */ ([
    ['COCO', { 'annotations/instances.json': JSON.stringify(COCO) }],
    ['Pascal VOC', VOC],
    ['YOLO', YOLO],
    ['Open Images', OPEN_IMAGES],
  ]);
  for (const [format, texts] of formats)
    test(`${format} in a directory, in a zip archive, and as File objects`, async () => {
      const files = { ...texts, ...PICTURES, 'Annotations/._a.xml': 'x', '.cache/b.json': '{' };
      const found = await read(files);
      assert.equal(found.format, format);
      assert.deepEqual(boxesOf(found.groundTruth), EXPECTED);
      assert.deepEqual([...found.pictures.values()].sort(), Object.keys(PICTURES));
      const zipped = await readDataset(zipSync(bytesOf(files)), { name: 'data.zip' });
      assert.deepEqual(zipped.groundTruth, found.groundTruth);
      assert.deepEqual(await zipped.files.read('images/val/b.png'), PICTURES['images/val/b.png']);
      const list = Object.entries(bytesOf(files)).map(
        ([name, bytes]) => new File([new Uint8Array(bytes)], name),
      );
      assert.deepEqual((await readDataset(list)).groundTruth, found.groundTruth);
    });

  test('COCO, as one file without pictures', async () => {
    const { groundTruth, pictures } = await readDataset(utf8.encode(JSON.stringify(COCO)), {
      name: 'gt.json',
    });
    assert.deepEqual(groundTruth, COCO);
    assert.equal(pictures.size, 0);
  });

  test("Pascal VOC keeps 'difficult', and corners for its metric", async () => {
    const { groundTruth } = await read(VOC);
    assert.deepEqual(
      groundTruth.annotations.map(({ difficult }) => difficult),
      [false, true, false],
    );
    assert.deepEqual(groundTruth.annotations[0].corners, [20, 10, 120, 60]);
    const split = await read({ ...VOC, 'ImageSets/Main/val.txt': 'b\n' }, { split: 'val' });
    assert.deepEqual(boxesOf(split.groundTruth), EXPECTED.slice(2));
  });

  /** @param {Record<string, string>} stated <filename> by XML file @param {string[]} paths @param {import('../../../wasm/evaluate/index.js').DatasetOptions} [options] @param {Texts} [more] */
  const readVocPictures = async (stated, paths, options, more = {}) => {
    const xml = Object.entries(stated).map(([name, file]) => [`Annotations/${name}.xml`, annotation(file, '')]);
    const files = Object.fromEntries([...xml, ...paths.map((path) => [path, picture(2, 2)])]);
    const { pictures, notes = [], groundTruth } = await read({ ...files, ...more }, options);
    const names = groundTruth.images.map((image) => image.file_name);
    return { pictures: Object.fromEntries(pictures), names, notes: notes.map(({ code, message }) => [code, message]) };
  }; // prettier-ignore

  test("Pascal VOC's copied annotations go with the pictures of their own names", async () => {
    const copied = { a: 'a.jpg', a_aug: 'a.jpg' };
    const own = { a: 'JPEGImages/a.jpg', a_aug: 'JPEGImages/a_aug.jpg' };
    const masks = ['SegmentationClass/a.png', 'SegmentationObject/a_aug.png'];
    const note = /^1 annotation file with .*'Annotations\/a_aug\.xml' names 'a\.jpg'/;
    for (const stated of [copied, { ...copied, a: '' }])
      for (const more of [[], masks, ['masks/a_aug.png']]) {
        const found = await readVocPictures(stated, [...Object.values(own), ...more]);
        assert.deepEqual([found.pictures, found.names], [own, ['a.jpg', 'a_aug.jpg']]);
        assert.deepEqual(
          found.notes.map(([code]) => code),
          ['FILENAME_DIFFERS'],
        );
        assert.match(found.notes[0][1], note);
      }
    const lists = { 'ImageSets/Main/val.txt': 'a_aug' };
    const split = await readVocPictures(copied, Object.values(own), { split: 'val' }, lists);
    assert.deepEqual([split.pictures, split.notes.length], [{ a_aug: own.a_aug }, 1]);
    // A picture that was renamed with its XML file.
    const renamed = await readVocPictures({ 7: 'photo.jpg' }, ['y/7.png']);
    assert.deepEqual(renamed, { pictures: { 7: 'y/7.png' }, names: ['7.png'], notes: [] });
  });

  test("Pascal VOC's other annotations go with the pictures that <filename> names", async () => {
    /** @type {[Record<string, string>, string[], Record<string, string>][]} */
    const cases = [
      [{ 7: 'photo.jpg' }, ['y/photo.jpg'], { 7: 'y/photo.jpg' }],
      [{ 1: '7.jpg', 2: '1.jpg' }, ['x/1.jpg', 'x/7.jpg'], { 1: 'x/7.jpg', 2: 'x/1.jpg' }],
      [{ 1: '7.jpg', 2: '7.jpg', 3: '1.jpg' }, ['x/1.jpg', 'x/7.jpg'], { 1: 'x/7.jpg', 2: 'x/7.jpg', 3: 'x/1.jpg' }],
      [{ 1: '7.jpg', 2: '1.jpg' }, ['x/1.jpg'], { 2: 'x/1.jpg' }],
      [{ 1: 'p_1.jpg' }, ['JPEGImages/p_1.jpg', 'SegmentationClass/1.png'], { 1: 'JPEGImages/p_1.jpg' }],
      [{ 1: 'sub/9.jpg' }, ['JPEGImages/sub/9.jpg', 'x/1.png', 'y/1.png'], { 1: 'JPEGImages/sub/9.jpg' }],
      [{ 1: 'x/9.jpg', 2: 'y/9.jpg' }, ['x/9.jpg', 'y/9.jpg', 'z/1.jpg'], { 1: 'x/9.jpg', 2: 'y/9.jpg' }],
    ]; // prettier-ignore
    const { pictures: found } = await readVocPictures({ 1: 'p_1.png' }, ['x/p_1.jpg', 'masks/1.png']);
    assert.deepEqual(found, { 1: 'x/p_1.jpg' });
    for (const [stated, paths, expected] of cases) {
      const bases = Object.values(stated).map((file) => file.replace(/^.*\//, ''));
      assert.deepEqual(await readVocPictures(stated, paths), { pictures: expected, names: bases, notes: [] });
    }
  });

  test('names with dots and without extension find their pictures', async () => {
    for (const file of ['a.b.jpg', 'a.b', '']) {
      const found = await readVocPictures({ 'a.b': file }, ['x/a.b.jpg', 'x/a.jpg']);
      assert.deepEqual(found, { pictures: { 'a.b': 'x/a.b.jpg' }, names: ['a.b.jpg'], notes: [] });
    }
    const coco = { images: [{ id: 1, file_name: 'a.b' }], categories: [], annotations: [] };
    const files = { 'gt.json': JSON.stringify(coco), 'x/a.b.jpg': picture(2, 2), 'x/a.jpg': picture(2, 2) };
    assert.equal((await read(files)).pictures.get(1), 'x/a.b.jpg');
  });

  test('Open Images has groups, verified labels and images without boxes', async () => {
    const { groundTruth, notes } = await read({ ...OPEN_IMAGES, ...PICTURES });
    const unknown = (/** @type {typeof notes} */ list) => list?.map(({ code, count }) => `${code} ${count}`);
    assert.deepEqual(unknown(notes), ['SIZE_UNKNOWN 1']);
    assert.deepEqual(unknown((await read(OPEN_IMAGES)).notes), ['SIZE_UNKNOWN 3']);
    const others = { ...PICTURES, 'c.png': picture(2, 2) };
    assert.deepEqual(unknown((await read({ ...OPEN_IMAGES, ...others })).notes), []);
    assert.deepEqual(
      groundTruth.annotations.map(({ isGroupOf }) => isGroupOf),
      [false, true, false],
    );
    assert.deepEqual(groundTruth.imageLabels, [{ image_id: 'c', category_id: '/m/01yrx', positive: false }]);
    assert.equal(groundTruth.images.length, 3);
  });

  test('Open Images, whose images have hexadecimal ids, some without letters', async () => {
    const row = (/** @type {string} */ id) => `${id},x,/m/01yrx,1,0.1,0.6,0.1,0.6,0,0,0,0,0\n`;
    const ids = ['fe00000000000001', '1234567890123456', '0a00000000000001'];
    const { groundTruth } = await read({ 'boxes.csv': `${HEADER}${ids.map(row).join('')}` });
    assert.deepEqual(
      evaluateDetections(groundTruth, [], { threshold: 0.5 }).confusion?.images.map(({ id }) => id),
      [...ids].sort(),
    );
  });

  test('a zip archive of many files can be read in any order', async () => {
    const names = Array.from({ length: 70 }, (_, i) => `images/val/${i}.png`);
    const pictures = Object.fromEntries(names.map((name, i) => [name, picture(i + 1, 2)]));
    const bytes = zipSync(bytesOf({ ...pictures, 'data.yaml': YOLO['data.yaml'] }));
    const { files, groundTruth } = await readDataset(bytes, { name: 'many.zip' });
    assert.equal(groundTruth.images.length, 70);
    for (const i of [69, 3, 3, 40, 2, 41, 69, 0])
      assert.deepEqual(await files.read(names[i]), pictures[names[i]]);
  });

  test('Open Images expanded by its hierarchy, but not a file that is expanded already', async () => {
    const hierarchy = JSON.stringify({ LabelName: '/m/0bl9f', Subcategory: [{ LabelName: '/m/01yrx' }] });
    const files = { ...OPEN_IMAGES, 'bbox_labels_600_hierarchy.json': hierarchy };
    assert.deepEqual((await read(files)).hierarchy, JSON.parse(hierarchy));
    const { 'validation-annotations-bbox.csv': boxes, ...others } = files;
    const expanded = await read({ ...others, 'challenge-validation-bbox-expanded.csv': boxes });
    assert.equal(expanded.hierarchy, undefined);
    assert.deepEqual(
      expanded.notes?.map(({ code, count }) => [code, count]),
      [['SIZE_UNKNOWN', 3]],
    );
  });

  test('flags may be written as 1.0 or True, and a header may have quotes', async () => {
    const boxes = OPEN_IMAGES['validation-annotations-bbox.csv'];
    const flagged = boxes.replace('0,0,1,0,0\n', '0,0,1.0,0,0\n').replace('ImageID', '"ImageID"');
    const { groundTruth } = await read({ ...OPEN_IMAGES, 'validation-annotations-bbox.csv': flagged });
    assert.deepEqual(
      groundTruth.annotations.map(({ isGroupOf }) => isGroupOf),
      [false, true, false],
    );
    const voc = object('cat', [1, 1, 2, 2], '<difficult>True</difficult>');
    const found = await read({ 'a.xml': annotation('a.png', voc) });
    assert.equal(found.groundTruth.annotations[0].difficult, true);
  });

  test('a CSV file whose quote is not closed is refused, however long it is', async () => {
    const row = 'a,x,/m/1,1,0,1,0,1,0,0,0,0,0\n';
    const text = `${HEADER}a,"x${row.repeat(500_000)}`;
    // It takes minutes if each line counts the quotes before it again.
    await assert.rejects(read({ 'boxes.csv': text }), { code: 'DATASET_DAMAGED', message: /boxes\.csv:2/ });
  });

  test('YOLO polygons may have any number of points', async () => {
    const points = Array.from({ length: 200_000 }, (_, i) => `0.${1 + (i % 5)} 0.5`).join(' ');
    const { groundTruth } = await read({ ...YOLO, ...PICTURES, 'labels/val/a.txt': `0 ${points}\n` });
    const [x, y, width, height] = groundTruth.annotations[0].bbox.map((value) => Number(value.toFixed(9)));
    assert.deepEqual([x, y, width, height], [20, 50, 80, 0]);
  });

  test('YOLO names label files that belong to no picture', async () => {
    const { notes } = await read({ ...YOLO, ...PICTURES, 'labels/val/z.txt': '0 0.5 0.5 0.1 0.1\n' });
    assert.deepEqual(
      notes?.map(({ code, count }) => [code, count]),
      [['NO_PICTURE', 1]],
    );
    assert.match(String(notes?.[0].message), /labels\/val\/z\.txt/);
    const listed = { 'val.txt': 'images/val/a.png\n', 'data.yaml': 'val: val.txt\nnames: [cat, dog]\n' };
    assert.deepEqual((await read({ ...YOLO, ...PICTURES, ...listed })).notes, []);
  });

  test('YOLO takes a list with more lines than a call has arguments, and each picture once', async () => {
    const listed = { 'val.txt': 'images/val/a.png\n'.repeat(200_000), 'data.yaml': 'val: val.txt\nnames: [cat, dog]\n' }; // prettier-ignore
    const { pictures } = await read({ ...YOLO, ...PICTURES, ...listed });
    assert.deepEqual([...pictures.values()], ['images/val/a.png']);
  });

  test("YOLO looks for pictures in 'path' first, then beside data.yaml, then without the way up", async () => {
    const cases = /** @type {[string, string[], string][]} */ ([
      ['val', ['set/val', 'val'], 'set/val'],
      ['val', ['val'], 'val'],
      ['../val', ['set/val', 'val'], 'val'],
      ['../val', ['set/val'], 'set/val'],
    ]);
    const found = async (/** @type {string} */ val, /** @type {Texts} */ files) => {
      const yaml = `path: set\nval: ${val}\nnames: [cat]\n`;
      return [...(await read({ ...files, 'data.yaml': yaml })).pictures.values()];
    };
    for (const [entry, folders, first] of cases) {
      const pictures = Object.fromEntries(folders.map((folder) => [`${folder}/a.png`, picture(2, 2)]));
      assert.deepEqual(await found(entry, pictures), [`${first}/a.png`], `${entry} of ${folders}`);
      const lists = Object.fromEntries(folders.map((folder) => [`${folder}.txt`, `by/${folder}/a.png`]));
      const listed = Object.fromEntries(folders.map((folder) => [`by/${folder}/a.png`, picture(2, 2)]));
      assert.deepEqual(await found(`${entry}.txt`, { ...lists, ...listed }), [`by/${first}/a.png`]);
    }
    // What a list names is looked for in the same folders.
    const both = { 'set/b/a.png': picture(2, 2), 'b/a.png': picture(2, 2), 'list.txt': 'b/a.png' };
    assert.deepEqual(await found('list.txt', both), ['set/b/a.png']);
  });

  test('YOLO takes a picture without a label file for one without objects, and says so', async () => {
    const { 'labels/val/b.txt': _, ...files } = YOLO;
    const { groundTruth, notes } = await read({ ...files, ...PICTURES });
    assert.equal(groundTruth.images.length, 2);
    assert.deepEqual(
      notes?.map(({ code, count }) => [code, count]),
      [['NO_LABEL_FILE', 1]],
    );
  });
});

describe('a fault is named by file and line', () => {
  /** @param {string} text */
  const coco = (text) => ({ 'gt.json': text });
  const lines = JSON.stringify(COCO, null, 1);
  const yolo = (/** @type {string} */ labels) => ({ ...YOLO, ...PICTURES, 'labels/val/a.txt': labels });
  const yaml = (/** @type {string} */ text) => ({
    ...{ ...YOLO, ...PICTURES },
    'data.yaml': `val: images/val\n${text}\n`,
  });
  const csv = (/** @type {string} */ row) => ({ 'boxes.csv': `${HEADER}${row}\n` });
  const labels = (/** @type {string} */ row) => ({
    ...csv('a,x,/m/1,1,0,1,0,1,0,0,0,0,0'),
    'labels.csv': `ImageID,LabelName,Confidence\n${row}\n`,
  });
  const cases = /** @type {[string, Texts, RegExp][]} */ ([
    ['DATASET_DAMAGED', coco('{"images": [],\n "annotations": [\n}'), /gt\.json:3: /],
    [
      'DATASET_DAMAGED',
      coco('{"images": [],\n "annotations":\n {}, "categories": []}'),
      /gt\.json:3: 'annotations' is not a list/,
    ],
    ['DATASET_DAMAGED', coco('{"images": [], "annotations": []}'), /gt\.json: 'categories' is missing/],
    [
      'INVALID_ENTRY',
      coco('{"images": [\n{"id": 1, "file_name": 7}], "annotations": [], "categories": []}'),
      /gt\.json:2: file_name/,
    ],
    [
      'INVALID_ENTRY',
      coco('{"images": [], "annotations": [],\n "categories": [{"id": 1},\n {"id": 2, "name": {}}]}'),
      /gt\.json:3: name/,
    ],
    ['DATASET_DAMAGED', { 'a.xml': '<annotation>\n<object>\n</annotation>' }, /a\.xml:[23]: /],
    ['DATASET_DAMAGED', { 'a.xml': '<other/>' }, /a\.xml: the root is not <annotation>/],
    ['INVALID_BOX', { 'a.xml': annotation('a.png', object('cat', [3, 1, 2, 2])) }, /a\.xml:6: xmin 3/],
    [
      'INVALID_BOX',
      { 'a.xml': annotation('a.png', object('cat', [Number.NaN, 1, 2, 2])) },
      /a\.xml:6: xmin is 'NaN'/,
    ],
    [
      'INVALID_ENTRY',
      {
        'a.xml': annotation('a.png', object('cat', [1, 1, 2, 2], '\n    <difficult>perhaps</difficult>')),
      },
      /a\.xml:4: difficult is 'perhaps'/,
    ],
    ['NO_BOX', { 'a.xml': annotation('a.png', '<object><name>cat</name><polygon/></object>') }, /a\.xml:4: /],
    [
      'DATASET_DAMAGED',
      { 'a.xml': annotation('a.png', '<object></object>') },
      /a\.xml:4: the object has no name/,
    ],
    ['DATASET_INCOMPLETE', { ...VOC, 'ImageSets/Main/val.txt': 'b\nc\n' }, /val\.txt:2: there is no c\.xml/],
    [
      'DUPLICATE_IMAGE',
      { 'x/a.xml': VOC['Annotations/a.xml'], 'y/a.xml': VOC['Annotations/a.xml'] },
      /y\/a\.xml/,
    ],
    [
      'DUPLICATE_IMAGE',
      {
        ...{ 'x/a.xml': VOC['Annotations/a.xml'], 'y/a.xml': VOC['Annotations/a.xml'] },
        'ImageSets/Main/val.txt': 'a\n',
      },
      /y\/a\.xml/,
    ],
    ['INVALID_BOX', yolo('0 0.1 0.1 0.1 0.1\n0 0.1 0.1 -0.1 0.1\n'), /labels\/val\/a\.txt:2: /],
    ['INVALID_BOX', yolo('\n0 nan 0.1 0.1 0.1\n'), /a\.txt:2: /],
    ['INVALID_BOX', yolo('0 0.1 0.1 0.1\n'), /a\.txt:1: expected 4 numbers/],
    ['INVALID_BOX', yolo('0 0.1 0.1 0.1 0.1\n0 120 80 40 30\n'), /a\.txt:2: .*shares of the image/],
    ['INVALID_BOX', yolo('0 -0.5 0.5 0.1 0.1\n'), /a\.txt:1: .*shares of the image/],
    ['INVALID_BOX', yolo('0 0.1 0.1 0.3 -0.1 0.3 0.3\n'), /a\.txt:1: .*shares of the image/],
    ['INVALID_BOX', yolo('0 0x1 0.1 0.1 0.1\n'), /a\.txt:1: /],
    ['INVALID_ENTRY', yolo('2 0.1 0.1 0.1 0.1\n'), /a\.txt:1: the class is '2'/],
    ['INVALID_ENTRY', yolo('0x1 0.1 0.1 0.1 0.1\n'), /a\.txt:1: the class is '0x1'/],
    ['DATASET_DAMAGED', yaml('nc: 3\nnames: [cat, dog]'), /data\.yaml: 'nc' is 3, but there are 2 names/],
    ['DATASET_DAMAGED', yaml('names: cat'), /data\.yaml: 'names' must be/],
    ['DATASET_DAMAGED', yaml('names: {0: a, 0.5: b}'), /data\.yaml: 'names' must be/],
    ['DATASET_DAMAGED', yaml('names: {"0": a, "00": b}'), /data\.yaml: 'names' must be/],
    ['DATASET_DAMAGED', yaml('names: [cat, dog]\nother: *unknown'), /data\.yaml: .*alias/],
    ['DATASET_DAMAGED', yaml(`names: [cat, dog]\n${ALIASES}`), /data\.yaml: .*alias/],
    ['DATASET_DAMAGED', { ...YOLO, ...PICTURES, 'data.yaml': 'val: [\nnames: }' }, /data\.yaml:2: /],
    [
      'DATASET_DAMAGED',
      { ...YOLO, ...PICTURES, 'data.yaml': 'val: images\nnames: {0: a, 2: b}' },
      /'names' must be/,
    ],
    ['DATASET_DAMAGED', { 'data.yaml': 'names: [cat]' }, /data\.yaml: it has no val, test or train$/],
    ['DATASET_INCOMPLETE', { 'data.yaml': YOLO['data.yaml'] }, /there are no pictures in 'images\/val'/],
    [
      'DATASET_DAMAGED',
      { ...YOLO, ...PICTURES, 'images/val/a.png': utf8.encode('no picture') },
      /images\/val\/a\.png: /,
    ],
    ['INVALID_BOX', csv('a,x,/m/1,1,0.5,0.4,0,1,0,0,0,0,0'), /boxes\.csv:2: XMin 0\.5, XMax 0\.4/],
    ['INVALID_BOX', csv('a,x,/m/1,1,,0.4,0,1,0,0,0,0,0'), /boxes\.csv:2: XMin is ''/],
    ['INVALID_BOX', csv('a,x,/m/1,1,0x0,0.4,0,1,0,0,0,0,0'), /boxes\.csv:2: XMin is '0x0'/],
    [
      'INVALID_BOX',
      { ...csv('a,x,/m/1,1,20,120,10,60,0,0,0,0,0'), ...PICTURES },
      /boxes\.csv:2: .*shares of the image/,
    ],
    ['INVALID_ENTRY', csv(',x,/m/1,1,0,0.4,0,1,0,0,0,0,0'), /boxes\.csv:2: ImageID is empty/],
    ['INVALID_ENTRY', csv('a,x,,1,0,0.4,0,1,0,0,0,0,0'), /boxes\.csv:2: LabelName is empty/],
    ['INVALID_ENTRY', csv('a,x,/m/1,1,0,0.4,0,1,0,0,maybe,0,0'), /boxes\.csv:2: IsGroupOf is 'maybe'/],
    ['INVALID_ENTRY', labels('a,/m/1,'), /labels\.csv:2: Confidence is ''/],
    ['INVALID_ENTRY', labels('a,/m/1,yes'), /labels\.csv:2: Confidence is 'yes'/],
    [
      'DATASET_DAMAGED',
      { ...csv('a,x,/m/1,1,0,0.4,0,1,0,0,0,0,0'), 'a_hierarchy.json': '[]' },
      /a_hierarchy\.json: .*not an object/,
    ],
    ['DATASET_DAMAGED', csv('a,x,/m/1,1'), /boxes\.csv:2: 4 cells for 13 columns/],
    ['DATASET_DAMAGED', csv('a,"x,/m/1,1'), /boxes\.csv:2: a quote/],
    ['DATASET_UNKNOWN', { 'readme.txt': 'x' }, /it has 1 file: readme\.txt/],
    ['DATASET_UNKNOWN', {}, /0 files/],
    ['DATASET_AMBIGUOUS', { 'a.json': lines, 'b.json': lines }, /a\.json \(COCO\) or b\.json \(COCO\)/],
    ['DATASET_AMBIGUOUS', { ...coco(lines), 'x/a.png': '', 'y/a.png': '' }, /'a\.png' may be/],
  ]);
  for (const [code, files, message] of cases)
    test(`${code} ${message}`, async () =>
      assert.rejects(read(files, { split: 'ImageSets/Main/val.txt' in files ? 'val' : undefined }), {
        code,
        message,
      }));

  test('a split that there is not', async () => {
    const named = { 'instances_val.json': lines, 'instances_train.json': lines };
    assert.equal((await read(named, { split: 'val' })).groundTruth.images.length, COCO.images.length);
    for (const files of [coco(lines), named])
      await assert.rejects(read(files, { split: 'nope' }), {
        code: 'DATASET_UNKNOWN',
        message: /split 'nope'/,
      });
  });

  test('a damaged archive', async () => {
    const bytes = zipSync(bytesOf({ 'gt.json': lines }));
    await assert.rejects(readDataset(bytes.slice(0, -30), { name: 'x.zip' }), {
      code: 'ARCHIVE_DAMAGED',
      message: /x\.zip/,
    });
    bytes.fill(255, 40, 60);
    await assert.rejects(readDataset(bytes, { name: 'x.zip' }), { code: 'ARCHIVE_DAMAGED' });
  });

  test('an annotation of a COCO file', async () => {
    const { locate } = await read(coco(lines));
    const at = lines.slice(0, lines.indexOf('"image_id": 2')).split('\n').length - 2;
    assert.equal(locate?.('annotations', 2), `gt.json:${at}`);
    assert.equal(locate?.('annotations', 3), 'gt.json');
  });
});

describe('detections', () => {
  const results = [{ image_id: 1, category_id: 1, bbox: [20, 10, 100, 50], score: 0.9 }];
  const own = {
    file: 'photos/b.png',
    width: 50,
    height: 80,
    detections: [{ label: 'Dog', labelId: 3, score: 0.5, box: { x: 5, y: 8, width: 10, height: 16 } }],
  };

  test("in COCO's format", () => {
    const { detections, locate } = readDetections(JSON.stringify(results, null, 1), 'dt.json', COCO);
    assert.deepEqual(detections, results);
    assert.equal(locate(0), 'dt.json:2');
    assert.deepEqual(readDetections('[]', 'dt.json', COCO).detections, []);
  });

  test('and ground truth with ids that no double can hold', async () => {
    const ids = ['9007199254740993', '10000000000000000000', '9007199254740992'];
    const entry = (/** @type {string} */ id) =>
      `{"image_id": ${id}, "id": ${id}, "category_id": 1,\n"bbox": [0, 0, 9, 9.00000000000000001], "score": 0.5}`;
    const truth = `{"images": [${ids.map((id) => `{"id": ${id}, "file_name": "\\"id\\": ${id}"}`)}],
      "categories": [{"id": 1, "name": "cat"}], "annotations": [${entry(ids[0])}]}`;
    const { groundTruth } = await read({ 'gt.json': truth });
    assert.equal(groundTruth.images[0].file_name, `"id": ${ids[0]}`);
    const found = (/** @type {string} */ id) =>
      evaluateDetections(groundTruth, readDetections(`[${entry(id)}]`, 'dt.json', groundTruth).detections);
    assert.equal(found(ids[0]).coco.AP50?.toFixed(9), '1.000000000');
    assert.equal(found(ids[2]).coco.AP50, 0);
    assert.deepEqual(
      found(ids[0]).confusion?.images.map(({ id }) => String(id)),
      [ids[2], ids[0], ids[1]],
    );
    assert.throws(() => found('9007199254740994'), { code: 'UNKNOWN_IMAGE' });
  });

  test('as lines of ocelli detect', () => {
    const text = `${JSON.stringify(own)}\n${JSON.stringify({ ...own, file: 'a.png' })}\n`;
    const { detections, locate, notes } = readDetections(text, 'dt.jsonl', COCO);
    const box = { category_id: 5, bbox: [5, 8, 10, 16], score: 0.5 };
    assert.deepEqual(detections, [
      { image_id: 2, ...box },
      { image_id: 1, ...box },
    ]);
    assert.equal(locate(1), 'dt.jsonl:2');
    assert.deepEqual(notes, []);
    const fox = JSON.stringify({ ...own, detections: [{ ...own.detections[0], label: 'Fox' }] });
    assert.match(readDetections(fox, 'dt.jsonl', COCO).notes[0].message, /1 detection .*: Fox/);
    assert.equal(
      readDetections(fox, 'dt.jsonl', COCO, new Map([['cat', 'Fox']])).detections[0].category_id,
      1,
    );
    const [one] = own.detections;
    for (const bad of [null, 1, {}, { ...one, label: 1 }, { ...one, mid: 1 }, { ...one, box: 1 }])
      assert.throws(
        () =>
          readDetections(`${text}${JSON.stringify({ ...own, detections: [one, bad] })}`, 'dt.jsonl', COCO),
        { code: 'INVALID_ENTRY', message: /dt\.jsonl:3: detections.*1/ },
        JSON.stringify(bad),
      );
    assert.throws(() => readDetections(JSON.stringify({ ...own, file: 'z.png' }), 'dt.jsonl', COCO), {
      code: 'UNKNOWN_IMAGE',
      message: /dt\.jsonl:1: 'z\.png'/,
    });
  });

  test('name their images by path, file name, name without ending, or id: the first that one image has', () => {
    const images = [
      { id: 1, file_name: 'a/x.png' },
      { id: 2, file_name: 'b/x.png' },
      { id: 'y.png', file_name: 'c/z.png' },
      { id: 'y', file_name: 'c/w.png' },
    ];
    const imageOf = (/** @type {string} */ file) =>
      readDetections(JSON.stringify({ ...own, file }), 'dt.jsonl', { ...COCO, images }).detections[0]
        .image_id;
    for (const [file, id] of /** @type {[string, string | number][]} */ ([
      ['a/x.png', 1],
      ['b/x.png', 2],
      ['other/z.png', 'y.png'],
      ['other/z.jpg', 'y.png'],
      ['y.png', 'y.png'],
      ['y.jpg', 'y'],
      ['1', 1],
    ]))
      assert.equal(imageOf(file), id, file);
    for (const file of ['x.png', 'other/x.png', 'x', 'v.png'])
      assert.throws(() => imageOf(file), { code: 'UNKNOWN_IMAGE' });
  });

  test("as predictions of Open Images' challenge", async () => {
    const { groundTruth } = await read({ ...OPEN_IMAGES, ...PICTURES });
    const text = 'ImageID,LabelName,Score,XMin,XMax,YMin,YMax\na,/m/01yrx,0.5,0.1,0.6,0.1,0.6\n';
    const { detections } = readDetections(text, 'p.csv', groundTruth);
    assert.deepEqual(
      detections[0].bbox.map((n) => Number(n.toFixed(9))),
      [20, 10, 100, 50],
    );
    assert.deepEqual(detections[0].corners, [0.1, 0.1, 0.6, 0.6]);
    assert.throws(() => readDetections(text.replace('0.5,', 'x,'), 'p.csv', groundTruth), {
      code: 'INVALID_SCORE',
      message: /p\.csv:2/,
    });
  });

  test('of no known format are refused', () => {
    for (const text of ['{"a": 1}', '"x"', '{"a":\n1}'])
      assert.throws(() => readDetections(text, 'x.json', COCO), {
        code: 'DATASET_DAMAGED',
        message: /x\.json/,
      });
  });
});

describe('classes', () => {
  const categories = [
    { id: 1, name: 'traffic_light' },
    { id: 2, name: 'Hund', mid: '/m/0bt9lr' },
    { id: 3, name: 'kitten' },
    { id: 4, name: 'Cat' },
    { id: 5, name: 'fork' },
  ];
  const labels = [
    { name: 'cat' },
    { name: 'Dog', mid: '/m/0bt9lr' },
    { name: 'Traffic light' },
    { name: 'Car' },
  ];

  test('match by name, MID and a table; what does not match is listed', () => {
    const { labelOf, unmatchedCategories, unmatchedLabels } = matchClasses(
      categories,
      labels,
      readClassTable('kitten,cat\n', 't.csv'),
    );
    assert.deepEqual(
      [...labelOf],
      [
        [1, 2],
        [2, 1],
        [3, 0],
        [4, 0],
      ],
    );
    assert.deepEqual(
      unmatchedCategories.map(({ name }) => name),
      ['fork'],
    );
    assert.deepEqual(unmatchedLabels, ['Car']);
    assert.deepEqual(readClassTable('{"kitten": "cat"}', 't.json'), readClassTable('kitten,cat', 't.csv'));
    assert.throws(() => matchClasses(categories, labels, new Map([['fork', 'catt']])), {
      code: 'UNKNOWN_CLASS',
      message: /nearest: 'cat'/,
    });
    assert.throws(() => readClassTable('a,b,c', 't.csv'), { code: 'DATASET_DAMAGED', message: /t\.csv:1/ });
  });

  test('give a ground truth with the model’s classes', async () => {
    const dataset = await read({
      'gt.json': JSON.stringify({
        ...COCO,
        categories: [
          { id: 1, name: 'fork' },
          { id: 5, name: 'dog' },
        ],
      }),
    });
    const match = matchClasses(dataset.groundTruth.categories, labels);
    const { groundTruth, locate } = withLabels(dataset, labels, match);
    assert.deepEqual(
      groundTruth.categories.map(({ id, name }) => ({ id, name })),
      [{ id: 1, name: 'Dog' }],
    );
    assert.deepEqual(
      groundTruth.annotations.map(({ category_id: id }) => id),
      [1, 1],
    );
    assert.equal(locate?.('annotations', 0), dataset.locate?.('annotations', 1));
    assert.throws(() => withLabels(dataset, labels, matchClasses([], labels)), { code: 'NO_CLASSES_MATCH' });
  });
});

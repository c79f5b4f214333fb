// Parts of readers and reports, each alone: the texts that they accept and refuse, and what a report says, letter by letter.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decode as decodePng, encode } from 'fast-png';
import { zipSync } from 'fflate';

import {
  drawWorst,
  evaluateDetections,
  makeClassifierReport,
  evaluateClassification,
  expandHierarchy,
  makeEvaluationReport,
  matchClasses,
  readClassTable,
  readDataset,
  readDetections,
  runDetector,
  withLabels,
  drawMisclassified,
} from '../../../wasm/evaluate/index.js';
import { isShare, toFlag } from '../../../wasm/evaluate/read/cells.js';
import { readRows, readTable } from '../../../wasm/evaluate/read/csv.js';
import { decodeText, openFiles } from '../../../wasm/evaluate/read/files.js';
import { lineOf, parseJson } from '../../../wasm/evaluate/read/json.js';
import { kindOfCsv } from '../../../wasm/evaluate/read/open_images.js';
import { baseOf, findPictures, measurePictures, stemOf } from '../../../wasm/evaluate/read/pictures.js';
import { calibrationPlot, figure, matrixOf, picturesOf } from '../../../wasm/evaluate/report/parts.js';
import { comparisonOf, differenceTo, sectionsOf } from '../../../wasm/evaluate/report/sections.js';
import { tabulate } from '../../../wasm/evaluate/measure/table.js';

const any = (/** @type {unknown} */ value) => /** @type {any} */ (value);
const utf8 = new TextEncoder();
/** @param {Record<string, string | Uint8Array>} files */
const bytesOf = (files) =>
  Object.fromEntries(
    Object.entries(files).map(([name, content]) => [name, typeof content === 'string' ? utf8.encode(content) : content]),
  ); // prettier-ignore
/** @param {Record<string, string | Uint8Array>} files @param {any} [options] */
const read = (files, options) => readDataset(bytesOf(files), options);
const PIXEL = encode({ data: new Uint8Array(3), width: 1, height: 1, channels: 3, depth: 8 });
const DAMAGED = 'DATASET_DAMAGED';

describe('cells', () => {
  test('are flags', () => {
    for (const [texts, flag] of /** @type {[string[], boolean | undefined][]} */ ([
      [['1', '1.0', 'true', 'TRUE', '+1'], true],
      [['', '0', '0.0', '-1', 'false', 'False'], false],
      [['2', '-2', 'yes', 'x', '0.5', 'nan'], undefined],
    ]))
      for (const text of texts) assert.equal(toFlag(text), flag, text);
  });
  test('are shares, or nearly', () => {
    for (const value of [-0.01, 0, 0.5, 1, 1.01]) assert.ok(isShare(value));
    for (const value of [-0.011, 1.011, NaN, 100, -1]) assert.ok(!isShare(value));
  });
  test('of rows, with the line of each', () => {
    const rows = (/** @type {string} */ text) => [...readRows(text, 'f')].map(({ cells, line }) => [line, ...cells]); // prettier-ignore
    assert.deepEqual(rows(''), []);
    assert.deepEqual(rows('a,b\r\n\r\n\nc,\n'), [[1, 'a', 'b'], [4, 'c', '']]); // prettier-ignore
    assert.deepEqual(rows('"a","b\n""c"",\n"\nd,"e"\n\nf'), [[1, 'a', 'b\n"c",\n'], [4, 'd', 'e'], [6, 'f']]); // prettier-ignore
    assert.deepEqual(rows('"",\n'), [[1, '', '']]);
    for (const [text, line] of [
      ['a\n"b"c', 2],
      ['a"b"', 1],
      ['a\n\n"b', 3],
    ])
      // prettier-ignore
      assert.throws(() => rows(String(text)), { code: DAMAGED, message: new RegExp(`f:${line}: a quote`) });
  });
  test('of columns', () => {
    const table = (/** @type {string} */ text) => Array.from(readTable(text, 'f', ['a', 'b']), ({ row, line }) => ({ line, values: ['a', 'b', 'c'].map((name) => row.text(name)) })); // prettier-ignore
    assert.deepEqual(table('\n b ,a\n 1,2 \n'), [{ line: 3, values: ['2', '1', ''] }]);
    assert.deepEqual(table('a,b'), []);
    for (const [text, message] of /** @type {[string, RegExp][]} */ ([
      ['\na,c', /f:2: there is no column 'b'/],
      ['c', /f:1: there is no column 'a'/],
      ['a,b\n1', /f:2: 1 cells for 2 columns/],
      ['a,b\n1,2,3', /f:2: 3 cells for 2 columns/],
    ]))
      assert.throws(() => table(text), { code: DAMAGED, message });
  });
  test('say which CSV file of Open Images it is', () => {
    const box = 'XMin,XMax,YMin,YMax';
    for (const [header, kind] of [
      [`ImageID,LabelName,Score,${box}`, 'predictions'],
      [`ImageID,LabelName,Confidence,${box}`, 'boxes'],
      ['"ImageID", LabelName ,Confidence', 'labels'],
      ['ImageID,LabelName', undefined],
      ['ImageID,Confidence', undefined],
      ['ImageID,LabelName,Confidence,Score,XMin,XMax,YMin', 'labels'],
      [`x\nImageID,LabelName,${box}`, undefined],
      [`ImageID,LabelName,${'x'.repeat(1947)},${box}`, 'boxes'],
      [`ImageID,LabelName,${'x'.repeat(2000)},${box}`, undefined],
    ])
      assert.equal(kindOfCsv(`${header}\r\na,b`), kind, header?.slice(0, 60));
  });
});

describe('JSON', () => {
  test('has Infinity and NaN as texts, but not in texts', () => {
    const text = '{"a": [NaN, -Infinity, Infinity], "NaN": "\\"NaN Infinity", "id": 12345678901234567890}';
    const value = { a: ['NaN', '-Infinity', 'Infinity'], NaN: '"NaN Infinity', id: '12345678901234567890' };
    assert.deepEqual(parseJson(text, 'f'), value);
    assert.throws(() => parseJson('[NaN,\n1 2]', 'f'), { code: DAMAGED, message: /f:1: .*unexpected "NaN,\\n1 2\]"$/ }); // prettier-ignore
  });
  test('has ids as texts from 2 ** 53 on', () => {
    for (const [digits, isText] of /** @type {[string, boolean][]} */ ([
      ['9007199254740991', false],
      ['9007199254740992', true],
      ['-9007199254740992', true],
      ['1000000000000000', false],
    ]))
      for (const key of ['id', 'image_id', 'category_id', 'other'])
        assert.deepEqual(parseJson(`{"${key}" :${digits}}`, 'f'), {
          [key]: isText && key !== 'other' ? digits : Number(digits),
        });
    assert.deepEqual(parseJson('{"id": 10000000000000000.0}', 'f'), { id: 10000000000000000.0 });
  });
  test('is quoted by 20 characters where it is wrong', () => {
    const long = 'x'.repeat(30);
    assert.throws(() => parseJson(`[\n${long}]`, 'f'), { message: new RegExp(`f:2: this is not JSON: unexpected "x{20}"$`) }); // prettier-ignore
    assert.throws(() => parseJson('[\n', 'f'), {
      message: /f:2: this is not JSON: the file ends too early$/,
    });
  });
  test('has its places: without spaces, behind numbers, in nested lists', () => {
    const text = '[[1,[2,3],{"a":4}],\n5,6 ,\n7\n,8,[],\n"x"]';
    const lines = [[0, 1], [0, 2, 'a'], [1], [2], [3], [4], [5], [6]].map((path) => lineOf(text, path)); // prettier-ignore
    assert.deepEqual(lines, [1, 1, 2, 2, 3, 4, 4, 5]);
    assert.equal(lineOf(text, [7]), undefined);
    assert.equal(lineOf('{"a":1,"b":\n2}', ['b']), 2);
  });
});

describe('pictures', () => {
  test('have names', () => {
    for (const [path, base, stem] of [
      ['a/b.c.jpg', 'b.c.jpg', 'b.c'],
      ['b', 'b', 'b'],
      ['a\\b.png', 'b.png', 'b'],
      ['a\\c/b.x', 'b.x', 'b'],
      ['a.d/b', 'b', 'b'],
      ['/.x', '.x', ''],
    ])
      // prettier-ignore
      assert.deepEqual([baseOf(path), stemOf(path)], [base, stem], path);
  });
  test('are found by path, by the end of it, by file name, or by that without its ending', async () => {
    const names = ['a/x.png', 'b/x.png', 'b/y.JPG', 'c/z.webp', 'c/w.txt', 'd/v.gif', 'd/v.bmp'];
    const files = await openFiles(any(new Map(names.map((name) => [name, PIXEL]))));
    const find = (/** @type {string[]} */ ...wanted) =>
      findPictures(files, [{ id: 1, names: wanted }]).get(1);
    for (const [wanted, found] of /** @type {[string[], string | undefined][]} */ ([
      [['a/x.png'], 'a/x.png'],
      [['y.JPG'], 'b/y.JPG'],
      [['other/y.JPG'], 'b/y.JPG'],
      [['y.png'], 'b/y.JPG'],
      [['other/z'], 'c/z.webp'],
      [['q.png', 'z'], 'c/z.webp'],
      [['y', 'z'], 'b/y.JPG'],
      [['w.png'], undefined],
      [['v.bmp'], 'd/v.bmp'],
    ]))
      assert.equal(find(...wanted), found, String(wanted));
    for (const wanted of ['x.png', 'q/x.png', 'v'])
      assert.throws(() => find(wanted), { code: 'DATASET_AMBIGUOUS', message: new RegExp(`'${wanted}' may be '`) }); // prettier-ignore
    const deep = await openFiles(any(new Map(['a/b/x.png', 'c/x.png'].map((name) => [name, PIXEL]))));
    assert.equal(findPictures(deep, [{ id: 1, names: ['b/x.png'] }]).get(1), 'a/b/x.png');
  });
  test('belong to one image: the one that names them best', async () => {
    const find = async (/** @type {string[]} */ paths, /** @type {string[]} */ listed) => {
      const files = await openFiles(any(new Map(paths.map((path) => [path, PIXEL]))));
      const found = findPictures(files, listed.map((name, id) => ({ id, names: [name] }))); // prettier-ignore
      return listed.map((_, id) => found.get(id));
    };
    for (const [paths, listed, found] of /** @type {[string[], string[], (string | undefined)[]][]} */ ([
      [['val/1.jpg'], ['train/1.jpg', 'val/1.jpg'], [undefined, 'val/1.jpg']],
      [['val/1.jpg'], ['val/1.jpg', 'train/1.jpg'], ['val/1.jpg', undefined]],
      [['a.png'], ['a.jpg', 'a.png'], [undefined, 'a.png']],
      [['photos/val/1.jpg'], ['train/1.jpg', 'val/1.jpg'], [undefined, 'photos/val/1.jpg']],
      [['photos/a.png'], ['a.jpg', 'a.png'], [undefined, 'photos/a.png']],
      [['train/1.png', 'val/1.jpg'], ['train/1.jpg', 'val/1.jpg'], ['train/1.png', 'val/1.jpg']],
      [['b/x.png', 'a/x.png'], ['x.png', 'a/x.png'], ['b/x.png', 'a/x.png']],
      [['photos/a.jpg'], ['a.jpg', 'a.jpg'], ['photos/a.jpg', 'photos/a.jpg']],
    ]))
      assert.deepEqual(await find(paths, listed), found, `${paths} for ${listed}`); // prettier-ignore
    for (const [path, first, second] of [
      ['1.jpg', 'train/1.jpg', 'val/1.jpg'],
      ['photos/a.webp', 'a.jpg', 'a.png'],
    ])
      await assert.rejects(find([path], [first, second]), {
        code: 'DATASET_AMBIGUOUS',
        message: new RegExp(`'${path}' may be the image '${first}' or '${second}'`),
      });
  });
  test('of an id that a COCO file lists twice are those of the last entry', async () => {
    const images = [{ id: 1, file_name: 'a.png' }, { id: 1, file_name: 'b.png' }]; // prettier-ignore
    const coco = JSON.stringify({ images, categories: [], annotations: [] });
    const { pictures } = await read({ 'gt.json': coco, 'a.png': PIXEL, 'b.png': PIXEL });
    assert.deepEqual([...pictures], [[1, 'b.png']]);
  });
  test('have the size as they are shown', async () => {
    const photo = (/** @type {number} */ orientation) =>
      Uint8Array.of(
        ...[0xff, 0xd8, 0xff, 0xe1, 0, 34, ...utf8.encode('Exif\0\0MM'), 0, 42, 0, 0, 0, 8, 0, 1],
        ...[1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0],
        ...[0xff, 0xc0, 0, 17, 8, 0, 20, 0, 30, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 0xff, 0xd9],
      );
    for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const files = await openFiles(any({ 'a.jpg': photo(orientation) }));
      const [width, height] = orientation < 5 ? [30, 20] : [20, 30];
      assert.deepEqual(await measurePictures(files, new Map([[1, 'a.jpg']])), new Map([[1, { width, height }]])); // prettier-ignore
    }
  });
});

describe('files', () => {
  test('are listed without hidden ones, and those of an archive without folders and those of macOS', async () => {
    const names = ['b.txt', 'a/.x', '.y/z', 'a/b.c', 'a/..b'];
    assert.deepEqual((await openFiles(any(new Map(names.map((name) => [name, PIXEL]))))).names, ['a/b.c', 'b.txt']); // prettier-ignore
    const zipped = zipSync({ 'a.txt': utf8.encode('A'), 'd/': new Uint8Array(), '__MACOSX/b.txt': new Uint8Array() }); // prettier-ignore
    const files = await openFiles(zipped, 'x.zip');
    assert.deepEqual([files.names, await files.readText('a.txt'), files.has('d/')], [['a.txt'], 'A', false]);
    await assert.rejects(files.read('c'), { code: 'DATASET_INCOMPLETE', message: /there is no file 'c'/ });
    assert.deepEqual((await openFiles(PIXEL)).names, ['file']);
  });
  test('of an archive unpack to a GiB at most', async () => {
    for (const [size, isRefused] of /** @type {[number, boolean][]} */ ([
      [2 ** 30, false],
      [2 ** 30 + 1, true],
    ])) {
      // prettier-ignore
      const zipped = zipSync({ 'a.txt': utf8.encode('A') });
      const directory = zipped.findLastIndex((_, i) => String(zipped.subarray(i, i + 4)) === '80,75,1,2');
      new DataView(zipped.buffer, zipped.byteOffset).setUint32(directory + 24, size, true);
      const opened = openFiles(zipped, 'x.zip');
      if (isRefused)
        await assert.rejects(opened, { code: 'ARCHIVE_DAMAGED', message: /x\.zip: a\.txt unpacks to 1073741825 bytes/ }); // prettier-ignore
      else assert.deepEqual((await opened).names, ['a.txt']);
    }
  });
  test('of an archive with a wrong checksum are refused when they are read', async () => {
    const zipped = zipSync({ 'a.txt': utf8.encode('first'), 'b.txt': utf8.encode('second') }, { level: 0 });
    zipped[Buffer.from(zipped).indexOf('second')] ^= 1;
    const files = await openFiles(zipped, 'x.zip');
    assert.equal(await files.readText('a.txt'), 'first');
    await assert.rejects(files.read('b.txt'), {
      code: 'ARCHIVE_DAMAGED',
      message: /x\.zip: the checksum of 'b\.txt' is wrong/,
    });
  });
  test('that no text can hold are said in MiB', () => {
    const bytes = any({ length: 600 * 2 ** 20 });
    assert.throws(() => decodeText(bytes, 'f'), { code: DAMAGED, message: /f: 600 MiB are more than/ });
  });
});

describe('a data set', () => {
  const coco = (/** @type {string} */ name = 'a') => JSON.stringify({ images: [{ id: 1, file_name: name }], categories: [], annotations: [] }); // prettier-ignore
  const voc = (/** @type {string} */ more = '') => `<annotation>${more}</annotation>`;
  const idsOf = async (/** @type {any} */ files, /** @type {any} */ options = {}) => (await read(files, options)).groundTruth.images.map(({ id }) => id); // prettier-ignore

  test('is chosen by the name of its file, or by the end of its path', async () => {
    const files = { 'x/a.json': coco('of x'), 'y/a.json': coco('of y'), 'xx/a.json': coco('of xx') };
    const named = async (/** @type {string} */ annotations) => (await read(files, { annotations })).groundTruth.images[0].file_name; // prettier-ignore
    for (const [name, of] of [['x/a.json', 'of x'], ['y/a.json', 'of y']]) assert.equal(await named(name), of); // prettier-ignore
    await assert.rejects(named('a.json'), { code: 'DATASET_AMBIGUOUS' });
    await assert.rejects(named('b.json'), {
      code: 'DATASET_UNKNOWN',
      message: /no annotation file named 'b\.json': .* it has 3 files: x\/a\.json, xx\/a\.json, y\/a\.json$/,
    });
    await assert.rejects(read({ ...files, 'z.json': '{}' }, { annotations: 'b.json', split: 's' }), {
      message: /named 'b\.json' of the split 's': .* it has 4 files: .* …$/,
    });
    assert.deepEqual(await idsOf({ 'x/a.xml': voc(), 'y/b.xml': voc() }, { annotations: 'y' }), ['b']);
    assert.deepEqual(await idsOf({ 'any.name': coco() }), [1]);
    await assert.rejects(read({ 'a.txt': coco() }), { code: 'DATASET_UNKNOWN' });
    // Other JSON files are passed over, also those that have the word in them.
    assert.deepEqual(await idsOf({ 'a.json': coco(), 'b.json': '{"c": "annotations"}', 'c.json': '{' }), [1]);
  });

  test('says its format, and whether its corners are shares', async () => {
    for (const [files, format, isNormalized] of /** @type {[any, string, boolean][]} */ ([
      [{ 'a.json': coco() }, 'COCO', false],
      [{ 'a.xml': voc() }, 'Pascal VOC', false],
      [{ 'a.png': PIXEL, 'data.yaml': 'val: .\nnames: [a]' }, 'YOLO', false],
      [{ 'a.csv': 'ImageID,LabelName,XMin,XMax,YMin,YMax' }, 'Open Images', true],
    ])) {
      const found = await read(files);
      assert.deepEqual([found.format, found.isNormalized], [format, isNormalized]);
    }
  });

  test('of Pascal VOC has sizes above 0, names of files, and sorted classes', async () => {
    const size = (/** @type {string} */ w, /** @type {string} */ h) => `<size><width>${w}</width><height>${h}</height></size>`; // prettier-ignore
    const object = (/** @type {string} */ name) => `<object><name>${name}</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>4</xmax><ymax>8</ymax></bndbox></object>`; // prettier-ignore
    const { groundTruth, locate } = await read({
      'a.xml': voc(`<filename>x/q.png</filename>${size('3', '2')}${object('dog')}\n${object('cat')}`),
      'b.xml': voc(size('0', '2')),
      'c.xml': voc(`<filename/>${size('3', '0')}`),
      'd.xml': voc(size('x', '2')),
    });
    assert.deepEqual(groundTruth.images, [
      { id: 'a', file_name: 'q.png', width: 3, height: 2 },
      ...['b', 'c', 'd'].map((id) => ({ id, file_name: id })),
    ]);
    assert.deepEqual(groundTruth.categories.map(({ name }) => name), ['cat', 'dog']); // prettier-ignore
    assert.deepEqual(groundTruth.annotations.map(({ id, bbox, corners }) => [id, bbox, corners]), [1, 2].map((id) => [id, [1, 2, 3, 6], [1, 2, 4, 8]])); // prettier-ignore
    assert.deepEqual([locate?.('annotations', 1), locate?.('images', 1)], ['a.xml:2', undefined]);
    const flat = await read({ 'a.xml': voc(object('x').replace('>4<', '>1<').replace('>8<', '>2<')) });
    assert.deepEqual(flat.groundTruth.annotations[0].bbox, [1, 2, 0, 0]);
    const lists = { 'ImageSets/Main/val.txt': ' b 1\r\n\r\na -1\n', 'a.xml': voc(), 'b.xml': voc() };
    assert.deepEqual(await idsOf(lists, { split: 'val' }), ['b', 'a']);
    await assert.rejects(read(lists, { split: 'al' }), { code: 'DATASET_INCOMPLETE', message: /there is no ImageSets\/Main\/al\.txt/ }); // prettier-ignore
  });

  test('of Open Images has the names of its classes, and the place of each box', async () => {
    const box = 'ImageID,LabelName,XMin,XMax,YMin,YMax\n\na,/m/1,0,1,0,0.5\nb,/m/2,1,1,0,0\n';
    const { groundTruth, locate, pictures } = await read({
      'boxes.csv': box,
      'names.csv': '/m/1, cat\n/m/3,dog\n',
      'val-labels.csv': 'ImageID,LabelName,Confidence\na,/m/4,0.5\nc,/m/1,0\n',
      'box-labels.csv': 'ImageID,LabelName,Confidence\nd,/m/1,-1\na,/m/5,1\n',
      'x/a.png': PIXEL,
    });
    assert.deepEqual(groundTruth.categories.map(({ id, mid, name }) => [id, mid, name]), [['/m/1', '/m/1', 'cat'], ['/m/2', '/m/2', '/m/2'], ['/m/5', '/m/5', '/m/5']]); // prettier-ignore
    assert.deepEqual(groundTruth.imageLabels?.map(({ image_id: id, positive }) => [id, positive]), [['d', false], ['a', true]]); // prettier-ignore
    assert.deepEqual(groundTruth.images, [{ id: 'a', file_name: 'x/a.png', width: 1, height: 1 }, { id: 'b', file_name: 'b' }, { id: 'd', file_name: 'd' }]); // prettier-ignore
    assert.deepEqual(groundTruth.annotations.map(({ id }) => id), [1, 2]); // prettier-ignore
    assert.deepEqual([locate?.('annotations', 1), locate?.('images', 1), pictures.size], ['boxes.csv:4', undefined, 1]); // prettier-ignore
    await assert.rejects(read({ 'boxes.csv': box, 'names.csv': '/m/1,cat\n/m/2,a,b\n' }), { code: DAMAGED, message: /names\.csv:2: expected MID,name/ }); // prettier-ignore
  });
});

describe("YOLO's data set", () => {
  const pictures = (/** @type {string[]} */ ...names) => Object.fromEntries(names.map((name) => [name, PIXEL])); // prettier-ignore
  const one = { 'val/a.png': PIXEL };
  const yaml = (/** @type {string} */ text) => ({ 'data.yaml': text });
  const long = 'y'.repeat(200);
  const names = 'names: [cat, dog]\n';
  test('has names of many kinds, and its first split', async () => {
    const found = async (/** @type {string} */ text, /** @type {any} */ options = {}) => {
      const { groundTruth } = await read({ ...one, ...pictures('test/b.png', 'train/c.png'), ...yaml(text) }, options); // prettier-ignore
      return [groundTruth.categories.map(({ id, name }) => `${id} ${name}`).join(), groundTruth.images.map(({ id }) => id).join()]; // prettier-ignore
    };
    const splits = 'train: train\ntest: test\n';
    assert.deepEqual(await found(`val: val\n${splits}nc: 3\nnames: [cat, 7, true]`), ['0 cat,1 7,2 true', 'val/a.png']); // prettier-ignore
    assert.deepEqual(await found(`${splits}nc:\nnames: {1: b, 0: a}`), ['0 a,1 b', 'test/b.png']);
    assert.deepEqual(await found(`${splits}${names}`, { split: 'train' }), ['0 cat,1 dog', 'train/c.png']);
    assert.deepEqual(await found(`val: [val, ./test/, val]\n${names}`), ['0 cat,1 dog', 'test/b.png,val/a.png']); // prettier-ignore
    assert.deepEqual(await found(`val: .\n${names}`), ['0 cat,1 dog', 'test/b.png,train/c.png,val/a.png']);
  });
  test('has labels beside its pictures, or in a folder beside images', async () => {
    const label = '1 0.5 0.5 1 1\n';
    for (const [picture, file] of [
      ['val/a.png', 'val/a.txt'],
      ['images/a.b.png', 'labels/a.b.txt'],
      ['images/images/a.png', 'images/labels/a.txt'],
      ['images/val/a.png', 'labels/val/a.txt'],
      ['myimages/a.png', 'myimages/a.txt'],
    ]) {
      const { groundTruth, locate } = await read({ ...pictures(picture), [file]: label, ...yaml(`val: .\n${names}`) }); // prettier-ignore
      assert.deepEqual(groundTruth.annotations, [{ id: 1, image_id: picture, category_id: 1, bbox: [0, 0, 1, 1] }], picture); // prettier-ignore
      assert.deepEqual([locate?.('annotations', 0), locate?.('images', 0)], [`${file}:1`, undefined]);
    }
  });
  test('counts label files without a picture, and names three', async () => {
    const labels = (/** @type {string} */ ids) => Object.fromEntries([...ids].map((id) => [`labels/${id}.txt`, ''])); // prettier-ignore
    const messages = async (/** @type {string} */ ids) =>
      (await read({ ...pictures('images/a.png'), ...labels(ids), 'labels/classes.txt': '', 'x/b.txt': '', ...yaml(`val: images\n${names}`) })).notes?.map(({ message }) => message); // prettier-ignore
    assert.deepEqual(await messages('a'), []);
    const other = { 'b/labels/c.txt': '', 'a/labels/a.txt': '', ...yaml(`val: a/images\n${names}`) };
    assert.deepEqual((await read({ ...pictures('a/images/a.png'), ...other })).notes, []);
    assert.deepEqual(await messages('abcd'), ['3 label files belong to no picture: labels/b.txt, labels/c.txt, labels/d.txt']); // prettier-ignore
    assert.deepEqual(await messages('abcde'), ['4 label files belong to no picture: labels/b.txt, labels/c.txt, labels/d.txt …']); // prettier-ignore
    assert.deepEqual(await messages(''), ['1 image without a label file: they show no object']);
  });
  /** @type {[code: string, files: any, message: RegExp, split?: string][]} */
  const refused = [
    [DAMAGED, yaml('7'), /data\.yaml: it is not a map$/],
    [DAMAGED, yaml(''), /data\.yaml: it is not a map$/],
    [DAMAGED, yaml(`val: val\n${names}nc: ${long}`), /'nc' is "y{39}, but there are 2 names$/],
    [DAMAGED, yaml(`val: val\n${names}nc: 0`), /'nc' is 0, but there are 2 names$/],
    [DAMAGED, yaml('val: val\nnames: []'), /'names' must be a list/],
    [DAMAGED, yaml('val: val\nnames: [a, [b]]'), /one of 'names' is not a text/],
    [DAMAGED, yaml(names), /it has no 'train'$/, 'train'],
    [DAMAGED, yaml(`val: val\npath: 1\n${names}`), /'path' is not a text/],
    [DAMAGED, yaml(`val: [val, 7]\n${names}`), /'val' must be a folder, a list of pictures, or a list of those/],
    ['DATASET_INCOMPLETE', yaml(`val: va\n${names}`), /there are no pictures in 'va' \(val\)/],
    ['DATASET_INCOMPLETE', { ...yaml(`val: l.txt\n${names}`), 'l.txt': 'val/a.png\n\n b.png \n' }, /l\.txt:3: there is no file 'b\.png'/],
    ['DATASET_INCOMPLETE', { ...yaml(`val: l.txt\n${names}`), 'l.txt': '\n' }, /there are no pictures in 'l\.txt'/],
    ['INVALID_ENTRY', { ...yaml(`val: val\n${names}`), 'val/a.txt': '2 0 0 0 0' }, /a\.txt:1: the class is '2', but classes are 0 to 1$/],
    ['INVALID_ENTRY', { ...yaml(`val: val\n${names}`), 'val/a.txt': '-1 0 0 0 0' }, /the class is '-1'/],
    ['INVALID_ENTRY', { ...yaml(`val: val\n${names}`), 'val/a.txt': '0.5 0 0 0 0' }, /the class is '0\.5'/],
    ['INVALID_BOX', { ...yaml(`val: val\n${names}`), 'val/a.txt': '0 0 0 0 0 0' }, /expected 4 numbers, or a polygon, behind the class/],
    ['INVALID_BOX', { ...yaml(`val: val\n${names}`), 'val/a.txt': '0 0 0 0 0 0 0 0' }, /expected 4 numbers, or a polygon, behind the class/],
    ['INVALID_BOX', { ...yaml(`val: val\n${names}`), 'val/a.txt': `0 0 0 0 ${long}` }, /a\.txt:1: 0 0 0 0 y{92}$/],
    ['INVALID_BOX', { ...yaml(`val: val\n${names}`), 'val/a.txt': `0 0 0 0 2${'0'.repeat(200)}` }, /a\.txt:1: 0 0 0 0 20{91}: expected shares/],
    ['INVALID_BOX', { ...yaml(`val: val\n${names}`), 'val/a.txt': '0 0.5 0.5 0.1 -0.005' }, /a\.txt:1: 0 0\.5 0\.5 0\.1 -0\.005$/],
    ['INVALID_BOX', { ...yaml(`val: val\n${names}`), 'val/a.txt': '0 0.5 0.5 -0.005 0.1' }, /a\.txt:1: 0 0\.5 0\.5 -0\.005 0\.1$/],
  ]; // prettier-ignore
  for (const [code, files, message, split] of refused)
    test(`${code} ${message}`, () =>
      assert.rejects(read({ ...one, ...files }, { split }), { code, message }));
});

describe('a file of detections', () => {
  const truth = { images: [{ id: 1, file_name: 'a.png' }], categories: [{ id: 1, name: 'cat' }], annotations: [] }; // prettier-ignore
  const box = { x: 1, y: 2, width: 3, height: 4 };
  const line = (/** @type {string[]} */ ...labels) => ({ file: 'a.png', detections: labels.map((label) => ({ label, score: 0.5, box })) }); // prettier-ignore
  const found = { image_id: 1, category_id: 1, bbox: [1, 2, 3, 4], score: 0.5 };
  test('of lines or as a list leaves out other classes, and names five', () => {
    const lines = [line('x', 'cat'), line('y', 'z', 'u', 'v', 'w', 'cat')];
    const note = { code: 'UNKNOWN_CATEGORY_detections', message: '6 detections of classes that the ground truth does not have: x, y, z, u, v', count: 6 }; // prettier-ignore
    for (const [text, place] of [
      [`\n${JSON.stringify(lines[0])}\n\n${JSON.stringify(lines[1])}\n`, 'f:4'],
      [`[${JSON.stringify(lines[0])},\n\n${JSON.stringify(lines[1])}]`, 'f:3'],
    ]) {
      // prettier-ignore
      const { detections, notes, locate } = readDetections(text, 'f', truth);
      assert.deepEqual([detections, notes, locate(1)], [[found, found], [note], place]);
    }
  });
  test('of predictions has places, and pixels only where the size is known', () => {
    const text =
      'ImageID,LabelName,Score,XMin,XMax,YMin,YMax\n1,cat,0.5,0.25,0.75,0,0.5\n\n2,cat,0.5,0,1,0,1';
    const images = [{ id: '1', width: 8, height: 4 }, { id: '2', width: 8, height: 0 }]; // prettier-ignore
    const { detections, locate, notes } = readDetections(text, 'f', { ...truth, images });
    assert.deepEqual(detections.map(({ bbox }) => bbox), [[2, 0, 4, 2], [0, 0, 1, 1]]); // prettier-ignore
    assert.deepEqual([locate(0), locate(1), notes], ['f:2', 'f:4', []]);
  });
  describe('where categories are one class', () => {
    const boxes = [{ x: 0, y: 0, width: 10, height: 10 }, { x: 20, y: 20, width: 10, height: 10 }]; // prettier-ignore
    const groundTruth = (/** @type {string[]} */ ...names) => ({
      images: truth.images,
      categories: names.map((name, i) => ({ id: i + 1, name })),
      annotations: names.map((_, i) => ({ id: i + 1, image_id: 1, category_id: i + 1, bbox: Object.values(boxes[i % 2]) })),
      imageLabels: names.map((_, i) => ({ image_id: 1, category_id: i + 1 })),
    }); // prettier-ignore
    /** @type {[string, string[], Map<string, string> | undefined, string[]][]} what is found */
    const cases = [
      ['by a table', ['mug', 'tumbler'], new Map([['mug', 'Cup'], ['tumbler', 'Cup']]), ['Cup', 'Cup']],
      ['by their names', ['Cup', 'cup'], undefined, ['Cup', 'Cup']],
      ['beside another', ['mug', 'Dog', 'cup'], new Map([['mug', 'Cup']]), ['Cup', 'Dog', 'Cup']],
      ['that is not found', ['mug', 'Dog', 'cup'], new Map([['mug', 'Cup']]), ['Dog']],
      ['that is not found, by their names', ['Cup', 'Dog', 'cup'], undefined, ['Dog']],
    ]; // prettier-ignore
    for (const [name, categories, table, labels] of cases)
      test(`${name}, it is measured as by a run of the model`, async () => {
        const given = groundTruth(...categories);
        const detections = labels.map((label, i) => ({ label, score: 0.9 - i / 10, box: boxes[i % 2] }));
        const before = structuredClone(given);
        const own = readDetections(JSON.stringify({ file: 'a.png', detections }), 'f', given, table);
        assert.deepEqual(given, before);
        const names = ['Cup', 'Dog'];
        const found = detections.map(({ label, ...rest }) => ({ ...rest, labelId: names.indexOf(label) }));
        const detect = async () => ({ detections: found, size: { width: 40, height: 40 }, ms: {} });
        const pictures = new Map([[1, 'a.png']]);
        const files = { read: async () => PIXEL };
        const set = any({ groundTruth: given, pictures, files });
        const ran = await runDetector({ labels: names.map((each) => ({ name: each })), detect }, set, { classTable: table }); // prettier-ignore
        const figures = (/** @type {any} */ { coco, openImages, classes }) => [coco, openImages, classes.map((/** @type {any} */ each) => [each.name, each.objects, each.detections])]; // prettier-ignore
        const [one, other] = [own.groundTruth, ran.dataset.groundTruth].map((each, i) => figures(evaluateDetections(each, i ? ran.detections : own.detections))); // prettier-ignore
        assert.deepEqual(one, other);
      });
    test('it is noted, and the other categories stay as they are', () => {
      const table = new Map([['mug', 'Cup'], ['tumbler', 'cup'], ['dog', 'Dog'], ['Rabbit', 'Hare']]); // prettier-ignore
      const given = groundTruth('mug', 'dog', 'tumbler', 'Rabbit');
      const { detections, notes, groundTruth: merged } = readDetections(JSON.stringify(line('Cup', 'Dog')), 'f', given, table); // prettier-ignore
      assert.deepEqual(detections.map(({ category_id: id }) => id), [1, 2]); // prettier-ignore
      assert.deepEqual(merged.categories, [{ id: 1, name: 'Cup' }, given.categories[1], given.categories[3]]); // prettier-ignore
      assert.deepEqual(merged.annotations.map(({ id, category_id: category }) => [id, category]), [[1, 1], [2, 2], [3, 1], [4, 4]]); // prettier-ignore
      assert.deepEqual(notes, [{ code: 'MERGED_CATEGORIES', count: 2, message: "2 categories are one class, 'Cup': mug, tumbler" }]); // prettier-ignore
      const alone = readDetections(JSON.stringify(line('mug')), 'f', given);
      assert.equal(alone.groundTruth, given);
      assert.equal(readDetections('[]', 'f', given).groundTruth, given);
    });
  });
  test('with two files that are one image is refused', () => {
    const text = ['b/a.png', 'a.png'].map((file) => JSON.stringify({ ...line('cat'), file })).join('\n');
    assert.throws(() => readDetections(text, 'f', truth), {
      code: 'DUPLICATE_IMAGE',
      message: /f:2: 'a\.png' and 'b\/a\.png'/,
    });
  });
  test('that is no line of ocelli detect is refused by its line', () => {
    assert.throws(() => readDetections(`${JSON.stringify(line())}\n{"file": 1}`, 'f', truth), { code: DAMAGED, message: /f:2: it has no file and detections/ }); // prettier-ignore
  });
});

describe('a table', () => {
  const truth = (/** @type {any[]} */ ids, /** @type {any} */ more = {}) => ({ images: ids.map((id) => ({ id })), categories: [{ id: 1, name: 'cat' }], annotations: [], ...more }); // prettier-ignore
  test('has images by ascending id: numbers by value, others by their letters', () => {
    for (const [ids, sorted] of [
      [
        [10, 9, 100],
        [9, 10, 100],
      ],
      [
        ['b', 'a', 'B', 'ab'],
        ['B', 'a', 'ab', 'b'],
      ],
      [
        ['10', '9'],
        ['10', '9'],
      ],
      [
        [5, '-9007199254740993', '9007199254740993'],
        ['-9007199254740993', 5, '9007199254740993'],
      ],
      [
        ['9007199254740993', '10000000000000000'],
        ['9007199254740993', '10000000000000000'],
      ],
    ]) {
      // prettier-ignore
      const { images, listedImages } = tabulate(truth(ids), []);
      assert.deepEqual(images.map(({ id }) => id), sorted); // prettier-ignore
      assert.deepEqual([...listedImages], ids.map((id) => sorted.indexOf(id))); // prettier-ignore
    }
  });
  test('has categories that are not listed behind the others: numbers first', () => {
    const found = ['b', 'a', 5, 3].map((id) => ({ image_id: 1, category_id: id, bbox: [0, 0, 1, 1], score: 1 })); // prettier-ignore
    const { categories, listedCategories, found: columns, notes } = tabulate(truth([1]), any(found));
    assert.deepEqual(categories.map(({ name }) => name), ['cat', 'category 3', 'category 5', 'category a', 'category b']); // prettier-ignore
    assert.deepEqual([listedCategories, [...columns.category]], [1, [4, 3, 2, 1]]);
    assert.deepEqual(notes, [{ code: 'UNKNOWN_CATEGORY_detections', message: '4 detections name a category that the ground truth does not list', count: 4 }]); // prettier-ignore
  });
  test('counts ids that are there twice', () => {
    const twice = (/** @type {string} */ list) => ({ code: `DUPLICATE_IDS_${list}`, message: `2 ${list} have the id of an earlier one`, count: 2 }); // prettier-ignore
    const { notes, images } = tabulate(truth([1, 2, 1, 1], { categories: [1, 1, 1].map((id) => ({ id, name: 'x' })) }), []); // prettier-ignore
    assert.deepEqual([notes, images.length], [[twice('images'), twice('categories')], 2]);
  });
  test('refuses an entry by its place, and shows the start of what is wrong', () => {
    const found = { image_id: 1, category_id: 1, bbox: [0, 0, 1, 1], score: 1 };
    const long = 'x'.repeat(99);
    for (const [wrong, message] of /** @type {[object, RegExp][]} */ ([
      [{ bbox: [1, 2, 3, 4, 5, 6] }, /^[^:]*: f:1: detections\[1\] has the bbox \[1, 2, 3, 4, 5, …\]$/],
      [{ bbox: [1, 2, 3, 4, 5] }, /\[1, 2, 3, 4, 5\]$/],
      [{ bbox: [1, 2, 3, long] }, /\[1, 2, 3, "x{39}\]$/],
      [{ bbox: [] }, /has no bbox$/],
      [{ bbox: null, segmentation: [] }, /has a segmentation only$/],
      [{ score: 'NaN' }, /has the score NaN$/],
      [{ score: '-Infinity' }, /has the score -Infinity$/],
      [{ score: '1' }, /has the score "1"$/],
      ...[0, 1, 2, 3].map((at) => /** @type {[object, RegExp]} */ ([{ bbox: [1, 1, 1, 1].with(at, NaN) }, /has the bbox \[.*NaN/])),
      ...[2, 3].map((at) => /** @type {[object, RegExp]} */ ([{ bbox: [0, 0, 0, 0].with(at, -1) }, /has the bbox \[.*-1/])),
    ])) // prettier-ignore
      assert.throws(() => tabulate(truth([1]), any([found, { ...found, ...wrong }]), (list, i) => list === 'detections' ? `f:${i}` : undefined), { message }); // prettier-ignore
  });
  test('has boxes, corners and areas', () => {
    const boxes = [{ bbox: [1, 2, 3, 4] }, { bbox: Float32Array.of(1, 2, 3, 4), corners: [5, 6, 7, 8], area: 9 }, { bbox: [0, 0, 0, 0], area: 0 }]; // prettier-ignore
    const list = boxes.map((box) => ({ image_id: 1, category_id: 1, score: 1, ...box }));
    const { truth: real, found } = tabulate(truth([1], { annotations: list }), any(list));
    for (const { boxes: all, corners } of [real, found]) {
      assert.deepEqual([...all.slice(0, 12)], [1, 2, 3, 4, 1, 2, 3, 4, 0, 0, 0, 0]);
      assert.deepEqual([...corners.slice(0, 12)], [1, 2, 4, 6, 5, 6, 7, 8, 0, 0, 0, 0]);
    }
    assert.deepEqual([[...real.area], [...found.area]], [[12, 9, 0], [12, 12, 0]]); // prettier-ignore
  });
});

describe('a report', () => {
  const FIGURES = ['AP', 'AP50', 'AP75', 'APs', 'APm', 'APl', 'AR1', 'AR10', 'AR100', 'ARs', 'ARm', 'ARl'];
  const coco = Object.fromEntries(FIGURES.map((name, i) => [name, i / 100]));
  /** @param {any} [more] @param {any} [of] the run */
  const runOf = (more = {}, of = {}) => any({ name: 'm', ...of, evaluation: { images: 1, objects: 2, detections: 3, coco, classes: [], notes: [], ...more } }); // prettier-ignore
  const about = { dataset: 'd', date: new Date(0) };
  const tableOf = (/** @type {string} */ title, /** @type {any[]} */ ...runs) => sectionsOf(runs, about).find((section) => section.title === title); // prettier-ignore

  test('begins with what was measured', () => {
    const texts = (/** @type {any} */ more, /** @type {any} */ extra) => sectionsOf([runOf(more)], { ...about, ...extra })[0].texts; // prettier-ignore
    assert.deepEqual(texts({}, {}), ['d: 1 image, 2 objects, 0 classes. 1970-01-01.']);
    const [first, second] = texts({ intervals: { samples: 50 } }, { format: 'COCO' }) ?? [];
    assert.equal(first, 'd (COCO): 1 image, 2 objects, 0 classes. 1970-01-01.');
    assert.match(second, /^The intervals hold 95 % .* drawn again, 50 times; /);
  });
  test('has a row for each model, and its difference to the first', () => {
    const run = (/** @type {number | null} */ AP, /** @type {(number | null)[]} */ draws) => runOf({ coco: { ...coco, AP }, intervals: { AP: [0.1, 0.2], AP50: [0.3, 0.4], threshold: [0.5, 0.6], draws }, thresholds: { bestF1: { f1: 0.7, threshold: 0.8 } } }, { sizeBytes: 2048, msPerImage: 1.25 }); // prettier-ignore
    const [first, plain] = [run(0.5, [0.4, 0.6]), runOf()];
    assert.deepEqual(comparisonOf([first, plain]).map(({ rows }) => rows), [[
      ['m', '2.0 KiB', '1.3 ms', '0.500', '0.100 to 0.200', '0.010', '0.300 to 0.400', '0.700', '0.800', '0.500 to 0.600'],
      ['m', '–', '–', '0.000', '–', '0.010', '–', '–', '–', '–'],
    ]]); // prettier-ignore
    for (const [AP, draws, row] of /** @type {[number, number[], string[]][]} */ ([
      [0.75, [0.65, 0.85], ['m', '0.250', '0.250 to 0.250', 'yes']],
      [0.25, [0.15, 0.35], ['m', '-0.250', '-0.250 to -0.250', 'yes']],
      [0.5, [0.4, 0.6], ['m', '0.000', '0.000 to 0.000', 'no']],
      [0.625, [0.4, 0.9], ['m', '0.125', '-0.025 to 0.275', 'no']],
    ])) {
      const [, difference] = comparisonOf([first, run(AP, draws)]);
      assert.deepEqual([difference.title, difference.rows], ['Difference of AP to m', [row]]);
    }
    assert.equal(differenceTo(first, run(null, [0.1])), null);
  });
  test('has the figures that any model has', () => {
    const [table, others] = tableOf('Figures', runOf(), runOf({ openImages: { mAP: 0.5 }, voc: { mAP2007: 0.25, mAP2010: null } }))?.tables ?? []; // prettier-ignore
    assert.deepEqual(table.rows[0], ['m', ...FIGURES.map((_, i) => `0.${String(i).padStart(2, '0')}0`)]);
    assert.deepEqual([others.columns, others.rows], [['model', 'Open Images mAP', 'VOC 2007 mAP', 'VOC 2010 mAP'], [['m', '–', '–', '–'], ['m', '0.500', '0.250', '–']]]); // prettier-ignore
    assert.equal(tableOf('Figures', runOf())?.tables?.length, 1);
  });
  test('has the kinds of errors, if any model has them', () => {
    const tide = { Cls: 1.234, Loc: 0, Both: null, Dupe: 2, Bkg: 3, Miss: 4, counts: { Cls: 5, Loc: 6, Dupe: 7, Bkg: 8, Miss: 9 } }; // prettier-ignore
    const rows = tableOf('Kinds of errors', runOf(), runOf({ tide }))?.tables?.[0].rows;
    assert.deepEqual(rows, [['m', '–', '–', '–', '–', '–', '–'], ['m', '1.23 (5)', '0.00 (6)', '–', '2.00 (7)', '3.00 (8)', '4.00 (9)']]); // prettier-ignore
    assert.equal(tableOf('Kinds of errors', runOf()), undefined);
  });
  test('has the classes that occur, and their intervals', () => {
    const of = (/** @type {string} */ name, /** @type {number} */ objects, /** @type {number} */ detections, more = {}) => ({ name, objects, detections, coco, precision: null, ...more }); // prettier-ignore
    const best = { f1: 0.1, threshold: 0.2, precision: 0.3, recall: 0.4 };
    const table = (/** @type {any[]} */ ...classes) => tableOf('Classes', runOf({ classes }))?.tables?.[0];
    const plain = table(of('a', 1, 0), of('b', 0, 1, { bestF1: best }), of('c', 0, 0));
    assert.deepEqual(plain?.rows, [['a', '1', '0', '0.000', '0.010', '0.080', '–', '–', '–', '–'], ['b', '0', '1', '0.000', '0.010', '0.080', '0.100', '0.200', '0.300', '0.400']]); // prettier-ignore
    const drawn = table(of('a', 1, 0, { interval: [0.5, 0.6] }), of('b', 0, 1));
    assert.deepEqual(drawn?.rows.map((row) => row.slice(3, 5)), [['0.000', '0.500 to 0.600'], ['0.000', '–']]); // prettier-ignore
    assert.deepEqual([plain, drawn].map((each) => each?.columns.length), [10, 11]); // prettier-ignore
  });
  test('has a curve of the mean, and of the six most frequent classes', () => {
    const classes = Array.from({ length: 8 }, (_, i) => ({ name: `class ${i}`, objects: (i * 3) % 8, detections: 1, coco, precision: Array(101).fill(i / 7) })); // prettier-ignore
    const none = { name: 'none', objects: 99, detections: 1, coco, precision: null };
    const [{ svg, file }] = tableOf('Curves', runOf({ classes: [...classes, none] }))?.plots ?? any([{}]);
    assert.equal(file, 'precision-recall.svg');
    // Objects: 0 3 6 1 4 7 2 5.
    const shown = [...svg.matchAll(/>(class \d|none|mean of the classes)</g)].map(([, name]) => name);
    assert.deepEqual([...new Set(shown)], ['mean of the classes', ...[5, 2, 7, 4, 1, 6].map((i) => `class ${i}`)]); // prettier-ignore
    // The mean of 0.25 and 0.75 is drawn where a class of 0.5 is.
    const constant = [0.5, 0.25, 0.75].map((value) => ({ ...none, precision: Array(101).fill(value) }));
    const lineOf = (/** @type {any[]} */ of, /** @type {number} */ series) => new RegExp(`<(?:path|polyline)[^>]*\\bs${series}\\b[^>]*>`).exec(tableOf('Curves', runOf({ classes: of }))?.plots?.[0].svg ?? '')?.[0].match(/ (?:d|points)="[^"]*"/)?.[0]; // prettier-ignore
    assert.ok(lineOf(constant.slice(0, 1), 0));
    assert.equal(lineOf(constant.slice(1), 6), lineOf(constant.slice(0, 1), 0));
    assert.equal(tableOf('Curves', runOf({ classes: [none] })), undefined);
  });
  test('has calibration against a dashed diagonal', () => {
    const bins = [{ score: 0.25, precision: 0.5 }, { score: null, precision: null }, { score: 0.75, precision: null }]; // prettier-ignore
    const axes = { x: 'x', y: 'y' };
    assert.equal(calibrationPlot('t', axes, undefined), undefined);
    assert.equal(calibrationPlot('t', axes, null), undefined);
    assert.equal(calibrationPlot('t', axes, any({ bins: bins.slice(1) })), undefined);
    const { svg = '' } = calibrationPlot('t', axes, any({ bins })) ?? {};
    const diagonal = /<(?:path|polyline)[^>]*stroke-dasharray[^>]*>/.exec(svg)?.[0] ?? '';
    const [x0, y0, x1, y1] = (diagonal.match(/(?:points|d)="([^"]*)"/)?.[1].match(/[\d.]+/g) ?? []).map(Number); // prettier-ignore
    assert.ok(x1 > x0 && y1 < y0 && x1 - x0 > 100 && y0 - y1 > 100, diagonal);
  });
  test('has a matrix of up to 30 classes, or the 20 most frequent errors', () => {
    const pairs = (/** @type {number} */ count) => Array.from({ length: count }, (_, i) => ({ truth: `c${i}`, found: `c${(i + 1) % count}`, count: i })); // prettier-ignore
    const matrix = matrixOf('t', 'Text.', pairs(30)).tables?.[0];
    assert.deepEqual([matrix?.rows.length, matrix?.columns.length, matrix?.isHeat], [30, 31, true]);
    const nothing = matrixOf('t', 'Text.', [{ truth: 'b', found: null, count: 2 }, { truth: null, found: 'a', count: 1 }]); // prettier-ignore
    assert.deepEqual([nothing.texts, nothing.tables?.[0].columns, nothing.tables?.[0].rows], [
      ['Text. Rows: what it is. Columns: found as.'],
      ['', 'a', 'b', 'nothing'],
      [['a', '0', '0', '0'], ['b', '0', '0', '2'], ['nothing', '1', '0', '0']],
    ]); // prettier-ignore
    const same = { truth: 'c0', found: 'c0', count: 999 };
    const list = matrixOf('t', 'Text.', [same, ...pairs(31), { truth: null, found: 'c1', count: 50 }, { truth: 'c1', found: null, count: 40 }]); // prettier-ignore
    assert.deepEqual(list.texts, ['Text. The 20 most frequent errors:']);
    const rows = list.tables?.[0].rows ?? [];
    assert.deepEqual([rows.length, ...rows.slice(0, 3)], [20, ['nothing', 'c1', '50'], ['c1', 'nothing', '40'], ['c30', 'c0', '30']]); // prettier-ignore
  });
  test('has what is left out of confusion and pictures, and notes', () => {
    assert.equal(tableOf('Confusion', runOf({ confusion: { threshold: 0.5, pairs: [] } })), undefined);
    const pairs = [{ truth: 'a', found: 'a', count: 1 }];
    assert.match(String(tableOf('Confusion', runOf({ confusion: { threshold: 0.25, pairs } }))?.texts), /score above 0\.250 /); // prettier-ignore
    const worst = [{ name: 'n', summary: 's', png: PIXEL }];
    const shown = (/** @type {any[]} */ list) => tableOf('Images with most errors', runOf({}, { worst: list }))?.pictures; // prettier-ignore
    assert.deepEqual([shown(worst), shown([])], [[{ file: 'worst-1.png', title: 'n: s', png: PIXEL }], undefined]); // prettier-ignore
    const texts = (/** @type {any} */ unmatched, /** @type {any[]} */ notes = []) => tableOf('Notes', runOf({ notes }, { unmatched }))?.texts; // prettier-ignore
    assert.deepEqual([texts(undefined), texts({ categories: [], labels: [] })], [undefined, undefined]);
    assert.deepEqual(texts({ categories: ['a', 'b'], labels: ['c'] }, [{ message: 'note' }]), [
      'm: note.',
      'm: the model does not have these classes of the data set, and they do not count: a, b.',
      'm: the data set does not have these classes of the model, and they do not count: c.',
    ]);
  });
  test('numbers what the second model has, and writes no draws', () => {
    const classes = [{ name: 'a', objects: 1, detections: 1, coco, precision: Array(101).fill(1) }];
    const runs = [1, 2].map(() => runOf({ classes, intervals: { AP: [0, 1], draws: [1, 2] } }, { worst: [{ name: 'n', summary: 's', png: PIXEL }] })); // prettier-ignore
    const files = makeEvaluationReport(runs, about);
    assert.deepEqual(Object.keys(files).slice(3), ['precision-recall.svg', 'precision-recall-2.svg', 'worst-1.png', 'worst-2-1.png']); // prettier-ignore
    const { runs: [written], ...rest } = JSON.parse(String(files['report.json'])); // prettier-ignore
    assert.deepEqual([written.evaluation.intervals, written.worst, rest], [{ AP: [0, 1] }, [{ name: 'n', summary: 's' }], { dataset: 'd', date: '1970-01-01T00:00:00.000Z' }]); // prettier-ignore
    const plain = JSON.parse(String(makeEvaluationReport([runOf()], about)['report.json'])).runs[0];
    assert.deepEqual(['worst' in plain, 'intervals' in plain.evaluation], [false, false]);
  });
  test('of a classifier has calibration and worst images only if there are some', () => {
    const titles = (/** @type {number[][]} */ rows, /** @type {any[]} */ worst = []) => [...String(makeClassifierReport(evaluateClassification(['a', 'b'], rows.map(() => 0), rows), { ...about, model: 'm' }, worst)['report.md']).matchAll(/^## (.*)$/gm)].map(([, title]) => title); // prettier-ignore
    assert.deepEqual(titles([[1, 0]]), ['Overview', 'Classes', 'Calibration', 'Confusion']);
    assert.deepEqual(titles([[2, 0]]), ['Overview', 'Classes', 'Confusion']);
    assert.deepEqual(titles([[2, 0]], [{ name: 'n', summary: 's', png: PIXEL }]), ['Overview', 'Classes', 'Confusion', 'Worst images']); // prettier-ignore
  });
  test('writes figures with three digits, pictures with numbers', () => {
    assert.deepEqual([null, undefined, 0, 0.12345, -1].map(figure), ['–', '–', '0.000', '0.123', '-1.000']); // prettier-ignore
    const named = picturesOf([1, 2].map((i) => ({ name: `n${i}`, summary: 's', png: PIXEL })), 'p'); // prettier-ignore
    assert.deepEqual(named.map(({ file, title }) => [file, title]), [['p-1.png', 'n1: s'], ['p-2.png', 'n2: s']]); // prettier-ignore
  });
});

describe('the images with most errors', () => {
  const SIDE = 400;
  const boxes = [20, 120, 220, 320].map(
    (x) => /** @type {[number, number, number, number]} */ ([x, 200, 60, 60]),
  );
  const categories = [{ id: 1, name: 'a' }, { id: 2, name: 'b' }]; // prettier-ignore
  const draw = async (/** @type {any} */ truth, /** @type {any[]} */ found, /** @type {any} */ side = SIDE, options = {}) => {
    const evaluation = evaluateDetections(truth, found, { threshold: 0.5, ...options });
    const dataset = { groundTruth: truth, pictures: new Map(truth.images.map((/** @type {any} */ { id }) => [id, `${id}`]).filter((/** @type {any} */ [id]) => id !== 99)), files: { read: async () => PIXEL } }; // prettier-ignore
    const decode = async () => ({ data: new Uint8Array(side * side * 3), width: side, height: side, channels: 3 }); // prettier-ignore
    return drawWorst(evaluation, any(dataset), found, any(decode));
  }; // prettier-ignore
  const object = (/** @type {number} */ image, /** @type {number} */ i, category = 1) => ({ image_id: image, category_id: category, bbox: boxes[i] }); // prettier-ignore

  test('show what is found in green, what is missed in yellow and what is wrong in red', async () => {
    const [GREEN, YELLOW, RED] = ['64,220,110', '255,220,40', '255,90,80'];
    const truth = { images: [{ id: 1, file_name: 'n' }], categories, annotations: [object(1, 0), object(1, 1), object(1, 2)] }; // prettier-ignore
    const nearly = boxes[1].map((value, i) => value + [0, 10, 0, 0][i]);
    const found = [
      { ...object(1, 0), score: 0.9 },
      { ...object(1, 1, 2), bbox: nearly, score: 0.9 },
      { ...object(1, 3), score: 0.9 },
      { ...object(1, 2), score: 0.5 },
    ];
    for (const factor of [1, 2]) {
      const scaled = (/** @type {any[]} */ list) => list.map((each) => ({ ...each, bbox: each.bbox.map((/** @type {number} */ value) => value * factor) })); // prettier-ignore
      const [{ name, summary, png }] = await draw({ ...truth, annotations: scaled(truth.annotations) }, scaled(found), SIDE * factor); // prettier-ignore
      assert.deepEqual([name, summary], ['n', '1 missed, 1 extra, 1 of a wrong class']);
      const { data, width } = decodePng(png);
      assert.equal(width, SIDE);
      const at = (/** @type {number} */ x, /** @type {number} */ y) => data.slice((y * SIDE + x) * 3, (y * SIDE + x) * 3 + 3).join(); // prettier-ignore
      // The lower edges, where no tags are.
      const edges = [[50, 259], [150, 259], [150, 269], [250, 259], [350, 259]].map(([x, y]) => at(x, y)); // prettier-ignore
      assert.deepEqual(edges, [GREEN, YELLOW, RED, YELLOW, RED]);
    }
  });
  test('are twelve at most, the worst first: one of a wrong class counts as two errors', async () => {
    const images = [...Array.from({ length: 14 }, (_, i) => ({ id: i + 1 })), { id: 99 }];
    const annotations = [...images.flatMap(({ id }) => (id === 3 || id === 99 ? [0, 1, 2] : [0]).map((i) => object(id, i))), object(2, 1), object(4, 1)]; // prettier-ignore
    // Image 1 has no error, 2 has two misses, 3 three, 4 two of a wrong class.
    const found = [object(1, 0), object(4, 0, 2), object(4, 1, 2)].map((each) => ({ ...each, score: 0.9 }));
    const worst = await draw({ images, categories, annotations }, found, 4);
    assert.deepEqual(worst.map(({ name }) => Number(name)), [4, 3, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13]); // prettier-ignore
    assert.deepEqual(worst.slice(0, 3).map(({ summary }) => summary), ['2 of a wrong class', '3 missed', '2 missed']); // prettier-ignore
    assert.deepEqual(await draw({ images, categories, annotations }, found, 4, { measures: [] }), []);
  });
});

describe('of several', () => {
  test('faults in a table of classes, the first is told', () => {
    assert.throws(() => readClassTable('{"a": "b", "c": 1, "d": 2}', 'f'), { code: DAMAGED, message: /f: the class of 'c' is not a text/ }); // prettier-ignore
  });
  test('names of a class, the hierarchy has its MID, or else its name', () => {
    const tree = ['m', 'n', '1'].map((name) => ({ LabelName: `above ${name}`, Subcategory: [{ LabelName: name }] })); // prettier-ignore
    const above = (/** @type {object} */ names) => {
      const categories = [{ id: 1, ...names }, ...tree.map(({ LabelName: name }) => ({ id: name, name }))];
      const truth = { images: [{ id: 1 }], categories, annotations: [entryOf(1)] };
      return expandHierarchy(any(truth), { LabelName: 'root', Subcategory: tree }).annotations.map(({ category_id: id }) => id); // prettier-ignore
    };
    const entryOf = (/** @type {number} */ id) => ({ image_id: 1, category_id: id, bbox: [0, 0, 1, 1] });
    assert.deepEqual(above({ name: 'n', mid: 'm' }), [1, 'above m']);
    assert.deepEqual(above({ name: 'n', mid: 'x' }), [1, 'above n']);
    assert.deepEqual(above({ name: 'x' }), [1, 'above 1']);
  });
});

describe('a program that passes something else', () => {
  const truth = { images: [], categories: [{ id: 1, name: 'a' }], annotations: [] };
  const dataset = { groundTruth: truth, files: new Map(), pictures: new Map() };
  const match = { labelOf: new Map([[1, 0]]), unmatchedCategories: [], unmatchedLabels: [] };
  const detector = { labels: [{ name: 'a' }], detect() {} };
  const about = { dataset: 'd', date: new Date(0) };
  const decode = () => {};
  const labels = [{ name: 'a' }];
  const evaluation = evaluateDetections(truth, []);
  const classification = evaluateClassification(['a'], [0], [[1]]);
  /** @type {[call: (...args: any[]) => unknown, args: any[], names: (RegExp | undefined)[]][]} */
  const cases = [
    [runDetector, [detector, dataset, {}], [/detector/, /dataset/, /options/]],
    [readDetections, ['[]', 'f', truth], [/text/, /file/, /groundTruth/]],
    [matchClasses, [[], labels, new Map()], [/categories/, /labels/, /table/]],
    [withLabels, [dataset, labels, match], [/dataset/, /labels/, /match/]],
    [readClassTable, ['', 'f'], [/text/]],
    [expandHierarchy, [truth, { LabelName: 'a', Subcategory: [{ LabelName: 'a' }] }], [/groundTruth/]],
    [makeEvaluationReport, [[{ name: 'm', evaluation }], about], [/runs/, /about/]],
    [makeClassifierReport, [classification, { ...about, model: 'm' }], [/evaluation/, /about/]],
    [drawWorst, [{}, dataset, [], decode], [/evaluation/, /dataset/, undefined, /decode/]],
    [drawMisclassified, [['a'], [], decode], [/labels/, /images/, /decode/]],
    [evaluateClassification, [['a'], [0], [[1]]], [/labels/, /truth/, /probabilities/]],
    [readDataset, [{ 'a.json': utf8.encode(JSON.stringify(truth)) }, {}], [undefined, /options/]],
  ]; // prettier-ignore
  for (const [call, args, names] of cases)
    test(`to ${call.name} is told which argument is wrong`, async () => {
      await call(...args);
      for (const [i, message] of names.entries())
        if (message)
          await assert.rejects(async () => call(...args.with(i, 7)), { code: 'INVALID_INPUT', message });
    });
  test('one wrong entry of several is refused', async () => {
    const image = { name: 'n', truth: 0, probabilities: [1, 0], read: () => PIXEL };
    const run = { name: 'm', evaluation };
    /** @type {[call: (...args: any[]) => unknown, ...args: any[]][]} */
    const calls = [
      [drawMisclassified, ['a', 7], [], decode],
      ...[7, { ...image, truth: 0.5 }, { ...image, probabilities: 7 }, { ...image, read: 7 }].map((wrong) => /** @type {any} */ ([drawMisclassified, ['a', 'b'], [image, wrong], decode])),
      [evaluateClassification, ['a', 'b'], [0, 2], [[1, 0], [1, 0]]],
      [evaluateClassification, ['a', 'b'], [0, -1], [[1, 0], [1, 0]]],
      [evaluateClassification, ['a', 'b'], [0, 0.5], [[1, 0], [1, 0]]],
      [evaluateClassification, ['a', 'b'], [0, 1], [[1, 0], [1]]],
      [evaluateClassification, ['a', 'b'], [0, 1], [[1, 0]]],
      ...[NaN, Infinity, '1', null].map((wrong) => /** @type {any} */ ([evaluateClassification, ['a', 'b'], [0, 1], [[1, 0], [0, wrong]]])),
      [evaluateClassification, ['a', 'b'], [0], [Float32Array.of(NaN, NaN)]],
      [evaluateClassification, ['a', 'b'], [], []],
      [evaluateClassification, [], [], []],
      ...[7, { name: 'x' }, { ...run, evaluation: { classes: [7] } }].map((wrong) => /** @type {any} */ ([makeEvaluationReport, [run, wrong], about])),
      [makeClassifierReport, { ...classification, confusion: 7 }, { ...about, model: 'm' }],
      [makeClassifierReport, { ...classification, classes: 7 }, { ...about, model: 'm' }],
      [matchClasses, [{ id: 1, name: 'a' }, { id: 2 }], labels],
      [matchClasses, [], [...labels, 7]],
      [matchClasses, [], labels, new Map(any([['a', 'a'], ['b', 7]]))],
      [withLabels, dataset, labels, { labelOf: [] }],
      ...['images', 'annotations', 'categories'].map((list) => /** @type {any} */ ([readDetections, '[]', 'f', { ...truth, [list]: [{ name: 'a' }, 7] }])),
    ]; // prettier-ignore
    for (const [call, ...args] of calls)
      await assert.rejects(async () => call(...args), { code: 'INVALID_INPUT' }, `${call.name} ${JSON.stringify(args)}`); // prettier-ignore
  });
  test('as labels of a detector is told so', () =>
    assert.rejects(runDetector(any({ ...detector, labels: 7 }), any(dataset)), { code: 'INVALID_INPUT', message: /labels of the detector must be/ })); // prettier-ignore
});

// The labelled photos: the tables are sound, and their manual tells the truth.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { evaluateDetections, readDataset } from '../../../wasm/evaluate/index.js';
import { agreement, readBoxes, readBoxTable, toCoco } from '../../data/boxes/boxes.js';

const readProse = (/** @type {string} */ path) =>
  readFileSync(new URL(path, import.meta.url), 'utf8').replace(/\s+/g, ' ');
const README = readProse('../../data/boxes/README.md');
const CARD = readProse('../../../models/README.md');
const MANIFEST = JSON.parse(readFileSync(new URL('../../../models/manifest.json', import.meta.url), 'utf8'));
const DATA = readBoxes();

describe('the labelled photos', () => {
  test('are of packages, and each is there once', () => {
    const { photos } = DATA;
    assert.ok(photos.length >= 150);
    for (const key of /** @type {const} */ (['file', 'sha256']))
      assert.equal(new Set(photos.map((photo) => photo[key])).size, photos.length, key);
    for (const { file, package: name, sha256, licence, path, width, height } of photos) {
      assert.match(name, /^(npm:(@[\w-]+\/)?[\w-]+@\d+\.\d+\.\d+|deb:[\w.-]+)$/);
      assert.match(sha256, /^[0-9a-f]{64}$/);
      assert.match(file, /^[\w.-]+\.(jpg|png)$/);
      assert.ok(licence.length > 0 && path.length > 0 && width > 0 && height > 0, file);
      assert.ok(!path.split('/').includes('..') && !path.startsWith('/'), path);
    }
  });

  test('have boxes of the default detector’s classes, inside the photo', () => {
    const sizes = new Map(DATA.photos.map(({ file, width, height }) => [file, [width, height]]));
    const labels = MANIFEST.models[0].labels.map((/** @type {{name: string}} */ { name }) => name);
    for (const table of ['boxes.tsv', 'pass-1.tsv', 'pass-2.tsv'])
      for (const { file, name, box } of readBoxTable(table)) {
        const [width, height] = sizes.get(file) ?? [];
        const [left, top, w, h] = box;
        assert.ok(labels.includes(name), `${table}: ${name}`);
        assert.ok(w > 0 && h > 0 && left >= 0 && top >= 0, `${table}: ${file} ${box}`);
        assert.ok(left + w <= width && top + h <= height, `${table}: ${file} ${box}`);
      }
  });

  test('the manual and the card say how well the passes agree', () => {
    const { paired, meanIou, over90, firstOnly, secondOnly } = agreement();
    const percent = Math.round(100 * over90);
    for (const text of [
      `agree on ${paired} boxes, with a mean IoU of ${meanIou.toFixed(3)}; ${percent} % of these`,
      `${firstOnly} boxes are in the first pass only, and ${secondOnly} in the second only`,
      `${DATA.photos.length} photos from packages`,
    ])
      assert.ok(README.includes(text), text);
    const labelled = DATA.boxes.filter(({ isIgnored }) => !isIgnored).length;
    for (const text of [
      `${DATA.photos.length} photos from packages of npm and Debian, with ${labelled} objects`,
      `agree on ${paired} boxes, with a mean IoU of ${meanIou.toFixed(3)}`,
      `${firstOnly} boxes are in the first pass only, and ${secondOnly} in the second only`,
    ])
      assert.ok(CARD.includes(text), text);
    const shown = new Set(DATA.boxes.filter(({ isIgnored }) => !isIgnored).map(({ file }) => file));
    assert.ok(README.includes(`${DATA.photos.length - shown.size} photos show no object of the classes`));
  });

  test('are a data set: the boxes as detections are right', async () => {
    const text = JSON.stringify(toCoco(DATA));
    const { groundTruth } = await readDataset([new File([text], 'boxes.json')]);
    const cars = DATA.boxes.filter(({ name, isIgnored }) => name === 'Car' && !isIgnored);
    const idOf = new Map(groundTruth.categories.map(({ id, name }) => [name, id]));
    const vehicles = groundTruth.annotations.filter(
      ({ category_id: id, iscrowd }) => id === idOf.get('Vehicle') && !iscrowd,
    );
    assert.ok(vehicles.length > cars.length);
    const detections = groundTruth.annotations
      .filter(({ iscrowd }) => !iscrowd)
      .map(({ image_id, category_id, bbox }) => ({ image_id, category_id, bbox, score: 0.5 }));
    const { coco, objects } = evaluateDetections(groundTruth, detections);
    assert.ok(Number(coco.AP) > 0.999 && objects === detections.length, String(coco.AP));
  });
});

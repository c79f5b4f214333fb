// The page that learns to find, with stubs for the browser: what it keeps, and when the camera is on.
import assert from 'node:assert/strict';
import { before, describe, mock, test } from 'node:test';
import { zipSync } from 'fflate';
import { ObjectDetector } from '../../../wasm/platform/node.js';
import { DetectorLearner } from '../../../wasm/train/node.js';
import { until } from '../../patience.js';
import { installDatabase, installPage } from './stub_page.js';

const byId = installPage();
const about = { labels: [], colors: [], files: {}, facts: {} };
const project = (/** @type {string} */ name) => ({ classes: [{ id: 0, name }], pictures: [] });

/** What the browser keeps. @type {Record<string, Map<string, any>>} */
const stores = {
  pictures: new Map(),
  rest: new Map(
    Object.entries({ state: project('kept'), trained: { ...about, model: new Uint8Array([1]) } }),
  ),
};
/** The first class and the detector's file, as often as they were kept. @type {[string, number | undefined][]} */
const written = [];
installDatabase(stores, () =>
  written.push([stores.rest.get('state').classes[0].name, stores.rest.get('trained')?.model[0]]),
);

/** Promises that a test settles. */
class Answers {
  /** @type {{resolve: (value: any) => void, reject: (error: Error) => void}[]} */ all = [];
  next = () => new Promise((resolve, reject) => void this.all.push({ resolve, reject }));
}

/** Of detectors that are being loaded. */
const loading = new Answers();
let closed = 0;
const detector = { async *video() {}, close: () => closed++ };

/** @param {string} id */
const press = (id) => byId(id).dispatchEvent(new Event('click'));
/** @param {string} id @param {object} [properties] what the user chose */
const choose = (id, properties) => Object.assign(byId(id), properties).dispatchEvent(new Event('change'));

/** Changes the project, and waits until it is kept. */
async function change() {
  const before = written.length;
  press('find-add-class');
  await until(() => written.length > before);
  return written.at(-1);
}

const PNG = new Uint8Array([0x89, 0x50, 0x4e, 0x47]);

/**
 * Opens a project's file, in which each class has a box, and waits until its detector is being loaded.
 * @param {string} name @param {number} model
 */
async function openFile(name, model) {
  const toBytes = (/** @type {unknown} */ value) => new TextEncoder().encode(JSON.stringify(value));
  const box = { classId: 0, x: 0, y: 0, width: 4, height: 4 };
  const pictures = [{ name: 'one', file: 'one.png', boxes: [box] }];
  const file = new File(
    [
      /** @type {Uint8Array<ArrayBuffer>} */ (
        zipSync({
          'project.json': toBytes({ format: 'ocelli-teach', version: 1, ...project(name), pictures }),
          'one.png': PNG,
          'trained/about.json': toBytes(about),
          'trained/model.tflite': new Uint8Array([model]),
        })
      ),
    ],
    'p.zip',
  );
  const before = loading.all.length;
  choose('project-file', { files: [file] });
  await until(() => loading.all.length > before);
}
const isOpen = () => byId('project-status').textContent.endsWith('is open.');

before(async () => {
  mock.method(ObjectDetector, 'create', loading.next);
  globalThis.location.hash = '#find';
  await import('../../../web/teach.js');
});

describe('what the browser keeps', () => {
  test('its detector stays kept while it loads, and if it cannot be loaded', async () => {
    assert.equal(loading.all.length, 1);
    assert.deepEqual(await change(), ['kept', 1]);
    loading.all[0].reject(new Error('no memory'));
    assert.deepEqual(await change(), ['kept', 1]);
    assert.match(byId('project-status').textContent, /no memory/);
    assert.deepEqual([byId('find-model').disabled, byId('try').disabled], [false, true]);
  });

  test('a project that is opened from a file is kept with its own detector', async () => {
    await openFile('second', 2);
    loading.all[1].resolve(detector);
    await until(isOpen);
    assert.deepEqual(await change(), ['second', 2]);
    assert.deepEqual(new Set(written.map(String)), new Set(['kept,1', 'second,2']));
  });

  test('a detector that comes after its project was removed is closed, and not kept', async () => {
    await openFile('third', 3);
    press('clear-project');
    assert.equal(closed, 1);
    loading.all[2].resolve(detector);
    await until(() => closed === 2);
    assert.deepEqual(await change(), ['Class 1', undefined]);
  });
});

describe('what was begun for a project that is then replaced or removed', () => {
  /** Starts a training, and waits for its first epoch. */
  async function train() {
    press('find-train');
    const hasBegun = () => byId('find-training').textContent.startsWith('Epoch 1');
    await until(() => hasBegun() || byId('find-progress').hidden);
    assert.ok(hasBegun(), byId('find-training').textContent);
  }
  /** The end of the training, as it is shown and kept. */
  async function finish() {
    await until(() => byId('find-progress').hidden);
    const text = byId('find-training').textContent;
    return { text, kept: await change() };
  }
  const GONE = /^Stopped, because its project was removed or replaced\.$/;

  before(() => {
    byId('steps').value = '9';
    const { prototype } = DetectorLearner;
    mock.method(prototype, 'addExample', async () => {});
    mock.method(prototype, 'planMemory', () => ({ keptRows: 100 }));
    mock.method(prototype, 'export', () => new Uint8Array([9]));
    mock.method(
      prototype,
      'fit',
      (/** @type {import('ocelli/train').DetectorFitOptions} */ { signal, callbacks }) =>
        new Promise((_, reject) => {
          callbacks?.onEpoch?.({ epoch: 0, epochs: 9, logs: { loss: 1 } });
          signal?.addEventListener('abort', () => reject(signal.reason));
        }),
    );
  });

  test('a training that the user stops keeps its detector', async () => {
    await openFile('mine', 4);
    await train();
    press('find-train');
    await until(() => loading.all.length === 5);
    loading.all[4].resolve(detector);
    const { text, kept } = await finish();
    assert.match(text, /^Stopped after 1 epoch: loss 1/);
    assert.deepEqual(kept, ['mine', 9]);
  });

  test('a training ends without a detector if another project is opened', async () => {
    await openFile('before', 5);
    await train();
    await openFile('after', 6);
    const { text, kept } = await finish();
    assert.match(text, GONE);
    assert.deepEqual(kept, ['after', 6]);
  });

  test('a training ends without a detector if its project is removed', async () => {
    await openFile('removed', 7);
    await train();
    press('clear-project');
    const { text, kept } = await finish();
    assert.match(text, GONE);
    assert.deepEqual(kept, ['Class 1', undefined]);
  });

  test('a training that is over says so, too, if its project is removed while its detector loads', async () => {
    await openFile('removed', 8);
    await train();
    const { length } = loading.all;
    press('find-train');
    await until(() => loading.all.length > length);
    press('clear-project');
    loading.all[length].resolve(detector);
    const { text, kept } = await finish();
    assert.match(text, GONE);
    assert.deepEqual(kept, ['Class 1', undefined]);
  });

  test('photos that are still being read are not added', async () => {
    const decoding = new Answers();
    const decode = mock.method(globalThis, 'createImageBitmap', decoding.next);
    choose('photos', { files: [new File([PNG], 'a.png'), new File([PNG], 'b.png')] });
    await until(() => decoding.all.length === 1);
    press('clear-project');
    decoding.all[0].resolve({ width: 8, height: 8, close() {} });
    await change();
    assert.deepEqual([stores.pictures.size, decoding.all.length], [0, 1]);
    assert.equal(byId('find-reading').textContent, '');
    decode.mock.restore();
  });
});

describe('the camera', () => {
  /** Of cameras that are being opened. */
  const asked = new Answers();
  /** @type {Set<object>} */
  const on = new Set();
  const video = byId('video');
  /** All that can go on without an answer has gone on. */
  const settle = () => new Promise(setImmediate);
  const isPressed = () => byId('camera').getAttribute('aria-pressed') === 'true';

  /** As if the user had permitted it. @param {number} number of the request */
  function permit(number) {
    const stream = new globalThis.MediaStream();
    const track = { stop: () => on.delete(stream), getSettings: () => ({}) };
    on.add(stream);
    asked.all[number].resolve(
      Object.assign(stream, { getTracks: () => [track], getVideoTracks: () => [track] }),
    );
  }

  /** What the list of cameras waits for. @type {Promise<unknown> | undefined} */
  let listed;
  before(() => {
    const mediaDevices = {
      enumerateDevices: async () => (await listed, []),
      getUserMedia: asked.next,
    };
    Object.defineProperty(navigator, 'mediaDevices', { value: mediaDevices });
  });

  test('stays off if it is turned off while another one is being opened', async () => {
    press('camera');
    permit(0);
    await settle();
    assert.deepEqual(
      [on.size, isPressed(), video.srcObject instanceof globalThis.MediaStream],
      [1, true, true],
    );
    choose('cameras', { value: 'another' });
    press('camera');
    assert.ok(!isPressed());
    permit(1);
    await settle();
    assert.deepEqual([on.size, isPressed(), video.srcObject, video.hidden], [0, false, null, true]);
  });

  test('is not asked for again when the list of cameras comes after it is turned off', async () => {
    press('camera');
    permit(2);
    await settle();
    const listing = new Answers();
    listed = listing.next();
    choose('cameras', { value: 'a third' });
    permit(3);
    await settle();
    press('camera');
    choose('cameras', { value: 'a fourth' });
    listing.all[0].resolve(undefined);
    await settle();
    assert.deepEqual([on.size, isPressed(), asked.all.length], [0, false, 4]);
  });
});

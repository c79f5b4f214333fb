// What the browser keeps of a project, with a stub for IndexedDB: two tabs, and a database that fails.
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { installDatabase, installPage } from './stub_page.js';

const byId = installPage();
/** @type {Record<string, Map<string, any>>} */
const stores = { pictures: new Map(), rest: new Map() };
let written = 0;
beforeEach(() => {
  for (const store of Object.values(stores)) store.clear();
});
installDatabase(stores, () => written++);

const project = (/** @type {string} */ name) => ({ classes: [{ id: 0, name }], pictures: [] });
const detector = (/** @type {number} */ byte) => ({ labels: [], model: new Uint8Array([byte]) });

describe('two tabs', () => {
  /** @param {string} name @returns {Promise<typeof import('../../../web/kept_project.js')>} a module of its own */
  const openTab = (name) => import(`../../../web/kept_project.js?${name}`);
  /** The name of the class and the detector's file, as another tab reads them. */
  async function read() {
    const { recallProject } = await openTab('reader');
    const kept = await recallProject();
    return [kept?.state.classes[0].name, kept?.trained?.model[0]];
  }

  test('keep each state with its own detector, whichever tab writes', async () => {
    const [one, two] = [await openTab('one'), await openTab('two')];
    const [first, second] = [/** @type {any} */ (detector(1)), /** @type {any} */ (detector(2))];
    await one.keepProject({ state: project('one'), trained: first });
    await two.recallProject();
    await two.keepProject({ state: project('two'), trained: second });
    assert.deepEqual(await read(), ['two', 2]);
    await one.keepProject({ state: project('one again'), trained: first });
    assert.deepEqual(await read(), ['one again', 1]);
    await two.keepProject({ state: project('two without') });
    await one.keepProject({ state: project('one with'), trained: first });
    assert.deepEqual(await read(), ['one with', 1]);
  });

  test('write a detector once, also one that was read', async () => {
    const [one, two] = [await openTab('one'), await openTab('two')];
    const trained = /** @type {any} */ (detector(1));
    await one.keepProject({ state: project('kept'), trained });
    // A browser gives copies.
    stores.rest.set('trained', structuredClone(trained));
    const read = await two.recallProject();
    stores.rest.set('trained', 'as it was');
    await two.keepProject({ state: project('changed'), trained: read?.trained });
    await one.keepProject({ state: project('changed again'), trained });
    assert.equal(stores.rest.get('trained'), 'as it was');
  });

  test('read and remove a detector that was kept without an id', async () => {
    stores.rest.set('state', project('old')).set('trained', detector(1));
    assert.deepEqual(await read(), ['old', 1]);
    await (await openTab('one')).keepProject({ state: project('new') });
    assert.deepEqual(await read(), ['new', undefined]);
  });
});

describe('a database that cannot be read when the page starts', () => {
  test('is not written over, and the page says that nothing is kept', async () => {
    stores.rest.set('state', project('unread'));
    const { indexedDB } = globalThis;
    const { open } = indexedDB;
    indexedDB.open = () => {
      indexedDB.open = open;
      const request = /** @type {any} */ ({ error: new Error('busy') });
      queueMicrotask(() => request.onerror());
      return request;
    };
    globalThis.location.hash = '#find';
    await import('../../../web/teach.js');
    assert.match(byId('kept').textContent, /^Nothing is kept: .*busy/);
    written = 0;
    byId('find-add-class').dispatchEvent(new Event('click'));
    // All that can go on has gone on.
    for (let i = 0; i < 9; i++) await new Promise(setImmediate);
    assert.equal(written, 0);
    assert.equal(stores.rest.get('state').classes[0].name, 'unread');
    assert.match(byId('kept').textContent, /^Nothing is kept/);
  });
});

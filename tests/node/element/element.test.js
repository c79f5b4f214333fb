// <ocelli-detector> on a stub of a page, with a detector that answers as told. What only browsers can show is in
// tests/browser/element.test.js.
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { ObjectDetector } from '../../../wasm/platform/browser.js';
import { paint } from '../../../wasm/draw/paint.js';
import { makeContext, page, StubElement, StubPicture, StubVideo } from './page.js';

const any = (/** @type {unknown} */ value) => /** @type {any} */ (value);
// After the page is there, whose classes the element extends.
const { OcelliDetectorElement } = await import('../../../wasm/element/element.js');
const { openCamera, openUrl } = await import('../../../wasm/element/media.js');
const { describeAll, describeOne, parseClasses } = await import('../../../wasm/element/texts.js');
const { View } = await import('../../../wasm/element/view.js');

async function settle() {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => void setImmediate(resolve));
}
const CAT = any({ label: 'Cat', labelId: 1, score: 0.806, box: { x: 20, y: 30, width: 100, height: 50 } });
const DOG = any({
  label: 'Dog',
  labelId: 2,
  score: 0.5,
  trackId: 7,
  box: { x: 20, y: 3, width: 9, height: 4 },
});
const COW = any({ label: 'Cow', labelId: 3, score: 0.25, box: { x: 5, y: 90, width: 80, height: 60 } });
const codeOf = async (/** @type {Promise<any>} */ answer) => {
  const error = await answer.then(() => undefined, (reason) => reason); // prettier-ignore
  return [error?.code, error?.message, error?.cause?.message];
};

describe('texts', () => {
  test('about all objects, and about one', () => {
    assert.equal(describeAll([]), 'Nothing found');
    assert.equal(describeAll([DOG, CAT, DOG]), '2 × Dog, Cat');
    assert.equal(describeOne([CAT, DOG], 0), 'Cat, 81 %, 1 of 2');
    assert.equal(describeOne([CAT, DOG], 1), 'Dog 7, 50 %, 2 of 2');
  });
  test('a list of classes', () =>
    assert.deepEqual(parseClasses(' Dog,, /m/01yrx , 3, 4x'), ['Dog', '/m/01yrx', 3, '4x']));
});

describe('the line of text', () => {
  const URGENT = { isUrgent: true };
  // Each step: a text, how it is said, the milliseconds that then pass, and what is shown before and after them.
  for (const [name, steps] of /** @type {[string, [string, object, number, string, string][]][]} */ ([
    [
      'says a text at once after a pause, as often as there is one',
      [
        ['a', {}, 2000, 'a', 'a'],
        ['b', {}, 2000, 'b', 'b'],
        ['c', {}, 2000, 'c', 'c'],
      ],
    ],
    [
      'says the newest of many texts every two seconds',
      [
        ['a', {}, 900, 'a', 'a'],
        ['b', {}, 900, 'a', 'a'],
        ['c', {}, 200, 'a', 'c'],
        ['d', {}, 1000, 'd', 'd'],
        ['e', {}, 999, 'd', 'd'],
        ['f', {}, 1, 'd', 'f'],
      ],
    ],
    [
      'says an urgent text at once, and nothing older after it',
      [
        ['a', {}, 900, 'a', 'a'],
        ['b', {}, 900, 'a', 'a'],
        ['c', URGENT, 5000, 'c', 'c'],
        ['d', {}, 500, 'd', 'd'],
        ['e', URGENT, 0, 'e', 'e'],
        ['f', {}, 0, 'f', 'f'],
        ['g', {}, 1999, 'f', 'f'],
      ],
    ],
  ]))
    test(name, (t) => {
      t.mock.timers.enable({ apis: ['setTimeout'] });
      const root = any(new StubElement());
      const view = new View(root, () => false);
      const status = root.children[1];
      for (const [text, how, ms, before, after] of steps) {
        view.say(text, how);
        assert.equal(status.textContent, before, text);
        t.mock.timers.tick(ms);
        assert.equal(status.textContent, after, `${text}, ${ms} ms later`);
      }
    });

  test('touches the page only for another text', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const root = any(new StubElement());
    const view = new View(root, () => false);
    /** @type {string[]} */ const said = [];
    Object.defineProperty(root.children[1], 'textContent', {
      get: () => said.at(-1),
      set(text) {
        said.push(text);
      },
    });
    for (const text of ['a', 'a', 'b', 'b', 'a']) {
      view.say(text);
      t.mock.timers.tick(2000);
    }
    assert.deepEqual(said, ['a', 'b', 'a'], 'a screen reader would say it again');
  });
});

/** @param {import('node:test').TestContext} t @param {(url: string, init: any) => Promise<any>} answer */
function answerFetch(t, answer) {
  return t.mock.method(globalThis, 'fetch', any(answer));
}
/** @param {string} url @param {string} type @param {object} [more] */
const responseOf = (url, type, more) => ({
  ...{ ok: true, url, headers: new Headers(type ? { 'content-type': type } : {}) },
  ...{ blob: async () => new Blob(['x']), ...more },
});
const PAGE = 'https://page.example/';

beforeEach(() => {
  Object.assign(page, {
    videos: [],
    pictures: [],
    isStillWanted: false,
    media: undefined,
    decode: async () => {},
  });
});

describe('a URL', () => {
  for (const [name, type, isVideo] of /** @type {[string, string, boolean][]} */ ([
    ['a', 'video/mp4', true],
    ['a.png', 'VIDEO/webm', true],
    ['a.MP4', '', true],
    ['a.webm?size=1', 'application/octet-stream', true],
    ['a.mp4', 'image/png', false],
    ['a.mp4.png', '', false],
    ['a?x=.mp4', '', false],
    ['a', 'not/video/', false],
  ]))
    test(`${name} of type '${type}' is a ${isVideo ? 'video' : 'picture'}`, async (t) => {
      const fetched = answerFetch(t, async () => responseOf(PAGE + name, type));
      const ending = new AbortController();
      const opening = openUrl(name, ending.signal);
      await settle();
      for (const video of page.videos) video.dispatchEvent(new Event('loadeddata'));
      const { shown, file } = await opening;
      assert.ok(shown instanceof (isVideo ? StubVideo : StubPicture));
      assert.equal(file?.size, isVideo ? undefined : 1);
      const [url, { signal }] = any(fetched.mock.calls[0].arguments);
      assert.deepEqual([url, signal.aborted], [name, isVideo], 'a video element reads by itself');
      ending.abort();
      assert.ok(signal.aborted);
    });

  test('of a video: how it is shown, and what its end gives back', async (t) => {
    answerFetch(t, async () => responseOf(`${PAGE}a.mp4`, ''));
    const ending = new AbortController();
    const opening = openUrl('a.mp4', ending.signal);
    await settle();
    const [video] = any(page.videos);
    const { muted, playsInline, crossOrigin, controls, preload, src } = video;
    assert.deepEqual(
      [muted, playsInline, crossOrigin, controls, preload, src],
      [true, true, 'anonymous', true, 'auto', 'a.mp4'],
    );
    video.dispatchEvent(new Event('loadeddata'));
    await opening;
    video.setAttribute('src', 'a.mp4');
    assert.equal(video.loads, 0);
    ending.abort();
    assert.deepEqual([video.hasAttribute('src'), video.loads], [false, 1]);
  });

  test('of a picture: its memory is given back at the end', async (t) => {
    answerFetch(t, async () => responseOf(`${PAGE}a.png`, 'image/png'));
    const revoked = t.mock.method(URL, 'revokeObjectURL');
    const ending = new AbortController();
    const { shown } = await openUrl('a.png', ending.signal);
    assert.match(any(shown).src, /^blob:/);
    assert.equal(revoked.mock.callCount(), 0);
    ending.abort();
    assert.deepEqual(revoked.mock.calls[0].arguments, [shown.src]);
  });

  test('that fails: why', async (t) => {
    const fault = async () => {
      throw new Error('why');
    };
    const { signal } = new AbortController();
    const open = (/** @type {any} */ answer) => {
      answerFetch(t, answer);
      return codeOf(openUrl('a', signal));
    };
    const unread = ['IMAGE_NOT_FOUND', 'a cannot be read', 'why'];
    assert.deepEqual(await open(fault), unread);
    assert.deepEqual(await open(async () => responseOf(PAGE, '', { blob: fault })), unread);
    assert.deepEqual(await open(async () => responseOf(PAGE, '', { ok: false, status: 404 })), [
      ...['IMAGE_NOT_FOUND', 'a: the server answers 404', undefined],
    ]);
    page.decode = fault;
    assert.deepEqual(await open(async () => responseOf(PAGE, 'image/png')), [
      ...['IMAGE_NOT_FOUND', 'the browser cannot show a', 'why'],
    ]);
    const opening = open(async () => responseOf(PAGE, 'video/mp4'));
    await settle();
    page.videos[0].error = new Error('codec');
    page.videos[0].dispatchEvent(new Event('error'));
    assert.deepEqual(await opening, ['IMAGE_NOT_FOUND', 'the browser cannot play a', 'codec']);
  });
});

describe('a camera', () => {
  function giveCamera() {
    const track = { stops: 0, stop: () => void track.stops++ };
    const stream = { getTracks: () => [track] };
    /** @type {any[]} */ const asked = [];
    page.media = { getUserMedia: async (/** @type {any} */ wanted) => (asked.push(wanted), stream) };
    return { track, stream, asked };
  }

  for (const [choice, video, isMirrored] of /** @type {[string, any, boolean][]} */ ([
    ['', true, false],
    ['user', { facingMode: 'user' }, true],
    ['environment', { facingMode: 'environment' }, false],
    ['id7', { deviceId: { exact: 'id7' } }, false],
  ]))
    test(`'${choice}', until the end`, async () => {
      const { track, stream, asked } = giveCamera();
      const ending = new AbortController();
      const opening = openCamera(choice, ending.signal);
      await settle();
      assert.deepEqual(asked, [{ video }]);
      const [element] = any(page.videos);
      assert.deepEqual([element.srcObject, element.muted, element.playsInline], [stream, true, true]);
      element.dispatchEvent(new Event('loadeddata'));
      assert.deepEqual(await opening, { shown: element, isLive: true, isMirrored });
      assert.equal(track.stops, 0);
      ending.abort();
      assert.equal(track.stops, 1);
    });

  test('that nobody waits for any more', async () => {
    for (const isGranted of [false, true]) {
      const { track } = giveCamera();
      const ending = new AbortController();
      const opening = codeOf(openCamera('', ending.signal));
      if (isGranted) await settle();
      ending.abort(Object.assign(new Error('gone'), { code: 'GONE' }));
      assert.deepEqual(await opening, ['GONE', 'gone', undefined]);
      assert.equal(track.stops, 1);
    }
    assert.equal(page.videos.length, 1, 'the first one was not shown');
  });

  test('where there is none', async () => {
    const [code, message] = await codeOf(openCamera('', new AbortController().signal));
    assert.deepEqual([code, /served with HTTPS/.test(message)], ['INVALID_INPUT', true]);
  });
});

/** An element, and the detectors that it creates. @param {import('node:test').TestContext} t */
function makeElement(t) {
  /** @type {any[]} */ const made = [];
  /** @type {any} */ const answers = { detections: [CAT, DOG], frames: [] };
  t.mock.method(ObjectDetector, 'create', async (/** @type {any} */ options) => {
    /** @type {any} */ const each = { options, asked: [], closed: 0 };
    each.detector = {
      close: () => void each.closed++,
      async detect(/** @type {any} */ image, /** @type {any} */ how) {
        each.asked.push([image, how]);
        return { detections: answers.detections };
      },
      async *video(/** @type {any} */ video, /** @type {any} */ how) {
        each.asked.push([video, how]);
        yield* answers.frames;
      },
    };
    made.push(each);
    await answers.creating?.(each);
    return each.detector;
  });
  answerFetch(t, async (url) => responseOf(PAGE + url, url.endsWith('mp4') ? 'video/mp4' : 'image/png'));
  const element = any(new OcelliDetectorElement());
  t.after(() => {
    element.isConnected = false;
    element.disconnectedCallback();
  });
  /** @type {any[]} */ const events = [];
  for (const type of ['ready', 'detections', 'error'])
    element.addEventListener(type, (/** @type {any} */ { detail, error, message }) =>
      events.push([type, detail ?? [error, message]]),
    );
  const [stage, status] = element.shadow.children;
  const canvas = stage.children.find((/** @type {any} */ each) => each.getAttribute('part') === 'boxes');
  const names = () => events.splice(0).map(([type]) => type);
  const set = async (/** @type {Record<string, string | null>} */ attributes) => {
    for (const [name, value] of Object.entries(attributes)) {
      if (value === null) element.removeAttribute(name);
      else element.setAttribute(name, value);
    }
    await settle();
    for (const video of page.videos) video.dispatchEvent(new Event('loadeddata'));
    await settle();
  };
  const connect = async (/** @type {boolean} */ isConnected, attributes = {}) => {
    element.isConnected = isConnected;
    if (isConnected) element.connectedCallback();
    else element.disconnectedCallback();
    await set(attributes);
  };
  const press = (/** @type {string} */ key, more = {}) => {
    const event = Object.assign(new Event('keydown', { cancelable: true }), { key, ...more });
    stage.dispatchEvent(event);
    return [event.defaultPrevented, status.textContent];
  };
  return { element, made, answers, events, names, set, connect, press, stage, status, canvas };
}

describe('the element', () => {
  test('finds what a picture shows', async (t) => {
    const { element, made, events, connect, status, canvas, stage } = makeElement(t);
    await settle();
    assert.equal(made.length, 0, 'nothing begins outside of a page');
    await connect(true, { src: 'a.png' });
    assert.equal(made.length, 1);
    const [{ options, asked, detector }] = made;
    assert.deepEqual([options.worker, options.signal.aborted], [true, false]);
    const [[image, { signal, ...how }]] = asked;
    assert.deepEqual([image.size, how, signal.aborted], [1, {}, false], 'the file, not what is shown');
    assert.deepEqual(events, [
      ['ready', detector],
      ['detections', { detections: [CAT, DOG] }],
    ]);
    assert.deepEqual(
      [element.detector, element.result, element.detections],
      [detector, { detections: [CAT, DOG] }, [CAT, DOG]],
    );
    assert.deepEqual([status.textContent, status.dataset.state], ['Cat, Dog', '']);
    assert.deepEqual([canvas.width, canvas.height], [400, 200]);
    /** @type {any[]} */ const expected = [];
    paint(makeContext(canvas, expected), [CAT, DOG], { scale: 1, fontSize: 28, lineWidth: 6 });
    assert.deepEqual(canvas.drawn, expected);
    assert.deepEqual(stage.children, [page.pictures[0], canvas]);
    assert.equal(any(page.pictures[0]).alt, 'Object detection');
  });

  test('how its parts are named', (t) => {
    const { element, stage, status, canvas } = makeElement(t);
    const named = (/** @type {any} */ each) => Object.fromEntries(each.attributes);
    assert.deepEqual([stage, canvas, status].map(named), [
      { part: 'stage', tabindex: '0', role: 'application' },
      { part: 'boxes', 'aria-hidden': 'true' },
      { part: 'status', role: 'status' },
    ]);
    assert.match(element.shadow.adoptedStyleSheets[0].text, /\[part=boxes\]/);
    assert.equal(page.observed.at(-1), stage);
  });

  test('begins again what an attribute changes, and only that', async (t) => {
    const { element, made, names, set, connect, stage, canvas } = makeElement(t);
    await connect(true, { src: 'a.png' });
    names();
    const steps = /** @type {[Record<string, string | null>, string[], number][]} */ ([
      [{ threshold: ' 0.5 ' }, ['detections'], 0],
      [{ threshold: ' 0.5 ' }, [], 0],
      [{ threshold: '' }, ['detections'], 0],
      [{ threshold: null, src: 'b.png' }, ['detections'], 0],
      [{ model: 'm', classes: 'Dog, 3' }, ['ready', 'detections'], 1],
      [{ alt: 'two animals' }, [], 0],
      [{ src: null }, [], 0],
    ]);
    let detectors = 1;
    for (const [attributes, expected, more] of steps) {
      await set(attributes);
      detectors += more;
      assert.deepEqual([names(), made.length], [expected, detectors], JSON.stringify(attributes));
    }
    const thresholds = made[0].asked.map((/** @type {any} */ [, { scoreThreshold }]) => scoreThreshold);
    assert.deepEqual(thresholds, [undefined, 0.5, NaN, undefined]);
    const { worker, model, classes } = made[1].options;
    assert.deepEqual([worker, model, classes], [true, 'm', { allow: ['Dog', 3] }]);
    assert.deepEqual([made[0].closed, made[1].closed], [1, 0]);
    assert.ok(made[0].options.signal.aborted);
    assert.deepEqual([element.result, element.detections, canvas.drawn], [undefined, [], []]);
    const picture = any(page.pictures.at(-1));
    assert.deepEqual([picture.alt, stage.getAttribute('aria-label')], ['two animals', 'two animals']);
    assert.equal(picture.parent, undefined);
    element.options = { worker: false, threads: 2 };
    await settle();
    assert.deepEqual([made[2].options.worker, made[2].options.threads, made[1].closed], [false, 2, 1]);
    assert.deepEqual(element.options, { worker: false, threads: 2 });
  });

  test('takes options that were set before it was defined', async (t) => {
    const { element, made, connect } = makeElement(t);
    Object.defineProperty(element, 'options', { value: { threads: 5 }, configurable: true });
    await connect(true);
    assert.deepEqual(
      [made.length, made[0].options.threads, Object.hasOwn(element, 'options')],
      [1, 5, false],
    );
  });

  test('goes on when it is moved, and gives everything back when it is removed', async (t) => {
    const { element, made, names, connect, status, stage } = makeElement(t);
    await connect(true, { src: 'a.png' });
    names();
    element.disconnectedCallback();
    await connect(true);
    assert.deepEqual([made.length, made[0].closed, names()], [1, 0, []]);
    await connect(false);
    assert.deepEqual([made[0].closed, element.detector, element.result], [1, undefined, undefined]);
    assert.equal(stage.children.length, 1);
    await connect(false, { model: 'x' });
    assert.equal(made.length, 1, 'nothing begins outside of a page');
    await connect(true);
    assert.deepEqual([made.length, names(), status.textContent], [2, ['ready', 'detections'], 'Cat, Dog']);
    element.setAttribute('model', 'y');
    element.isConnected = false; // before what is due begins
    await settle();
    assert.equal(made.length, 2);
  });

  test('takes what is set while it is moved', async (t) => {
    const { element, made, names, connect } = makeElement(t);
    await connect(true, { src: 'a.png', threshold: '0.5' });
    names();
    const move = (/** @type {() => void} */ change) => {
      element.isConnected = false;
      element.disconnectedCallback();
      change();
      return connect(true);
    };
    const opened = () => any(globalThis.fetch).mock.calls.at(-1).arguments[0];
    await move(() => element.setAttribute('src', 'b.png'));
    assert.deepEqual([opened(), made.length, names()], ['b.png', 1, ['detections']]);
    await move(() => element.setAttribute('threshold', '0.25'));
    assert.deepEqual([made[0].asked.at(-1)[1].scoreThreshold, names()], [0.25, ['detections']]);
    await move(() => (element.options = { threads: 2 }));
    assert.deepEqual([made.length, made[1].options.threads], [2, 2]);
    assert.deepEqual([made[0].closed, names()], [1, ['ready', 'detections']]);
    // Set, taken out and put back by microtasks of one task: what is due waits.
    element.setAttribute('src', 'c.png');
    queueMicrotask(() => {
      element.isConnected = true;
      element.connectedCallback();
    });
    element.isConnected = false;
    element.disconnectedCallback();
    await settle();
    assert.deepEqual([opened(), made.length, names()], ['c.png', 2, ['detections']]);
  });

  test('has the defaults where options are undefined', async (t) => {
    const { element, made, connect } = makeElement(t);
    for (const options of [undefined, null, { worker: undefined }]) {
      element.options = options;
      await connect(true);
      assert.equal(made.at(-1).options.worker, true);
      await connect(false);
    }
  });

  test('says what failed, and nothing of what has ended', async (t) => {
    const { element, made, answers, events, names, set, connect, status } = makeElement(t);
    const fault = new Error('no such model');
    answers.creating = async () => {
      throw fault;
    };
    await connect(true, { src: 'a.png' });
    assert.deepEqual(events.splice(0), [['error', [fault, 'no such model']]]);
    assert.deepEqual([status.textContent, status.dataset.state], ['no such model', 'error']);
    assert.equal(element.detector, undefined);
    /** @type {(() => void)[]} */ const waiting = [];
    answers.creating = () => new Promise((resolve) => void waiting.push(any(resolve)));
    await set({ model: 'a' });
    assert.deepEqual([status.textContent, status.dataset.state], ['Loading …', '']);
    await set({ model: 'b' });
    waiting[0](); // too late
    await settle();
    assert.ok(made[1].closed > 0);
    assert.deepEqual([names(), element.detector], [[], undefined]);
    waiting[1]();
    await settle();
    assert.deepEqual(
      [names(), element.detector, made[2].closed],
      [['ready', 'detections'], made[2].detector, 0],
    );
    await set({ model: 'c' });
    assert.equal(element.detector, undefined, 'it is closed');
  });

  test('shows no picture that comes too late', async (t) => {
    const { names, connect, set, stage } = makeElement(t);
    /** @type {(() => void)[]} */ const waiting = [];
    page.decode = () => new Promise((resolve) => void waiting.push(resolve));
    await connect(true, { src: 'a.png' });
    await set({ src: 'b.png' });
    for (const resolve of waiting.toReversed()) {
      resolve();
      await settle();
    }
    assert.deepEqual([names(), stage.children[0]], [['ready', 'detections'], page.pictures[1]]);
  });

  test('says that it is ready where there is nothing to detect in', async (t) => {
    const { names, connect, status } = makeElement(t);
    await connect(true);
    assert.deepEqual([names(), status.textContent], [['ready'], 'Ready']);
  });

  test('plays a video and shows its frames, with tracks if they are wanted', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { element, made, answers, names, set, connect, status, stage, press } = makeElement(t);
    const frame = (/** @type {any[]} */ ...detections) => ({ detections, mediaTime: 1 });
    answers.frames = [frame(CAT), frame(CAT, CAT), frame(DOG)];
    await connect(true, { src: 'a.mp4', threshold: '0.4' });
    assert.deepEqual(names(), ['ready', 'detections', 'detections', 'detections']);
    const [video] = page.videos;
    const [[shown, { track, scoreThreshold }]] = made[0].asked;
    assert.deepEqual([shown, track, scoreThreshold, video.paused], [video, false, 0.4, false]);
    assert.deepEqual(element.detections, [DOG]);
    assert.equal(status.textContent, 'Cat', 'a screen reader says the first text to its end');
    t.mock.timers.tick(1999);
    assert.equal(status.textContent, 'Cat');
    t.mock.timers.tick(1);
    assert.equal(status.textContent, 'Dog');
    assert.equal(stage.children.length, 2, 'no button: the video has controls');
    assert.deepEqual(press('ArrowRight'), [false, 'Dog'], 'it moves');
    assert.deepEqual([press(' ')[0], video.paused], [true, true]);
    assert.deepEqual(press('ArrowRight'), [true, 'Dog 7, 50 %, 1 of 1']);
    await set({ track: '' });
    assert.deepEqual(made[0].asked[1][1].track, { activationThreshold: 0.5, highThreshold: 0.4 });
    page.isStillWanted = true;
    await set({ src: 'b.mp4' });
    assert.ok(page.videos[1].paused, 'who wants less motion starts it');
    answers.creating = () => new Promise(() => {});
    await set({ model: 'm' });
    assert.equal(status.textContent, 'Loading …', 'at once');
  });

  test('watches a camera, with a button that pauses it', async (t) => {
    page.isStillWanted = true;
    page.media = { getUserMedia: async () => ({ getTracks: () => [] }) };
    const { answers, connect, set, stage, canvas } = makeElement(t);
    answers.frames = [{ detections: [CAT], mediaTime: 1 }];
    await connect(true, { camera: 'user', src: 'a.png' });
    const [video] = page.videos;
    const button = stage.children.at(-1);
    assert.deepEqual(
      [stage.children[0], button.getAttribute('part'), button.getAttribute('type')],
      [...[video, 'button', 'button']],
    );
    assert.deepEqual([video.paused, [...video.classes], button.textContent], [false, ['mirrored'], 'Pause']);
    /** @type {any[]} */ const expected = [];
    paint(makeContext(canvas, expected), [CAT], { scale: 0.5, mirror: true, fontSize: 28, lineWidth: 6 });
    assert.deepEqual(canvas.drawn, expected);
    button.dispatchEvent(new Event('click'));
    assert.deepEqual([video.paused, button.textContent], [true, 'Resume']);
    button.dispatchEvent(new Event('click'));
    assert.deepEqual([video.paused, button.textContent], [false, 'Pause']);
    await set({ camera: null });
    assert.deepEqual(stage.children, [page.pictures[0], canvas]);
    assert.deepEqual([...any(page.pictures[0]).classes], []);
  });

  test('keys walk through the objects of a picture', async (t) => {
    const { element, set, connect, press, canvas, answers } = makeElement(t);
    answers.detections = [CAT, DOG, COW];
    await connect(true);
    assert.deepEqual([press('ArrowRight')[0], press(' ')[0]], [false, false], 'nothing is shown');
    await set({ src: 'a.png' });
    const drawn = (/** @type {any[]} */ detections) => {
      /** @type {any[]} */ const calls = [];
      paint(makeContext(canvas, calls), detections, { scale: 1, fontSize: 28, lineWidth: 6 });
      return calls;
    };
    const [one, two, three] = ['Cat, 81 %, 1 of 3', 'Dog 7, 50 %, 2 of 3', 'Cow, 25 %, 3 of 3'];
    for (const [key, text, detections] of /** @type {[string, string, any[]][]} */ ([
      ['ArrowRight', one, [CAT]],
      ['ArrowRight', two, [DOG]],
      ['ArrowRight', three, [COW]],
      ['ArrowRight', one, [CAT]],
      ['ArrowLeft', three, [COW]],
      ['Escape', 'Cat, Dog, Cow', [CAT, DOG, COW]],
      ['ArrowLeft', three, [COW]],
      ['ArrowLeft', two, [DOG]],
    ])) {
      assert.deepEqual([...press(key), canvas.drawn], [true, text, drawn(detections)]);
    }
    for (const more of [{ ctrlKey: true }, { altKey: true }, { metaKey: true }])
      assert.deepEqual(press('ArrowRight', more), [false, two]);
    assert.deepEqual([press('x')[0], press(' ')[0]], [false, false]);
    press('Escape');
    assert.deepEqual(press('Escape')[0], false);
    press('ArrowLeft');
    await set({ threshold: '0.2' });
    assert.deepEqual(press('ArrowRight'), [true, one], 'other detections are walked through from the first');
    answers.detections = [];
    element.describe = (/** @type {any[]} */ all) => `${all.length} things`;
    await set({ threshold: '0.9' });
    assert.deepEqual(press('ArrowRight'), [false, '0 things']);
  });

  test('draws again in another size, and nothing without a size', async (t) => {
    const { connect, canvas } = makeElement(t);
    await connect(true, { src: 'a.png' });
    Object.assign(canvas, { clientWidth: 400.3, clientHeight: 200.4 });
    page.resize();
    assert.deepEqual([canvas.width, canvas.height], [801, 401]);
    assert.ok(canvas.drawn.length > 0);
    for (const [clientWidth, naturalWidth] of [
      [0, 400],
      [400, 0],
    ]) {
      Object.assign(canvas, { clientWidth });
      Object.assign(page.pictures[0], { naturalWidth });
      page.resize();
      assert.deepEqual(canvas.drawn, []);
    }
  });
});

test('importing it on a server does nothing', async () => {
  const { HTMLElement } = globalThis;
  Object.assign(globalThis, { HTMLElement: undefined });
  try {
    const onServer = 'wasm/element/element.js?server';
    assert.equal(typeof (await import(`../../../${onServer}`)).OcelliDetectorElement, 'function');
  } finally {
    Object.assign(globalThis, { HTMLElement });
  }
});

test('the tag is defined once', async () => {
  /** @type {Map<string, unknown>} */ const defined = new Map();
  const define = (/** @type {string} */ name, /** @type {unknown} */ value) => defined.set(name, value);
  Object.assign(globalThis, {
    customElements: { get: (/** @type {string} */ name) => defined.get(name), define },
  });
  const load = (/** @type {string} */ mark) => import(`../../../wasm/element/index.js?${mark}`);
  await load('first');
  assert.deepEqual([...defined], [['ocelli-detector', OcelliDetectorElement]]);
  defined.set('ocelli-detector', StubElement);
  await load('second');
  assert.deepEqual([...defined], [['ocelli-detector', StubElement]]);
});

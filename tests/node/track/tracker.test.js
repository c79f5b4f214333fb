// The tracker's own contract: order, time, classes, appearance, lost tracks, and what it refuses.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TRACK_DEFAULTS, Tracker } from '../../../wasm/track/index.js';

/** @param {number} x @param {object} [more] */
const at = (x, more) => ({ score: 0.9, box: { x, y: 0, width: 10, height: 20 }, ...more });

/** @param {{trackId?: number}[]} tracked */
const ids = (tracked) => tracked.map(({ trackId }) => trackId);

describe('tracks', () => {
  test('begin in the second frame, in the order of the detections', () => {
    const tracker = new Tracker();
    const frame = [at(0, { label: 'a' }), at(100, { score: 0.2 }), at(200)];
    assert.deepEqual(tracker.update(frame), frame);
    const [first, second, third] = tracker.update(frame);
    assert.deepEqual(ids([first, second, third]), [1, undefined, 2]);
    assert.deepEqual(first, { ...frame[0], trackId: 1, age: 1, velocity: { x: 0, y: 0 } });
    assert.deepEqual(second, frame[1]);
    assert.ok(!('trackId' in frame[0]), 'the detections that were given are not changed');
  });

  test('have a velocity and go on where no detection is', () => {
    const tracker = new Tracker();
    for (let frame = 0; frame < 40; frame++) tracker.update([at(3 * frame, { labelId: 7 })]);
    for (let frame = 0; frame < 10; frame++) assert.deepEqual(tracker.update([]), []);
    const [{ trackId, box, velocity, lost, age, labelId }] = tracker.tracks;
    assert.deepEqual([trackId, lost, age, labelId], [1, 10, 49, 7]);
    assert.ok(Math.abs(velocity.x - 3) < 0.01 && velocity.y === 0, `${velocity.x}`);
    assert.ok(Math.abs(box.x - 3 * 49) < 0.5 && Math.abs(box.width - 10) < 1e-9, `${box.x}`);
    assert.deepEqual(ids(tracker.update([at(3 * 50)])), [1]);
  });

  test('are kept by detections with a low score, which begin none', () => {
    const tracker = new Tracker();
    for (let frame = 0; frame < 3; frame++) tracker.update([at(0)]);
    assert.deepEqual(ids(tracker.update([at(0, { score: 0.11 }), at(50, { score: 0.69 })])), [1, undefined]);
    assert.deepEqual(ids(tracker.update([at(0, { score: 0.11 }), at(50, { score: 0.69 })])), [1, undefined]);
  });

  for (const [lostFrames, frameRate, most] of [
    [30, 30, 30],
    [0, 30, 0],
    [3, 15, 2],
    [1, 1, 1],
  ])
    test(`end after ${most} frames: ${lostFrames} at 30 a second, ${frameRate} a second`, () => {
      for (const missed of [most, most + 1]) {
        const tracker = new Tracker({ lostFrames, frameRate });
        for (let frame = 0; frame < 3; frame++) tracker.update([at(0)]);
        for (let frame = 0; frame < missed; frame++) tracker.update([]);
        assert.equal(tracker.tracks.length, missed === most ? 1 : 0);
      }
    });

  test('have the class of their last detection', () => {
    const tracker = new Tracker({ perClass: false });
    for (const labelId of [3, 3, 5]) tracker.update([{ ...at(0), labelId }]);
    assert.equal(tracker.tracks[0].labelId, 5);
  });

  test('get no id of an earlier video after reset', () => {
    const tracker = new Tracker();
    for (let frame = 0; frame < 2; frame++) tracker.update([at(0)]);
    tracker.reset();
    assert.deepEqual(tracker.tracks, []);
    assert.deepEqual(ids(tracker.update([at(0)])), [undefined]);
    assert.deepEqual(ids(tracker.update([at(0)])), [2]);
  });
});

describe('time', () => {
  test('of even frames gives what frames without it give', () => {
    const [plain, timed] = [new Tracker(), new Tracker()];
    for (let frame = 0; frame < 60; frame++) {
      const found = frame % 7 === 3 ? [] : [at(2 * frame), at(300 - 2 * frame)];
      assert.deepEqual(ids(timed.update(found, { time: 5 + frame / 30 })), ids(plain.update(found)));
    }
  });

  test('a longer step moves a track farther', () => {
    const tracker = new Tracker();
    for (let frame = 0; frame < 40; frame++) tracker.update([at(3 * frame)], { time: frame / 30 });
    assert.deepEqual(ids(tracker.update([at(3 * 54)], { time: 54 / 30 })), [1]);
    tracker.update([], { time: 54 / 30 + 0.99 });
    assert.equal(tracker.tracks.length, 1);
    tracker.update([], { time: 54 / 30 + 1.01 });
    assert.equal(tracker.tracks.length, 0);
  });

  test('that stands still moves nothing; that goes back begins anew', () => {
    const tracker = new Tracker();
    for (let frame = 0; frame < 9; frame++) tracker.update([at(3 * frame)], { time: frame });
    const [{ box }] = tracker.tracks;
    tracker.update([], { time: 8 });
    assert.deepEqual(tracker.tracks[0].box, box);
    assert.deepEqual(ids(tracker.update([at(24)], { time: 2 })), [undefined]);
    assert.deepEqual(ids(tracker.update([at(24)], { time: 3 })), [2]);
  });
});

test('perClass: an object does not change its class, also if boxes need not overlap', () => {
  for (const [perClass, expected] of /** @type {const} */ ([
    [true, [undefined]],
    [false, [1]],
  ])) {
    const tracker = new Tracker({ perClass, minIou: 0 });
    for (let frame = 0; frame < 3; frame++) tracker.update([at(0, { labelId: 1 })]);
    assert.deepEqual(ids(tracker.update([at(0, { labelId: 2 })])), expected);
  }
});

test('appearance: two objects that pass each other keep their ids', () => {
  const [red, blue] = [
    [1, 0.1, 0],
    [0, 0.1, 1],
  ];
  /** @param {number} appearance */
  const follow = (appearance) => {
    const tracker = new Tracker({ appearance });
    /** @type {(number | undefined)[]} */
    let found = [];
    // They come near each other, stand still at one place, and turn back.
    for (const x of [0, 1, 2, 3, 4, 5, 5, 4, 3, 2, 1, 0])
      found = ids(tracker.update([at(x, { features: red }), at(11 - x, { features: blue })]));
    return found;
  };
  assert.deepEqual(follow(0.5), [1, 2]);
  const swapped = new Tracker({ appearance: 0.9 });
  for (let frame = 0; frame < 3; frame++)
    swapped.update([at(0, { features: red }), at(4, { features: blue })]);
  assert.deepEqual(
    ids(swapped.update([at(4, { features: red }), at(0, { features: blue })])),
    [1, 2],
    'the looks count more than the place',
  );
  const plain = new Tracker();
  for (let frame = 0; frame < 3; frame++) plain.update([at(0, { features: red }), at(4, { features: blue })]);
  assert.deepEqual(ids(plain.update([at(4, { features: red }), at(0, { features: blue })])), [2, 1]);
});

describe('what cannot be used is refused, and the tracker works on', () => {
  const box = { x: 0, y: 0, width: 1, height: 1 };
  /** @type {[string, any][]} */
  const inputs = [
    ['no list', { box }],
    ['null', null],
    ['null inside', [null]],
    ['no box', [{ score: 1 }]],
    ['NaN', [{ box: { ...box, x: NaN } }]],
    ['infinite', [{ box: { ...box, width: Infinity } }]],
    ['huge', [{ box: { ...box, y: 1e300 } }]],
    ['negative', [{ box: { ...box, height: -1 } }]],
    ['text', [{ box: { ...box, x: '1' } }]],
    ['score', [{ box, score: NaN }]],
    ['features', [{ box, features: [NaN] }]],
    ['features of which the last is no number', [{ box, features: [1, NaN] }]],
    ['features of which the first is no number', [{ box, features: ['1', 1] }]],
    ['no features', [{ box, features: [] }]],
    ['features of a text', [{ box, features: 'abc' }]],
    ['features of null', [{ box, features: null }]],
    [
      'lengths of features',
      [
        { box, features: [1] },
        { box, features: [1, 2] },
      ],
    ],
    ['too many', Array(2001).fill({ box })],
  ];
  const tracker = new Tracker();
  for (const [name, input] of inputs)
    test(name, () =>
      assert.throws(() => tracker.update(input), { name: 'OcelliError', code: 'INVALID_INPUT' }),
    );
  test('features of another length than before', () => {
    const own = new Tracker({ appearance: 0.5 });
    own.update([at(0, { features: [1, 2] })]);
    for (const features of [[1, 2, 3], [1], undefined, [1, 2]])
      assert.deepEqual(ids(own.update([at(0, { features })])), [1]);
  });
  test('features alone, without an overlap, are not enough', () => {
    for (const appearance of [0.5, 1]) {
      const own = new Tracker({ appearance });
      const detection = (/** @type {number} */ x) => at(x, { features: [1, 0] });
      own.update([detection(0)]);
      assert.deepEqual(ids(own.update([detection(0)])), [1]);
      assert.deepEqual(ids(own.update([detection(500)])), [undefined]);
      assert.deepEqual(ids(own.update([detection(500)])), [2]);
    }
  });
  test('features of several lengths in a frame, but not features of some detections only', () => {
    const own = new Tracker({ appearance: 0.5 });
    assert.equal(own.update([at(0, { features: [1, 2] }), at(100), at(200, { features: [3, 4] })]).length, 3);
    const wrong = [at(0, { features: [1, 2] }), at(100), at(200, { features: [3, 4, 5] })];
    assert.throws(() => own.update(wrong), { message: /have features of 2 and of 3 numbers$/ });
  });
  /** @type {[option: string, taken: number[], refused: number[]][]} */
  const ranges = [
    ['activationThreshold', [-1e9, 1e9], [-1.1e9, 1.1e9]],
    ['highThreshold', [-1e9, 1e9], [-1.1e9, 1.1e9]],
    ['minIou', [0, 1], [-0.01, 1.01]],
    ['minFrames', [1, 1000], [0, 1001, 1.5]],
    ['lostFrames', [0, 10_000], [-1, 10_001, 1.5]],
    ['frameRate', [0.001, 1000], [0, 0.0009, 1001]],
    ['appearance', [0, 1], [-0.01, 1.01]],
  ];
  for (const [option, taken, refused] of ranges)
    test(`${option} beyond ${taken}`, () => {
      for (const value of taken) assert.deepEqual(new Tracker({ [option]: value }).tracks, []);
      for (const value of refused)
        assert.throws(() => new Tracker({ [option]: value }), { code: 'INVALID_OPTION' });
    });
  test('times beyond a trillion seconds', () => {
    const own = new Tracker();
    for (const time of [-1e12, 1e12]) own.update([], { time });
    for (const time of [-1.1e12, 1.1e12])
      assert.throws(() => own.update([], { time }), { code: 'INVALID_OPTION' });
  });
  test('frames and options', () => {
    for (const frame of /** @type {any[]} */ ([{ time: NaN }, { time: '1' }, { tim: 1 }, 5, null]))
      assert.throws(() => tracker.update([], frame), { code: 'INVALID_OPTION' });
    for (const key of Object.keys(TRACK_DEFAULTS))
      for (const value of /** @type {any[]} */ ([NaN, '1', null, -1e10, {}]))
        assert.throws(() => new Tracker({ [key]: value }), { code: 'INVALID_OPTION' });
    for (const options of /** @type {any[]} */ ([null, 5, [], { minimumFrames: 1 }]))
      assert.throws(() => new Tracker(options), { code: 'INVALID_OPTION' });
    assert.deepEqual(new Tracker({ minFrames: undefined }).tracks, []);
  });
  test('then', () => {
    tracker.update([at(0)]);
    assert.deepEqual(ids(tracker.update([at(0)])), [1]);
  });
});

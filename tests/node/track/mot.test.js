// MOTChallenge's format: in every layout, what is refused with the number of the line, and frames without a line. And the
// filter of a track's motion against the textbook's.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatMot, parseMot, trackMot } from '../../../wasm/track/mot.js';
import { Motion } from '../../../wasm/track/motion.js';
import { checkTracking } from '../../../wasm/track/tracker.js';

/** @param {string} text @param {object} [options] */
const track = (text, options = {}) => [...trackMot(parseMot(text), checkTracking(options))];

const ROWS = [
  '1,-1,10.5,20.25,30,40,0.9,-1,-1,-1',
  '1,-1,100,20,30,40,0.95,-1,-1,-1',
  '2,-1,101,20,30,40,0.8,-1,-1,-1',
  '2,-1,11.5,20.25,30,40,0.30001,-1,-1,-1',
  '2,-1,200,20,30,40,0.9,-1,-1,-1',
  '4,-1,103,20,30,40,1e-3,-1,-1,-1',
];
const TRACKS = [
  '2,1,101,20,30,40,0.8,-1,-1,-1',
  '2,2,11.5,20.25,30,40,0.30001,-1,-1,-1',
  '4,1,103,20,30,40,0.001,-1,-1,-1',
];

describe('the format', () => {
  const text = `${ROWS.join('\n')}\n`;
  /** @type {[string, string][]} */
  const layouts = [
    ['as it is', text],
    ['with empty lines, and no end', `\n\n${ROWS.join('\n\n  \n')}`],
    ['with the line ends of Windows and a byte order mark', `\ufeff${ROWS.join('\r\n')}\r\n`],
    ['with the line ends of old Macs', `${ROWS.join('\r')}\r`],
    ['with spaces', text.replaceAll(',', ' , ')],
    ['with tabs', text.replaceAll(',', '\t')],
    ['with semicolons, one at the end', text.replaceAll(',', ';').replaceAll('\n', ';\n')],
    ['with seven columns', text.replaceAll(',-1,-1,-1', '')],
    ['with frames out of order', [...ROWS.slice(2), ...ROWS.slice(0, 2), ''].join('\n')],
    ['with fractions that are none', text.replace('1,', '1.0,')],
  ];
  for (const [name, layout] of layouts) test(name, () => assert.deepEqual(track(layout), TRACKS));

  test('without scores: all are sure', () => {
    assert.deepEqual(track('1,-1,0,0,5,5\n2,-1,0,0,5,5\n'), ['2,1,0,0,5,5,1,-1,-1,-1']);
  });

  test('empty files', () => {
    assert.deepEqual(track(''), []);
    assert.deepEqual(track(' \n\n'), []);
    assert.deepEqual(track('1,-1,0,0,5,5,0.1\n'), []);
  });
});

test('frames without a line count, however many', () => {
  const box = '-1,0,0,5,5,1';
  assert.equal(track(`1,${box}\n2,${box}\n33,${box}\n`)[1], '33,1,0,0,5,5,1,-1,-1,-1');
  assert.deepEqual(track(`1,${box}\n2,${box}\n34,${box}\n`), ['2,1,0,0,5,5,1,-1,-1,-1']);
  assert.deepEqual(track(`0,${box}\n1,${box}\n9000000000000000,${box}\n`), ['1,1,0,0,5,5,1,-1,-1,-1']);
});

describe('refuses, with the number of the line', () => {
  /** @type {[string, RegExp][]} */
  const lines = [
    ['frame,id,x,y,w,h,score', /line 3: 'frame' is not a number/],
    ['5,-1,0,0,5', /line 3: 5 numbers; a detection is/],
    ['5', /line 3: 1 numbers/],
    ['5,-1,0,0,nan,5,1', /line 3: 'nan' is not a number/],
    ['5,-1,0,0,1e400,5,1', /line 3: width and height/],
    ['5,-1,0,0,5,5,1e999', /line 3: the score/],
    ['5,-1,0,0,-5,5,1', /line 3: width and height/],
    ['5,-1,1e10,0,5,5,1', /line 3: x and y/],
    ['5,-1,0x10,0,5,5,1', /line 3: '0x10' is not a number/],
    ['5,-1,,0,5,5,1', /line 3: '' is not a number/],
    ['5,-1,0,0,5,5,1,a', /line 3: 'a' is not a number/],
    ['1.5,-1,0,0,5,5,1', /line 3: the frame must be a whole number from 0, not 1\.5/],
    ['-1,-1,0,0,5,5,1', /line 3: the frame/],
    ['1e30,-1,0,0,5,5,1', /line 3: the frame/],
    [`${'9'.repeat(1e5)}x,-1,0,0,5,5,1`, /line 3: '9{40}' is not a number/],
    ['{"frame": 1}', /line 3: /],
    [`5,-1,0,0,5,5${' '.repeat(1e6)}x`, /line 3: 'x' is not a number/],
    ['5,-1,0,0,5,5,1\n'.repeat(2001), /line 2003: frame 5 has more than 2000 detections/],
  ];
  for (const [line, reason] of lines)
    test(line.slice(0, 30), () =>
      assert.throws(() => parseMot(`1,-1,0,0,5,5,1\n\n${line}\n`), {
        code: 'INVALID_INPUT',
        message: reason,
      }),
    );
  test('more than 2000 boxes in a frame only', () => {
    const row = '5,-1,0,0,5,5\n';
    assert.equal(parseMot(row.repeat(2000)).get(5)?.length, 2000);
    assert.equal(parseMot(row.repeat(2000) + row.replace('5', '6')).size, 2);
    assert.throws(() => parseMot(row.repeat(2001)), { message: /line 2001: frame 5 has more than 2000/ });
  });
});

test('a row is what is read', () => {
  const box = { x: 0.5, y: -1, width: 2, height: 3 };
  assert.equal(formatMot(7, 8, { box, score: 0.25 }), '7,8,0.5,-1,2,3,0.25,-1,-1,-1');
  assert.deepEqual(parseMot(formatMot(7, 8, { box, score: 0.25 })), new Map([[7, [{ box, score: 0.25 }]]]));
});

describe('the motion of a box is that of a Kalman filter', () => {
  /** @typedef {[[number, number], [number, number]]} Matrix */
  /** @param {Matrix} a @param {Matrix} b @returns {Matrix} */
  const times = ([[a, b], [c, d]], [[e, f], [g, h]]) => [[a * e + b * g, a * f + b * h], [c * e + d * g, c * f + d * h]]; // prettier-ignore
  /** @param {number} t @param {boolean} isOne @returns {Matrix} */
  const noise = (t, isOne) => isOne ? [[0.01, 0], [0, 0.01]] : [[0.01 * t ** 4 / 4, 0.01 * t ** 3 / 2], [0.01 * t ** 3 / 2, 0.01 * t ** 2]]; // prettier-ignore
  for (const [name, steps] of /** @type {[string, number[]][]} */ ([
    ['frame by frame', [1, 1, 1, 1, 1, 1]],
    ['in longer and shorter steps', [2, 0.5, 3, 0.25, 1.5, 4]],
    ['some not measured', [1, -1, 2, -2, -0.5, 1]],
  ]))
    test(name, () => {
      const start = [10, 20, 30, 40];
      const motion = new Motion(Float64Array.from(start));
      const state = start.map((position) => ({ position, velocity: 0 }));
      /** @type {Matrix} */
      let covariance = [[1, 0], [0, 1]]; // prettier-ignore
      steps.forEach((step, i) => {
        const t = Math.abs(step);
        motion.predict({ frames: t, isOne: t === 1 });
        for (const each of state) each.position += t * each.velocity;
        const [[pp, pv], [vp, vv]] = times(times([[1, t], [0, 1]], covariance), [[1, 0], [t, 1]]); // prettier-ignore
        const [[qpp, qpv], [qvp, qvv]] = noise(t, t === 1);
        covariance = [[pp + qpp, pv + qpv], [vp + qvp, vv + qvv]]; // prettier-ignore
        if (step > 0) {
          const corners = start.map((position, k) => position + (k + 1) * 3 * i);
          motion.correct(Float64Array.from(corners));
          const gain = [covariance[0][0], covariance[1][0]].map((value) => value / (covariance[0][0] + 0.1));
          state.forEach((each, k) => {
            const surprise = corners[k] - each.position;
            each.position += gain[0] * surprise;
            each.velocity += gain[1] * surprise;
          });
          covariance = times([[1 - gain[0], 0], [-gain[1], 1]], covariance); // prettier-ignore
        }
        state.forEach(({ position, velocity }, k) => {
          assert.ok(
            Math.abs(motion.position[k] - position) < 1e-9,
            `${i} ${k}: ${motion.position[k]} ${position}`,
          );
          assert.ok(
            Math.abs(motion.velocity[k] - velocity) < 1e-9,
            `${i} ${k}: ${motion.velocity[k]} ${velocity}`,
          );
        });
      });
    });
});

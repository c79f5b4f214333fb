// ocelli detect VIDEO --track: every way to read a video gives the frames that ffmpeg gives, and what it writes can be read.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { UsageError } from '../../../bin/common.js';
import { openVideo } from '../../../bin/video/open.js';
import { Tracker } from '../../../wasm/track/index.js';
import { PATIENCE_MS, until } from '../../patience.js';
import { samplePath } from '../shared.js';
import { runCommand, runRefused } from './in_process.js';
import { CLI, jsonLines, ocelli, succeed } from './run.js';

const sandbox = mkdtempSync(join(tmpdir(), 'ocelli-video-'));
after(() => rmSync(sandbox, { recursive: true, force: true }));
const inSandbox = (/** @type {string} */ name) => join(sandbox, name);
const FRAMES = 6;
const TRACKING = ['--track', '--activation', '0.4', '--high', '0.3', '--classes', 'Person'];

/** @param {string[]} args */
const ffmpeg = (...args) => execFileSync('ffmpeg', ['-v', 'error', '-y', ...args], { maxBuffer: 2 ** 28 });

/**
 * Makes a video of the street's first frames.
 * @param {string} name
 * @param {string[]} options
 */
function street(name, ...options) {
  ffmpeg('-i', samplePath('vtest.avi'), '-frames:v', String(FRAMES), ...options, inSandbox(name));
  return inSandbox(name);
}

/** @param {string} file */
async function readAll(file) {
  const video = await openVideo(file, 1e8);
  const frames = [];
  for await (const { data, width, height } of video.frames)
    frames.push({ data: Buffer.from(data), width, height });
  video.close();
  return { rate: video.rate, frames };
}

describe('frames are those of ffmpeg', () => {
  const scaled = ['-vf', 'scale=161:91', '-r', '30000/1001'];
  for (const [name, options, tolerance] of /** @type {[string, string[], number][]} */ ([
    ['444.y4m', ['-pix_fmt', 'yuv444p'], 1],
    ['422.y4m', ['-pix_fmt', 'yuv422p'], 4],
    ['420.y4m', ['-pix_fmt', 'yuv420p'], 4],
    ['mono.y4m', ['-pix_fmt', 'gray'], 1],
    ['frames.mjpeg', ['-c:v', 'mjpeg', '-q:v', '2', '-pix_fmt', 'yuvj444p'], 1.5],
    ['any.mkv', ['-c:v', 'ffv1', '-pix_fmt', 'yuv444p'], 1],
  ]))
    test(name, async () => {
      const file = street(name, ...scaled, ...options);
      const input = name.endsWith('.mjpeg') ? ['-f', 'mjpeg'] : [];
      const wanted = ffmpeg(...input, '-i', file, '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-');
      const { rate, frames } = await readAll(file);
      assert.equal(rate, name.endsWith('.mjpeg') ? '30/1' : '30000/1001');
      assert.equal(frames.length, wanted.length / (161 * 91 * 3));
      const found = Buffer.concat(frames.map(({ data }) => data));
      const sum = found.reduce((total, value, i) => total + Math.abs(value - wanted[i]), 0);
      assert.ok(sum / wanted.length < tolerance, `mean difference ${sum / wanted.length}`);
    });

  test('JPEG files with thumbnails, progressive ones and bytes of padding', async () => {
    const file = readFileSync(street('one.jpg', '-frames:v', '1', '-vf', 'scale=64:48'));
    const thumbnail = Buffer.concat([
      Buffer.from([0xff, 0xe1, (file.length + 2) >> 8, (file.length + 2) & 255]),
      file,
    ]);
    const padding = Buffer.from([0xff, 0xff, 0xff]);
    const nested = Buffer.concat([file.subarray(0, 2), thumbnail, padding, file.subarray(2)]);
    writeFileSync(inSandbox('nested.mjpeg'), Buffer.concat([nested, file, nested]));
    const { frames } = await readAll(inSandbox('nested.mjpeg'));
    assert.deepEqual(
      frames.map(({ width }) => width),
      [64, 64, 64],
    );
    assert.deepEqual(frames[0].data, frames[1].data);
  });
});

describe('ocelli detect --track', () => {
  const y4m = street('street.y4m', '-pix_fmt', 'yuv420p');

  test('prints what the tracker finds in the detections that --json prints', () => {
    const lines = jsonLines(succeed(['detect', ...TRACKING, '--json', y4m]));
    assert.deepEqual(
      lines.map(({ frame }) => frame),
      [1, 2, 3, 4, 5, 6],
    );
    const tracker = new Tracker({ activationThreshold: 0.4, highThreshold: 0.3 });
    const rows = lines.flatMap(({ frame, width, height, detections }) => {
      assert.deepEqual([width, height], [768, 576]);
      const plain = detections.map(
        (/** @type {any} */ { trackId: _1, age: _2, velocity: _3, ...rest }) => rest,
      );
      const tracked = tracker.update(plain);
      assert.deepEqual(detections, tracked);
      return tracked
        .filter(({ trackId }) => trackId !== undefined)
        .map(({ trackId, score, box: { x, y, width, height } }) =>
          [frame, trackId, x, y, width, height, score, -1, -1, -1].join(),
        );
    });
    assert.ok(rows.length > 5);
    const printed = succeed(['detect', ...TRACKING, '-'], { input: readFileSync(y4m) })
      .trimEnd()
      .split('\n');
    assert.deepEqual(printed.sort(), rows.sort());
  });

  test('writes a video with boxes, and replaces only its own', () => {
    const out = inSandbox('found.mp4');
    const run = (/** @type {string[]} */ ...more) =>
      ocelli(['detect', ...TRACKING, '--video', out, y4m, ...more]);
    for (let times = 0; times < 2; times++) assert.equal(run().status, 0);
    const raw = ffmpeg('-i', out, '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-');
    assert.equal(raw.length, FRAMES * 768 * 576 * 3);
    writeFileSync(out, 'a film of mine');
    assert.equal(run().status, 2);
    assert.equal(readFileSync(out, 'utf8'), 'a film of mine');
    assert.equal(run('--force').status, 0);
    assert.deepEqual(
      readdirSync(sandbox).filter((name) => name.endsWith('.partial')),
      [],
    );
  });

  test('writes .y4m to standard output, with boxes where objects are', async () => {
    const args = ['detect', ...TRACKING, '--video', '-', y4m];
    const { status, stdout } = spawnSync(process.execPath, [CLI, ...args], { maxBuffer: 2 ** 28 });
    assert.equal(status, 0);
    writeFileSync(inSandbox('out.y4m'), stdout);
    const [{ frames: drawn }, { frames: plain }] = [await readAll(inSandbox('out.y4m')), await readAll(y4m)];
    const changed = drawn.map(
      ({ data }, i) => data.filter((value, at) => Math.abs(value - plain[i].data[at]) > 40).length,
    );
    assert.equal(changed[0], 0, 'no track is confirmed in the first frame');
    assert.ok(
      changed.slice(1).every((count) => count > 1000),
      `${changed}`,
    );
  });
});

describe('a run that fails ends, says why, and leaves no file', () => {
  const folder = inSandbox('failing');
  mkdirSync(folder);
  const whole = readFileSync(street('whole.y4m', '-pix_fmt', 'yuv420p', '-vf', 'scale=160:120'));

  /**
   * @param {Buffer} bytes of the video
   * @param {RegExp} reason
   * @param {string} [script] in place of ffmpeg
   */
  function fail(bytes, reason, script) {
    writeFileSync(inSandbox('failing.y4m'), bytes);
    const tools = inSandbox('tools');
    mkdirSync(tools, { recursive: true });
    if (script) writeFileSync(join(tools, 'ffmpeg'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const args = ['detect', '--track', '--video', join(folder, 'out.mp4'), inSandbox('failing.y4m')];
    const { status, stderr } = spawnSync(process.execPath, [CLI, ...args], {
      env: { ...process.env, PATH: script ? `${tools}:${process.env.PATH}` : process.env.PATH },
      encoding: 'utf8',
      timeout: PATIENCE_MS,
    });
    assert.equal(status, 1, stderr);
    assert.match(stderr, reason);
    assert.deepEqual(readdirSync(folder), []);
  }

  test('a frame that is cut short', () => fail(whole.subarray(0, -1), /frame 6 is cut short/));
  test('no frames', () => fail(whole.subarray(0, whole.indexOf('\n') + 1), /the video has no frames/));
  test('a rate that ffmpeg cannot use', () =>
    fail(
      Buffer.from(whole.toString('latin1').replace(/F\d+:\d+/, 'F99999999999999999999:1'), 'latin1'),
      /FFMPEG_FAILED: .*framerate/s,
    ));
  test('ffmpeg is killed', () => fail(whole, /FFMPEG_FAILED: .*SIGKILL ended it/, 'kill -9 $$'));

  test('frames that are too large: ffmpeg waits for nobody', () => {
    // Its frames are more than a pipe holds.
    const file = street('large.mkv', '-c:v', 'ffv1');
    const args = ['detect', '--track', '--max-pixels', '100', file];
    const options = /** @type {const} */ ({ encoding: 'utf8', timeout: PATIENCE_MS });
    const { status, stderr } = spawnSync(process.execPath, [CLI, ...args], options);
    assert.equal(status, 1, stderr);
    assert.match(stderr, /frames of 768 x 576 pixels; the limit is 100 pixels/);
  });
  test('a video that cannot be written', () => {
    const file = street('unwritable.mkv', '-c:v', 'ffv1');
    symlinkSync('loop', inSandbox('loop'));
    const script = `
      import { trackVideo } from ${JSON.stringify(new URL('../../../bin/video/track.js', import.meta.url).href)};
      const [file, video] = process.argv.slice(1);
      await trackVideo(undefined, file, { video, 'max-pixels': 1e8 });`;
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', script, '--', file, inSandbox('loop/out.mp4')],
      { encoding: 'utf8', timeout: PATIENCE_MS },
    );
    assert.equal(status, 1, stderr);
    assert.match(stderr, /ELOOP/);
  });
});

test('a video that links lead to is replaced, not the link, and keeps its mode; a pipe is refused', () => {
  const target = inSandbox('target.mp4');
  writeFileSync(target, '', { mode: 0o600 });
  symlinkSync(target, inSandbox('link.mp4'));
  const y4m = street('linked.y4m', '-pix_fmt', 'yuv420p', '-frames:v', '1');
  succeed(['detect', '--track', '--video', inSandbox('link.mp4'), y4m]);
  assert.ok(lstatSync(inSandbox('link.mp4')).isSymbolicLink());
  assert.equal(statSync(target).mode & 0o777, 0o600);
  assert.ok(statSync(target).size > 0);

  execFileSync('mkfifo', [inSandbox('pipe')]);
  const { status, stderr } = ocelli(['detect', '--track', '--video', inSandbox('pipe'), y4m]);
  assert.equal(status, 2);
  assert.match(stderr, /pipe: that is not a file; name a \.mp4 file/);
  assert.ok(lstatSync(inSandbox('pipe')).isFIFO());
});

describe('refuses', () => {
  /** @type {[string, Buffer, RegExp][]} */
  const files = [
    ['no size', Buffer.from('YUV4MPEG2 F30:1\nFRAME\n'), /gives no width and height/],
    ['too large', Buffer.from('YUV4MPEG2 W100000 H100000\nFRAME\n'), /the limit is/],
    ['fractions', Buffer.from('YUV4MPEG2 W1.5 H2\nFRAME\n'), /gives no width and height/],
    ['10 bits', Buffer.from('YUV4MPEG2 W2 H2 C420p10\nFRAME\n'), /of the form 420p10/],
    ['a prototype', Buffer.from('YUV4MPEG2 W2 H2 CtoString\nFRAME\n'), /of the form toString/],
    ['no end of the head', Buffer.from(`YUV4MPEG2 W2 H2${' '.repeat(5000)}`), /gives no width and height/],
    [
      'no FRAME',
      Buffer.from('YUV4MPEG2 W2 H2 Cmono\nFRAME\nabcdFRAMEabcd'),
      /frame 2 does not begin with FRAME/,
    ],
    ['a short frame', Buffer.from('YUV4MPEG2 W2 H2 Cmono\nFRAME\nabcdFRAME\nabc'), /frame 2 is cut short/],
    ['a short JPEG', Buffer.from('ffd8ffda0004000001020304', 'hex'), /frame 1 is cut short/],
    ['a segment without a length', Buffer.from('ffd8ffe0', 'hex'), /frame 1 is cut short/],
    ['no JPEG after one', Buffer.from('ffd8ffd9abcdef', 'hex'), /no scan/],
  ];
  for (const [name, bytes, reason] of files)
    test(name, async () => {
      writeFileSync(inSandbox('bad'), bytes);
      await assert.rejects(readAll(inSandbox('bad')), reason);
    });

  test('a head, and closes the file', async () => {
    const file = inSandbox('closed.y4m');
    // Longer than what is read at a time: a file that is read to its end closes itself.
    writeFileSync(file, 'YUV4MPEG2 W100000 H100000\nFRAME\n'.padEnd(1 << 20));
    const isOpen = () =>
      readdirSync('/proc/self/fd').some((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`) === file;
        } catch {
          return false; // It was closed meanwhile.
        }
      });
    await assert.rejects(openVideo(file, 1e8), /the limit is/);
    await until(() => !isOpen());
  });

  test('what is no video, and options that do not fit', async (t) => {
    writeFileSync(inSandbox('note.txt'), 'no video');
    const track = (/** @type {string} */ file) => runCommand(t, 'detect', ['--track', file]);
    assert.match((await track(inSandbox('note.txt'))).stderr, /FFMPEG_FAILED/);
    assert.match((await track(inSandbox('none.mp4'))).stderr, /ENOENT/);
    assert.match(
      ocelli(['detect', '--track', '-'], { input: Buffer.from('no') }).stderr,
      /neither .y4m nor MJPEG/,
    );
    /** @type {[string[], RegExp][]} */
    const mistakes = [
      [['--track', 'a.mp4', 'b.mp4'], /--track takes one video, not 2/],
      [['--video', inSandbox('x.mp4'), 'a.png'], /--video/],
      [['--lost', '9', 'a.png'], /--lost needs --track/],
      [['--track', '--out', 'x.png', 'a.mp4'], /--out takes images/],
    ];
    for (const [args, message] of mistakes)
      await assert.rejects(runRefused(['detect', ...args]), (/** @type {Error} */ error) => {
        assert.ok(error instanceof UsageError);
        assert.match(error.message, message);
        return true;
      });
  });

  test('a video that only ffmpeg can read, without it', () => {
    const file = street('own.mkv', '-c:v', 'ffv1');
    const { status, stderr } = spawnSync(process.execPath, [CLI, 'detect', '--track', file], {
      env: { ...process.env, PATH: sandbox },
      encoding: 'utf8',
    });
    assert.equal(status, 1);
    assert.match(stderr, /FFMPEG_MISSING: ffmpeg is not installed/);
  });
});

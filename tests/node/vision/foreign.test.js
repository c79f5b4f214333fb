// WebP and AVIF files: by sharp, by the packages of jSquash, by a decoder that is passed, or refused with what to install.
// The files are written, and the expected pixels read, by sharp.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import sharp from 'sharp';
import { decodeImage, ObjectDetector, useDecoder } from '../../../wasm/platform/node.js';
import { packagePhoto } from '../shared.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const project = mkdtempSync(join(tmpdir(), 'ocelli-foreign-'));
after(() => rmSync(project, { recursive: true }));

/** The head of a HEIC file of 2 x 1 pixels: the boxes ftyp, and ipco with ispe. */
const HEIC = Buffer.from(
  '\0\0\0\x18ftypheic\0\0\0\0mif1heic\0\0\0\x1cipco\0\0\0\x14ispe\0\0\0\0\0\0\0\x02\0\0\0\x01',
  'latin1',
);
const FORMATS = /** @type {const} */ (['webp', 'avif']);

/** @param {'webp' | 'avif'} format @param {number} [orientation] */
const encode = (format, orientation = 1) =>
  sharp(packagePhoto('astronaut.png'))
    .resize(96, 64, { fit: 'fill' })
    .toFormat(format, { quality: 90 })
    .withMetadata({ orientation })
    .toBuffer();

/** @param {Buffer} file */
const pixelsOf = (file) => sharp(file).rotate().removeAlpha().raw().toBuffer({ resolveWithObject: true });

/** A detector's default input, and what it answers for the same picture as a PNG. @param {Buffer} file */
async function detectBoth(file) {
  const detector = await ObjectDetector.create({ deterministic: true });
  const png = await sharp(file).rotate().png().toBuffer();
  const results = [await detector.detect(file), await detector.detect(png)];
  detector.close();
  return results.map(({ detections, size }) => ({ detections, size }));
}

test('sharp’s own limit of 268 megapixels is off: maxPixels is the limit', () => {
  const sharpThatTells = `
    export default (bytes, options) => {
      const steps = [];
      const image = new Proxy({ then: undefined }, { get: (target, name) => (...args) => {
        if (name === 'toBuffer') return { data: [options, steps], info: { width: 3, height: 2 } };
        steps.push([name, ...args]);
        return image;
      } });
      return image;
    };`;
  const program = `
    import { decodeFile } from './node_modules/ocelli/wasm/platform/decoders.node.js';
    console.log(JSON.stringify(await decodeFile(new Uint8Array(30), 'avif')));`;
  const { pixels, isUpright } = runWith('limit', { sharp: sharpThatTells }, program);
  const [options, steps] = pixels.data;
  assert.deepEqual(options, { limitInputPixels: false });
  assert.deepEqual(steps, [['rotate'], ['toColourspace', 'srgb'], ['ensureAlpha'], ['raw']]);
  assert.deepEqual([pixels.width, pixels.height, isUpright], [3, 2, true]);
});

describe('with sharp', () => {
  for (const format of FORMATS) {
    test(`${format}: its pixels, upright`, async () => {
      for (const orientation of [1, 6]) {
        const file = await encode(format, orientation);
        const { data, info } = await pixelsOf(file);
        const image = await decodeImage(file);
        assert.deepEqual([image.width, image.height], [info.width, info.height]);
        assert.deepEqual(Buffer.from(image.data), data);
      }
      const [found, expected] = await detectBoth(await encode(format));
      assert.deepEqual(found, expected);
    });

    test(`${format}: damaged, or too large`, async () => {
      const file = await encode(format);
      await assert.rejects(decodeImage(file.subarray(0, file.length / 2)), { code: 'IMAGE_CORRUPT' });
      await assert.rejects(decodeImage(file, { maxPixels: 96 * 64 - 1 }), {
        code: 'IMAGE_TOO_LARGE',
        message: /96x64/,
      });
    });
  }

  test('transparent pixels are blended', async () => {
    const file = await sharp({
      create: { width: 8, height: 8, channels: 4, background: { r: 200, g: 0, b: 0, alpha: 0 } },
    })
      .webp({ lossless: true })
      .toBuffer();
    assert.deepEqual([...(await decodeImage(file)).data.subarray(0, 3)], [255, 255, 255]);
    assert.deepEqual(
      [...(await decodeImage(file, { background: '#102030' })).data.subarray(0, 3)],
      [16, 32, 48],
    );
  });

  test('a HEIC file that it cannot read stays an unsupported format', async () => {
    const file = Buffer.concat([HEIC, Buffer.alloc(64)]);
    await assert.rejects(decodeImage(file), {
      code: 'UNSUPPORTED_IMAGE_FORMAT',
      message: /HEIC; this sharp/,
    });
  });
});

/**
 * Runs a program in a project that has ocelli and these packages alone, and returns what it prints as JSON.
 * @param {string} name of the project
 * @param {{packages?: string[], sharp?: string}} has sharp: a module in its place
 * @param {string} program
 */
function runWith(name, { packages = [], sharp: replacement }, program) {
  const modules = join(project, name, 'node_modules');
  mkdirSync(join(modules, '@jsquash'), { recursive: true });
  for (const each of packages) symlinkSync(join(ROOT, 'node_modules', each), join(modules, each));
  if (replacement) {
    mkdirSync(join(modules, 'sharp'));
    writeFileSync(join(modules, 'sharp/index.mjs'), replacement);
    writeFileSync(join(modules, 'sharp/package.json'), JSON.stringify({ name: 'sharp', main: 'index.mjs' }));
  }
  mkdirSync(join(modules, 'ocelli'));
  for (const part of ['package.json', 'wasm', 'dist'])
    symlinkSync(join(ROOT, part), join(modules, 'ocelli', part));
  const file = join(modules, '../program.mjs');
  writeFileSync(file, program);
  return JSON.parse(
    execFileSync(process.execPath, ['--preserve-symlinks', '--preserve-symlinks-main', file], {
      encoding: 'utf8',
    }),
  );
}

const REPORT = `
  import { readFileSync } from 'node:fs';
  import { decodeImage } from 'ocelli';
  const answer = [];
  for (const file of FILES)
    answer.push(await decodeImage(readFileSync(file)).then(
      ({ data, width, height }) => ({ width, height, data: [...data] }),
      ({ code, message }) => ({ code, message })));
  console.log(JSON.stringify(answer));`;

test('with @jsquash/webp and @jsquash/avif alone: the same pixels, upright; damage is told', async () => {
  const files = [];
  for (const format of FORMATS)
    for (const orientation of [1, 6, 8]) files.push(await encode(format, orientation));
  const paths = files.map((file, i) => {
    writeFileSync(join(project, String(i)), file);
    return join(project, String(i));
  });
  writeFileSync(join(project, 'cut'), files[0].subarray(0, 700));
  const packages = ['@jsquash/webp', '@jsquash/avif', 'wasm-feature-detect'];
  const answer = runWith(
    'some',
    { packages },
    REPORT.replace('FILES', JSON.stringify([...paths, join(project, 'cut')])),
  );
  for (const [i, file] of files.entries()) {
    const { data, info } = await pixelsOf(file);
    assert.deepEqual([answer[i].width, answer[i].height], [info.width, info.height]);
    const differences = [...data].map((value, k) => Math.abs(value - answer[i].data[k]));
    // libwebp and libavif of other versions
    assert.ok(Math.max(...differences) <= 3, `file ${i}: ${Math.max(...differences)}`);
  }
  assert.equal(answer.at(-1).code, 'IMAGE_CORRUPT');
});

test('with none of them: the error names the packages', async () => {
  const paths = [];
  for (const format of FORMATS) {
    paths.push(join(project, `plain.${format}`));
    writeFileSync(/** @type {string} */ (paths.at(-1)), await encode(format));
  }
  const [webp, avif] = runWith('none', {}, REPORT.replace('FILES', JSON.stringify(paths)));
  assert.equal(webp.code, 'UNSUPPORTED_IMAGE_FORMAT');
  assert.match(webp.message, /WebP; to read it, install @jsquash\/webp or sharp/);
  assert.match(avif.message, /AVIF; to read it, install @jsquash\/avif or sharp/);
});

test('in a CommonJS bundle, which cannot find the files of @jsquash/webp: the error says so', async () => {
  const modules = join(project, 'bundled/node_modules/@jsquash');
  mkdirSync(modules, { recursive: true });
  for (const name of ['webp', '../wasm-feature-detect'])
    symlinkSync(join(ROOT, 'node_modules/@jsquash', name), join(modules, name));
  const contents = `
    import { decodeFile } from './wasm/platform/decoders.node.js';
    decodeFile(new Uint8Array(30), 'webp').then(
      (answer) => console.log(JSON.stringify(answer)), ({ message }) => console.log(JSON.stringify({ message })));`;
  const program = join(modules, '../../program.cjs');
  await build({
    ...{ stdin: { contents, resolveDir: ROOT }, outfile: program, bundle: true, logLevel: 'error' },
    ...{ platform: 'node', format: 'cjs' },
  });
  const text = execFileSync(process.execPath, ['--preserve-symlinks', '--preserve-symlinks-main', program], {
    encoding: 'utf8',
  });
  assert.match(JSON.parse(text), /in a CommonJS bundle, install sharp/);
});

test('a decoder that is passed comes first', async () => {
  const file = HEIC;
  useDecoder('heic', async (bytes) => ({
    data: Uint8ClampedArray.of(1, 2, 3, 255, 4, 5, 6, 255),
    width: 2,
    height: bytes.byteLength === file.length ? 1 : 0,
  }));
  const { data, width, height } = await decodeImage(file);
  assert.deepEqual([width, height, ...data], [2, 1, 1, 2, 3, 4, 5, 6]);
  useDecoder('heic', () => ({ data: new Uint8Array(3), width: 1, height: 1 }));
  await assert.rejects(decodeImage(file), { code: 'IMAGE_CORRUPT', message: /no RGBA/ });
  useDecoder('heic', () => {
    throw new TypeError('not today');
  });
  await assert.rejects(decodeImage(file), { code: 'IMAGE_CORRUPT', message: /not today/ });
  // @ts-expect-error
  assert.throws(() => useDecoder('png', () => {}), { code: 'INVALID_OPTION' });
  // @ts-expect-error
  assert.throws(() => useDecoder('webp'), { code: 'INVALID_OPTION' });
});

// Makes docs/detections.jpg, the README's picture: what the default detector finds in three photos of scikit-image.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import sharp from 'sharp';
import { drawDetections } from '../wasm/draw/draw.js';
import { ObjectDetector } from '../wasm/platform/node.js';

const HEIGHT = 320;
const GAP = 8;
const NAMES = ['astronaut', 'chelsea', 'coffee'];

const [out] = process.argv.slice(2);
const photos = execFileSync('tools/photos.sh', {
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'inherit'],
}).trim();

const detector = await ObjectDetector.create({ deterministic: true, scoreThreshold: 0.5 });
const pictures = [];
for (const name of NAMES) pictures.push(await picture(readFileSync(`${photos}/${name}.png`)));
detector.close();

let left = 0;
const placed = pictures.map(({ data, info }) => {
  const place = {
    input: data,
    raw: { width: info.width, height: info.height, channels: info.channels },
    left,
    top: 0,
  };
  left += info.width + GAP;
  return place;
});
const canvas = {
  width: left - GAP,
  height: HEIGHT,
  channels: /** @type {const} */ (3),
  background: '#ffffff',
};
writeFileSync(
  out,
  await sharp({ create: canvas }).composite(placed).jpeg({ quality: 80, mozjpeg: true }).toBuffer(),
);

/**
 * Detects and draws at the size that is shown, so that lines and letters are as they should be.
 * @param {Uint8Array} bytes
 */
async function picture(bytes) {
  const { detections, size } = await detector.detect(bytes);
  const { data, info } = await sharp(bytes)
    .removeAlpha()
    .resize({ height: HEIGHT })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const scale = info.height / size.height;
  const pixels = { data, width: info.width, height: info.height, channels: /** @type {const} */ (3) };
  drawDetections(
    pixels,
    detections.map(({ box, ...found }) => ({
      ...found,
      box: { x: box.x * scale, y: box.y * scale, width: box.width * scale, height: box.height * scale },
    })),
  );
  return { data: pixels.data, info };
}

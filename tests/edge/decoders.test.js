// WebP and AVIF files in workerd: refused with what to do, or read by the decoder that a Worker passes.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import sharp from 'sharp';
import { packagePhoto } from '../node/shared.js';
import { bundle, start } from './app.js';

const APP = `
import { decodeImage, useDecoder } from 'ocelli';
import decodeWebp, { init as initWebp } from '@jsquash/webp/decode.js';
import webpModule from '@jsquash/webp/codec/dec/webp_dec.wasm';
import decodeAvif, { init as initAvif } from '@jsquash/avif/decode.js';
import avifModule from '@jsquash/avif/codec/dec/avif_dec.wasm';

export default {
  async fetch(request) {
    if (new URL(request.url).pathname === '/with') {
      await initWebp(webpModule);
      await initAvif(avifModule);
      useDecoder('webp', decodeWebp);
      useDecoder('avif', decodeAvif);
    }
    try {
      const { data, width, height } = await decodeImage(await request.arrayBuffer());
      return Response.json({ width, height, data: [...data] });
    } catch ({ code, message }) {
      return Response.json({ code, message });
    }
  },
};
`;

/** @type {import('miniflare').Miniflare} */
let worker;
before(async () => {
  const { out } = await bundle('decoders', APP, ['@jsquash/webp', '@jsquash/avif', 'wasm-feature-detect']);
  worker = start(out);
});
after(() => worker?.dispose());

/** @param {string} path @param {Buffer} body @returns {Promise<any>} */
const ask = async (path, body) =>
  (await worker.dispatchFetch(`http://localhost${path}`, { method: 'POST', body })).json();

describe('in workerd', () => {
  for (const format of /** @type {const} */ (['webp', 'avif'])) {
    test(`${format}: without a decoder, the error says how to pass one; with one, its pixels, upright`, async () => {
      const file = await sharp(packagePhoto('astronaut.png'))
        .resize(48, 32, { fit: 'fill' })
        .toFormat(format, { quality: 90 })
        .withMetadata({ orientation: 6 })
        .toBuffer();
      if (format === 'webp') {
        const { code, message } = await ask('/without', file);
        assert.equal(code, 'UNSUPPORTED_IMAGE_FORMAT');
        assert.match(message, /useDecoder\('webp', decode\)/);
      }
      const { data, info } = await sharp(file)
        .rotate()
        .removeAlpha()
        .raw()
        .toBuffer({ resolveWithObject: true });
      const answer = await ask('/with', file);
      assert.deepEqual([answer.width, answer.height], [info.width, info.height]);
      const differences = [...data].map((value, k) => Math.abs(value - answer.data[k]));
      assert.ok(Math.max(...differences) <= 3);
      assert.equal((await ask('/with', file.subarray(0, file.length / 2))).code, 'IMAGE_CORRUPT');
    });
  }
});

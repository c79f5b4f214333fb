// A short training of a detector, and the digest of its file: the same on every engine. Its text is also bundled for others.

/** The start of the SHA-256 of the exported file. */
export const DETECTOR_DIGEST = '68d05f00927d3a3d';

const SIDES = { width: 64, height: 48 };

/** @param {Pick<typeof import('../../../wasm/train/index.js'), 'DetectorLearner'>} train @returns {Promise<string>} */
export async function runDetectorTraining({ DetectorLearner }) {
  const learner = await DetectorLearner.create({ deterministic: true, seed: 2 });
  for (let i = 0; i < 3; i++) {
    const data = new Uint8Array(SIDES.width * SIDES.height * 3);
    for (let k = 0; k < data.length; k++) data[k] = (k * 7 + i * 31 + ((k * k) >> 7)) & 255;
    for (let y = 10; y < 30; y++)
      for (let x = 12; x < 40; x++) data.set([255, 20 * i, 0], (y * SIDES.width + x) * 3);
    const box = { x: 12, y: 10, width: 28, height: 20 };
    await learner.addExample({ data, ...SIDES, channels: 3 }, [{ label: 'red', box }]);
  }
  await learner.fit({
    ...{ epochs: 3, batchSize: 4, views: 3, validationSplit: 0.3, loss: { hardExamples: true } },
    optimizer: { type: 'adam', learningRate: { type: 'cosine', rate: 0.01, decaySteps: 10 } },
  });
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', learner.export().slice()));
  learner.close();
  return Array.from(digest.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

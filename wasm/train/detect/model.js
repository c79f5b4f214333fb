// A detector file whose heads are trained: its frozen part turns images into feature maps; export() writes it with trained
// heads.
import { crc32c } from '../../convert/source/crc32c.js';
import { Engine } from '../../engine/engine.js';
import { host } from '../../engine/host.js';
import { chooseVariant } from '../../engine/variant.js';
import { failure as generalFailure } from '../../shared/errors.js';
import { sizeOf } from '../../shared/numbers.js';
import { TfliteFile } from '../../tflite/read.js';
import { writeTflite } from '../../tflite/write.js';
import { FeatureExtractor } from '../../vision/features.js';
import { checkWeights, formOf } from '../../vision/spec/forms.js';
import { readSource } from '../../vision/input.js';
import {
  DEFAULT_ENTRY,
  findManifestEntry,
  ownMetadata,
  resolveInput,
  resolveLabels,
} from '../../vision/model_spec.js';
import { findHeads, makeAnchors, resolveSsd } from '../../vision/spec/ssd.js';
import { withoutBackground } from '../../vision/labels.js';
import { failure } from '../errors.js';
import { unfreezeBlocks } from '../tail.js';
import { mapsNetwork } from './export.js';
import { fuseMaps, NAME } from './fuse.js';
import { mapOf, readHeads } from './heads.js';

/**
 * @typedef {import('../../tflite/network.js').Value} Value
 * @typedef {import('../../vision/types.js').SsdSpec} SsdSpec
 * @typedef {import('../../vision/spec/forms.js').Weights} Weights
 * @typedef {import('../../vision/types.js').ModelInput} ModelInput
 * @typedef {import('../../engine/engine.js').InputSpec} InputSpec
 * @typedef {import('../../vision/model_spec.js').OwnMetadata} OwnMetadata
 *
 * @typedef {object} DetectorFile
 * @property {import('./heads.js').FileHeads} found
 * @property {import('../tail.js').Unfrozen} unfrozen the layers before the heads that are trained
 * @property {ReadonlySet<Value>} fused the maps that were joined for the scores
 * @property {InputSpec} input
 * @property {{width: number, height: number}} size of the input
 * @property {Float32Array} anchors [N, 4]: y center, x center, height, width
 * @property {number[]} boxCoder
 * @property {boolean} isSoftmax
 * @property {boolean} background whether the raw scores begin with the background
 * @property {{name: string, mid?: string}[]} labels
 * @property {OwnMetadata['suppression']} suppression
 * @property {number} checksum of the file and how it is read
 *
 * @typedef {(model: Pick<DetectorFile, 'labels' | 'isSoftmax'>) => boolean} Fuses whether its maps are joined
 */

/**
 * @param {ModelInput | undefined} model
 * @param {{input?: any, ssd?: Partial<SsdSpec>, labels?: any, signature?: string, weights?: Weights, signal?: any,
 *   onProgress?: any, assetsUrl?: string} & import('../tail.js').UnfreezeOptions} options
 * @param {Fuses} [fuses]
 * @returns {Promise<DetectorFile>}
 */
export async function openDetector(
  model,
  { input, ssd: option, labels: named, ...loading },
  fuses = () => false,
) {
  const { trustsRelaxed, locateModel } = host();
  const { assetsUrl, weights, signature, unfreeze, batchNorm, batchNormMomentum, ...options } = loading;
  checkWeights({ weights, model });
  const variant = chooseVariant({ threads: 1, deterministic: false, trustsRelaxed });
  const engine = await Engine.create({ variant, threads: 1, assetsUrl });
  try {
    const source = await readSource(model ?? locateModel(assetsUrl, formOf({ weights })), options.signal);
    const received = await engine.receiveModel(source, options);
    const metadata = engine.openModel(signature);
    const entry = model === undefined ? DEFAULT_ENTRY : await findManifestEntry(received, metadata);
    const bytes = received.readAll();
    engine.buildModel();
    if (engine.heads.hasPostprocess)
      throw failure(
        'HEADS_UNSUPPORTED',
        'it ends in TFLite_Detection_PostProcess; convert it from its source (ocelli convert), which leaves the raw heads',
      );
    const ssd = resolveSsd(option, metadata, entry);
    const [, height, width] = engine.inputs[0].shape;
    const anchors = await makeAnchors(ssd, engine);
    const { outputs } = engine;
    const indices = findHeads(outputs, anchors.length / 4);
    checkBoxes(ssd, outputs[indices.boxes].shape.at(-1));
    const file = new TfliteFile(bytes, signature);
    const own = readHeads(file, {
      boxes: outputs[indices.boxes].name,
      scores: outputs[indices.scores].name,
    });
    if (ssd.scores === 'none' && own.converter === 'none')
      throw failure('HEADS_UNSUPPORTED', 'its scores are neither sigmoids nor a softmax');
    // networkTo() rejects models that are not float.
    const tensor = { ...file.input, dtype: /** @type {const} */ ('float32'), quantization: null };
    const shown = outputs[indices.scores].shape.at(-1) ?? 0;
    const columns = shown - Number(ssd.background);
    const [stated, given] = [undefined, named].map((option) =>
      withoutBackground(resolveLabels(option, metadata, entry), columns),
    );
    // The names of classes to learn are those of the file's classes only if it has none, and they are as many.
    const names = given.length === columns ? given : numbered(columns);
    const labels = stated.length > 0 ? stated : names;
    const way = {
      input: resolveInput(input, metadata, entry, tensor),
      boxCoder: [.../** @type {number[]} */ (ssd.boxCoder)],
      isSoftmax: ssd.scores === 'softmax' || own.converter === 'softmax',
      background: ssd.background || own.dropsBackground,
    };
    const isFused = fuses({ labels, isSoftmax: way.isSoftmax });
    const { found, fused } = isFused ? fuseMaps(own) : { found: own, fused: new Set() };
    const maps = found.heads.flatMap(({ boxes, scores }) => [mapOf(boxes), mapOf(scores)]);
    if (Number(unfreeze) > 0 && maps.some(({ name }) => name.startsWith(NAME)))
      throw failure(
        'BLOCK_UNSUPPORTED',
        'its scores are computed from joined maps; go on from a file of the own layers (fuseMaps false)',
      );
    const choice = { unfreeze, batchNorm, batchNormMomentum };
    return {
      ...{ found, fused, ...way },
      checksum: checksumOf(bytes, { ...way, signature, anchors: [...anchors] }),
      unfrozen: unfreezeBlocks(file, found.network, [...new Set(maps)], choice),
      size: { width, height },
      anchors,
      labels,
      suppression: ownMetadata(metadata).suppression,
    };
  } finally {
    engine.close();
  }
}

/** @param {Uint8Array} bytes of the file @param {object} way how it is read */
function checksumOf(bytes, way) {
  return crc32c(new TextEncoder().encode(JSON.stringify([crc32c(bytes), way])));
}

/**
 * Refuses boxes that are not encoded as TensorFlow's Object Detection API does, such as MediaPipe's with keypoints.
 * @param {SsdSpec} ssd
 * @param {number | undefined} columns of the box head
 */
function checkBoxes({ boxSizes = 'exponential', boxOrder = 'yx' }, columns) {
  if (columns !== 4 || boxSizes !== 'exponential' || boxOrder !== 'yx')
    throw failure('HEADS_UNSUPPORTED', 'its boxes are not the four encodings ty, tx, th, tw');
}

/** @param {number} count */
const numbered = (count) => Array.from({ length: count }, (_, i) => ({ name: `class ${i}` }));

/**
 * An extractor of what the layers that are trained read, such as the feature maps, one after the other.
 * @param {DetectorFile} file
 * @param {object} running options of FeatureExtractor.create
 */
export async function openExtractor({ found, unfrozen: { inputs: maps }, input }, running) {
  const bytes = writeTflite(mapsNetwork(found.network, maps), { precision: 'fp32', description: '' });
  const extractor = await FeatureExtractor.create({ ...running, model: bytes, input });
  const length = maps.reduce((sum, { shape }) => sum + sizeOf(shape.slice(1)), 0);
  if (extractor.length === length) return extractor;
  extractor.close();
  throw generalFailure('MODEL_HAS_NO_FEATURES', `its maps have ${extractor.length} numbers, not ${length}`);
}

// Decodes the network's outputs to boxes: raw heads with anchors, or the outputs of TFLite_Detection_PostProcess.
import {
  ANCHORS,
  ANCHORS_GRID,
  DETECTION,
  DETECTIONS,
  MAX_RESULTS,
  MULTISCALE_ANCHORS,
  SCORE_CONVERTERS,
  SSD_ANCHORS,
  SSD_CONFIG,
  SSD_OPTIONS,
} from '../../dist/layout.js';
import { putRoi } from './image.js';

/**
 * @typedef {import('./memory.js').Put} Put
 * @typedef {import('./types.js').SsdAnchorGenerator} SsdAnchorGenerator
 * @typedef {import('./types.js').MultiscaleAnchorGenerator} MultiscaleAnchorGenerator
 */

/** The number of columns of a detection: x, y, width, height, score, class number. */
export const DETECTION_COLUMNS = DETECTION.size / 4;
export const CLASS_COLUMN = DETECTION.fields.classId[1] / 4;
export const SCORE_COLUMN = DETECTION.fields.score[1] / 4;

export class Heads {
  #bridge;

  /** @param {import('./bridge.js').Bridge} bridge */
  constructor(bridge) {
    this.#bridge = bridge;
  }

  /** Whether the network ends in TFLite_Detection_PostProcess. */
  get hasPostprocess() {
    return this.#bridge.exports.ocl_has_postprocess() !== 0;
  }

  /** The number of classes, without background. */
  get numClasses() {
    return this.#bridge.exports.ocl_num_classes();
  }

  /**
   * @param {SsdAnchorGenerator | MultiscaleAnchorGenerator} generator
   * @param {import('./host.js').Size} image size of the network's input
   * @returns {Float32Array} [N, 4]
   */
  generateAnchors(generator, image) {
    const { exports, memory } = this.#bridge;
    const generated = this.#bridge.fill(ANCHORS, (out, put) =>
      generator.type === 'ssd'
        ? exports.ocl_anchors_make_ssd(
            putSsd(put, generator),
            putGrid(put, image, generator.featureMaps),
            out,
          )
        : exports.ocl_anchors_make_multiscale(putMultiscale(put, generator), putGrid(put, image), out),
    );
    const anchors = memory.readFloats(generated.anchors, generated.numAnchors * 4);
    exports.ocl_free(generated.anchors);
    return anchors;
  }

  /**
   * Sets which outputs are the raw heads, and how to decode them.
   * @param {{boxes: number, scores: number}} outputs indices of the outputs
   * @param {number} numColumns columns of the scores
   * @param {Float32Array} anchors [N, 4]
   * @param {import('./types.js').SsdSpec} ssd
   * @param {number} [numOtherColumns] columns of the boxes after the first four
   */
  use({ boxes, scores }, numColumns, anchors, ssd, numOtherColumns = 0) {
    this.#bridge.call((put) =>
      this.#bridge.exports.ocl_use_heads(
        boxes,
        scores,
        put.structs(SSD_CONFIG, {
          numAnchors: anchors.length / 4,
          numColumns,
          backgroundColumn: ssd.background ? 0 : -1,
          converter: SCORE_CONVERTERS[ssd.scores],
          boxScales: ssd.boxCoder,
          isSizeLinear: ssd.boxSizes === 'linear',
          isXFirst: ssd.boxOrder === 'xy',
          numOtherColumns,
          anchors: put.data(anchors),
          maxTotal: MAX_RESULTS,
        }),
      ),
    );
  }

  /**
   * Detections of the last run, highest score first: rows of x, y, width, height, score, class number.
   * @param {Required<import('./types.js').Thresholds>} thresholds
   * @param {Uint8Array | undefined} mask one byte for each class; 0: do not report it
   * @param {import('./engine.js').Roi} roi the region that was the network's input, in pixels of the upright image
   * @param {number} quarterTurns clockwise quarter turns of that region
   */
  detect(thresholds, mask, roi, quarterTurns) {
    const { exports, memory } = this.#bridge;
    const found = this.#bridge.fill(DETECTIONS, (out, put) =>
      exports.ocl_detect(
        put.structs(SSD_OPTIONS, {
          scoreThreshold: thresholds.scoreThreshold,
          iouThreshold: thresholds.iouThreshold,
          maxPerClass: thresholds.maxPerClass,
          maxTotal: thresholds.maxResults,
          isClassAgnostic: thresholds.classAgnostic,
          isClipped: true,
          allowedClasses: mask ? put.data(mask) : 0,
        }),
        putRoi(put, roi),
        quarterTurns,
        out,
      ),
    );
    const rows = memory.readFloats(found.rows, found.numRows * DETECTION_COLUMNS);
    const classIds = new Int32Array(rows.buffer);
    for (let i = CLASS_COLUMN; i < rows.length; i += DETECTION_COLUMNS) rows[i] = classIds[i];
    return rows;
  }
}

/**
 * @param {Put} put
 * @param {import('./host.js').Size} image
 * @param {number[][]} [featureMaps]
 */
function putGrid(put, { width, height }, featureMaps = []) {
  return put.structs(ANCHORS_GRID, {
    imageHeightPx: height,
    imageWidthPx: width,
    numFeatureMaps: featureMaps.length,
    featureMaps: put.data(Int32Array.from(featureMaps.flat())),
  });
}

/**
 * @param {Put} put
 * @param {SsdAnchorGenerator} generator
 */
function putSsd(put, { featureMaps, scales, aspectRatios, minScale = 0, maxScale = 0, ...rest }) {
  return put.structs(SSD_ANCHORS, {
    numLayers: rest.numLayers ?? (featureMaps?.length || (scales?.length ?? 0)),
    minScale,
    maxScale,
    scales: scales?.length ? put.data(Float32Array.from(scales)) : 0,
    numAspectRatios: aspectRatios.length,
    aspectRatios: put.data(Float32Array.from(aspectRatios)),
    interpolatedAspectRatio: rest.interpolatedScaleAspectRatio ?? 1,
    reduceBoxesInLowestLayer: rest.reduceBoxesInLowestLayer ?? true,
    baseHeight: 1,
    baseWidth: 1,
    stridesPx: 0,
    offsetsPx: 0,
  });
}

/**
 * @param {Put} put
 * @param {MultiscaleAnchorGenerator} generator
 */
function putMultiscale(put, { minLevel, maxLevel, anchorScale, aspectRatios, scalesPerOctave }) {
  return put.structs(MULTISCALE_ANCHORS, {
    minLevel,
    maxLevel,
    anchorScale,
    numAspectRatios: aspectRatios.length,
    aspectRatios: put.data(Float32Array.from(aspectRatios)),
    scalesPerOctave,
    normalizeCoordinates: true,
  });
}

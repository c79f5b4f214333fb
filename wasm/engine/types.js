// How a detector's outputs become boxes; no code.
export {};

/**
 * @typedef {object} SsdAnchorGenerator TensorFlow's Object Detection API's ssd_anchor_generator.
 * @property {'ssd'} type
 * @property {number[][]} [featureMaps] [height, width] of each; default: the input's size / 16, / 32, …, rounded up
 * @property {number} [numLayers] where `featureMaps` and `scales` are not given
 * @property {number} [minScale] of the first layer
 * @property {number} [maxScale] of the last; evenly between
 * @property {number[]} [scales] one per layer, instead of the range
 * @property {number[]} aspectRatios width / height
 * @property {number} [interpolatedScaleAspectRatio] 0: no interpolated anchor; default 1
 * @property {boolean} [reduceBoxesInLowestLayer] default true
 *
 * @typedef {object} MultiscaleAnchorGenerator The Object Detection API's multiscale_anchor_generator (FPN).
 * @property {'multiscale'} type
 * @property {number} minLevel
 * @property {number} maxLevel
 * @property {number} anchorScale
 * @property {number[]} aspectRatios
 * @property {number} scalesPerOctave
 *
 * @typedef {object} SsdSpec How raw heads become boxes.
 * @property {Float32Array | number[][]} [anchors] [N, 4]: y centre, x centre, height, width, in [0, 1]
 * @property {SsdAnchorGenerator | MultiscaleAnchorGenerator} [anchorGenerator] instead of `anchors`
 * @property {number[]} boxCoder scales of ty, tx, th, tw: [10, 10, 5, 5] in most models
 * @property {'sigmoid' | 'softmax' | 'none'} scores what turns the class head into probabilities; 'none': it is them
 * @property {boolean} background whether the class head's first column is the background
 *
 * @typedef {object} Thresholds
 * @property {number} [scoreThreshold] only return detections whose score is above this value; 0 to 1, default 0.5
 * @property {number} [iouThreshold] non-maximum suppression: drop a box if its overlap (intersection over union) with a
 *   better box of its class is above this value; 0 to 1, default 0.6. A model with a post-processing operator ignores it
 * @property {number} [maxResults] the most detections to return; 1 to 10 000, default 100
 * @property {number} [maxPerClass] the most detections of each class; 1 to 10 000, default 100
 * @property {boolean} [classAgnostic] let boxes of different classes suppress each other; default false
 */

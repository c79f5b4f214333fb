// Types of the settings that turn a detector's outputs into boxes. No code.
export {};

/**
 * @typedef {object} SsdAnchorGenerator ssd_anchor_generator of TensorFlow's Object Detection API.
 * @property {'ssd'} type
 * @property {number[][]} [featureMaps] [height, width] of each; default: input size / 16, / 32, …, rounded up
 * @property {number} [numLayers] required if neither `featureMaps` nor `scales` is given
 * @property {number} [minScale] scale of the first layer
 * @property {number} [maxScale] scale of the last layer; the scales between are evenly spaced
 * @property {number[]} [scales] one for each layer; replaces `minScale` and `maxScale`
 * @property {number[]} aspectRatios width / height
 * @property {number} [interpolatedScaleAspectRatio] 0: no interpolated anchor; default 1
 * @property {boolean} [reduceBoxesInLowestLayer] default true
 *
 * @typedef {object} MultiscaleAnchorGenerator multiscale_anchor_generator (FPN) of the Object Detection API.
 * @property {'multiscale'} type
 * @property {number} minLevel
 * @property {number} maxLevel
 * @property {number} anchorScale
 * @property {number[]} aspectRatios
 * @property {number} scalesPerOctave
 *
 * @typedef {object} MediaPipeAnchorGenerator SsdAnchorsCalculator of MediaPipe, with its defaults.
 * @property {'mediapipe'} type
 * @property {number[]} strides one for each layer; layers of the same stride share their cells
 * @property {number} [numLayers] the number of `strides`
 * @property {number} minScale scale of the first layer
 * @property {number} maxScale scale of the last layer
 * @property {number[]} [aspectRatios] width / height; default [1]
 * @property {number} [interpolatedScaleAspectRatio] 0: no interpolated anchor; default 1
 * @property {boolean} [reduceBoxesInLowestLayer] default false
 * @property {boolean} [fixedAnchorSize] all anchors have the sides 1; default false
 * @property {number} [anchorOffsetX] of a centre from the left of its cell, in cells; default 0.5
 * @property {number} [anchorOffsetY] default 0.5
 * @property {number[][]} [featureMaps] [height, width] of each layer; default: input size / stride, rounded up
 *
 * @typedef {object} SsdSpec How to decode the raw heads of an SSD detector.
 * @property {Float32Array | number[][]} [anchors] [N, 4]: y centre, x centre, height, width, in [0, 1]
 * @property {SsdAnchorGenerator | MultiscaleAnchorGenerator | MediaPipeAnchorGenerator} [anchorGenerator] replaces `anchors`
 * @property {number[]} boxCoder scales of ty, tx, th, tw; [10, 10, 5, 5] in most models
 * @property {'exponential' | 'linear'} [boxSizes] a side is exp(t) times the anchor's, or t times; default 'exponential'
 * @property {'yx' | 'xy'} [boxOrder] the box head has ty, tx, th, tw, or tx, ty, tw, th; default 'yx'. Further columns
 *   (keypoints) are left out
 * @property {'sigmoid' | 'softmax' | 'none'} scores the function that turns logits of the class head into
 *   probabilities; 'none': the class head outputs probabilities
 * @property {boolean} background whether column 0 of the class head is the background
 *
 * @typedef {object} Thresholds
 * @property {number | undefined} [scoreThreshold] only return detections whose score is above this value; 0 to 1, default 0.3
 * @property {number | undefined} [iouThreshold] non-maximum suppression: drop a box if its overlap (intersection over union) with a
 *   better box of its class is above this value; 0 to 1, default 0.6. A model with a post-processing operator ignores it
 * @property {number | undefined} [maxResults] the most detections to return; 1 to 10 000, default 100
 * @property {number | undefined} [maxPerClass] the most detections of each class; 1 to 10 000, default 100
 * @property {boolean | undefined} [classAgnostic] let boxes of different classes suppress each other; default false
 */

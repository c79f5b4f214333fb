// The page's settings -> the code of a program that does the same.

/**
 * @typedef {object} Running
 * @property {boolean} isClassifier
 * @property {boolean} isVideo
 * @property {boolean} isTiled of a detector on photos
 * @property {boolean} isTracked of a detector on videos
 * @property {number} scoreThreshold a classifier has no option for it
 * @property {Record<string, unknown>} options of `create`; those that are undefined are left out
 */

/** @param {Running} running */
export function writeCode(running) {
  const { isClassifier, isVideo, options } = running;
  const [type, name, write] = isClassifier
    ? ['ImageClassifier', 'classifier', isVideo ? classifyVideo : classifyImage]
    : ['ObjectDetector', 'detector', isVideo ? detectVideo : detectImage];
  const given = Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `  ${key}: ${writeValue(value)},`);
  const create = [`const ${name} = await ${type}.create({`, ...given, '});'];
  return [`import { ${type} } from 'ocelli';`, '', ...create, ...write(running), ''].join('\n');
}

/** @param {Running} running */
const detectImage = ({ isTiled }) => [
  `const { detections } = await detector.detect(image${isTiled ? ", { tiles: 'auto' }" : ''});`,
  'console.log(detections);',
];

/** @param {Running} running */
const detectVideo = ({ isTracked }) => [
  `for await (const { detections } of detector.video(video${isTracked ? ', { track: true }' : ''})) {`,
  '  console.log(detections);',
  '}',
];

/** @param {Running} running */
const classifyImage = ({ scoreThreshold }) => [
  'const { classes } = await classifier.classify(image);',
  `console.log(classes.filter(({ score }) => score > ${scoreThreshold}));`,
];

/** @param {Running} running */
const classifyVideo = ({ scoreThreshold }) => [
  'while (!video.ended) {',
  '  const { classes } = await classifier.classify(video);',
  `  console.log(classes.filter(({ score }) => score > ${scoreThreshold}));`,
  '  await new Promise((resolve) => video.requestVideoFrameCallback(resolve));',
  '}',
];

/** @param {unknown} value of an option @returns {string} */
function writeValue(value) {
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return `[${value.map(writeValue).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  return `{ ${Object.entries(value).map(([key, each]) => `${key}: ${writeValue(each)}`)} }`;
}

/** @param {string} text */
function quote(text) {
  const inside = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `'${inside}'`;
}

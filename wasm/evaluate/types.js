// Types of ground truth, detections and results. No code: nothing loads this file.

/**
 * @typedef {number | string} Id
 *
 * @typedef {[x: number, y: number, width: number, height: number]} Box in pixels
 *
 * @typedef {object} Image
 * @property {Id} id
 * @property {string} [file_name]
 * @property {number} [width]
 * @property {number} [height]
 *
 * @typedef {object} Category
 * @property {Id} id
 * @property {string} name
 * @property {string} [mid] the class's id in Open Images, "/m/…"
 *
 * @typedef {object} Annotation
 * @property {Id} [id] COCO's tool treats a detection that matches the annotation with id 0 as a false positive
 * @property {Id} image_id
 * @property {Id} category_id
 * @property {Box | readonly number[]} bbox
 * @property {number} [area] of the object, in square pixels, for COCO's area ranges; default: the area of the box
 * @property {number | boolean} [iscrowd] COCO's crowd: a region with many objects
 * @property {number | boolean} [difficult] Pascal VOC's flag: neither a detection of it nor a miss counts
 * @property {number | boolean} [isGroupOf] Open Images' flag: one box around a group
 * @property {readonly number[]} [corners] [xmin, ymin, xmax, ymax], if the source has corners: x + width may differ from
 *   xmax in the last bit, and Open Images' and Pascal VOC's tools compute with corners
 *
 * @typedef {object} ImageLabel a verified label of a whole image, as Open Images has them
 * @property {Id} image_id
 * @property {Id} category_id
 * @property {boolean | 0 | 1} [positive] false: the image shows no such object
 *
 * @typedef {object} GroundTruth COCO's format, with the fields above that other data sets need
 * @property {Image[]} images
 * @property {Category[]} categories
 * @property {Annotation[]} annotations
 * @property {ImageLabel[]} [imageLabels]
 *
 * @typedef {object} Detection COCO's format of results
 * @property {Id} image_id
 * @property {Id} category_id
 * @property {Box | readonly number[]} bbox
 * @property {number} score
 * @property {readonly number[]} [corners] see Annotation
 *
 * @typedef {'annotations' | 'detections' | 'images' | 'categories' | 'imageLabels'} ListName
 * @typedef {(list: ListName, index: number) => string | undefined} Locate the file and line of an entry
 *
 * @typedef {object} Note something that the judge left out, as COCO's tool does
 * @property {string} code
 * @property {string} message
 * @property {number} count of the entries
 */

export {};

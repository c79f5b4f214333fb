// Ground truth and detections as objects -> columns of numbers, checked.
//
// Images and categories become indices into sorted lists of their ids, as in COCO's tool. An entry that the ground truth
// does not list (an annotation of an unknown image, a detection of an unknown category) is left out by COCO's tool
// without a word; here, a note counts it.
import { failure } from '../errors.js';

/**
 * @typedef {import('../types.js').GroundTruth} GroundTruth
 * @typedef {import('../types.js').Detection} Detection
 * @typedef {import('../types.js').Annotation} Annotation
 * @typedef {import('../types.js').Category} Category
 * @typedef {import('../types.js').Image} Image
 * @typedef {import('../types.js').Id} Id
 * @typedef {import('../types.js').ListName} ListName
 * @typedef {import('../types.js').Locate} Locate
 * @typedef {import('../types.js').Note} Note
 *
 * @typedef {object} Columns
 * @property {number} count
 * @property {Int32Array} image index into the images, or -1: not listed
 * @property {Int32Array} category index into the categories
 * @property {Float64Array} boxes [count, 4] x, y, width, height
 * @property {Float64Array} corners [count, 4] xmin, ymin, xmax, ymax
 * @property {Float64Array} area
 *
 * @typedef {object} TruthColumns
 * @property {Uint8Array} crowd
 * @property {Uint8Array} difficult
 * @property {Uint8Array} groupOf
 * @property {Uint8Array} hasIdZero
 * @property {{byCategory: Int32Array, agnostic: Int32Array}} cocoRows the rows that COCO's tool reads, in its order
 *
 * @typedef {object} Table
 * @property {Image[]} images by ascending id
 * @property {Int32Array} listedImages indices of the images, in the order in which the ground truth lists them
 * @property {Category[]} categories by ascending id; first `listedCategories` that the ground truth lists, then the others
 * @property {number} listedCategories
 * @property {Columns & TruthColumns} truth
 * @property {Columns & {score: Float64Array}} found
 * @property {{image: number, category: number, positive: boolean}[] | undefined} imageLabels
 * @property {Note[]} notes
 */

/**
 * @param {GroundTruth} groundTruth
 * @param {Detection[]} detections
 * @param {Locate} [locate]
 * @returns {Table}
 */
export function tabulate(groundTruth, detections, locate) {
  if (typeof groundTruth !== 'object' || groundTruth === null)
    throw failure(
      'INVALID_ENTRY',
      'the ground truth must be an object with images, categories and annotations',
    );
  const { images, categories, annotations, imageLabels } = groundTruth;
  const given = {
    images,
    categories,
    annotations,
    detections,
    ...(imageLabels !== undefined && { imageLabels }),
  };
  for (const [name, list] of Object.entries(given))
    if (!Array.isArray(list)) throw failure('INVALID_ENTRY', `${name} must be a list`);
  const reader = new Reader(locate);
  const imageIndex = reader.index('images', images, []);
  const categoryIndex = reader.index('categories', categories, [...annotations, ...detections]);
  for (const [i, category] of categories.entries())
    if (typeof category.name !== 'string')
      throw reader.refuse('INVALID_ENTRY', 'categories', i, 'has no name');

  const truth = reader.columns('annotations', annotations, imageIndex, categoryIndex);
  const flag = (/** @type {'iscrowd' | 'difficult' | 'isGroupOf'} */ name) => reader.flags(annotations, name);
  const found = reader.columns('detections', detections, imageIndex, categoryIndex);
  return {
    images: imageIndex.entries,
    listedImages: Int32Array.from(new Set(images.map(({ id }) => imageIndex.of.get(id)))),
    categories: categoryIndex.entries,
    listedCategories: categoryIndex.listed,
    truth: {
      ...truth,
      crowd: flag('iscrowd'),
      difficult: flag('difficult'),
      groupOf: flag('isGroupOf'),
      hasIdZero: Uint8Array.from(annotations, ({ id }) => Number(id === 0)),
      cocoRows: reader.cocoRows(annotations, truth, categoryIndex.listed),
    },
    found: { ...found, score: reader.scores(detections) },
    imageLabels: imageLabels && reader.labels(imageLabels, imageIndex, categoryIndex),
    notes: reader.notes(),
  };
}

/**
 * @template {{id: Id}} T
 * @typedef {object} Index
 * @property {T[]} entries
 * @property {Map<Id, number>} of
 * @property {number} listed
 */

class Reader {
  /** @type {Map<string, Note>} */ #notes = new Map();
  #locate;

  /** @param {Locate} [locate] */
  constructor(locate) {
    this.#locate = locate;
  }

  notes() {
    return [...this.#notes.values()];
  }

  /** @param {string} code @param {string} message with # for the number of entries */
  #note(code, message, count = 1) {
    const note = this.#notes.get(code) ?? { code, message, count: 0 };
    note.count += count;
    note.message = message.replace('#', String(note.count));
    this.#notes.set(code, note);
  }

  /**
   * @param {keyof typeof import('../errors.js').MESSAGES} code
   * @param {ListName} list
   * @param {number} i
   * @param {string} what
   */
  refuse(code, list, i, what) {
    const place = this.#locate?.(list, i);
    return failure(code, `${place === undefined ? '' : `${place}: `}${list}[${i}] ${what}`);
  }

  /**
   * Sorts the ids of a list, and those that only other entries name after them.
   * @template {Image | Category} T
   * @param {'images' | 'categories'} list
   * @param {T[]} entries
   * @param {{category_id: Id}[]} users
   * @returns {Index<T>}
   */
  index(list, entries, users) {
    /** @type {Map<Id, T>} */
    const byId = new Map();
    const hasNumbers = entries.some((entry) => typeof entry?.id === 'number');
    for (const [i, entry] of entries.entries()) {
      const { id } = this.#object(list, entry, i);
      this.#checkId(list, i, 'id', id);
      if (hasNumbers && !isNumber(id))
        throw this.refuse('INVALID_ENTRY', list, i, 'has an id of another type than others');
      if (byId.has(id)) this.#note(`DUPLICATE_IDS_${list}`, `# ${list} have the id of an earlier one`);
      byId.set(id, entry);
    }
    const compare = [...byId.keys()].every(isNumber) ? compareNumbers : compareIds;
    const sorted = [...byId.values()].sort((a, b) => compare(a.id, b.id));
    const of = new Map(sorted.map(({ id }, i) => [id, i]));
    const others = new Set();
    for (const user of users) {
      const id = user?.category_id;
      if ((typeof id === 'number' || typeof id === 'string') && !of.has(id)) others.add(id);
    }
    for (const id of [...others].sort(compareIds)) {
      of.set(id, sorted.length);
      sorted.push(/** @type {T} */ ({ id, name: `category ${id}` }));
    }
    return { entries: sorted, of, listed: byId.size };
  }

  /**
   * @param {'annotations' | 'detections'} list
   * @param {(Annotation | Detection)[]} entries
   * @param {Index<Image>} images
   * @param {Index<Category>} categories
   * @returns {Columns}
   */
  columns(list, entries, images, categories) {
    const count = entries.length;
    const columns = {
      count,
      image: new Int32Array(count),
      category: new Int32Array(count),
      boxes: new Float64Array(4 * count),
      corners: new Float64Array(4 * count),
      area: new Float64Array(count),
    };
    for (let i = 0; i < count; i++) {
      const entry = this.#object(list, entries[i], i);
      columns.image[i] = this.#imageOf(list, i, entry.image_id, images);
      this.#checkId(list, i, 'category_id', entry.category_id);
      const category = /** @type {number} */ (categories.of.get(entry.category_id));
      columns.category[i] = category;
      if (category >= categories.listed)
        this.#note(
          `UNKNOWN_CATEGORY_${list}`,
          `# ${list} name a category that the ground truth does not list`,
        );
      this.#readBox(list, i, entry, columns);
    }
    return columns;
  }

  /**
   * @param {ListName} list
   * @param {number} i
   * @param {Id} id
   * @param {Index<Image>} images
   */
  #imageOf(list, i, id, images) {
    this.#checkId(list, i, 'image_id', id);
    const index = images.of.get(id);
    if (index !== undefined) return index;
    if (list === 'detections')
      throw this.refuse('UNKNOWN_IMAGE', list, i, `has image_id ${JSON.stringify(id)}`);
    this.#note(`UNKNOWN_IMAGE_${list}`, `# ${list} name an image that the ground truth does not list`);
    return -1;
  }

  /**
   * @param {ListName} list
   * @param {number} i
   * @param {Annotation | Detection} entry
   * @param {Columns} columns
   */
  #readBox(list, i, entry, { boxes, corners, area }) {
    const bbox = /** @type {readonly number[] | null | undefined} */ (entry.bbox);
    if (bbox === undefined || bbox === null || (isList(bbox) && bbox.length === 0))
      throw this.refuse(
        'NO_BOX',
        list,
        i,
        'segmentation' in entry ? 'has a segmentation only' : 'has no bbox',
      );
    const isBox =
      isList(bbox) &&
      bbox.length === 4 &&
      Number.isFinite(bbox[0]) &&
      Number.isFinite(bbox[1]) &&
      Number.isFinite(bbox[2]) &&
      Number.isFinite(bbox[3]) &&
      bbox[2] >= 0 &&
      bbox[3] >= 0;
    if (!isBox) throw this.refuse('INVALID_BOX', list, i, `has the bbox ${showBox(bbox)}`);
    const [x, y, width, height] = bbox;
    const at = 4 * i;
    boxes[at] = x;
    boxes[at + 1] = y;
    boxes[at + 2] = width;
    boxes[at + 3] = height;
    if (entry.corners !== undefined) corners.set(this.#corners(list, i, entry.corners), at);
    else {
      corners[at] = x;
      corners[at + 1] = y;
      corners[at + 2] = x + width;
      corners[at + 3] = y + height;
    }
    const own = list === 'annotations' ? /** @type {Annotation} */ (entry).area : undefined;
    if (own !== undefined && !(Number.isFinite(own) && own >= 0))
      throw this.refuse('INVALID_ENTRY', list, i, `has the area ${show(own)}`);
    area[i] = own ?? width * height;
  }

  /** @param {ListName} list @param {number} i @param {readonly number[]} corners */
  #corners(list, i, corners) {
    if (isList(corners) && corners.length === 4 && corners.every(Number.isFinite)) {
      const [xmin, ymin, xmax, ymax] = corners;
      if (xmin <= xmax && ymin <= ymax) return corners;
    }
    throw this.refuse('INVALID_BOX', list, i, `has the corners ${showBox(corners)}`);
  }

  /** @param {Detection[]} detections */
  scores(detections) {
    return Float64Array.from(detections, ({ score }, i) => {
      if (typeof score === 'number' && Number.isFinite(score)) return score;
      throw this.refuse('INVALID_SCORE', 'detections', i, `has the score ${show(score)}`);
    });
  }

  /** @param {Annotation[]} annotations @param {'iscrowd' | 'difficult' | 'isGroupOf'} name */
  flags(annotations, name) {
    return Uint8Array.from(annotations, (annotation, i) => {
      const value = annotation[name] ?? 0;
      if (typeof value === 'number' || typeof value === 'boolean') return Number(Boolean(value));
      throw this.refuse('INVALID_ENTRY', 'annotations', i, `has ${name} ${show(value)}`);
    });
  }

  /**
   * COCO's tool looks annotations up by their id: of several with the same id it reads the last one several times.
   * @param {Annotation[]} annotations
   * @param {Columns} columns
   * @param {number} listedCategories
   */
  cocoRows(annotations, { image, category }, listedCategories) {
    /** @type {Map<Id, number>} */
    const lastById = new Map();
    let duplicates = 0;
    for (const [i, { id }] of annotations.entries()) {
      if (id === undefined) continue;
      this.#checkId('annotations', i, 'id', id);
      if (lastById.has(id)) duplicates++;
      lastById.set(id, i);
    }
    if (duplicates > 0) {
      const message =
        "# annotations have the id of another one; COCO's tool reads the last one several times instead";
      this.#note('DUPLICATE_IDS_annotations', message, duplicates);
    }
    const inImages = Array.from(annotations.keys()).filter((row) => image[row] >= 0);
    if (duplicates > 0) inImages.sort((a, b) => image[a] - image[b]);
    const isListed = (/** @type {number} */ row) => category[row] < listedCategories;
    const read = (/** @type {number[]} */ rows) =>
      Int32Array.from(rows, (row) => lastById.get(/** @type {Id} */ (annotations[row].id)) ?? row);
    return { byCategory: read(inImages.filter(isListed)), agnostic: read(inImages) };
  }

  /**
   * @param {import('../types.js').ImageLabel[]} labels
   * @param {Index<Image>} images
   * @param {Index<Category>} categories
   */
  labels(labels, images, categories) {
    return labels.flatMap((label, i) => {
      const {
        image_id: id,
        category_id: categoryId,
        positive = true,
      } = this.#object('imageLabels', label, i);
      const image = this.#imageOf('imageLabels', i, id, images);
      this.#checkId('imageLabels', i, 'category_id', categoryId);
      if (typeof positive !== 'boolean' && positive !== 0 && positive !== 1)
        throw this.refuse('INVALID_ENTRY', 'imageLabels', i, `has positive ${show(positive)}`);
      const category = categories.of.get(categoryId) ?? Infinity;
      const isListed = category < categories.listed;
      if (!isListed)
        this.#note(
          'UNKNOWN_CATEGORY_imageLabels',
          '# image labels name a category that the ground truth does not list',
        );
      return isListed && image >= 0 ? [{ image, category, positive: Boolean(positive) }] : [];
    });
  }

  /**
   * @template {object} T
   * @param {ListName} list @param {T} entry @param {number} i @returns {T}
   */
  #object(list, entry, i) {
    if (typeof entry === 'object' && entry !== null) return entry;
    throw this.refuse('INVALID_ENTRY', list, i, 'is not an object');
  }

  /** @param {ListName} list @param {number} i @param {string} name @param {unknown} id */
  #checkId(list, i, name, id) {
    if (typeof id === 'string' || (typeof id === 'number' && Number.isFinite(id))) return;
    throw this.refuse(
      'INVALID_ENTRY',
      list,
      i,
      id === undefined ? `has no ${name}` : `has ${name} ${show(id)}`,
    );
  }
}

/** @param {Id} a @param {Id} b */
function compareIds(a, b) {
  if (typeof a === typeof b) return a < b ? -1 : Number(a > b);
  return typeof a === 'number' ? -1 : 1;
}

/** Texts of so many digits may be numbers that a double does not hold (read/json.js). @param {Id} id */
const isNumber = (id) => typeof id === 'number' || /^-?\d{16,}$/.test(id);

/** @param {Id} a @param {Id} b both isNumber */
function compareNumbers(a, b) {
  const [first, second] = [a, b].map((id) => (typeof id === 'number' ? id : BigInt(id)));
  return first < second ? -1 : Number(first > second);
}

/** @param {unknown} value @returns {value is readonly number[]} also of a typed array */
function isList(value) {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value);
}

/** @param {unknown} box */
function showBox(box) {
  return Array.isArray(box)
    ? `[${box.slice(0, 5).map(show).join(', ')}${box.length > 5 ? ', …' : ''}]`
    : show(box);
}

/**
 * NaN and Infinity of Python's JSON files are texts here (read/json.js).
 * @param {unknown} value
 */
function show(value) {
  const isNumber =
    typeof value === 'number' || (typeof value === 'string' && /^(NaN|-?Infinity)$/.test(value));
  return isNumber ? String(value) : (JSON.stringify(value) ?? String(value)).slice(0, 40);
}

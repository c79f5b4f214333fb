// The fields that the converter reads from TensorFlow's protocol buffers: saved_model.proto, meta_graph.proto,
// graph.proto, node_def.proto, attr_value.proto, tensor.proto, function.proto, op_def.proto, saver.proto,
// tensor_bundle.proto.

/** @typedef {import('./protobuf.js').Message} Message */

/**
 * @param {string} name
 * @param {import('./protobuf.js').Field['type']} type
 * @returns {import('./protobuf.js').Field}
 */
const one = (name, type) => ({ name, type, count: 'one' });
/** @type {typeof one} */
const many = (name, type) => ({ name, type, count: 'many' });
/** @type {typeof one} */
const map = (name, type) => ({ name, type, count: 'map' });

/** @type {Message} */
const Dim = { 1: one('size', 'int') };
/** @type {Message} */
export const TensorShape = { 2: many('dim', () => Dim), 3: one('unknownRank', 'bool') };

/** @type {Message} */
export const Tensor = {
  1: one('dtype', 'int'),
  2: one('tensorShape', () => TensorShape),
  4: one('tensorContent', 'bytes'),
  5: many('floatVal', 'float'),
  6: many('doubleVal', 'double'),
  7: many('intVal', 'int'),
  8: many('stringVal', 'bytes'),
  10: many('int64Val', 'int'),
  11: many('boolVal', 'bool'),
  13: many('halfVal', 'int'),
  16: many('uint32Val', 'int'),
  17: many('uint64Val', 'int'),
};

/** @type {Message} */
const Func = { 1: one('name', 'string') };
/** @type {Message} */
const AttrList = {
  2: many('s', 'bytes'),
  3: many('i', 'int'),
  4: many('f', 'float'),
  5: many('b', 'bool'),
  6: many('type', 'int'),
  7: many('shape', () => TensorShape),
};
/** @type {Message} */
const Attr = {
  1: one('list', () => AttrList),
  2: one('s', 'bytes'),
  3: one('i', 'int'),
  4: one('f', 'float'),
  5: one('b', 'bool'),
  6: one('type', 'int'),
  7: one('shape', () => TensorShape),
  8: one('tensor', () => Tensor),
  10: one('func', () => Func),
};
/** @type {Message} */
const NodeDef = {
  1: one('name', 'string'),
  2: one('op', 'string'),
  3: many('input', 'string'),
  5: map('attr', () => Attr),
};

/** @type {Message} */
const ArgDef = { 1: one('name', 'string') };
/** @type {Message} */
const OpDef = {
  1: one('name', 'string'),
  2: many('inputArg', () => ArgDef),
  3: many('outputArg', () => ArgDef),
};
/** @type {Message} */
const StringEntry = { 1: one('key', 'string'), 2: one('value', 'string') };
/** @type {Message} */
const FunctionDef = {
  1: one('signature', () => OpDef),
  3: many('nodeDef', () => NodeDef),
  4: many('ret', () => StringEntry),
};
/** @type {Message} */
const Library = { 1: many('function', () => FunctionDef) };
/** @type {Message} */
export const GraphDef = { 1: many('node', () => NodeDef), 2: one('library', () => Library) };

/** @type {Message} */
const TensorInfo = {
  1: one('name', 'string'),
  2: one('dtype', 'int'),
  3: one('tensorShape', () => TensorShape),
};
/** @type {Message} */
const SignatureDef = { 1: map('inputs', () => TensorInfo), 2: map('outputs', () => TensorInfo) };
/** @type {Message} */
const SaverDef = { 3: one('restoreOpName', 'string') };
/** @type {Message} */
const MetaInfo = { 4: many('tags', 'string') };
/** @type {Message} */
export const AssetFileDef = { 1: one('tensorInfo', () => TensorInfo), 2: one('filename', 'string') };
/** @type {Message} */
const Any = { 1: one('typeUrl', 'string'), 2: one('value', 'bytes') };
/** @type {Message} */
const AnyList = { 1: many('value', () => Any) };
/** @type {Message} */
const Collection = { 5: one('anyList', () => AnyList) };
/** @type {Message} */
const MetaGraph = {
  1: one('metaInfo', () => MetaInfo),
  2: one('graphDef', () => GraphDef),
  3: one('saverDef', () => SaverDef),
  4: map('collectionDef', () => Collection),
  5: map('signatureDef', () => SignatureDef),
  6: many('assetFileDef', () => AssetFileDef),
};
/** @type {Message} */
export const SavedModel = { 2: many('metaGraphs', () => MetaGraph) };

/** @type {Message} */
export const BundleHeader = { 1: one('numShards', 'int'), 2: one('endianness', 'int') };
/** @type {Message} */
export const BundleEntry = {
  1: one('dtype', 'int'),
  2: one('shape', () => TensorShape),
  3: one('shardId', 'int'),
  4: one('offset', 'int'),
  5: one('size', 'int'),
  6: one('crc32c', 'fixed32'),
  7: many('slices', 'bytes'),
};

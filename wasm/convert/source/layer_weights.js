// Finds the weights of layers: in TensorFlow.js' list of named weights, in Keras 2's .h5, or in the .h5 inside a .keras
// file. A scope belongs to one model; a model that is a layer of another one has a scope of its own.

/**
 * @typedef {import('../../tflite/tensor.js').Tensor} Tensor
 * @typedef {import('./layers.js').LayerSpec} LayerSpec
 * @typedef {import('./hdf5.js').Hdf5} Hdf5
 *
 * @typedef {object} WeightScope
 * @property {(spec: LayerSpec, key: string) => Tensor | undefined} weight
 * @property {(spec: LayerSpec) => WeightScope} inner the scope of a model that is a layer
 */

/** @param {LayerSpec} spec */
const nameOf = ({ config, name, class_name: kind }) => String(config?.name ?? name ?? kind);

/**
 * @param {Map<string, Tensor>} weights
 * @param {string} [path]
 * @returns {WeightScope}
 */
export function namedWeights(weights, path = '') {
  return {
    weight(spec, key) {
      const own = `${nameOf(spec)}/${key}`;
      const candidates = [own, path + own, (path + own).split('/').slice(1).join('/')];
      const found = candidates.map((name) => weights.get(name)).find(Boolean);
      if (found) return found;
      for (const [name, tensor] of weights) if (name.endsWith(`/${own}`)) return tensor;
      return undefined;
    },
    inner: (spec) => namedWeights(weights, `${path}${nameOf(spec)}/`),
  };
}

/**
 * Keras 2's .h5: a group for each layer of the outermost model. In it, weights have the names that their variables had
 * in TensorFlow, which end in the names of the layer and of the weight.
 * @param {Hdf5} file
 * @param {string[]} [path] names of the models around, the outermost one's layer first
 * @returns {WeightScope}
 */
export function legacyWeights(file, path = []) {
  const groupOf = (/** @type {string} */ name) => [`model_weights/${name}/`, `${name}/`];
  return {
    weight(spec, key) {
      const own = nameOf(spec);
      const groups = groupOf(path[0] ?? own);
      const inGroup = file.names.filter((name) => groups.some((group) => name.startsWith(group)));
      const ending = (/** @type {string} */ text) =>
        inGroup.filter((name) => `/${name.replace(/:\d+$/, '')}`.endsWith(text));
      const full = ending(`/${[...path, own, key].join('/')}`);
      const byName = ending(`/${own}/${key}`);
      const byKey = path.length === 0 ? ending(`/${key}`) : [];
      // Keras 3 numbers the weights that have no name: variable_1.
      const byNumber =
        path.length === 0 ? inGroup.filter((name) => name.replace(/_\d+$/, '').endsWith(`/${key}`)) : [];
      const [found] = [full, byName, byKey, byNumber].find((names) => names.length > 0) ?? [];
      return found === undefined ? undefined : file.read(found);
    },
    inner: (spec) => legacyWeights(file, [...path, nameOf(spec)]),
  };
}

/** The variables of a layer, in the order in which Keras creates them. @type {Record<string, (config: any) => string[]>} */
const VARIABLES = {
  BatchNormalization: (config) => [...scaleAndCenter(config), 'moving_mean', 'moving_variance'],
  DepthwiseConv2D: () => ['depthwise_kernel', 'bias'],
  GroupNormalization: scaleAndCenter,
  LayerNormalization: scaleAndCenter,
  LayerScale: () => ['gamma'],
  Normalization: () => ['mean', 'variance', 'count'],
  PReLU: () => ['alpha'],
  SeparableConv2D: () => ['depthwise_kernel', 'pointwise_kernel', 'bias'],
};

/** @param {any} config */
function scaleAndCenter({ scale, center }) {
  return [...(scale === false ? [] : ['gamma']), ...(center === false ? [] : ['beta'])];
}

/** Python's name of a class in snake case, as Keras makes it. @param {string} name */
function toSnakeCase(name) {
  return name
    .replaceAll(/\W+/g, '')
    .replaceAll(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replaceAll(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}

const CONTAINERS = ['layers', '_layer_checkpoint_dependencies'];

/**
 * The .h5 of a .keras file: layers are named after their class and numbered, variables are numbered.
 * @param {Hdf5} file
 * @param {LayerSpec[]} specs the model's layers, in the order of the config
 * @param {string} [path]
 * @returns {WeightScope}
 */
export function numberedWeights(file, specs, path = '') {
  /** @type {Map<string, number>} */
  const counts = new Map();
  /** @type {Map<string, string>} */
  const stored = new Map();
  for (const spec of specs) {
    const name = toSnakeCase(spec.class_name);
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    stored.set(nameOf(spec), count === 0 ? name : `${name}_${count}`);
  }
  const candidates = (/** @type {LayerSpec} */ spec) =>
    CONTAINERS.flatMap((container) =>
      [stored.get(nameOf(spec)), nameOf(spec)].map((name) => `${path}${container}/${name}`),
    );
  return {
    weight(spec, key) {
      const variables = VARIABLES[spec.class_name]?.(spec.config) ?? ['kernel', 'bias'];
      const index = variables.indexOf(key);
      for (const layer of candidates(spec)) {
        const found = file.read(`${layer}/vars/${index}`);
        if (found) return found;
      }
      return undefined;
    },
    inner(spec) {
      const layers = Array.isArray(spec.config) ? spec.config : spec.config.layers;
      const known = candidates(spec).find((layer) => file.names.some((name) => name.startsWith(`${layer}/`)));
      return numberedWeights(file, layers, `${known ?? candidates(spec)[0]}/`);
    },
  };
}

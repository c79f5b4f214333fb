// A TensorFlow.js graph model, written down node by node.

/**
 * @typedef {Record<string, {i?: string, f?: number, b?: boolean, s?: string, type?: string, list?: object, shape?: object, func?: {name: string}} | undefined>} Attrs
 * @typedef {{name: string, op: string, input?: string[], attr?: Attrs}} GraphNode
 * @typedef {{shape: number[], values: number[], dtype?: 'float32' | 'int32'}} Constant
 * @typedef {{signature: object, nodeDef: GraphNode[], ret: Record<string, string>}} GraphFunction
 */

/** @param {string} text as JSON has an attribute's bytes */
export const base64 = (text) => Buffer.from(text).toString('base64');

/**
 * A source as convert() takes it. The input is the placeholder `x`; the outputs are named as their nodes.
 * @param {number[]} inputShape
 * @param {GraphNode[]} nodes
 * @param {Record<string, Constant>} constants by name
 * @param {string[]} outputs
 * @param {GraphFunction[]} [functions]
 */
export function graphModel(inputShape, nodes, constants, outputs, functions = []) {
  const dim = inputShape.map((size) => ({ size: String(size) }));
  const placeholder = {
    name: 'x',
    op: 'Placeholder',
    attr: { dtype: { type: 'DT_FLOAT' }, shape: { shape: { dim } } },
  };
  const type = (/** @type {Constant} */ { dtype }) => (dtype === 'int32' ? 'DT_INT32' : 'DT_FLOAT');
  const consts = Object.entries(constants).map(([name, constant]) => ({
    ...{ name, op: 'Const' },
    attr: { dtype: { type: type(constant) } },
  }));
  const specs = Object.entries(constants).map(([name, { shape, dtype = 'float32' }]) => ({
    name,
    shape,
    dtype,
  }));
  const parts = Object.values(constants).map(({ values, dtype }) =>
    Buffer.from((dtype === 'int32' ? Int32Array : Float32Array).from(values).buffer),
  );
  const port = (/** @type {string} */ name) => [name, { name: `${name}:0`, dtype: 'DT_FLOAT' }];
  const json = {
    format: 'graph-model',
    signature: {
      inputs: Object.fromEntries([port('x')]),
      outputs: Object.fromEntries(outputs.map(port)),
    },
    modelTopology: { node: [placeholder, ...consts, ...nodes], library: { function: functions } },
    weightsManifest: [{ paths: ['weights.bin'], weights: specs }],
  };
  return {
    'model.json': () => new TextEncoder().encode(JSON.stringify(json)),
    'weights.bin': () => new Uint8Array(Buffer.concat(parts)),
  };
}

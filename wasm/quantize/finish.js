// A rewritten network -> its .tflite file.
import { appendFiles, appendLabels, associatedFiles, writeMetadata } from '../tflite/metadata.js';
import { writeFile } from './file.js';

/** @typedef {import('./file.js').Model} Model */

/** Removes tensors that nothing uses, and renumbers the rest. @param {Model} model @returns {Model} */
export function dropUnusedTensors(model) {
  const { tensors, operators, inputs, outputs, signatures } = model;
  const used = new Set([...inputs, ...outputs, ...operators.flatMap((op) => [...op.inputs, ...op.outputs])]);
  const order = Array.from(tensors.keys()).filter((tensor) => used.has(tensor));
  const newIndices = new Map([[-1, -1], ...order.map((tensor, i) => /** @type {const} */ ([tensor, i]))]);
  const renumber = (/** @type {number[]} */ list) =>
    list.map((tensor) => /** @type {number} */ (newIndices.get(tensor)));
  const renumberPorts = (/** @type {[string, number][]} */ ports) =>
    ports.map(([name, tensor]) => /** @type {[string, number]} */ ([name, newIndices.get(tensor)]));
  return {
    ...model,
    tensors: order.map((tensor) => tensors[tensor]),
    operators: operators.map((op) => ({ ...op, inputs: renumber(op.inputs), outputs: renumber(op.outputs) })),
    inputs: renumber(inputs),
    outputs: renumber(outputs),
    signatures: signatures.map((signature) => ({
      ...signature,
      inputs: renumberPorts(signature.inputs),
      outputs: renumberPorts(signature.outputs),
    })),
  };
}

/**
 * Writes the file with its metadata: the float file's own or, for a model of the manifest, a reference to its entry.
 * @param {Model} model
 * @param {Pick<Awaited<ReturnType<typeof import('./info.js').readInfo>>, 'metadata' | 'entry'>} info
 * @param {Uint8Array} original the file that it was made from
 * @param {{suffix: string, description: string}} names `suffix`: what the file's title ends in
 */
export function withMetadata(model, { metadata, entry }, original, { suffix, description }) {
  const own = entry && {
    name: 'TFLITE_METADATA',
    data: writeMetadata({
      name: `${entry.title}, ${suffix}`,
      description,
      outputs: [],
      own: { like: entry.id, sha256: entry.sha256 },
    }),
  };
  const file = writeFile({
    ...model,
    description,
    metadata: own ? [own] : model.metadata,
  });
  const files = own ? {} : associatedFiles(original);
  if (Object.keys(files).length > 0) return appendFiles(file, files);
  return metadata.labels === undefined ? file : appendLabels(file, metadata.labels.trimEnd().split(/\r?\n/));
}

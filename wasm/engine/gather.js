/**
 * Reads a source of unknown length to its end. Returns its chunks again, with their total size.
 * @param {AsyncIterable<Uint8Array>} chunks
 * @param {{signal?: AbortSignal, onProgress?: (progress: {loaded: number}) => void}} options
 */
export async function gather(chunks, { signal, onProgress }) {
  const parts = [];
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    // A copy, as the source may use the chunk again. Node's Buffer.slice() would not copy.
    parts.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength).slice());
    sizeBytes += chunk.byteLength;
    onProgress?.({ loaded: sizeBytes });
  }
  return {
    sizeBytes,
    chunks: (async function* () {
      yield* parts;
    })(),
  };
}

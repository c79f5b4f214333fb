/**
 * All of a source whose length is not known.
 * @param {AsyncIterable<Uint8Array>} chunks
 * @param {{signal?: AbortSignal, onProgress?: (progress: {loaded: number}) => void}} options
 */
export async function gather(chunks, { signal, onProgress }) {
  const parts = [];
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    parts.push(chunk.slice());
    sizeBytes += chunk.length;
    onProgress?.({ loaded: sizeBytes });
  }
  return {
    sizeBytes,
    chunks: (async function* () {
      yield* parts;
    })(),
  };
}

// Names of platform types that ocelli's declarations use, for TypeScript projects without DOM types, and what
// `[Symbol.dispose]` needs. Where a project has these types, an empty interface adds nothing to them.
/// <reference lib="esnext.disposable" />

interface AbortSignal {}
interface ErrorOptions {
  cause?: unknown;
}
interface Blob {}
interface HTMLVideoElement {}
interface Response {}
interface URL {}
declare namespace WebAssembly {
  interface Memory {}
  interface Module {}
}

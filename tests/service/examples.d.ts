// The examples have a package.json of their own, so that this checkout's exports are not theirs. (Not by `paths` of
// tsconfig.json, which esbuild would follow.)
declare module 'ocelli/png' {
  export { encodePng } from '../../wasm/draw/png.js';
}

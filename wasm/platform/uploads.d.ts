declare module '@tgwf/co2/data' {
  export const averageIntensity: { data: Record<string, number> };
}
// Types of the files that workerd.js and edge_light.js import: an edge worker's bundler uploads them as modules.
declare module '*.wasm' {
  const module: WebAssembly.Module;
  export default module;
}
declare module '*.wasm?module' {
  const module: WebAssembly.Module;
  export default module;
}
declare module '*.bin' {
  const bytes: ArrayBuffer;
  export default bytes;
}

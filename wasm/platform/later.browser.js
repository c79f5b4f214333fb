// What a page loads on demand. page.js does not import it: the worker's script, which shares page.js, must import
// nothing on demand, because Vite 5 to 7 make one file of it.
/** @type {import('../vision/types.js').TrackHost & import('../vision/types.js').TilesHost & import('../report/energy/estimate.js').MachineHost} */
export const later = {
  loadTracker: () => import('../track/index.js'),
  loadTiles: () => import('../tiles/index.js'),
  loadIntensities: () => import('@tgwf/co2/data'),
};

// The detector itself, loaded when it is needed. The Makefile bundles this folder without it, so that a page that also
// imports `ocelli` loads it once.

/** Loads what `import … from 'ocelli'` gives in a page. */
export const loadLibrary = () => import('../platform/browser.js');

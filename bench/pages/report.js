// Posts a page's result to its server. No debugger reads it, because that would slow down each page differently.

/** @param {number} ms @param {string} result */
export function report(ms, result) {
  fetch(`/report/${ms}/${result}`, { method: 'POST' });
}

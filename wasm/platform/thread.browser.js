// The script of a thread in browsers: a small one, as each of a pool's threads runs it.
import { serveThread } from './pool/thread.browser.js';

globalThis.onmessage = (/** @type {MessageEvent} */ { data }) => serveThread(data.thread);

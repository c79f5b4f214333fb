// The script of ocelli's workers in browsers. It shares the page's bundle, so that nothing is downloaded twice.
import { serveWorker } from './browser.js';

serveWorker();

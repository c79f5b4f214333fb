// The script of ocelli's workers in browsers.
import { serveWorker } from './page.js';
import { urls } from './urls.js';

serveWorker(urls);

// The script of the workers and threads of ocelli/inline in browsers; tools/make-inline.js makes a text of it.
import { serveWorker } from '../platform/pool/serve.browser.js';

serveWorker();

// The script of ocelli's workers in Node, Bun and Deno that run a session.
import { serveWorker } from './pool/serve.node.js';
import { urls } from './urls.js';

serveWorker(urls);

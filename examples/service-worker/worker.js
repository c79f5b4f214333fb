// Answers POST detect, also offline, for every page of the site.
import { ObjectDetector } from './node_modules/ocelli/dist/web/browser.js';

let creating;

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('fetch', (event) => {
  const { method, url } = event.request;
  if (method === 'POST' && url.endsWith('/detect')) event.respondWith(detect(event.request));
});

async function detect(request) {
  try {
    const detector = await (creating ??= ObjectDetector.create());
    return Response.json((await detector.detect(request)).detections);
  } catch ({ code, message }) {
    return Response.json({ code, message }, { status: 400 });
  }
}

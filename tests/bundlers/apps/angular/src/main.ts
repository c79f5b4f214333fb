import { Component, provideZonelessChangeDetection } from '@angular/core';
import { bootstrapApplication } from '@angular/platform-browser';

@Component({ selector: 'app-root', template: '' })
class App {
  constructor() {
    this.detect().then(
      (found) => (document.title = JSON.stringify(found)),
      ({ name, code, message }) => (document.title = `${name} ${code} ${message}`),
    );
  }

  async detect() {
    const wish = new URLSearchParams(location.search);
    const { ObjectDetector } = await (wish.has('inline') ? import('ocelli/inline') : import('ocelli'));
    const photo = new Uint8Array(await (await fetch('photo.png')).arrayBuffer());
    const found = [];
    for (const worker of [false, true]) {
      const assets = wish.has('assets') ? { assetsUrl: 'ocelli/' } : {};
      const detector = await ObjectDetector.create({ deterministic: true, worker, ...assets });
      found.push((await detector.detect(photo)).detections);
      detector.close();
    }
    return found;
  }
}

bootstrapApplication(App, { providers: [provideZonelessChangeDetection()] });

// A user's page with the element: tests/package/package.test.js compiles it strictly.
import { OcelliDetectorElement, type OcelliDetectorEventMap } from 'ocelli/element';

const element: OcelliDetectorElement = document.createElement('ocelli-detector');
element.addEventListener('ready', ({ detail }) => detail.detect('cat.jpg'));
element.addEventListener('detections', function ({ detail: { detections, size } }) {
  const labels: string[] = detections.map(({ label }) => label);
  console.log(labels, size.width, this.detector?.variant.name);
});
element.addEventListener('error', ({ error, message }) => console.log(error, message), { once: true });
element.addEventListener('click', ({ clientX }) => console.log(clientX));
document.querySelector('ocelli-detector')?.setAttribute('src', 'cat.jpg');

export const listen = <Type extends keyof OcelliDetectorEventMap>(
  type: Type,
  listener: (event: OcelliDetectorEventMap[Type]) => void,
) => {
  element.addEventListener(type, listener);
  element.removeEventListener(type, listener);
};

class Named extends OcelliDetectorElement {
  override connectedCallback() {
    super.connectedCallback();
    this.addEventListener('detections', ({ detail }) => console.log(this.id, detail.detections.length));
  }
}
customElements.define('named-detector', Named);

// @ts-expect-error a listener's event has its own type
element.addEventListener('detections', (event: MouseEvent) => console.log(event.clientX));

// The entry `ocelli/element`: defines <ocelli-detector>.
import { OcelliDetectorElement } from './element.js';

/** @typedef {import('./tag.js').OcelliDetectorEventMap} OcelliDetectorEventMap */

globalThis.customElements?.get('ocelli-detector') ??
  globalThis.customElements?.define('ocelli-detector', OcelliDetectorElement);

export { OcelliDetectorElement };

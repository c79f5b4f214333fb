// The entry `ocelli/element`: defines <ocelli-detector>.
import { OcelliDetectorElement } from './element.js';

globalThis.customElements?.get('ocelli-detector') ??
  globalThis.customElements?.define('ocelli-detector', OcelliDetectorElement);

export { OcelliDetectorElement };

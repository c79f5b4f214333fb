// What TypeScript knows of <ocelli-detector>: its tag, and its events' types. JSDoc cannot add to a global interface. The
// Makefile copies this file and its neighbour to the declarations.
import type { ObjectDetector } from '../vision/detector.js';
import type { DetectResult, VideoResult } from '../vision/types.js';
import type { OcelliDetectorElement } from './element.js';

export interface OcelliDetectorEventMap {
  /** The detector is loaded: `detail`. */
  ready: CustomEvent<ObjectDetector>;
  /** A picture or a frame is done; `detail` is the result. */
  detections: CustomEvent<DetectResult | VideoResult>;
  /** `error` is an OcelliError, or the browser's DOMException if it refuses the camera. */
  error: ErrorEvent;
}

type Listening = <Type extends keyof OcelliDetectorEventMap>(
  type: Type,
  listener: (this: OcelliDetectorElement, event: OcelliDetectorEventMap[Type]) => unknown,
  options?: boolean | AddEventListenerOptions,
) => void;

/** HTMLElement, whose methods know these events, too. */
export type Listener = { addEventListener: Listening; removeEventListener: Listening } & HTMLElement;

declare global {
  interface HTMLElementTagNameMap {
    'ocelli-detector': OcelliDetectorElement;
  }
}

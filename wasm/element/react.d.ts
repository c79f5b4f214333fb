// What TSX of React knows of <ocelli-detector>: the types-only entry `ocelli/element/react`. It needs the types of React,
// so no other entry imports it.
import type { DetailedHTMLProps, HTMLAttributes } from 'react';
import type { OcelliDetectorElement } from './element.js';
import type { OcelliDetectorEventMap } from './tag.js';

type Handler<Type extends keyof OcelliDetectorEventMap> =
  ((event: OcelliDetectorEventMap[Type]) => void) | undefined;

export interface OcelliDetectorAttributes {
  /** The URL of a picture or a video. */
  src?: string | undefined;
  /** Use the camera: `user`, `environment`, a device id, or '' for any. */
  camera?: string | undefined;
  /** The URL of a `.tflite` file. */
  model?: string | undefined;
  /** Only show detections whose score is above this value, 0 to 1. */
  threshold?: number | string | undefined;
  /** Only show these classes, separated by commas. */
  classes?: string | undefined;
  /** Give the objects of a video numbers. */
  track?: boolean | undefined;
  /** The name of the picture for screen readers. */
  alt?: string | undefined;
  /** From React 19 on, as the handlers below. */
  options?: OcelliDetectorElement['options'] | undefined;
  describe?: OcelliDetectorElement['describe'] | undefined;
  onready?: Handler<'ready'>;
  ondetections?: Handler<'detections'>;
  onerror?: Handler<'error'>;
}

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'ocelli-detector': DetailedHTMLProps<HTMLAttributes<OcelliDetectorElement>, OcelliDetectorElement> &
        OcelliDetectorAttributes;
    }
  }
}

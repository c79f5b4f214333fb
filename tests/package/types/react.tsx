// A user's component with the element: tests/package/package.test.js compiles it strictly.
import { useRef } from 'react';
import type { OcelliDetectorElement } from 'ocelli/element';
import 'ocelli/element';
import type {} from 'ocelli/element/react';

export function Camera({ onCount }: { onCount: (count: number) => void }) {
  const element = useRef<OcelliDetectorElement>(null);
  return (
    <ocelli-detector
      ref={element}
      className="camera"
      camera="user"
      threshold={0.4}
      track
      options={{ threads: 2 }}
      ondetections={({ detail }) => onCount(detail.detections.length)}
      onready={({ detail }) => console.log(detail.variant.name, element.current?.detections)}
      onerror={({ error, message }) => console.log(error, message)}
    />
  );
}

// @ts-expect-error an attribute has its own type
export const wrong = <ocelli-detector src={1} />;

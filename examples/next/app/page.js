'use client';
// Next.js also imports this file on the server, which is safe. The detector is created in the browser, in the effect.
import { ObjectDetector } from 'ocelli';
import { useEffect, useState } from 'react';

export default function Page() {
  const [detector, setDetector] = useState();
  const [found, setFound] = useState([]);
  useEffect(() => {
    const creating = ObjectDetector.create({ worker: true });
    creating.then(setDetector);
    return () => creating.then((created) => created.close());
  }, []);
  const detect = async ({ target }) => setFound((await detector.detect(target.files[0])).detections);
  return (
    <>
      <label>
        A photo: <input type="file" accept="image/*" disabled={!detector} onChange={detect} />
      </label>
      <ol>
        {found.map(({ label, score }, i) => (
          <li key={i}>{`${label} ${Math.round(100 * score)} %`}</li>
        ))}
      </ol>
    </>
  );
}

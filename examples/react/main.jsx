import { useDetector } from 'ocelli/react';
import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';

function App() {
  const { detector, error } = useDetector();
  const [found, setFound] = useState([]);
  const detect = async ({ target }) => setFound((await detector.detect(target.files[0])).detections);
  if (error) return <p>{error.message}</p>;
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

createRoot(document.getElementById('root')).render(
  <StrictMode>
    <App />
  </StrictMode>,
);

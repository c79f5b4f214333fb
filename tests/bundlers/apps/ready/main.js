// <ocelli-detector> and the hooks for React; the page's title is what both found.
import 'ocelli/element';
import { useDetections, useDetector } from 'ocelli/react';
import { createElement, StrictMode, useEffect, useRef } from 'react';
import { createRoot } from 'react-dom/client';

const OPTIONS = { deterministic: true };

const byElement = new Promise((resolve, reject) => {
  const element = document.querySelector('ocelli-detector');
  element.addEventListener('detections', ({ detail }) => resolve(detail.detections));
  element.addEventListener('error', ({ error }) => reject(error));
  element.options = OPTIONS;
});

const byHook = new Promise((resolve, reject) => {
  function Photo() {
    const { detector, error } = useDetector(OPTIONS);
    const none = useDetections(useRef(null), { detector });
    useEffect(() => {
      if (error ?? none.error) reject(error ?? none.error);
      detector?.detect('photo.png').then(({ detections }) => resolve(detections), reject);
    }, [detector, error, none.error]);
    return null;
  }
  createRoot(document.querySelector('#root')).render(createElement(StrictMode, null, createElement(Photo)));
});

Promise.all([byElement, byHook]).then(
  (found) => (document.title = JSON.stringify(found)),
  ({ name, code, message }) => (document.title = `${name} ${code} ${message}`),
);

import { ObjectDetector } from 'ocelli';

const detector = await ObjectDetector.create({ worker: true });
const input = document.querySelector('input');
const list = document.querySelector('ol');

input.addEventListener('change', async () => {
  const { detections } = await detector.detect(input.files[0]);
  list.replaceChildren(
    ...detections.map(({ label, score }) => {
      const item = document.createElement('li');
      item.textContent = `${label} ${Math.round(100 * score)} %`;
      return item;
    }),
  );
});
input.disabled = false;

import { ObjectDetector } from 'ocelli';

const video = document.querySelector('video');
const canvas = document.querySelector('canvas');
const context = canvas.getContext('2d');

video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
await video.play();
Object.assign(canvas, { width: video.videoWidth, height: video.videoHeight });
Object.assign(context, { strokeStyle: 'lime', fillStyle: 'lime', lineWidth: 3, font: '20px sans-serif' });

const detector = await ObjectDetector.create({ worker: true });
for await (const { detections } of detector.video(video, { track: true })) {
  context.clearRect(0, 0, canvas.width, canvas.height);
  for (const { label, trackId, box } of detections) {
    context.strokeRect(box.x, box.y, box.width, box.height);
    context.fillText(trackId === undefined ? label : `${label} ${trackId}`, box.x + 5, box.y + 22);
  }
}

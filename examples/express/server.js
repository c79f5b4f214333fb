// curl -F photo=@photo.jpg localhost:3000/detect
import express from 'express';
import multer from 'multer';
import { ObjectDetector, OcelliError } from 'ocelli';

const detector = await ObjectDetector.create({ pool: 2 });
const upload = multer({ limits: { fileSize: 20e6, files: 1 } });
const app = express();

app.get('/', (request, response) => {
  response.send(
    '<form method="post" action="/detect" enctype="multipart/form-data"><input type="file" name="photo"><button>Detect</button></form>',
  );
});

app.post('/detect', upload.single('photo'), async (request, response) => {
  if (!request.file) return response.status(400).json({ error: 'send a file as the field photo' });
  const { detections } = await detector.detect(request.file.buffer);
  response.json(detections);
});

app.use((error, request, response, next) => {
  if (response.headersSent) return next(error);
  const isBusy = error.code === 'QUEUE_FULL';
  const isRefused = error instanceof OcelliError || error instanceof multer.MulterError;
  response.status(isBusy ? 503 : isRefused ? 400 : 500).json({ error: error.message });
});

const server = app.listen(Number(process.env.PORT ?? 3000), () =>
  console.log(`http://localhost:${server.address().port}/`),
);

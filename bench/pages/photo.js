// A photo -> the input tensor, for the engines that do not decode images.

export async function readInput() {
  const photo = await (await fetch('/photo')).blob();
  const bitmap = await createImageBitmap(photo, { resizeWidth: 300, resizeHeight: 300 });
  const context = new OffscreenCanvas(300, 300).getContext('2d', { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, 300, 300);
  const input = new Float32Array(300 * 300 * 3);
  for (let i = 0; i < 300 * 300; i++) {
    for (let c = 0; c < 3; c++) input[3 * i + c] = data[4 * i + c] / 127.5 - 1;
  }
  return input;
}

/** The detections of the photo in a request's body. @param {any} detector @param {Request} request */
export async function detect(detector, request) {
  const { detections } = await detector.detect(new Uint8Array(await request.arrayBuffer()));
  return Response.json(detections);
}

// The camera example, with stubs for the page and the package: what it draws.
import assert from 'node:assert/strict';
import { register } from 'node:module';
import { test } from 'node:test';

const STUB = 'data:text/javascript,export const { ObjectDetector } = globalThis.ocelli';
const HOOKS = `export const resolve = (name, context, next) =>
  name === 'ocelli' ? { url: '${STUB}', shortCircuit: true } : next(name, context);`;
register(`data:text/javascript,${encodeURIComponent(HOOKS)}`);

test('numbers only objects that have a number', async () => {
  const box = { x: 10, y: 20, width: 5, height: 6 };
  const detections = [
    { label: 'Person', trackId: 7, box },
    { label: 'Person', box },
  ];
  /** @type {any[][]} */
  const texts = [];
  const context = {
    clearRect() {},
    strokeRect() {},
    fillText: (/** @type {any[]} */ ...text) => texts.push(text),
  };
  const elements = {
    video: { play: async () => {}, videoWidth: 640, videoHeight: 480 },
    canvas: { getContext: () => context },
  };
  const globals = {
    document: { querySelector: (/** @type {'video' | 'canvas'} */ name) => elements[name] },
    navigator: { mediaDevices: { getUserMedia: async () => ({}) } },
    ocelli: {
      ObjectDetector: {
        create: async () => ({
          async *video() {
            yield { detections };
          },
        }),
      },
    },
  };
  for (const [name, value] of Object.entries(globals)) Object.defineProperty(globalThis, name, { value });
  await import(String(new URL('../../../examples/camera/main.js', import.meta.url)));
  assert.deepEqual(texts, [
    ['Person 7', 15, 42],
    ['Person', 15, 42],
  ]);
});

// The queue of a pool, and what is posted to its workers: with workers of the test, which answer when they are told.
import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { host } from '../../../wasm/engine/host.js';
import { drawing } from '../../../wasm/platform/canvas.js';
import '../../../wasm/platform/node.js';
import { Packed } from '../../../wasm/platform/pool/pack.js';
import { DEFAULT_MAX_QUEUE, WorkerPool } from '../../../wasm/platform/pool/pool.js';
import { RemoteSession } from '../../../wasm/platform/pool/remote.js';
import { OcelliError } from '../../../wasm/shared/errors.js';
import { CallLimit } from '../../../wasm/vision/limits.js';

const FACTS = { length: 7 };
const REQUEST = /** @type {any} */ ({ inputs: [], reading: { maxPixels: 100 } });

/** A worker that answers `create` at once, and keeps the other calls. @param {object} [created] */
function makeWorker(created = {}) {
  /** @type {any} */
  const worker = {
    held: 0,
    ends: 0,
    /** @type {any} */ creation: undefined,
    /** @type {any[]} */ asked: [],
    /** @type {(message: any) => void} */ receive: () => {},
    /** @type {(error: Error) => void} */ lose: () => {},
    /** Answers the call that came first. @param {object} [answer] */
    answer(answer = {}) {
      const memoryUse = { totalBytes: 20, liveBytes: 2 };
      this.receive({ id: this.asked.shift().id, result: { memoryUse, ...answer } });
    },
    /** @type {import('../../../wasm/platform/pool/link.js').Port} */
    port: {
      post(/** @type {any} */ message) {
        if (message.name !== 'create') return void worker.asked.push(message);
        worker.creation = message.argument;
        const result = { facts: FACTS, memoryUse: { totalBytes: 10, liveBytes: 1 }, ...created };
        queueMicrotask(() => worker.receive({ id: message.id, result }));
      },
      onMessage: (listener) => (worker.receive = listener),
      onEnd: (listener) => (worker.lose = listener),
      terminate: () => worker.ends++,
      hold: () => worker.held++,
      release: () => worker.held--,
    },
  };
  return worker;
}

/** @param {object} [options] */
async function makePool(options = {}) {
  /** @type {ReturnType<typeof makeWorker>[]} */
  const workers = [];
  const pool = await WorkerPool.create(/** @type {any} */ (options), {
    withWorker: (use) => {
      workers.push(makeWorker({ loads: { mark: workers.length } }));
      return use(/** @type {any} */ (workers.at(-1)).port);
    },
    startThread: async () => assert.fail(),
  });
  const told = /** @type {string[]} */ ([]);
  /** Makes a call that is told of. @param {string} name @param {CallLimit} [limit] */
  const call = (name, limit) =>
    pool.run(REQUEST, limit).then(
      () => void told.push(name),
      ({ code }) => void told.push(`${name} ${code}`),
    );
  return { pool, workers, told, call };
}

describe('a pool', () => {
  test('starts its workers, which get what the first has loaded, and lets the process end', async () => {
    const { pool, workers } = await makePool({ pool: 3, task: 'detect' });
    assert.equal(pool.facts, FACTS);
    assert.deepEqual(
      workers.map(({ creation: { loads, keepsLoads, isCarried, options } }) => [loads, keepsLoads, isCarried, options.task]),
      [
        [undefined, true, false, 'detect'],
        [{ mark: 0 }, false, false, 'detect'],
        [{ mark: 0 }, false, false, 'detect'],
      ],
    ); // prettier-ignore
    assert.deepEqual(workers.map(({ held, ends }) => [held, ends]), [[-1, 0], [-1, 0], [-1, 0]]); // prettier-ignore
    assert.deepEqual(pool.memoryUse, { totalBytes: 30, liveBytes: 3 });
    const alone = await makePool();
    assert.deepEqual([alone.workers.length, alone.workers[0].creation.keepsLoads], [1, false]);
  });
  test('posts a model of the user as shared memory', async () => {
    const model = Uint8Array.of(1, 2, 3);
    const { workers } = await makePool({ model, int8Model: 'file:///a', labels: ['x'] });
    const { options } = workers[0].creation;
    assert.deepEqual(
      [[...options.model], options.int8Model, options.labels],
      [[1, 2, 3], 'file:///a', ['x']],
    );
    assert.ok(options.model.buffer instanceof SharedArrayBuffer);
  });
  test('of which a worker does not start ends the others', async () => {
    const first = makeWorker();
    const ports = [first.port];
    const creating = WorkerPool.create(/** @type {any} */ ({ pool: 2 }), {
      withWorker: async (use) => {
        const port = ports.shift();
        if (!port) throw new OcelliError('WORKER_UNAVAILABLE', 'no more');
        return use(port);
      },
      startThread: async () => assert.fail(),
    });
    await assert.rejects(creating, /no more/);
    assert.equal(first.ends, 1);
  });
  test('runs the calls as they came, and keeps the process alive meanwhile', async () => {
    const { pool, workers, told, call } = await makePool();
    const [worker] = workers;
    const calls = ['a', 'b', 'c'].map((name) => call(name));
    await turn();
    assert.deepEqual([worker.asked.length, worker.held], [1, 0]);
    worker.answer();
    await turn();
    assert.deepEqual([told, worker.asked.length, worker.held], [['a'], 1, 0]);
    worker.answer();
    await turn();
    worker.answer();
    await Promise.all(calls);
    assert.deepEqual([told, worker.held], [['a', 'b', 'c'], -1]);
    assert.deepEqual(pool.memoryUse, { totalBytes: 20, liveBytes: 2 });
    const last = call('d');
    await turn();
    assert.deepEqual([worker.asked.length, worker.held], [1, 0]);
    worker.answer();
    await last;
  });
  test('gives a call to any worker that is free', async () => {
    const { workers, told, call } = await makePool({ pool: 2 });
    const calls = ['a', 'b', 'c'].map((name) => call(name));
    await turn();
    assert.deepEqual(workers.map(({ asked }) => asked.length), [1, 1]); // prettier-ignore
    workers[1].answer();
    await turn();
    assert.deepEqual([told, workers[0].asked.length, workers[1].asked.length], [['b'], 1, 1]);
    workers.forEach((worker) => worker.answer());
    await Promise.all(calls);
  });

  /** @type {[options: object, count: number][]} how many calls it takes at a time */
  const limits = [
    [{ pool: 1, maxQueue: 0 }, 1],
    [{ pool: 2, maxQueue: 0 }, 2],
    [{ pool: 2, maxQueue: 3 }, 5],
    [{ maxQueue: 1 }, 2],
    [{ pool: 1 }, 101],
    [{}, 200],
  ];
  for (const [options, count] of limits)
    test(`${JSON.stringify(options)} takes ${count} calls`, async () => {
      const { pool, workers, told, call } = await makePool(options);
      const calls = Array.from({ length: count }, () => call('run'));
      await turn();
      if ('maxQueue' in options || 'pool' in options)
        await assert.rejects(pool.run(REQUEST), { code: 'QUEUE_FULL', message: /maxQueue is \d+$/ });
      assert.deepEqual(told, []);
      workers[0].answer();
      await turn();
      calls.push(call('run'));
      await turn();
      assert.deepEqual(told, ['run']);
      pool.close();
      await Promise.all(calls);
    });
  test('has a queue of 100', () => assert.equal(DEFAULT_MAX_QUEUE, 100));

  test('forgets a waiting call that has reached its limit', async () => {
    const { workers, told, call } = await makePool({ pool: 1, maxQueue: 2 });
    const limit = new CallLimit();
    const calls = [call('a'), call('b', limit), call('c')];
    await turn();
    limit.end(new OcelliError('TIMEOUT', 'late'));
    await turn();
    assert.deepEqual(told, ['b TIMEOUT']);
    calls.push(call('d'));
    for (const name of ['a', 'c', 'd']) {
      workers[0].answer();
      await turn();
      assert.equal(told.at(-1), name);
    }
    await Promise.all(calls);
    assert.equal(workers[0].held, -1);
  });
  test('does not run a call that has reached its limit before', async () => {
    const { workers, told, call } = await makePool();
    const limit = new CallLimit();
    limit.end(new OcelliError('TIMEOUT', 'late'));
    await call('a', limit);
    assert.deepEqual([told, workers[0].asked.length], [['a TIMEOUT'], 0]);
  });

  test('keeps a place for an input that is read', async () => {
    const { pool, workers, call, told } = await makePool({ pool: 1, maxQueue: 0 });
    const blob = new Blob(['abc']);
    const request = { ...REQUEST, inputs: [blob] };
    const limit = new CallLimit();
    const reading = pool.run(request, limit);
    await assert.rejects(pool.run(REQUEST), { code: 'QUEUE_FULL' });
    limit.end(new OcelliError('TIMEOUT', 'late'));
    const next = call('next');
    await assert.rejects(reading, { code: 'TIMEOUT' });
    await turn();
    workers[0].answer();
    await next;
    assert.deepEqual(told, ['next']);
  });
  test('keeps none for an input that is being sent', async () => {
    const { pool, workers, call, told } = await makePool({ pool: 1, maxQueue: 0 });
    /** @type {ReadableStreamDefaultController | undefined} */ let sender;
    const stream = new ReadableStream({ start: (controller) => void (sender = controller) });
    const sent = pool.run({ ...REQUEST, inputs: [stream] });
    const next = call('next');
    await turn();
    sender?.enqueue(Uint8Array.of(1));
    sender?.close();
    await assert.rejects(sent, { code: 'QUEUE_FULL' });
    workers[0].answer();
    await next;
    assert.deepEqual(told, ['next']);
  });

  test('runs a request in every worker, whatever waits', async () => {
    const { pool, workers, told, call } = await makePool({ pool: 2, maxQueue: 1 });
    const calls = ['a', 'b', 'c'].map((name) => call(name));
    await turn();
    const everywhere = pool.runOnAll(REQUEST).then(() => void told.push('all'));
    for (let i = 0; i < 3; i++) {
      await turn();
      for (const worker of workers) if (worker.asked.length > 0) worker.answer();
    }
    await Promise.all([...calls, everywhere]);
    assert.deepEqual(told.toSorted(), ['a', 'all', 'b', 'c']);
    const idle = pool.runOnAll(REQUEST);
    await turn();
    assert.deepEqual(workers.map(({ asked }) => asked.length), [1, 1]); // prettier-ignore
    workers.forEach((worker) => worker.answer());
    assert.equal((await idle).length, 2);
  });

  test('starts a worker anew in the place of one that was lost', async () => {
    const { workers, told, call } = await makePool();
    const running = call('a');
    await turn();
    workers[0].lose(new Error('gone'));
    await running;
    assert.deepEqual([told, workers[0].ends, workers.length], [['a WORKER_LOST'], 1, 1]);
    const next = call('b');
    await turn();
    assert.deepEqual([workers.length, workers[0].asked.length, workers[1].asked.length], [2, 1, 1]);
    workers[1].answer();
    await next;
    assert.equal(told.at(-1), 'b');
  });

  test('that is closed fails every call, and ends its workers', async () => {
    const { pool, workers, told, call } = await makePool();
    const calls = ['a', 'b'].map((name) => call(name));
    await turn();
    pool.close();
    await Promise.all(calls);
    assert.deepEqual(told.toSorted(), ['a CLOSED', 'b CLOSED']);
    assert.equal(workers[0].ends, 1);
    await assert.rejects(pool.run(REQUEST), { code: 'CLOSED' });
    await assert.rejects(pool.runOnAll(REQUEST), { code: 'CLOSED' });
  });

  test('that is closed while it has no room says that it is closed', async () => {
    const { pool, told, call } = await makePool({ pool: 1, maxQueue: 0 });
    const running = call('running');
    const refused = call('refused');
    pool.close();
    await Promise.all([running, refused, call('late')]);
    assert.deepEqual(told.toSorted(), ['late CLOSED', 'refused QUEUE_FULL', 'running CLOSED']);
  });
});

describe('the threads of a worker', () => {
  const startThread = async () => assert.fail();
  /** A session whose worker has asked for a thread. */
  const withThread = async () => {
    const [worker, thread] = [makeWorker(), makeWorker()];
    const creation = /** @type {any} */ ({ options: {}, keepsLoads: false });
    const session = await RemoteSession.create(worker.port, creation, {
      startThread: async () => thread.port,
    });
    worker.receive({ id: 5, name: 'startThread', argument: {} });
    await turn();
    return { session, worker, thread };
  };
  test('end with it', async () => {
    const { session, worker, thread } = await withThread();
    session.close();
    assert.deepEqual([worker.ends, thread.ends, session.isLost], [1, 1, true]);
  });
  test('end the session if one is lost', async () => {
    const { session, worker, thread } = await withThread();
    thread.lose(new Error('gone'));
    assert.deepEqual([worker.ends, session.isLost], [1, true]);
    await assert.rejects(session.run(new Packed(REQUEST, [])), { code: 'WORKER_LOST', message: /gone/ });
  });
  test('may end when they are done', async () => {
    const { session, worker, thread } = await withThread();
    thread.receive('ready');
    thread.receive('done');
    thread.receive('more');
    thread.lose(new Error('exit'));
    session.close();
    assert.deepEqual([session.isLost, worker.ends, thread.ends], [true, 1, 0]);
  });
  test('that come too late end at once', async () => {
    const [worker, thread] = [makeWorker(), makeWorker()];
    const session = await RemoteSession.create(worker.port, /** @type {any} */ ({ options: {} }), {
      startThread: async () => thread.port,
    });
    worker.receive({ id: 5, name: 'startThread', argument: {} });
    session.close();
    await turn();
    assert.ok(thread.ends > 0);
  });
  test('progress is told', async () => {
    const worker = makeWorker();
    /** @type {unknown[]} */
    const told = [];
    const options = { onProgress: (/** @type {unknown} */ progress) => told.push(progress) };
    await RemoteSession.create(worker.port, /** @type {any} */ ({ options }), { startThread });
    worker.receive({ name: 'progress', argument: { loaded: 3 } });
    await turn();
    assert.deepEqual([told, worker.creation.options], [[{ loaded: 3 }], {}]);
  });
  test('options that cannot be posted', async () => {
    const worker = makeWorker();
    worker.port.post = () => {
      throw new DOMException('a function could not be cloned', 'DataCloneError');
    };
    const creating = RemoteSession.create(worker.port, /** @type {any} */ ({ options: {} }), { startThread });
    await assert.rejects(creating, { code: 'INVALID_OPTION', message: /could not be cloned/ });
    assert.equal(worker.ends, 1);
  });
  test('a worker whose script does not load', async () => {
    const worker = makeWorker();
    worker.port.post = () => queueMicrotask(() => worker.lose(new Error('404')));
    const creating = RemoteSession.create(worker.port, /** @type {any} */ ({ options: {} }), { startThread });
    await assert.rejects(creating, { code: 'WORKER_UNAVAILABLE', message: /404\. If a bundler/ });
  });
});

describe('what is posted', () => {
  /** @type {any} */
  const page = host();
  /** @type {any} */
  const scope = globalThis;
  afterEach(() => {
    delete page.drawing;
    delete scope.createImageBitmap;
  });
  const limit = new CallLimit();
  /** @param {unknown[]} inputs */
  const pack = async (...inputs) => Packed.pack({ ...REQUEST, inputs }, limit);

  test('bytes, pixels, floats and tensors are copied, and their copies transferred', async () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const data = Uint8Array.of(4, 5, 6);
    const floats = Float32Array.of(7, 8, 9);
    const tensor = Float32Array.of(1);
    const given = [bytes, { data, width: 1, height: 1 }, { data: floats, shape: [1, 1, 3] }, { tensor }];
    const packing = Packed.pack({ ...REQUEST, inputs: given }, limit);
    assert.ok(packing instanceof Packed, 'at once');
    const { request, transfer } = packing;
    for (const each of [bytes, data, floats, tensor]) each.fill(0);
    const [a, b, c, d] = /** @type {any[]} */ (request.inputs);
    assert.deepEqual([[...a], [...b.data], [...c.data], [...d.tensor]], [[1, 2, 3], [4, 5, 6], [7, 8, 9], [1]]); // prettier-ignore
    assert.deepEqual([b.width, b.stride, c.shape], [1, 3, [1, 1, 3]]);
    assert.deepEqual(transfer, [a.buffer, b.data.buffer, c.data.buffer, d.tensor.buffer]);
  });
  test('a Blob is read', async () => {
    const { request, transfer } = await pack(Uint8Array.of(9), new Blob(['ab']));
    assert.deepEqual(request.inputs.map((each) => [.../** @type {any} */ (each)]), [[9], [97, 98]]); // prettier-ignore
    assert.equal(transfer.length, 2);
  });
  test('what is no tensor is left to the session', async () => {
    for (const tensor of ['x', new DataView(new ArrayBuffer(4)), null]) {
      const { request, transfer } = await pack({ tensor });
      assert.deepEqual([request.inputs, transfer], [[{ tensor }], []]);
    }
  });
  const canvas = { [Symbol.toStringTag]: 'OffscreenCanvas', width: 2, height: 1 };
  const capturing = () => {
    const frame = { ends: 0, close: () => void frame.ends++ };
    page.drawing = drawing;
    scope.createImageBitmap = async () => frame;
    return frame;
  };
  test('drawables are captured, and closed if they are not posted', async () => {
    const frame = capturing();
    const packed = await pack(canvas, Uint8Array.of(1));
    assert.deepEqual([packed.request.inputs[0], packed.transfer[0], frame.ends], [frame, frame, 0]);
    packed.drop();
    assert.equal(frame.ends, 1);
  });
  test('drawables are closed if another input cannot be packed', async () => {
    const frame = capturing();
    const failing = Object.assign(new Blob(['a']), { arrayBuffer: () => Promise.reject(new Error('gone')) });
    await assert.rejects(pack(canvas, failing), { code: 'READ_FAILED' });
    await turn();
    assert.equal(frame.ends, 1);
  });
  test('drawables are closed if another input is refused at once', async () => {
    const frame = capturing();
    await assert.rejects(pack(canvas, { data: new Uint8Array(3) }), { code: 'INVALID_INPUT' });
    await turn();
    assert.equal(frame.ends, 1);
  });
  test('what is empty, or was handed over, stays where it is', async () => {
    const memory = new ArrayBuffer(8);
    const [data, tensor] = [new Float32Array(memory, 0, 0), new Float32Array(memory, 8)];
    const { transfer } = await pack({ data, shape: [1, 1, 3] }, { tensor });
    assert.ok(!transfer.includes(memory));
    const [floats, values] = [new Float32Array(3), new Float32Array(3)];
    structuredClone([floats, values], { transfer: [floats.buffer, values.buffer] });
    const { request } = await pack({ data: floats, shape: [1, 1, 3] }, { tensor: values });
    const [a, b] = /** @type {any[]} */ (request.inputs);
    assert.deepEqual([a.data, b.tensor], [new Float32Array(), new Float32Array()]);
  });
  test('what cannot be posted is said', async () => {
    const refusal = new DOMException('not for you', 'DataCloneError');
    const send = async (/** @type {Packed} */ packed, /** @type {unknown} */ error) =>
      packed.send(() => Promise.reject(error));
    const plain = await pack(Uint8Array.of(1));
    await assert.rejects(send(plain, refusal), { code: 'INVALID_INPUT', message: /not for you/ });
    const other = new TypeError('a fault');
    await assert.rejects(send(plain, other), other);
    capturing();
    const captured = await pack(Uint8Array.of(1), canvas);
    await assert.rejects(send(captured, refusal), { code: 'INVALID_INPUT', message: /another origin/ });
    assert.equal(await plain.send(async () => 7), 7);
  });
});

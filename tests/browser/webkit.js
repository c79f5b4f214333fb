// WebKitGTK's MiniBrowser by WebDriver, with what the tests call of Playwright's browser and page. It is WebKit as Safari has
// it: plain SIMD, and threads on isolated pages. WebDriver tells neither requests nor the console: a proxy notes the
// requests, and gives each page a script that notes what its console says.
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, request as forward } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { PATIENCE_MS, until } from '../patience.js';

export const MINI_BROWSER = '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser';
const ENVIRONMENT = {
  WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1', // which root needs
  JSC_useSharedArrayBuffer: '1', // as Safari has it, on isolated pages
  ...{ DBUS_SESSION_BUS_ADDRESS: 'disabled:', NO_AT_BRIDGE: '1' },
};
/** WebDriver's names of keys. @type {Record<string, string>} */
const KEYS = { Tab: '\uE004', Escape: '\uE00C', ArrowLeft: '\uE012', ArrowRight: '\uE014' };
const SCRIPT = '/note-what-the-console-says.js';
/** Runs in each page, before its own scripts. */
function noteMessages() {
  /** @type {{type: string, text: string}[]} */
  const said = [];
  Object.defineProperty(globalThis, 'said', { value: said });
  for (const type of /** @type {const} */ (['log', 'info', 'warn', 'error'])) {
    const write = console[type];
    console[type] = (...values) => {
      said.push({ type: type === 'warn' ? 'warning' : type, text: values.map(String).join(' ') });
      write.apply(console, values);
    };
  }
  addEventListener('error', ({ message }) => message && said.push({ type: 'pageerror', text: message }));
  addEventListener('unhandledrejection', ({ reason }) =>
    said.push({ type: 'pageerror', text: String(reason) }),
  );
  addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) =>
    said.push({ type: 'error', text: `${effectiveDirective} forbids ${blockedURI}` }),
  );
}

/** A server that browsers use as their proxy. @param {EventEmitter} events 'request' and 'answer' are emitted */
async function startProxy(events) {
  const server = createServer((request, response) => {
    const url = String(request.url);
    if (url.endsWith(SCRIPT)) {
      response.writeHead(200, { 'content-type': 'text/javascript' }).end(`(${noteMessages})();`);
      return;
    }
    events.emit('request', url);
    const { method, headers } = request;
    // As it is, since localhost may have an address of IPv6 that the servers of the tests do not listen on
    const { hostname, port, pathname, search } = new URL(url);
    const host = hostname === 'localhost' ? '127.0.0.1' : hostname;
    const sent = forward({ host, port, path: pathname + search, method, headers }, (answer) => {
      const { statusCode = 0, headers } = answer;
      events.emit('answer', url, statusCode);
      const isPage = headers['content-type']?.startsWith('text/html') && statusCode === 200;
      if (isPage) delete headers['content-length'];
      response.writeHead(statusCode, headers);
      if (isPage) response.write(`<!doctype html><script src="${SCRIPT}"></script>`);
      answer.pipe(response);
    });
    sent.on('error', () => response.destroy());
    response.on('close', () => sent.destroy());
    request.pipe(sent);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return { address: `127.0.0.1:${port}`, server };
}

async function findFreePort() {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}

/** A screen for the browser, in memory. */
async function startDisplay() {
  const args = ['-displayfd', '3', '-screen', '0', '1600x1600x24', '-nolisten', 'tcp'];
  const child = spawn('Xvfb', args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  const [number] = await once(/** @type {import('node:stream').Readable} */ (child.stdio[3]), 'data');
  return { child, name: `:${String(number).trim()}` };
}

/** Commands of WebDriver, one at a time. */
class Driver {
  /** @type {Promise<unknown>} */ #last = Promise.resolve();
  /** @param {string} url */
  constructor(url) {
    this.url = url;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @returns {Promise<any>}
   */
  async send(method, path, body) {
    const response = await fetch(`${this.url}${path}`, {
      method,
      ...(method === 'POST' && { body: JSON.stringify(body ?? {}) }),
    });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`${path}: ${value.error}: ${value.message}`);
    return value;
  }

  /** @template T @param {() => Promise<T>} use of commands that no other may come between @returns {Promise<T>} */
  alone(use) {
    const result = this.#last.then(use);
    this.#last = result.catch(() => {});
    return result;
  }
}

/** A window, with the methods of Playwright's page that the tests call. */
class Page extends EventEmitter {
  #driver;
  #handle;
  /** @param {Driver} driver of the session @param {string} handle */
  constructor(driver, handle) {
    super();
    this.#driver = driver;
    this.#handle = handle;
  }

  /** @param {string} method @param {string} path @param {object} [body] */
  #send(method, path, body) {
    return this.#driver.alone(async () => {
      await this.#driver.send('POST', '/window', { handle: this.#handle });
      return this.#driver.send(method, path, body);
    });
  }

  /** @param {string} url */
  async goto(url) {
    await this.#send('POST', '/url', { url });
    // The driver may answer before: a page that is isolated starts in another process.
    await this.waitForFunction(() => location.href !== 'about:blank' && document.readyState === 'complete');
  }

  /**
   * @param {Function | string} body
   * @param {unknown} [argument]
   */
  async evaluate(body, argument) {
    const script = `
      const [argument, done] = arguments;
      Promise.resolve(argument === null ? undefined : JSON.parse(argument)).then(${body})
        .then((result) => ({ result }), (error) => ({ error: String(error) }))
        .then((answer) => done(JSON.stringify({ ...answer, said: globalThis.said?.splice(0) ?? [] })));`;
    const args = [argument === undefined ? null : JSON.stringify(argument)];
    const { result, error, said } = JSON.parse(await this.#send('POST', '/execute/async', { script, args }));
    for (const { type, text } of said)
      if (type === 'pageerror') this.emit('pageerror', new Error(text));
      else this.emit('console', { type: () => type, text: () => text });
    if (error !== undefined) throw new Error(error);
    return result;
  }

  /** Waits until it is true in the page. @param {Function} condition */
  waitForFunction = (condition) =>
    this.evaluate(
      `async () => { while (!(${condition})()) await new Promise((resolve) => setTimeout(resolve, 20)); }`,
    );

  /** @param {{path: string}} options */
  async screenshot({ path }) {
    writeFileSync(path, Buffer.from(await this.#send('GET', '/screenshot'), 'base64'));
  }

  keyboard = {
    press: (/** @type {string} */ key) => {
      const value = KEYS[key] ?? key;
      const actions = ['keyDown', 'keyUp'].map((type) => ({ type, value }));
      return this.#send('POST', '/actions', { actions: [{ type: 'key', id: 'keys', actions }] });
    },
  };

  async close() {
    await this.evaluate(() => {}); // for what the console said last
    await this.#send('DELETE', '/window');
    this.emit('close');
  }
}

/** @param {Driver} server @param {object} capabilities @returns {Promise<string>} the path of the session */
async function startSession(server, capabilities) {
  await until(() =>
    server.send('GET', '/status').then(
      () => true,
      () => false,
    ),
  );
  const { sessionId } = await server.send('POST', '/session', {
    capabilities: { alwaysMatch: capabilities },
  });
  return `/session/${sessionId}`;
}

export async function launchWebKit() {
  const events = new EventEmitter();
  const proxy = await startProxy(events);
  const display = await startDisplay();
  const port = await findFreePort();
  const child = spawn('WebKitWebDriver', [`--port=${port}`], {
    stdio: 'ignore',
    env: { ...process.env, ...ENVIRONMENT, DISPLAY: display.name },
  });
  const url = `http://127.0.0.1:${port}`;
  const session = await startSession(new Driver(url), {
    timeouts: { script: PATIENCE_MS, pageLoad: PATIENCE_MS },
    proxy: { proxyType: 'manual', httpProxy: proxy.address, noProxy: [] },
    'webkitgtk:browserOptions': {
      binary: MINI_BROWSER,
      args: ['--automation', '--enable-media-stream=true', '--enable-mock-capture-devices=true'],
    },
  });
  const driver = new Driver(`${url}${session}`);
  const first = await driver.send('GET', '/window');
  /** @type {Set<Page>} */
  const pages = new Set();
  events.on('request', (url) => {
    for (const page of pages) page.emit('request', { url: () => url });
  });
  events.on('answer', (url, status) => {
    const text = `${url} was answered with ${status}`;
    if (status >= 400)
      for (const page of pages) page.emit('console', { type: () => 'error', text: () => text });
  });
  return {
    newPage: async () => {
      const { handle } = await driver.alone(async () => {
        await driver.send('POST', '/window', { handle: first });
        return driver.send('POST', '/window/new', { type: 'window' });
      });
      const page = new Page(driver, handle);
      pages.add(page);
      page.on('close', () => pages.delete(page));
      return page;
    },
    close: async () => {
      await driver.send('DELETE', '');
      for (const each of [child, display.child]) if (each.kill()) await once(each, 'exit');
      proxy.server.close();
      proxy.server.closeAllConnections();
    },
  };
}

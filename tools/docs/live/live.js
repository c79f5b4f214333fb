// Runs the example of the address (`?photo=NAME#CODE`) on a sample photo, and shows what it logs. The documents' tests run
// their examples here too.
const output = /** @type {HTMLElement} */ (document.getElementById('output'));
const image = /** @type {HTMLImageElement} */ (document.querySelector('img'));

/** @param {unknown} value */
const show = (value) =>
  typeof value === 'string'
    ? value
    : JSON.stringify(value, (_, each) => (typeof each === 'number' ? Number(each.toFixed(3)) : each), 1);

/** @param {string} line */
function print(line) {
  if (!output.dataset.state) output.textContent = '';
  output.dataset.state = 'printed';
  output.append(`${line}\n`);
}

const { log } = console;
console.log = (...values) => {
  log(...values);
  print(values.map(show).join(' '));
};
const fail = (/** @type {any} */ error) =>
  print(`${error?.code ?? error?.name ?? 'Error'}: ${error?.message ?? error}`);
addEventListener('error', ({ error }) => fail(error));
addEventListener('unhandledrejection', ({ reason }) => fail(reason));

const photo = new URLSearchParams(location.search).get('photo') ?? 'chelsea';
image.src = `../demo/samples/${encodeURIComponent(photo)}.png`;
await image.decode();
const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector('canvas'));
canvas.width = image.naturalWidth;
canvas.height = image.naturalHeight;
canvas.hidden = false;

// A blob would have no import map of its own in some browsers: an inline script has the page's.
const script = document.createElement('script');
script.type = 'module';
script.textContent = `${decodeURIComponent(location.hash.slice(1))}\ndocument.getElementById('output').dataset.state = 'done';`;
document.body.append(script);

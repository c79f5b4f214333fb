// A trained learner -> download buttons for the classifier and its model card, and the time and energy of the training.
import { element, make, makeFacts } from './page.js';

/** How long the download's URL stays valid: long enough for the browser to start saving. */
const KEEP_MS = 60_000;
const FILE = 'classifier.tflite';

const model = element('model', HTMLButtonElement);
const card = element('card', HTMLElement);

/** @param {import('./training.js').Taught} taught */
export async function offerDownloads({ learner, isStopped }) {
  model.disabled = false;
  model.onclick = () => save(FILE, /** @type {Uint8Array<ArrayBuffer>} */ (learner.export()));
  // There is no report of a stopped training.
  card.hidden = isStopped;
  if (isStopped) return;
  const files = await learner.report({
    project: learner.labels.join(' or '),
    backbone: "features of ocelli's default SSD-MobileNetV2",
    file: FILE,
    energy: { modelBytes: learner.export().length },
  });
  element('card-files', HTMLElement).replaceChildren(...fileButtons(files));
  element('facts', HTMLElement).replaceChildren(...makeFacts(describeCosts(await learner.describeFit())));
}

/**
 * List items with a button that downloads the file.
 * @param {Record<string, string>} files texts by name
 */
export function fileButtons(files) {
  return Object.entries(files).map(([name, text]) => {
    const button = make('button', { type: 'button', className: 'small' }, name);
    button.addEventListener('click', () => save(name, text));
    return make('li', {}, button);
  });
}

/**
 * Time and energy of a training.
 * @param {{seconds: number, energy: {account: {energy_consumed: number, emissions: number}}}} fit
 * @returns {Record<string, string>}
 */
export function describeCosts({ seconds, energy: { account } }) {
  return {
    'Training took': `${seconds.toFixed(1)} s`,
    'Energy, estimated': `${(account.energy_consumed * 1e6).toPrecision(2)} mWh`,
    'Emissions, estimated': `${(account.emissions * 1e6).toPrecision(2)} mg CO₂e`,
  };
}

/**
 * @param {string} name
 * @param {BlobPart} content
 */
export function save(name, content) {
  const url = URL.createObjectURL(new Blob([content]));
  make('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), KEEP_MS);
}

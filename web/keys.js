// Letter keys that press buttons, and the checkbox that switches them off: people who dictate would press them by
// speaking.
import { element } from './page.js';
import { keep, recall } from './storage.js';

const KEPT_AS = 'ocelli-letter-keys';
/** Types of <input> that do nothing with a letter. */
const LETTERLESS = ['button', 'checkbox', 'file', 'radio', 'range'];

const checkbox = element('keys', HTMLInputElement);

/** @param {Record<string, HTMLButtonElement>} buttons */
export function listenForKeys(buttons) {
  checkbox.checked = recall(KEPT_AS) !== 'off';
  show(buttons);
  checkbox.addEventListener('change', () => {
    keep(KEPT_AS, checkbox.checked ? 'on' : 'off');
    show(buttons);
  });
  addEventListener('keydown', (event) => {
    if (!checkbox.checked || isTaken(event)) return;
    const button = buttons[event.key.toLowerCase()];
    if (button?.checkVisibility()) button.click();
  });
}

/** @param {KeyboardEvent} event */
function isTaken({ target, defaultPrevented, repeat, isComposing, ctrlKey, metaKey, altKey }) {
  return defaultPrevented || repeat || isComposing || ctrlKey || metaKey || altKey || takesLetters(target);
}

/** @param {EventTarget | null} target */
function takesLetters(target) {
  if (target instanceof HTMLInputElement) return !LETTERLESS.includes(target.type);
  return target instanceof HTMLElement && (target.isContentEditable || target.matches('select, textarea'));
}

/** @param {Record<string, HTMLButtonElement>} buttons */
function show(buttons) {
  document.body.classList.toggle('without-keys', !checkbox.checked);
  for (const [key, button] of Object.entries(buttons)) {
    if (checkbox.checked) button.setAttribute('aria-keyshortcuts', key);
    else button.removeAttribute('aria-keyshortcuts');
  }
}

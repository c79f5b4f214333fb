// Buttons that copy a text to the clipboard.
import { element } from './page.js';

/** How long a button says what became of it. */
const SAYS_MS = 1500;

/**
 * @param {HTMLButtonElement} button
 * @param {HTMLElement} source whose text is copied; must be visible
 */
export function listenForCopy(button, source) {
  const name = button.textContent;
  button.addEventListener('click', async () => {
    button.textContent = await copy(source);
    // Screen readers do not read a button again when its text changes.
    element('copied', HTMLElement).textContent = button.textContent;
    setTimeout(() => (button.textContent = name), SAYS_MS);
  });
}

/** @param {HTMLElement} source */
async function copy(source) {
  try {
    await navigator.clipboard.writeText(source.textContent ?? '');
    return 'Copied';
  } catch {
    // The clipboard is not available: select the text, so that the user can copy it by keyboard.
    getSelection()?.selectAllChildren(source);
    return 'Selected';
  }
}

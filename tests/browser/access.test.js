// The pages for people who use a keyboard, a screen reader, speech or forced colours, by WCAG 2.2 AA. axe checks what it
// can in each state of both pages; the other tests check what it cannot.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { ISOLATION } from '../../tools/serve.js';
import { decodeImage } from '../../wasm/platform/node.js';
import { check, SCHEMES } from './axe.js';
import { writeCameraFile } from './camera.js';
import { launchWithCamera, needsBrowser, photos, ROOT, serve } from './shared.js';

/** @typedef {import('playwright-core').Page} Page */

const CAMERA = `${ROOT}build/access-camera.y4m`;
const DESKTOP = { width: 1280, height: 860 };
/** A page must fit this width: it is 1280 pixels at a zoom of 400 %. */
const NARROW = { width: 320, height: 568 };
/** The least height and width of what is pressed, in CSS pixels. */
const TARGET_PX = 44;

/** @param {string} name */
const photo = (name) => `${photos()}/${name}.png`;

/**
 * The contrast of two colours by WCAG's formula.
 * @param {string[]} colors as rgb(r, g, b)
 */
function contrast(colors) {
  const [low, high] = colors
    .map((color) => {
      const [r, g, b] = (color.match(/[\d.]+/g) ?? []).map((text) => {
        const value = Number(text) / 255;
        return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    })
    .sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

suite('the pages, for everyone', needsBrowser, () => {
  /** @type {import('playwright-core').Browser} */ let browser;
  /** @type {Awaited<ReturnType<typeof serve>>} */ let server;
  before(async () => {
    const cat = await decodeImage(readFileSync(photo('chelsea')));
    writeCameraFile(CAMERA, [cat], 30);
    server = await serve({ headers: ISOLATION, roots: { '/': `${ROOT}web`, '/samples/': photos() } });
    browser = await launchWithCamera(CAMERA);
  });
  after(async () => {
    await browser?.close();
    server?.close();
  });

  /**
   * @param {import('node:test').TestContext} t
   * @param {string} path
   * @param {(page: Page) => Promise<unknown>} [prepare] runs before the page is opened
   */
  async function open(t, path, prepare) {
    const context = await browser.newContext({ permissions: ['camera'], viewport: DESKTOP });
    t.after(() => context.close());
    const page = await context.newPage();
    await prepare?.(page);
    await page.goto(`${server.url}/${path}`);
    return page;
  }

  /**
   * A page without its network, which is large and which many controls do not need.
   * @param {import('node:test').TestContext} t
   * @param {string} path
   */
  async function openBare(t, path) {
    const page = await open(t, path, (page) => page.route('**/*.gz', (route) => route.abort()));
    await waitForState(page, 'failed');
    return page;
  }

  /** @param {import('node:test').TestContext} t */
  async function openDemo(t) {
    const page = await open(t, '');
    await waitForText(page, '#summary', /Person/);
    return page;
  }

  /** @param {import('node:test').TestContext} t */
  async function openTeach(t) {
    const page = await open(t, 'teach.html');
    await page.locator('#stage[data-state=empty]').waitFor();
    return page;
  }

  /** With a box. @param {import('node:test').TestContext} t */
  async function openFind(t) {
    const page = await open(t, 'teach.html#find');
    await waitForState(page, 'empty');
    await page.locator('#photos').setInputFiles(photo('chelsea'));
    await page.locator('#new-box').click();
    await page.locator('#pictures').getByText('1 box').waitFor();
    await page.locator('h1').click();
    return page;
  }

  /** @param {Page} page @param {string} selector @param {RegExp | string} text */
  const waitForText = (page, selector, text) => page.locator(selector).filter({ hasText: text }).waitFor();
  /** @param {Page} page */
  const unfold = (page) =>
    page.locator('details').evaluateAll((all) => all.forEach((details) => details.setAttribute('open', '')));
  /** @param {Page} page @param {string} state */
  const waitForState = (page, state) => page.locator(`#stage[data-state=${state}]`).waitFor();
  /** @param {Page} page @param {number} number */
  const card = (page, number) => page.locator('.card').nth(number);

  /**
   * Adds photos to a class of the page that learns.
   * @param {Page} page
   * @param {number} number
   * @param {string[]} names
   */
  async function addPhotos(page, number, names) {
    await card(page, number).locator('input[type=file]').setInputFiles(names.map(photo));
    await card(page, number).getByText(`${names.length} example`).waitFor();
  }

  /** @param {Page} page */
  async function checkNarrow(page) {
    await page.setViewportSize(NARROW);
    await check(page, 'narrow');
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.equal(width, NARROW.width, 'no sideways scrolling');
    await page.setViewportSize(DESKTOP);
  }

  test('axe, the page that detects: while it loads and when that fails', async (t) => {
    /** @type {(route: import('playwright-core').Route) => void} */
    let hold = () => {};
    /** @type {Promise<import('playwright-core').Route>} */
    const held = new Promise((resolve) => (hold = resolve));
    const page = await open(t, '', (page) => page.route('**/*.gz', hold));
    await waitForState(page, 'loading');
    const route = await held;
    await check(page, 'loading');
    await route.abort();
    await waitForState(page, 'failed');
    await check(page, 'failed');
  });

  test('axe, the page that detects: with a photo, without classes, dropping, camera, a refused file', async (t) => {
    const page = await openDemo(t);
    await unfold(page);
    await page.locator('#score').press('Home');
    await waitForText(page, '#summary', /Bottle/);
    await check(page, 'all open');
    await checkNarrow(page);
    await page.getByRole('button', { name: 'None' }).click();
    await page.evaluate(() => document.querySelector('#stage')?.classList.add('dropping'));
    await check(page, 'without classes, dropping');
    await page.evaluate(() => document.querySelector('#stage')?.classList.remove('dropping'));
    await page.getByRole('button', { name: 'All' }).click();
    await page.locator('#camera').click();
    await waitForText(page, '#summary', /Cat/);
    await page.locator('#pause').click();
    await page.locator('#keys').uncheck();
    await check(page, 'camera, paused, without letter keys');
    await page.locator('#file').setInputFiles(`${ROOT}web/style.css`);
    await waitForState(page, 'failed');
    await check(page, 'refused');
  });

  test('axe, the page that learns: empty, what training lacks, trained, without classes', async (t) => {
    const page = await openTeach(t);
    await check(page, 'empty');
    await addPhotos(page, 0, ['chelsea', 'chelsea']);
    await addPhotos(page, 1, ['coffee', 'coffee']);
    await card(page, 1).getByLabel('Name of the class').fill('Class 1');
    await waitForText(page, '#training', 'the same name');
    await check(page, 'two of one name');
    await card(page, 1).getByLabel('Name of the class').fill('Class 2');
    await page.getByRole('button', { name: 'Train' }).click();
    await waitForText(page, '#training', /^Trained/);
    await page.locator('#camera').click();
    await waitForText(page, '#seen', 'Looks like Class 1');
    await check(page, 'trained, camera');
    await checkNarrow(page);
    while (await page.locator('.card').count()) await card(page, 0).locator('.plain').click();
    await check(page, 'without classes');
  });

  for (const [name, openPage] of Object.entries({
    detects: openDemo,
    learns: openTeach,
    'learns to find': openFind,
  }))
    test(`by Tab, the page that ${name}: every control in turn, large and with a mark`, async (t) => {
      const page = await openPage(t);
      await unfold(page);
      const expected = await page.evaluate(() => {
        const all = document.querySelectorAll('a[href], button, input, select, summary, [tabindex="0"]');
        const reachable = [...all].filter((each) => each.checkVisibility() && !each.matches(':disabled'));
        reachable.forEach((each, i) => each.setAttribute('data-at', String(i)));
        return reachable.length;
      });
      assert.ok(expected > 8);
      for (let i = 0; i < expected; i++) {
        await page.keyboard.press('Tab');
        const focused = await page.evaluate(() => {
          const target = /** @type {HTMLElement} */ (document.activeElement);
          const { width, height } = (target.closest('label') ?? target).getBoundingClientRect();
          const { outlineStyle, outlineWidth } = getComputedStyle(target);
          const isPressed = !target.matches('[role=region], [role=group]');
          return {
            at: target.dataset.at,
            html: target.outerHTML,
            width,
            height,
            outlineStyle,
            outlineWidth,
            isPressed,
          };
        });
        assert.equal(focused.at, String(i), focused.html);
        assert.equal(focused.outlineStyle, 'solid', focused.html);
        assert.ok(parseFloat(focused.outlineWidth) >= 2, focused.html);
        const side = Math.min(focused.width, focused.height);
        if (focused.isPressed) assert.ok(side >= TARGET_PX, `${side} px: ${focused.html}`);
      }
    });

  test('sliders have names, and say their value as the page shows it', async (t) => {
    const demo = await openBare(t, '');
    const score = demo.getByRole('slider', { name: 'Score above', exact: true });
    assert.equal(await score.getAttribute('aria-valuetext'), '30 %');
    await score.press('ArrowLeft');
    await score.press('ArrowLeft');
    assert.equal(await score.getAttribute('aria-valuetext'), '20 %');
    assert.equal(await demo.locator('#score-value').textContent(), '20 %');
    const overlap = demo.getByRole('slider', { name: 'Overlap (IoU) at most', exact: true });
    assert.equal(await overlap.getAttribute('aria-valuetext'), '60 %');
    const teach = await openBare(t, 'teach.html');
    const epochs = teach.getByRole('slider', { name: 'Epochs', exact: true });
    await epochs.press('ArrowRight');
    assert.equal(await epochs.getAttribute('aria-valuetext'), '35');
    assert.equal(await teach.locator('#epochs-value').textContent(), '35');
  });

  test('letter keys press where nothing else takes them, until they are switched off', async (t) => {
    const page = await openBare(t, '');
    await page.evaluate(() => {
      const fields = '<textarea></textarea><input type="search"><p contenteditable="true"><b>bold</b></p>';
      document.body.insertAdjacentHTML('beforeend', fields);
      addEventListener('keydown', (event) => event.key === 'P' && event.preventDefault(), { capture: true });
      // A press by a letter is a click by no one. It is noted instead of done.
      const note = (/** @type {Event} */ event) => {
        if (event.isTrusted) return;
        event.stopImmediatePropagation();
        event.preventDefault();
        document.body.dataset.pressed += /** @type {HTMLElement} */ (event.target).id;
      };
      addEventListener('click', note, { capture: true });
    });
    /**
     * What the keys press while this has the focus.
     * @param {string} focus
     * @param {string[]} keys
     */
    const press = async (focus, ...keys) => {
      await page.evaluate((focus) => {
        document.body.dataset.pressed = '';
        /** @type {HTMLElement} */ (document.activeElement).blur();
        /** @type {HTMLElement | null} */ (document.querySelector(focus))?.focus();
      }, focus);
      for (const key of keys) await page.keyboard.press(key);
      return page.evaluate(() => document.body.dataset.pressed);
    };
    for (const focus of ['body', '#camera', '#score', '#keys', 'summary', '#stage'])
      assert.equal(await press(focus, 'c', 'O'), 'cameraopen', focus);
    for (const focus of ['#threads', 'textarea', '[type=search]', '[contenteditable]'])
      assert.equal(await press(focus, 'c', 'o'), '', focus);
    assert.equal(await press('body', 'Control+c', 'Alt+c', 'Meta+o'), '', 'with a modifier');
    assert.equal(await press('body', 'p'), '', 'its button is not there');
    await page.locator('#pause').evaluate((pause) => pause.removeAttribute('hidden'));
    assert.equal(await press('body', 'p', 'P'), 'pause', 'P is taken by another listener');
    await page.keyboard.down('c');
    await page.keyboard.down('c');
    await page.keyboard.up('c');
    assert.equal(await page.evaluate(() => document.body.dataset.pressed), 'pausecamera', 'held');

    const keys = page.getByRole('checkbox', { name: 'Letter keys' });
    assert.equal(await page.locator('#camera').getAttribute('aria-keyshortcuts'), 'c');
    await keys.uncheck();
    assert.equal(await press('body', 'c', 'o', 'p'), '');
    assert.equal(await page.locator('#camera').getAttribute('aria-keyshortcuts'), null);
    assert.ok(await page.locator('#camera kbd').isHidden());
    await page.goto(`${server.url}/teach.html`);
    await waitForState(page, 'failed');
    assert.ok(!(await keys.isChecked()), 'kept, for both pages');
    await keys.check();
    assert.equal(await page.locator('#camera').getAttribute('aria-keyshortcuts'), 'c');
    await page.reload();
    await waitForState(page, 'failed');
    assert.ok(await keys.isChecked());
  });

  test('lists are lists, also where the style takes their marks', async (t) => {
    const demo = await openDemo(t);
    await unfold(demo);
    const teach = await openTeach(t);
    await addPhotos(teach, 0, ['chelsea', 'coffee']);
    for (const page of [demo, teach]) {
      const unmarked = await page.evaluate(
        () =>
          [...document.querySelectorAll('ul, ol')].filter((list) => list.getAttribute('role') !== 'list')
            .length,
      );
      assert.equal(unmarked, 0, 'Safari takes a list without marks for no list, unless it has the role');
    }
    const count = (/** @type {Page} */ page, /** @type {string} */ name) =>
      page.getByRole('list', { name, exact: true }).getByRole('listitem').count();
    assert.equal(await count(demo, 'Sample photos'), 3);
    assert.equal(await count(demo, 'Classes to show'), 23);
    assert.equal(await demo.getByRole('region', { name: 'Detections' }).getByRole('listitem').count(), 3);
    assert.equal(await count(teach, 'Examples of “Class 1”'), 2);
  });

  test('removing says what, and the focus goes to the next one', async (t) => {
    const page = await openTeach(t);
    await addPhotos(page, 0, ['chelsea', 'chelsea', 'coffee']);
    await card(page, 0).getByLabel('Name of the class').fill('cat');
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
    // The newest example comes first.
    await page.getByRole('button', { name: 'Remove example 2 of “cat”' }).focus();
    await page.keyboard.press('Enter');
    assert.equal(await focused(), 'Remove example 1 of “cat”', 'the next one');
    await page.keyboard.press('Enter');
    assert.equal(await focused(), 'Remove example 1 of “cat”', 'the one before, renamed');
    await page.keyboard.press('Enter');
    assert.equal(await focused(), 'Add photos to “cat”');
    await page.getByRole('button', { name: 'Add a class' }).click();
    assert.equal(await page.evaluate(() => String(getSelection())), 'Class 3');
    const names = () =>
      page
        .locator('.card input[type=text]')
        .evaluateAll((all) => all.map((each) => each === document.activeElement));
    for (const [remove, expected] of /** @type {const} */ ([
      ['Remove the class “cat”', [true, false]],
      ['Remove the class “Class 3”', [true]],
      ['Remove the class “Class 2”', []],
    ])) {
      await page.getByRole('button', { name: remove }).focus();
      await page.keyboard.press('Enter');
      assert.deepEqual(await names(), expected, remove);
    }
    assert.equal(await page.evaluate(() => document.activeElement?.id), 'add-class');
  });

  test('the focus stays when its button goes', async (t) => {
    const page = await openBare(t, '');
    await page.locator('#camera').click();
    await page.locator('#pause').waitFor(); // until then, the key opens the camera
    await page.locator('#pause').focus();
    await page.keyboard.press('c');
    await page.locator('#pause').waitFor({ state: 'hidden' });
    assert.equal(await page.evaluate(() => document.activeElement?.id), 'camera');
    await page.reload();
    await page.getByRole('button', { name: 'Try again' }).press('Enter');
    await page.waitForFunction(() => document.activeElement?.id === 'stage');
  });

  test('a paused video is still captured', async (t) => {
    const page = await openTeach(t);
    await page.locator('#camera').click();
    await page.locator('#pause').click();
    assert.ok(
      await page.locator('#video').evaluate((video) => /** @type {HTMLVideoElement} */ (video).paused),
    );
    await card(page, 0).getByRole('button', { name: 'Hold to capture' }).focus();
    await page.keyboard.press('Enter');
    await card(page, 0).getByText('1 example').waitFor();
    await page.locator('#pause').click();
    assert.equal(await page.locator('#pause').getAttribute('aria-pressed'), 'false');
  });

  test('letters in keys and pressed buttons have a contrast of 4.5, fields one of 3', async (t) => {
    const page = await openBare(t, '');
    await page.locator('#camera').click();
    await page.locator('#camera[aria-pressed=true]').waitFor();
    /** @param {string} selector @param {'color' | 'borderTopColor'} property */
    const against = (selector, property) =>
      page.locator(selector).evaluate((target, property) => {
        const boxes = [];
        for (let box = /** @type {Element | null} */ (target); box; box = box.parentElement)
          boxes.push(getComputedStyle(box).backgroundColor);
        const opacity = getComputedStyle(target).opacity;
        const ground = boxes.find((color) => color !== 'rgba(0, 0, 0, 0)') ?? '';
        return { colors: [getComputedStyle(target)[property], ground], opacity };
      }, property);
    for (const [scheme, media] of Object.entries(SCHEMES)) {
      await page.emulateMedia(media);
      for (const [selector, property, least] of /** @type {const} */ ([
        ['#camera kbd', 'color', 4.5],
        ['#camera', 'color', 4.5],
        ['#open kbd', 'color', 4.5],
        ['#threads', 'borderTopColor', 3],
      ])) {
        const { colors, opacity } = await against(selector, property);
        assert.equal(opacity, '1');
        assert.ok(contrast(colors) >= least, `${selector}, ${scheme}: ${colors}`);
      }
    }
  });

  test('forced colours show what is pressed, which page this is, and the colours of classes and stages', async (t) => {
    const page = await openDemo(t);
    /**
     * Finds the element and reads its style in one step: a page that draws its results again replaces elements.
     * @param {string} selector
     * @param {string} property
     */
    const style = async (selector, property) => {
      await page.locator(selector).first().waitFor({ state: 'attached' });
      return page.evaluate(
        ([selector, property]) =>
          getComputedStyle(/** @type {Element} */ (document.querySelector(selector))).getPropertyValue(
            property,
          ),
        [selector, property],
      );
    };
    const dots = ['#found .dot', '.dot.network', '.dot.decode'];
    const colors = await Promise.all(dots.map((dot) => style(dot, 'background-color')));
    const plotted = () =>
      page.locator('#plot').evaluate((plot) => {
        const canvas = /** @type {HTMLCanvasElement} */ (plot);
        const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
        const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
        const opaque = [...data.keys()].filter((i) => i % 4 === 3 && data[i] === 255);
        return [...new Set(opaque.map((i) => `rgb(${data[i - 3]}, ${data[i - 2]}, ${data[i - 1]})`))];
      });
    assert.ok((await plotted()).includes(colors[1]));
    await page.emulateMedia(SCHEMES.forced);
    assert.deepEqual(await Promise.all(dots.map((dot) => style(dot, 'background-color'))), colors);
    assert.ok((await plotted()).includes(colors[1]), 'drawn again');

    assert.equal(await style('#camera', 'forced-color-adjust'), 'auto');
    const unpressed = await style('#camera', 'background-color');
    await page.locator('#camera').click();
    await page.locator('#camera[aria-pressed=true]').waitFor();
    assert.notEqual(await style('#camera', 'background-color'), unpressed);
    await page.locator('#sample-coffee').click();
    await page.locator('#sample-coffee[aria-pressed=true]').waitFor();
    assert.notEqual(
      await style('#sample-coffee', 'box-shadow'),
      await style('#sample-chelsea', 'box-shadow'),
    );
    assert.equal(await style('nav a[aria-current]', 'outline-style'), 'solid');
    assert.equal(await style('nav a:not([aria-current])', 'outline-style'), 'none');
  });
});

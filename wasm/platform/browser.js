// The package's entry in browsers: pages, and the user's own workers and service workers.
import { later } from './later.browser.js';
import { installPage } from './page.js';
import { urls } from './urls.js';

installPage(later, {
  urls,
  startSession: () => new Worker(new URL('./worker.browser.js', import.meta.url), { type: 'module' }),
  startThread: () => new Worker(new URL('./thread.browser.js', import.meta.url), { type: 'module' }),
});

// The types declare what is of vision/index.js only.
export * from './page.js';

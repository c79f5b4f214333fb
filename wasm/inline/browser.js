// Entry point of ocelli/inline in browsers: ocelli that needs no files.
import { later } from '../platform/later.browser.js';
import { installPage, isHosted } from '../platform/page.js';
import { carryFiles } from './carry.js';

carryFiles(() => import('../../dist/inline/worker.browser.js'));
if (!isHosted()) installPage(later);

export * from '../platform/page.js';

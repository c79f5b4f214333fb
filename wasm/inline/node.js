// Entry point of ocelli/inline in Node, Bun and Deno: ocelli that needs no files.
import { isHosted } from '../engine/host.js';
import { installNode } from '../platform/main.node.js';
import { carryFiles } from './carry.js';

carryFiles(() => import('../../dist/inline/worker.node.js'));
if (!isHosted()) installNode();

export * from '../vision/index.js';

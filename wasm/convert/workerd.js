// Entry point of ocelli/convert in edge workers (workerd).
import '../platform/workerd.js';

export * from './index.js';

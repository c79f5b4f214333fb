// Entry point of ocelli/convert in Vercel's edge runtime and Next.js' edge routes.
import '../platform/edge_light.js';

export * from './index.js';

// Entry point of ocelli/inline in Vercel's edge runtime and Next.js' edge routes: carries the model.
import { carry, decode } from '../platform/carried.js';

carry({ read: async () => decode((await import('../../dist/inline/model.js')).default) });

export * from '../platform/edge_light.js';

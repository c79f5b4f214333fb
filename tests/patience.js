/**
 * How long a test waits for something that must come, in milliseconds. A wait ends as soon as it comes; the limit only ends a
 * test that would never pass, and is beyond what a busy machine may take.
 */
export const PATIENCE_MS = 300_000;

// Log entries -> metrics for Prometheus.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * @param {() => number} queueLength
 * @param {string[]} paths with a time series of their own; all other paths share one, so that clients cannot create
 *   more
 */
export function createMetrics(queueLength, paths) {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const duration = new Histogram({
    ...{
      name: 'ocelli_request_seconds',
      help: 'seconds from request to answer',
      buckets: SECONDS,
      registers,
    },
    labelNames: ['path', 'status'],
  });
  const failures = new Counter({
    ...{ name: 'ocelli_failures_total', help: 'error answers by code', registers },
    labelNames: ['code'],
  });
  new Gauge({
    ...{ name: 'ocelli_queue_length', help: 'images waiting for a detector', registers },
    collect() {
      this.set(queueLength());
    },
  });
  return {
    /** @param {Record<string, any>} entry of the log */
    observe({ path, status, ms, code }) {
      if (status === undefined) return;
      duration.observe({ path: paths.includes(path) ? path : 'other', status }, ms / 1000);
      if (code) failures.inc({ code });
    },
    text: () => registry.metrics(),
    type: registry.contentType,
  };
}

// What a worker did -> metrics for Prometheus.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** @param {() => Promise<Record<string, number>>} countJobs jobs by state, of all workers */
export function createMetrics(countJobs) {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const jobs = new Counter({
    ...{ name: 'ocelli_jobs_total', help: 'jobs by outcome: done, poison, retry, gone', registers },
    labelNames: ['outcome'],
  });
  const seconds = new Histogram({
    ...{ name: 'ocelli_job_seconds', help: 'seconds from taking a job to its end', registers },
    buckets: [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  });
  new Gauge({
    ...{
      name: 'ocelli_queue_jobs',
      help: 'jobs in the queue, of all workers, a minute ago at most',
      registers,
    },
    labelNames: ['state'],
    async collect() {
      const counts = await countJobs().catch(() => ({})); // The database is away: no value.
      this.reset();
      for (const [state, count] of Object.entries(counts)) this.set({ state }, count);
    },
  });
  return {
    /** @param {string} outcome @param {number} taken in seconds */
    count(outcome, taken) {
      jobs.inc({ outcome });
      seconds.observe(taken);
    },
    text: () => registry.metrics(),
    type: registry.contentType,
  };
}

// Requests over some connections at once -> how long each took, and the server's memory before and after.
import { Agent, request } from 'node:http';
import { readFileSync } from 'node:fs';
import { median } from '../../bench/measure.js';

/**
 * @param {{url: string, server: import('node:child_process').ChildProcess}} server
 * @param {{connections: number, requests: number, body: Uint8Array}} options
 */
export async function runLoad({ url, server }, { connections, requests, body }) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  /** @type {Record<number, number>} */ const statuses = {};
  /** @type {Set<string>} */ const answers = new Set();
  /** @type {number[]} */ const times = [];
  let left = requests;
  const before = residentMiB(server);
  const start = performance.now();
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (left-- > 0) {
        const asked = performance.now();
        const { status, text } = await post(`${url}/detect`, agent, body);
        times.push(performance.now() - asked);
        statuses[status] = (statuses[status] ?? 0) + 1;
        answers.add(text);
      }
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  agent.destroy();
  const sorted = times.toSorted((a, b) => a - b);
  const p99 = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))];
  const perSecond = requests / seconds;
  const after = residentMiB(server);
  const summary =
    `${connections} connections: ${perSecond.toFixed(1)} a second, p50 ${median(times).toFixed(0)} ms, ` +
    `p99 ${p99.toFixed(0)} ms, resident ${before.toFixed(0)} -> ${after.toFixed(0)} MiB`;
  return { requests, statuses, answers, perSecond, before, after, summary };
}

/**
 * @param {string} url
 * @param {Agent} agent
 * @param {Uint8Array} body
 * @returns {Promise<{status: number, text: string}>}
 */
function post(url, agent, body) {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** @param {import('node:child_process').ChildProcess} process */
export function residentMiB({ pid }) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

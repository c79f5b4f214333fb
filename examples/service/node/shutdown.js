// Ends an HTTP server when the requests under way are answered. Its close() would cut answers that are still being sent, and
// would also wait, without a limit, for connections that have sent nothing or a part of a request.
import { Server } from 'node:net';

/**
 * Watches the server's connections, from before the first one.
 * @param {import('node:http').Server} server
 * @returns {(limitMs: number) => Promise<void>} ends the server; `limitMs`: the longest that it waits for the requests and for
 *   clients to read their answers
 */
export function prepareShutdown(server) {
  /**
   * The newest answer on each connection; answers finish in their order.
   * @type {Map<import('node:net').Socket, import('node:http').ServerResponse | undefined>}
   */
  const answers = new Map();
  server.on('connection', (socket) => {
    answers.set(socket, undefined);
    socket.on('close', () => answers.delete(socket));
  });
  server.on('request', ({ socket }, response) => answers.set(socket, response));
  return (limitMs) =>
    new Promise((resolve) => {
      const limit = setTimeout(() => server.closeAllConnections(), limitMs);
      Server.prototype.close.call(server, () => {
        clearTimeout(limit);
        resolve();
      });
      for (const [socket, answer] of answers) {
        if (!answer || answer.writableFinished) socket.destroy();
        else {
          if (!answer.headersSent) answer.setHeader('connection', 'close');
          answer.on('close', () => socket.destroy());
        }
      }
    });
}

// A PostgreSQL of Debian's for trying things out, in a folder. In production, set DATABASE_URL.
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const VERSIONS = '/usr/lib/postgresql';

/** @param {string} name of a program of the newest version that is installed */
function find(name) {
  const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS) : [];
  const programs = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(VERSIONS, version, 'bin', name));
  const program = programs.find((path) => existsSync(path));
  if (!program) throw new Error('there is no PostgreSQL: apt-get install postgresql, or set DATABASE_URL');
  return program;
}

/** PostgreSQL refuses to run as root: root runs it as Debian's user postgres. */
function findUser() {
  if (process.getuid?.() !== 0) return {};
  const id = (/** @type {string} */ flag) => Number(execFileSync('id', [flag, 'postgres']));
  return { uid: id('-u'), gid: id('-g') };
}

/**
 * A folder like /root lets no other user through. The data of a folder there lies in the temporary folder.
 * @param {string} wanted
 * @param {{uid?: number, gid?: number}} user
 */
function findFolder(wanted, user) {
  if (user.uid === undefined) return wanted;
  try {
    execFileSync('test', ['-x', dirname(wanted)], { ...user, cwd: '/', stdio: 'ignore' });
    return wanted;
  } catch {
    const key = createHash('sha256').update(wanted).digest('hex').slice(0, 12);
    return join(tmpdir(), `ocelli-queue-${key}`);
  }
}

async function findPort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * @param {string} wanted the folder; it is created if it is not there
 * @param {number} [port] default: any that is free
 */
export async function startDatabase(wanted, port) {
  const user = findUser();
  const folder = findFolder(wanted, user);
  if (!existsSync(join(folder, 'PG_VERSION'))) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (user.uid !== undefined) chownSync(folder, user.uid, user.gid);
    const flags = ['-D', folder, '-A', 'trust', '-U', 'ocelli', '-E', 'UTF8', '--locale=C'];
    execFileSync(find('initdb'), flags, { ...user, cwd: '/', stdio: ['ignore', 'ignore', 'inherit'] });
  }
  const place = port ?? (await findPort());
  const flags = ['-D', folder, '-p', String(place), '-h', '127.0.0.1', '-k', ''];
  // In a group of its own, so that Ctrl-C ends the workers before it.
  const server = spawn(find('postgres'), flags, {
    ...user,
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  const ended = once(server, 'exit');
  const ready = ['-q', '-h', '127.0.0.1', '-p', String(place)];
  const isReady = () => {
    try {
      execFileSync(find('pg_isready'), ready);
      return true;
    } catch {
      return false;
    }
  };
  while (!isReady()) {
    if (server.exitCode !== null)
      throw new Error(`PostgreSQL ended at once; see it by: postgres ${flags.join(' ')}`);
    await sleep(100);
  }
  return {
    url: `postgres://ocelli@127.0.0.1:${place}/postgres`,
    port: place,
    folder,
    /** @param {NodeJS.Signals} [signal] default: end connections, then end */
    async stop(signal = 'SIGINT') {
      if (server.exitCode === null && server.signalCode === null) server.kill(signal);
      await ended;
    },
  };
}

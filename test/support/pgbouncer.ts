import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe } from '@jest/globals';
import type { PostgresServer } from '../../local/postgres/server.ts';
import { freePort } from '../docker/support/free-port.ts';

/** Where Debian installs it. */
const PROGRAM = '/usr/sbin/pgbouncer';

export const wherePgBouncerIsInstalled = existsSync(PROGRAM) ? describe : describe.skip;

export interface PgBouncer {
  readonly host: string;
  readonly port: number;
  stop(): Promise<void>;
}

/** @returns user and group ID of `nobody` for root, as whom PgBouncer refuses to run */
async function account(): Promise<{ readonly uid: number; readonly gid: number } | undefined> {
  if (process.getuid?.() !== 0) {
    return undefined;
  }
  const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => promisify(execFile)('id', [flag, 'nobody'])));
  return { uid: Number(uid?.stdout), gid: Number(gid?.stdout) };
}

/**
 * Starts a PgBouncer in front of all databases of a server, with one session of the server for each, so that its
 * clients take turns.
 *
 * @param users further users and their passwords
 */
export async function startPgBouncer(
  server: PostgresServer,
  mode: 'transaction' | 'session' | 'statement',
  users: Readonly<Record<string, string>> = {},
): Promise<PgBouncer> {
  const folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  await chmod(folder, 0o755);
  const port = await freePort();
  const quoted = (word: string) => `"${word.replaceAll('"', '""')}"`;
  const passwords = { [server.user]: server.password, ...users };
  const files = {
    'users.txt': Object.entries(passwords).map((pair) => pair.map(quoted).join(' ')),
    'pgbouncer.ini': [
      '[databases]',
      `* = host=${server.host} port=${server.port}`,
      '[pgbouncer]',
      ...['listen_addr = 127.0.0.1', `listen_port = ${port}`, 'unix_socket_dir ='],
      ...['auth_type = scram-sha-256', `auth_file = ${join(folder, 'users.txt')}`],
      ...[`pool_mode = ${mode}`, 'default_pool_size = 1'],
    ],
  };
  const runAs = await account();
  for (const [name, lines] of Object.entries(files)) {
    await writeFile(join(folder, name), `${lines.join('\n')}\n`, { mode: 0o600 });
    if (runAs !== undefined) {
      await chown(join(folder, name), runAs.uid, runAs.gid);
    }
  }
  const child = spawn(PROGRAM, [join(folder, 'pgbouncer.ini')], {
    cwd: '/',
    stdio: ['ignore', 'ignore', 'pipe'],
    ...runAs,
  });
  let log = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text;
      if (log.includes('process up')) {
        resolve();
      }
    });
    child.once('close', () => {
      reject(new Error(`PgBouncer did not start: ${log}`));
    });
  });
  const stop = async (): Promise<void> => {
    const closed = once(child, 'close');
    child.kill('SIGTERM');
    await closed;
    await rm(folder, { recursive: true });
  };
  return { host: '127.0.0.1', port, stop };
}

import { type Child, start } from '../child.ts';
import { compressOption } from '../postgres/clients.ts';
import { KEEPALIVE } from '../postgres/connection/libpq-environment.ts';
import type { DumpOptions } from './dump-run.ts';

/**
 * Longest wait for a lock that another session holds. While pg_dump waits for its weak lock, sessions that request a
 * strong lock on the same table wait as well; so this bounds how long a dump can block the application.
 */
const LOCK_TIMEOUT_MS = 60_000;

/**
 * Starts pg_dump: custom format, without owners.
 *
 * @param file to write; without it the dump goes to standard output
 */
export function startPgDump(
  { client, compression, environment }: DumpOptions,
  signal: AbortSignal,
  file?: string,
): Child {
  const args = [
    '--format=custom',
    '--no-owner',
    '--no-password',
    // If this machine crashes, the file is useless anyway.
    '--no-sync',
    `--lock-wait-timeout=${LOCK_TIMEOUT_MS}`,
    compressOption(compression),
    ...(file === undefined ? [] : [`--file=${file}`]),
    `--dbname=${KEEPALIVE}`,
  ];
  // So that equal times are written equally, and their hashes can be compared.
  return start(client.pgDump, args, { environment: { ...environment, PGTZ: 'UTC' }, signal });
}

import { compressOption, type PostgresClient } from '../postgres/clients.ts';
import { KEEPALIVE } from '../postgres/connection/libpq-environment.ts';
import { filterOptions, type Filters } from '../postgres/filters/filters.ts';
import { type Child, type ChildOptions, start } from '../process/child.ts';
import type { DumpOptions } from './dump-run.ts';

/**
 * Longest wait for the lock of a table that another session holds. While pg_dump waits for its weak lock, sessions that
 * request any lock on that table wait behind the session that holds it, and those that request a strong one on a table
 * which pg_dump has locked already wait for pg_dump.
 *
 * For views, materialized views and sequences, which it locks later by asking for their definition or value, pg_dump
 * waits without limit: it sets `lock_timeout` and `statement_timeout` to 0 itself, whatever its connection was given.
 * That outlasts a REFRESH MATERIALIZED VIEW, for which it would be wrong to give up a dump.
 */
const LOCK_TIMEOUT_MS = 60_000;

/** First major whose pg_dump can dump the planner's statistics. */
const STATISTICS_SINCE = 18;

/**
 * The option for the planner's statistics, if there is one. They hold values of the most frequent rows, and pg_dump
 * dumps those of a table even if it leaves out its rows (as tried with pg_dump 18.6). So a dump that leaves out rows
 * has none.
 */
export function statisticsOptions({ major }: Pick<PostgresClient, 'major'>, filters: Filters): readonly string[] {
  return major >= STATISTICS_SINCE && filters.excludetabledata.length === 0 ? ['--statistics'] : [];
}

/** A folder that pg_dump writes to with several connections, and what becomes of its messages. */
interface ParallelTarget extends Pick<ChildOptions, 'onErrorLine' | 'kept'> {
  readonly folder: string;
}

/**
 * Starts pg_dump: custom format, or several connections and the directory format; without owners.
 *
 * @param target file or folder to write; without it the dump goes to standard output
 */
export function startPgDump(
  { client, compression, encoding, filters, environment, jobs }: DumpOptions,
  signal: AbortSignal,
  target?: string | ParallelTarget,
): Child {
  const { folder, ...messages } = typeof target === 'object' ? target : {};
  const file = typeof target === 'object' ? folder : target;
  const args = [
    ...(folder === undefined ? ['--format=custom'] : ['--format=directory', `--jobs=${jobs}`, '--verbose']),
    '--no-owner',
    '--no-password',
    // If this machine crashes, the file is useless anyway.
    '--no-sync',
    `--lock-wait-timeout=${LOCK_TIMEOUT_MS}`,
    compressOption(compression),
    ...filterOptions(filters),
    ...statisticsOptions(client, filters),
    // Otherwise it would be the `client_encoding` that is set for the user, into which not every text can be converted.
    `--encoding=${encoding}`,
    ...(file === undefined ? [] : [`--file=${file}`]),
    `--dbname=${KEEPALIVE}`,
  ];
  // So that equal times are written equally, and their hashes can be compared.
  return start(client.pgDump, args, { environment: { ...environment, PGTZ: 'UTC' }, signal, ...messages });
}

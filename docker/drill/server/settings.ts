import { availableParallelism, totalmem } from 'node:os';
import { MAX_JOBS } from '../../restore/options.ts';

/** What the server may use. */
export interface Machine {
  readonly cpus: number;
  /** In bytes. */
  readonly memory: number;
}

/** The machine, or what the container may use of it. */
export function thisMachine(): Machine {
  const limit = process.constrainedMemory();
  return { cpus: availableParallelism(), memory: limit === 0 ? totalmem() : Math.min(limit, totalmem()) };
}

const MIB = 1024 * 1024;

/** PostgreSQL accepts no more than this on every platform, and gains nothing from it in a restore. */
const MOST_MIB = 2047;

/** Parallel connections of the restore and of the comparison. */
export function jobsFor({ cpus }: Machine): number {
  return Math.min(cpus, MAX_JOBS);
}

/** A library that the server must load from its start for an extension, and its settings. */
const PRELOADED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  // The jobs that the dump has must not run here.
  pg_cron: { 'cron.launch_active_jobs': 'off' },
  pgaudit: {},
};

/** Names of the extensions whose library must be loaded from the server's start. */
export const PRELOADED_EXTENSIONS: readonly string[] = Object.keys(PRELOADED);

/**
 * Settings of a server whose data nobody needs after a crash, for a restore on this machine.
 *
 * @param folder of its socket
 * @param preloaded of {@link PRELOADED_EXTENSIONS}, those that it has and the dump uses
 */
export function serverSettings(
  folder: string,
  machine: Machine,
  preloaded: readonly string[],
): Readonly<Record<string, string>> {
  const share = (part: number) => `${Math.max(Math.min(Math.floor(machine.memory / part / MIB), MOST_MIB), 16)}MB`;
  return {
    listen_addresses: '',
    unix_socket_directories: folder,
    unix_socket_permissions: '0700',
    fsync: 'off',
    full_page_writes: 'off',
    synchronous_commit: 'off',
    autovacuum: 'off',
    // What crashes it would crash it again.
    restart_after_crash: 'off',
    // Then rows that are copied into a new table are not logged as well.
    wal_level: 'minimal',
    max_wal_senders: '0',
    max_wal_size: '512MB',
    max_logical_replication_workers: '0',
    shared_buffers: share(8),
    maintenance_work_mem: share(8 * jobsFor(machine)),
    // In a container, /dev/shm is too small for a parallel index build, and what is left there is not removed.
    dynamic_shared_memory_type: 'mmap',
    max_connections: String(2 * MAX_JOBS),
    // A statement of the dump may lock all partitions of a table, and there are as many as the source had locks for.
    max_locks_per_transaction: '512',
    TimeZone: 'UTC',
    shared_preload_libraries: preloaded.join(','),
    ...Object.fromEntries(preloaded.flatMap((name) => Object.entries(PRELOADED[name] ?? {}))),
  };
}

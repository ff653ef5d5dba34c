import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import { CLIENT_OUT_OF_MEMORY } from '../postgres/client-memory.ts';
import type { PostgresClient } from '../postgres/clients.ts';
import type { ConnectionSettings } from '../postgres/connection/connection-settings.ts';
import { withConnection } from '../postgres/connection/connection.ts';
import { KEEPALIVE, libpqEnvironment } from '../postgres/connection/libpq-environment.ts';
import type { TlsPolicy } from '../postgres/connection/tls/tls.ts';
import { sizeOf } from '../postgres/database.ts';
import { type ChildExit, start, wasStopped } from '../process/child.ts';
import type { Phase } from '../progress.ts';
import { RestoreErrors, SUMMARY } from './pg-restore-errors.ts';
import type { SessionSetting } from './target/session-settings.ts';

/** How pg_restore reaches the target. */
export interface RestoreTool {
  readonly target: ConnectionSettings;
  readonly policy: TlsPolicy;
  readonly client: PostgresClient;
  /** Replaces the home folder of pg_restore. */
  readonly folder: string;
  /** In the format of PATH. */
  readonly searchPath: string;
  /** For its sessions. */
  readonly settings: readonly SessionSetting[];
}

/** What to restore. */
export interface ArchivePart {
  /** A file, which several connections can restore from, or what reads it from the first byte to the last. */
  readonly archive: { readonly file: string; readonly jobs: number } | { readonly read: () => AsyncIterable<Buffer> };
  /** IDs of entries in the archive's table of contents, in the same order. */
  readonly entries: readonly number[];
  /** Whether an entry that the server warns of counts as refused. Only for entries without data. */
  readonly heedsWarnings?: boolean;
  /** Receives the message about each refused statement, and pg_restore's warnings, all without values. */
  readonly report: (message: string) => void;
  /** Called when pg_restore runs, and the database may change. */
  readonly onStarted: () => void;
}

/** pg_restore gave up, and not because of the server. */
export class EndedEarly extends Failure {}

/** The statements that the server refused. */
export interface Refusals {
  readonly count: number;
  /** IDs of refused entries with grants, which do not count. Only with `heedsWarnings`. */
  readonly grants: readonly number[];
  /** pg_restore's messages about them, as far as they are kept, in their order. */
  readonly messages: readonly string[];
  /** Whether rows may be missing for one of them. */
  readonly mayCostRows: boolean;
}

/**
 * Options of every restore. A tablespace that the server does not have must not cost a table its rows: where they are
 * stored is no part of them.
 */
const OPTIONS = ['--no-owner', '--no-tablespaces', '--no-password', `--dbname=${KEEPALIVE}`];

/**
 * Restores entries of an archive. A refused statement does not stop the restore: after hours of data, the cause may
 * only be a missing role in a policy.
 *
 * @throws {Failure} `tryAgain` if the connection to the server was lost or pg_restore was stopped
 * @throws {EndedEarly} `refused` if it ended early otherwise
 */
export async function restorePart(
  { target, policy, client, folder, searchPath, settings }: RestoreTool,
  { archive, entries, heedsWarnings = false, report, onStarted }: ArchivePart,
  signal: AbortSignal,
): Promise<Refusals> {
  const environment = await libpqEnvironment(target, policy, folder, searchPath);
  const list = join(folder, 'entries');
  await writeFile(list, entries.map((id) => `${id};\n`).join(''));
  const errors = new RestoreErrors(report);
  const source = [
    ...(heedsWarnings ? ['--verbose'] : []),
    ...('file' in archive ? [`--jobs=${archive.jobs}`, archive.file] : []),
  ];
  const options = {
    // Not without need: some poolers refuse connections with options.
    environment: settings.length === 0 ? environment : { ...environment, PGOPTIONS: optionsFor(settings) },
    signal,
    onErrorLine: (line: string) => {
      errors.add(line);
    },
    ...('file' in archive ? {} : { input: archive.read() }),
  };
  const { pid, output, exit } = start(client.pgRestore, [...OPTIONS, `--use-list=${list}`, ...source], options);
  output.resume();
  if (pid !== undefined) {
    onStarted();
  }
  const end = await exit;
  errors.end();
  return refusalsOf(end, errors);
}

/** pg_restore itself sets some of them, but not all, and only once it is connected. */
function optionsFor(settings: readonly SessionSetting[]): string {
  return settings.map(({ name, value }) => `-c ${name}=${value}`).join(' ');
}

/**
 * The progress of a restore, by how many bytes the database has grown. If a query fails, the last known size counts.
 *
 * @param bytes size on disk of the database that was dumped; zero if unknown
 */
export function restoring({ target, policy }: RestoreTool, bytes: number, signal: AbortSignal): Phase {
  let before: number | undefined;
  let size = 0;
  const measure = async () => {
    try {
      size = await withConnection(target, policy, signal, sizeOf);
      before ??= size;
    } catch {
      // Only affects the progress: pg_restore reports what matters.
    }
    return size - (before ?? 0);
  };
  void measure();
  return { name: 'Restoring', done: measure, total: { bytes, what: "of the source's size on disk" } };
}

/**
 * pg_restore exits with status 1 if the server refused any statement, even a harmless one. Its count does not match the
 * errors it prints for parallel connections, but is never higher.
 *
 * @throws {Failure} unless pg_restore executed all statements
 */
function refusalsOf(exit: ChildExit, errors: RestoreErrors): Refusals {
  const { status, signal, lastLines, tookAllInput } = exit;
  const { serious, harmless, refusedGrants, messages, lost } = errors;
  const summary = lastLines.at(-1) ?? '';
  const ignored = Number(SUMMARY.exec(summary)?.[1] ?? 0);
  const isComplete = signal === null && (status === 0 || (status === 1 && ignored > 0)) && tookAllInput;
  // Having lost the server, pg_restore may still process the rest, and count each statement as refused.
  if (isComplete && lost === undefined) {
    const uncounted = Math.max(ignored - harmless - refusedGrants.length, 0);
    const [count, mayCostRows] = serious === 0 ? [uncounted, uncounted > 0] : [serious, errors.mayCostRows];
    return { count, grants: refusedGrants, messages: serious === 0 && count > 0 ? [summary] : messages, mayCostRows };
  }
  const how = signal === null ? `exited with status ${status}` : `was ended by ${signal}`;
  if (lost !== undefined) {
    throw new Failure(
      'tryAgain',
      `pg_restore lost the connection to the server, and ${how} before the end of the dump. Its first error about the ` +
        `connection: ${lost}`,
    );
  }
  if (CLIENT_OUT_OF_MEMORY.test(lastLines.join('\n'))) {
    throw new Failure(
      'tryAgain',
      `pg_restore ${how} before the end of the dump: it ran out of memory on this machine. See the context jobMemoryMiB.`,
    );
  }
  if (errors.isStopped) {
    throw new Failure(
      'tryAgain',
      `pg_restore ${how} before the end of the dump: it, or one of its workers, was stopped from outside, by a signal.`,
    );
  }
  const message =
    `pg_restore ${how} before the end of the dump. ` +
    (errors.last === undefined ? 'It printed no error.' : `Its last error: ${errors.last}`);
  throw wasStopped(exit) ? new Failure('tryAgain', message) : new EndedEarly('refused', message);
}

import { type ChildExit, start } from '../child.ts';
import { Failure } from '../failure.ts';
import { log } from '../log.ts';
import type { PostgresClient } from '../postgres/clients.ts';
import type { ConnectionSettings } from '../postgres/connection-settings.ts';
import { withConnection } from '../postgres/connection.ts';
import { KEEPALIVE, libpqEnvironment } from '../postgres/libpq-environment.ts';
import type { TlsPolicy } from '../postgres/tls.ts';
import { withProgress } from '../progress.ts';
import { RestoreErrors, SUMMARY } from './pg-restore-errors.ts';
import { sizeOf } from './target-database.ts';

export interface ArchiveRestore {
  readonly target: ConnectionSettings;
  readonly policy: TlsPolicy;
  readonly client: PostgresClient;
  /** Replaces the home folder of pg_restore. */
  readonly folder: string;
  /** In the format of PATH. */
  readonly searchPath: string;
  /** Size on disk of the database that was dumped; zero if unknown. */
  readonly databaseBytes: number;
  /** Whether the target database was empty. */
  readonly wasEmpty: boolean;
  /** A file, which several connections can restore from, or a stream. */
  readonly archive: { readonly file: string; readonly jobs: number } | { readonly bytes: AsyncIterable<Buffer> };
}

/** Advice after a failed restore. It must not say to drop a database that was already in use. */
const PARTIAL = 'The database contains at most a part of the dump: drop it, and restore into a new one.';
const MIXED = 'In addition to its previous contents, the database contains at most a part of the dump.';

/**
 * Restores an archive. A refused statement does not stop the restore, which continues and then fails: after hours of
 * data, the cause may only be a missing role in a GRANT. Data of a table that could not be created is skipped, so that
 * no rows are added to a table that existed before.
 *
 * @throws {Failure} `refused` with the server's reason; `tryAgain` if the connection to the server was lost
 */
export async function restoreArchive(restore: ArchiveRestore, signal: AbortSignal): Promise<void> {
  const { target, policy, client, folder, searchPath, archive } = restore;
  const environment = await libpqEnvironment(target, policy, folder, searchPath);
  const errors = new RestoreErrors(log);
  const args = ['--no-owner', '--no-password', '--no-data-for-failed-tables', `--dbname=${KEEPALIVE}`];
  const source = 'file' in archive ? [`--jobs=${archive.jobs}`, archive.file] : [];
  const options = {
    environment,
    signal,
    onErrorLine: (line: string) => {
      errors.add(line);
    },
    ...('file' in archive ? {} : { input: archive.bytes }),
  };
  const total = { bytes: restore.databaseBytes, what: "of the source's size on disk" };
  const phase = { name: 'Restoring', done: growth(target, policy, signal), total };
  const { started, output, exit } = start(client.pgRestore, [...args, ...source], options);
  output.resume();
  try {
    await withProgress(phase, async () => {
      const end = await exit;
      errors.end();
      expectSuccess(end, errors);
    });
  } catch (error) {
    if (started) {
      log(restore.wasEmpty ? PARTIAL : MIXED);
    }
    throw error;
  }
}

/** Measures by how many bytes the database has grown. If a query fails, the last known size counts. */
function growth(target: ConnectionSettings, policy: TlsPolicy, signal: AbortSignal): () => Promise<number> {
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
  return measure;
}

/**
 * pg_restore exits with status 1 if the server refused any statement, even a harmless one. Its count does not match the
 * errors it prints for parallel connections, but is never higher.
 *
 * @throws {Failure} unless everything was restored
 */
function expectSuccess({ status, signal, lastLines, tookAllInput }: ChildExit, errors: RestoreErrors): void {
  const { serious, harmless, first, last, lost } = errors;
  const summary = lastLines.at(-1) ?? '';
  const ignored = Number(SUMMARY.exec(summary)?.[1] ?? 0);
  const isComplete = signal === null && (status === 0 || (status === 1 && ignored > 0)) && tookAllInput;
  if (isComplete && serious === 0 && ignored <= harmless) {
    return;
  }
  // Having lost the server, pg_restore may still process the rest, and count each statement as refused.
  if (isComplete && !lost) {
    throw new Failure(
      'refused',
      `The server refused ${serious} of the statements; pg_restore executed the rest. The first: ${first ?? summary} ` +
        '(the log above has all of them). Fix the cause, and restore into a new database.',
    );
  }
  const how = signal === null ? `exited with status ${status}` : `was ended by ${signal}`;
  throw new Failure(
    lost || signal === 'SIGKILL' ? 'tryAgain' : 'refused',
    `pg_restore ${lost ? 'lost the connection to the server, and ' : ''}${how} before the end of the dump. ` +
      (last === undefined ? 'It printed no error.' : `Its last error: ${last}`),
  );
}

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

export interface RestoreSteps {
  readonly target: ConnectionSettings;
  readonly policy: TlsPolicy;
  readonly client: PostgresClient;
  /** Stands in for the home folder of pg_restore. */
  readonly folder: string;
  /** Folders of programs, as in PATH. */
  readonly searchPath: string;
  /** Of the database that was dumped, on its server's disk; zero where that is not known. */
  readonly databaseBytes: number;
  /** Whether there was nothing in the database to restore into. */
  readonly wasEmpty: boolean;
  /** A file, which several connections can restore from, or bytes as they come. */
  readonly archive: { readonly file: string; readonly jobs: number } | { readonly bytes: AsyncIterable<Buffer> };
}

/** What a restore that failed leaves. Whoever restores into a database in use must not be told to drop it. */
const NOT_TO_BE_USED = 'The database holds at most a part of the dump: drop it, and restore into a new one.';
const MIXED = 'Beside what the database held before, it holds at most a part of the dump.';

/**
 * Restores an archive. An error of one statement does not end it: all that can be restored is, since what is missing may
 * be a role that a GRANT names, after hours of data; but it ends as failed. Data of a table that could not be made is
 * left out, so that nothing is added to a table that was there before.
 *
 * @throws {Failure} `refused` with what the server refused; `tryAgain` if the server was lost
 */
export async function restoreArchive(steps: RestoreSteps, signal: AbortSignal): Promise<void> {
  const { target, policy, client, folder, searchPath, archive } = steps;
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
  const total = { bytes: steps.databaseBytes, what: "of the source's size on disk" };
  const phase = { name: 'Restoring', done: growth(target, policy, signal), total };
  const { started, output, exit } = start(client.pgRestore, [...args, ...source], options);
  output.resume();
  try {
    await withProgress(phase, async () => {
      const end = await exit;
      errors.end();
      judge(end, errors);
    });
  } catch (error) {
    if (started) {
      log(steps.wasEmpty ? NOT_TO_BE_USED : MIXED);
    }
    throw error;
  }
}

/** Tells by how many bytes the database has grown; what can't be asked just now is as it was. */
function growth(target: ConnectionSettings, policy: TlsPolicy, signal: AbortSignal): () => Promise<number> {
  let before: number | undefined;
  let size = 0;
  const ask = async () => {
    try {
      size = await withConnection(target, policy, signal, sizeOf);
      before ??= size;
    } catch {
      // Of no consequence: pg_restore says what matters.
    }
    return size - (before ?? 0);
  };
  void ask();
  return ask;
}

/**
 * pg_restore ends with status 1 if the server refused anything, be it of no consequence. It counts those of further
 * connections otherwise than it tells of them, but never more.
 */
function judge({ status, signal, lastLines, tookAllInput }: ChildExit, errors: RestoreErrors): void {
  const { serious, harmless, first, last, lost } = errors;
  const summary = lastLines.at(-1) ?? '';
  const ignored = Number(SUMMARY.exec(summary)?.[1] ?? 0);
  const wentThrough = signal === null && (status === 0 || (status === 1 && ignored > 0)) && tookAllInput;
  if (wentThrough && serious === 0 && ignored <= harmless) {
    return;
  }
  // Without a server pg_restore may still go through all that is left, and count each statement as refused.
  if (wentThrough && !lost) {
    throw new Failure(
      'refused',
      `The server refused ${serious} of the statements, and all else is restored. The first: ${first ?? summary} ` +
        '(each of them is in the log above). Mend the cause, and restore into a new database.',
    );
  }
  const how = signal === null ? `ended with status ${status}` : `was ended by ${signal}`;
  throw new Failure(
    lost || signal === 'SIGKILL' ? 'tryAgain' : 'refused',
    `pg_restore ${lost ? 'lost the server, and ' : ''}${how} before the end of the dump. ` +
      `It said: ${last ?? 'nothing'}`,
  );
}

import { writeFile } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { Failure } from '../failure.ts';
import type { PostgresClient } from '../postgres/clients.ts';
import { start } from '../process/child.ts';
import { wasCutShort } from '../restore/stored-dump/reread-failure.ts';
import { RowScript, ScriptEnded } from './row-script.ts';

/** What to read rows from. */
interface Archive {
  readonly file: string;
  /** IDs of the entries with rows, in the order in which they are read. */
  readonly entries: readonly number[];
  /** The file to create for pg_restore with these. */
  readonly list: string;
}

/**
 * Has pg_restore convert rows of an archive to COPY's text format.
 *
 * @param read reads all of the rows
 * @throws {Failure} `verificationFailed` if pg_restore cannot read them; `tryAgain` if it was stopped
 */
export async function readRows<T>(
  { file, entries, list }: Archive,
  { pgRestore }: PostgresClient,
  read: (script: RowScript) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  await writeFile(list, entries.map((id) => `${id};\n`).join(''));
  const args = ['--data-only', `--use-list=${list}`, '--file=-', file];
  const { output, exit } = start(pgRestore, args, { environment: { LC_ALL: 'C' }, signal });
  // Awaited below, or the run ends for another reason.
  exit.catch(() => undefined);
  // Node.js discards the output of a child that has exited unless somebody reads it already.
  const script = output.pipe(new PassThrough());
  try {
    return await read(new RowScript(script));
  } catch (error) {
    if (!(error instanceof ScriptEnded)) {
      throw error;
    }
    const end = await exit;
    throw new Failure(
      wasCutShort(end) ? 'tryAgain' : 'verificationFailed',
      'pg_restore could not read the rows in the dump. Nothing in the database was changed. ' +
        `Its last message: ${end.lastLines.at(-1) ?? 'none'}`,
      { cause: error },
    );
  } finally {
    output.destroy();
    script.destroy();
    await exit.catch(() => undefined);
  }
}

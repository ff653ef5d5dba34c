import { Failure } from '../failure.ts';
import { log } from '../log.ts';
import { type Compared, compareTarget } from './compare-target.ts';
import type { Refusals } from './pg-restore.ts';
import { type ArchiveRestore, restoreArchive, type Restored } from './restore-archive.ts';

/** Advice after a failed restore. It must not say to drop a database that was already in use. */
const PARTIAL = 'The database contains at most a part of the dump: drop it, and restore into a new one.';
const MIXED = 'In addition to its previous contents, the database contains at most a part of the dump.';

/** The server refused statements, but all rows of the dump are in the database, so that it is worth keeping. */
class RowsRestored extends Failure {}

/**
 * Restores an archive, and compares the database with it afterwards.
 *
 * @returns sentence about the comparison, and why ANALYZE is to be run
 * @throws {Failure} `refused` if the server refused statements; `tryAgain` if the connection to it was lost;
 * `verificationFailed` if something is missing all the same, or the data in the archive are damaged
 */
export async function restoreAndCompare(
  restore: ArchiveRestore,
  signal: AbortSignal,
): Promise<Pick<Compared, 'summary'> & Pick<Restored, 'whyAnalyze'>> {
  const state = { started: false };
  const onStarted = () => {
    state.started = true;
  };
  try {
    const { contents, remarks, triggers, whyAnalyze } = await restoreArchive(restore, signal, onStarted);
    const compared = await compareTarget(restore, signal);
    conclude(contents, triggers, compared, restore);
    if (remarks.count > 0) {
      log(
        `Warning: ${remarks.count} of the dump's grants, default privileges, comments and security labels were not restored, ` +
          'or had no effect: see above. No data depends on them, but others may have more or less access than in the source.',
      );
    }
    return { summary: compared.summary, whyAnalyze };
  } catch (error) {
    if (state.started && !(error instanceof RowsRestored)) {
      log(restore.wasEmpty ? PARTIAL : MIXED);
    }
    throw error;
  }
}

/** @throws {Failure} unless everything was restored */
function conclude(
  main: Refusals,
  triggers: Refusals,
  { found, costRows, isComplete }: Compared,
  { isFiltered }: ArchiveRestore,
): void {
  const count = main.count + triggers.count;
  const { messages } = main.count > 0 ? main : triggers;
  const refused =
    `The server refused ${count} of the statements; pg_restore executed the rest. The first: ${messages[0] ?? ''} ` +
    '(the log above has all of them, and what is missing).' +
    (isFiltered ? " What refers to something that the dump's filters left out cannot be created." : '');
  if (count > 0 && (costRows || (main.mayCostRows && !isComplete))) {
    throw new Failure('refused', `${refused} Fix the cause, and restore into a new database.`);
  }
  if (count > 0) {
    const reason = main.mayCostRows
      ? 'All tables of the dump are there, with all their rows'
      : 'They neither make nor fill a table, and all tables of the dump are there';
    throw new RowsRestored(
      'refused',
      `${refused} ${reason}, so it need not be restored again: fix the cause, and run them here.`,
    );
  }
  if (found.length > 0) {
    throw new Failure(
      'verificationFailed',
      `The server refused nothing, and yet in the database ${found.join('; ')}. Something in it changes what is ` +
        'restored, such as an event trigger, or somebody else does.',
    );
  }
}

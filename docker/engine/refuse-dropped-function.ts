import type { ArchiveEntry } from '../archive/archive-head.ts';
import { Failure } from '../failure.ts';

const NAME = '(?:"(?:[^"]|"")*"|[^\\s".(]+)';
const BEFORE_ARGUMENTS = new RegExp(`^CREATE (?:OR REPLACE )?(?:FUNCTION|PROCEDURE|AGGREGATE) ${NAME}\\.${NAME}\\(`);

/** Of a function, after its name, if pg_dump knows neither its arguments nor what it returns. */
const NOTHING_KNOWN = ') RETURNS \n';

/**
 * Refuses an archive with a function that was dropped while it was dumped. pg_dump lists functions as of its snapshot, and
 * asks for their signatures later, as of then. Of one that is gone by then, a server gives none, and pg_dump writes a
 * statement all the same: one that no server takes or, of a procedure, one without arguments. If somebody has created the
 * function anew meanwhile, the dump has it neither way.
 *
 * @throws {Failure} `tryAgain`
 */
export function refuseDroppedFunction({ name, beginning }: ArchiveEntry): void {
  const statement = beginning.toString('latin1');
  const [before] = BEFORE_ARGUMENTS.exec(statement) ?? [];
  if (before === undefined) {
    return;
  }
  const after = statement.slice(before.length);
  // The name of the entry has the types of the arguments, as of the snapshot.
  const lacksArguments = after.startsWith(')') && !name.toString('latin1').endsWith('()');
  if (lacksArguments || after.startsWith(NOTHING_KNOWN)) {
    throw new Failure(
      'tryAgain',
      `DDL in another session interfered: the function ${name.toString()} was dropped, or dropped and created anew, while ` +
        'the dump was made, so that pg_dump did not get its definition.',
    );
  }
}

import pg from 'pg';
import { NO_PRIVILEGE } from '../../postgres/connection/connection-failure.ts';
import { inSavepoint } from '../../postgres/connection/in-savepoint.ts';

/** What could not be read, and why. */
export type Unread =
  /** This user may not read all of it, or it cannot be compared. */
  | { readonly kind: 'hidden'; readonly reason: string }
  /** Nobody can. */
  | { readonly kind: 'unreadable'; readonly reason: string };

/** Classes of SQLSTATEs that say nothing of what is read: rollbacks, a lack of resources, and interventions. */
const PASSING = /^(40|53|57)/;

/** Whether the server refused what it was asked for, and would refuse it again. Its message may contain values. */
export function isRefusal(error: unknown): error is pg.DatabaseError {
  return error instanceof pg.DatabaseError && !PASSING.test(error.code ?? '');
}

/**
 * Reads something in a transaction, which goes on if the server refuses. Errors of the connection, and those that may
 * pass, pass through.
 */
export async function attempt<T>(client: pg.Client, read: () => Promise<T>): Promise<T | Unread> {
  // Gives back its locks, too: those of all tables could fill the server's table of locks.
  return inSavepoint(client, 'undone', read).catch(unreadFor);
}

function unreadFor(error: unknown): Unread {
  if (!isRefusal(error)) {
    throw error;
  }
  return error.code === NO_PRIVILEGE
    ? { kind: 'hidden', reason: error.message }
    : // Its message may contain values.
      { kind: 'unreadable', reason: `SQLSTATE ${error.code}` };
}

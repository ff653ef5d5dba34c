import type { LockTable } from '../postgres/lock-table.ts';
import { type Finding, ok, warning } from './finding.ts';

export const LOCKS = 'Table locks';

/**
 * A warning and no problem: a server has more room than it guarantees, how much more depends on what else it runs, and
 * a dump that succeeds every day must not be refused.
 */
export function locksFinding({ toLock, perTransaction, transactions }: LockTable): Finding {
  if (toLock === 0) {
    return warning(LOCKS, 'there is no table or sequence to dump: is databasename the right one?');
  }
  const room = perTransaction * transactions;
  const all = `${toLock} tables and sequences, and the server guarantees room for ${room} locks of all its sessions`;
  if (toLock <= room) {
    return ok(LOCKS, all);
  }
  return warning(
    LOCKS,
    `a dump locks ${all} (max_locks_per_transaction times the sum of max_connections and max_prepared_transactions). ` +
      'It fails if the room that happens to be left does not suffice: set max_locks_per_transaction to ' +
      `${perTransaction + Math.ceil(toLock / transactions)} or more, and restart the server, or leave out tables that ` +
      'need no dump, by the filters excludeschemas and excludetables',
  );
}

import type { Client } from 'pg';
import { z } from 'zod';
import { bigint, queryRow } from './connection/query.ts';
import { dumpedRelations } from './dumped-relations.ts';
import type { Exclusions } from './filters/exclusions.ts';

/** What a dump locks, and the server's table of locks, which all sessions share. */
export interface LockTable {
  /** Tables and sequences that pg_dump locks, all of them until it ends. */
  readonly toLock: number;
  /** `max_locks_per_transaction`. */
  readonly perTransaction: number;
  /** `max_connections + max_prepared_transactions`: by how much the former is multiplied. */
  readonly transactions: number;
}

/** Connection and server errors pass through. */
export async function inspectLockTable(client: Client, exclusions: Exclusions): Promise<LockTable> {
  return queryRow(
    client,
    `SELECT (SELECT count(*) ${dumpedRelations(exclusions)} AND c.relkind <> 'f') AS "toLock",
      current_setting('max_locks_per_transaction')::int AS "perTransaction",
      current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int AS transactions`,
    z.object({ toLock: bigint, perTransaction: z.int(), transactions: z.int() }),
  );
}

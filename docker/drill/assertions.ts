import pg from 'pg';
import { z } from 'zod';
import { Failure } from '../failure.ts';
import { parse, questionOf } from '../postgres/assertion.ts';
import { withConnection } from '../postgres/connection/connection.ts';
import { inSavepoint } from '../postgres/connection/in-savepoint.ts';
import { queryRow } from '../postgres/connection/query.ts';
import { isRefusal } from '../restore/census/attempt.ts';
import { withoutValues } from '../restore/pg-restore-errors.ts';
import type { RestoreTool } from '../restore/pg-restore.ts';
import type { Evidence } from './evidence.ts';

/** An assertion, and whether it holds. */
export type Assertion = NonNullable<Evidence['assertions']>[number];

/** Who asks, whose name no dump is likely to have for a role. May read all rows, and change nothing. */
const ROLE = 'autodump_assertions';

const CREATE_ROLE = `CREATE ROLE ${ROLE} LOGIN BYPASSRLS IN ROLE pg_read_all_data`;

const LONGEST = '10min';

/** SQLSTATE query_canceled. */
const TOOK_TOO_LONG = '57014';

/**
 * Asks a restored database whether assertions hold, each for as long as {@link LONGEST}. They see only the system's
 * names without a schema, and can change nothing.
 *
 * @throws {Failure} `tryAgain` if the connection to the server is lost
 */
export async function checkAssertions(
  assertions: readonly string[],
  { target, policy }: Pick<RestoreTool, 'target' | 'policy'>,
  signal: AbortSignal,
): Promise<readonly Assertion[]> {
  if (assertions.length === 0) {
    return [];
  }
  try {
    await withConnection(target, policy, signal, (client) => client.query(CREATE_ROLE), { access: 'READ WRITE' });
    return await withConnection(
      { ...target, user: ROLE },
      policy,
      signal,
      async (client) => {
        const results: Assertion[] = [];
        for (const sql of assertions) {
          results.push({ sql, ...(await ask(client, sql)) });
        }
        return results;
      },
      { isPatient: true },
    );
  } catch (error) {
    // A server before 14 has no such role, and what is in the dump may keep one from logging in.
    if (error instanceof Failure && error.reason === 'refused') {
      return assertions.map((sql) => ({ sql, result: 'error', reason: error.message }));
    }
    throw error;
  }
}

async function ask(client: pg.Client, assertion: string): Promise<Pick<Assertion, 'result' | 'reason'>> {
  const question = questionOf(assertion);
  try {
    const { answer } = await inSavepoint(client, 'undone', async () => {
      await client.query(`SET LOCAL statement_timeout TO '${LONGEST}'`);
      // It is a single statement.
      await parse(client, question);
      return queryRow(client, question, z.object({ answer: z.boolean().nullable() }));
    });
    return { result: answer === null ? 'null' : answer ? 'true' : 'false', reason: null };
  } catch (error) {
    return { result: 'error', reason: reasonOf(error) };
  }
}

/** Without values: an error may contain those of rows. */
function reasonOf(error: unknown): string {
  if (error instanceof pg.DatabaseError && error.code === TOOK_TOO_LONG) {
    return `it took longer than ${LONGEST}`;
  }
  if (!isRefusal(error)) {
    throw error;
  }
  return `${withoutValues(error.message)} (SQLSTATE ${error.code ?? 'unknown'})`;
}

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Client } from 'pg';
import { ifAnswered } from '../../../../docker/postgres/connection/if-answered.ts';
import { inTransaction } from '../../../../docker/postgres/connection/transaction.ts';
import { Stage } from '../../support/stage.ts';

let stage: Stage;
let client: Client;

beforeAll(async () => {
  stage = await Stage.setUp();
  client = await stage.connect();
});

afterAll(async () => {
  await client.end();
  await stage.tearDown();
});

const bound = async () =>
  (await client.query<{ statement_timeout: string }>('SHOW statement_timeout')).rows[0]?.statement_timeout;

test.each([
  [
    'is canceled',
    'SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(10)',
    'canceling statement due to user request',
  ],
  ['exceeds a limit', `SELECT repeat('a', 2000000000)`, 'requested length too large'],
  ['is not permitted', 'SET LOCAL ROLE pg_monitor; SELECT FROM pg_authid', 'permission denied for table pg_authid'],
])('a question that %s has no answer, and the transaction goes on', async (_, question, reason) => {
  const answers = await inTransaction(client, 'READ ONLY', async () => [
    await ifAnswered(client, 'this', () => client.query(question)),
    await ifAnswered(client, 'that', bound),
    await bound(),
  ]);
  expect(answers).toEqual([{ unseen: `this: ${reason}` }, { value: '20s' }, '0']);
});

test('an error that says nothing of the question passes through', async () => {
  const ask = () => ifAnswered(client, 'this', () => client.query('SELECT 1 / 0'));
  await expect(inTransaction(client, 'READ ONLY', ask)).rejects.toMatchObject({ code: '22012' });
  await client.query('ROLLBACK');
});

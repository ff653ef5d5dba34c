import { readdir } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { ExecutionEnd } from '../../../../local/services/execution.ts';
import { synthesizedAppWithOptions } from '../../../support/synthesized-app.ts';
import { appOnPostgres } from '../../support/app-on-postgres.ts';
import type { AppWorld } from '../../support/app-world.ts';
import { without } from './without.ts';

const shared = appOnPostgres(synthesizedAppWithOptions);

const NOTIFY = 'Notify/FunctionRole/DefaultPolicy';

describe('without a permission', () => {
  test('to create its rule, the state machine is not created', async () => {
    const rule = { path: 'Workflow/StateMachine/Role/DefaultPolicy', action: 'events:PutRule' };
    await expect(without(shared(), rule)).rejects.toThrow(
      /is not authorized to create managed-rule\..* events:PutRule on resource: arn:aws:events:.*StepFunctions/,
    );
  });

  test('to receive its events, Notify is not connected to their queue', async () => {
    await expect(without(shared(), { path: NOTIFY, action: 'sqs:ReceiveMessage' })).rejects.toThrow(
      'The provided execution role does not have permissions to call ReceiveMessage on SQS',
    );
  });

  test('to start executions, the scan fails and names the secret', async () => {
    const app = await without(shared(), { path: 'Scanner/StartRuns', action: 'states:StartExecution' });
    expect(await app.published(() => app.createSecret('db'))).toEqual([
      expect.stringMatching(
        /^SCAN FAILED\nSeen: .*\nWhy: db: AccessDeniedException: User: .*Scanner-FunctionRole\/.* is not authorized to perform: states:StartExecution/,
      ),
    ]);
    await app.world.stop();
    expect(app.world.executions).toEqual([]);
  });
});

describe('without a permission that no dump needs', () => {
  let app: AppWorld;
  let published: readonly string[];
  let end: ExecutionEnd | undefined;

  beforeAll(async () => {
    app = await without(
      shared(),
      { path: NOTIFY, action: 'sns:Publish' },
      { path: 'Workflow/StartRuns', action: 'states:StartExecution' },
      { path: 'RunFunctions/HashRole/DefaultPolicy', action: 'logs:PutLogEvents' },
    );
    published = await app.published(async () => {
      const secret = await app.createSecret('db');
      ({ end } = await app.runNow(secret));
    });
    await app.world.stop();
  });

  test('to publish, a message stays in the queue until its event is a dead letter', () => {
    expect(published).toEqual([]);
    const deadLetter = { handler: expect.stringContaining('Notify-Events'), requestPayload: { source: 'aws.states' } };
    // Of the check of the secret, and of its run.
    expect(app.world.deadLetters).toMatchObject([deadLetter, deadLetter]);
  });

  test('to start the next run, rescheduling fails, but the dump is made', async () => {
    expect(end).toMatchObject({
      status: 'FAILED',
      cause: expect.stringMatching(/"dump":.*"failed":false.*Rescheduling failed/),
    });
    expect(await app.dumps()).toHaveLength(1);
  });

  test('to write its log, a function works, but has no log', async () => {
    const logs = await readdir(app.world.logs);
    expect(logs.filter((name) => /Hash|Reschedule/.test(name))).toEqual([expect.stringContaining('Reschedule')]);
  });
});

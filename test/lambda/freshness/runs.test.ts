import { DescribeExecutionCommand, ExecutionDoesNotExist, SFNClient } from '@aws-sdk/client-sfn';
import { expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { describeRun } from '../../../lambda/freshness/runs.ts';

const MACHINE = 'arn:aws:states:us-west-2:123456789012:stateMachine:AutoDump';
const input = {
  secretArn: 'arn:aws:secretsmanager:us-west-2:123456789012:secret:prod/orders-a1B2c3',
  tagsHash: 'f00d',
  when: '2026-11-22T08:00:00Z',
};
const machine = mockClient(SFNClient);

const FAILED = { failed: true, message: 'The dump of … failed.' };
const DONE = { failed: false, message: 'Rescheduling ended well.' };

test.each([
  [
    'failed, with how its job ended',
    { status: 'FAILED', cause: JSON.stringify({ dump: { ...FAILED, exitStatus: 77 }, reschedule: DONE }) },
    { status: 'failed', reason: 'The job ended with exit status 77, refused by the database or by AWS.' },
  ],
  [
    'failed without a job that ended, with the message of its dump',
    { status: 'FAILED', cause: JSON.stringify({ dump: FAILED, reschedule: DONE }) },
    { status: 'failed', reason: 'The dump of … failed.' },
  ],
  [
    'failed before causes were JSON, with its cause',
    { status: 'FAILED', cause: 'The dump of … failed.' },
    { status: 'failed', reason: 'The dump of … failed.' },
  ],
  [
    'was superseded, with the reason',
    { status: 'SUCCEEDED', output: JSON.stringify({ outcome: 'changed', reason: 'It was changed.' }) },
    { status: 'succeeded', reason: 'It was changed.' },
  ],
  ['is going', { status: 'RUNNING' }, { status: 'going' }],
] as const)('a run that %s', async (_, described, run) => {
  machine.reset();
  machine.on(DescribeExecutionCommand).resolves(described);
  const execution = expect.stringMatching(/:execution:AutoDump:prod_orders-20261122T080000Z-[0-9a-f]{24}$/);
  expect(await describeRun(new SFNClient(), MACHINE, input)).toEqual({ ...run, execution });
});

test('a run that was never started', async () => {
  machine.reset();
  machine.on(DescribeExecutionCommand).rejects(new ExecutionDoesNotExist({ message: 'none', $metadata: {} }));
  expect(await describeRun(new SFNClient(), MACHINE, input)).toEqual({ status: 'none' });
});

test('a drill that failed, with its message: what exit statuses mean is said of dumps', async () => {
  machine.reset();
  const dump = { ...FAILED, message: 'The drill of … failed.', exitStatus: 77 };
  machine
    .on(DescribeExecutionCommand)
    .resolves({ status: 'FAILED', cause: JSON.stringify({ dump, reschedule: DONE }) });
  expect(await describeRun(new SFNClient(), MACHINE, { ...input, purpose: 'drill' })).toEqual({
    status: 'failed',
    reason: 'The drill of … failed.',
    execution: expect.stringMatching(/:execution:AutoDump:prod_orders-drill-20261122T080000Z-[0-9a-f]{24}$/),
  });
});

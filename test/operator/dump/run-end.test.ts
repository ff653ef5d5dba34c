import type { DescribeExecutionOutput } from '@aws-sdk/client-sfn';
import { expect, test } from '@jest/globals';
import type { RunResult } from '../../../contract.ts';
import { runEndOf } from '../../../operator/dump/run-end.ts';

const unchanged = { outcome: 'unchanged', reason: 'The schedule has not changed since this execution was started.' };
const rescheduled = {
  failed: false,
  message: 'Rescheduling ended well. The next run is at 2027-06-01T03:00:00Z.',
  result: { outcome: 'waiting', reason: 'The next run is at 2027-06-01T03:00:00Z.' },
} as const;
const notRescheduled = { failed: true, message: 'Rescheduling failed: …' };
const dumped = { failed: false, message: 'The dump ended well.' };

/** A description of an execution. */
const description = (end: Pick<DescribeExecutionOutput, 'status' | 'output' | 'error' | 'cause'>) => ({
  executionArn: 'execution',
  stateMachineArn: 'machine',
  startDate: undefined,
  ...end,
});
const failed = (cause: string) => description({ status: 'FAILED', error: 'RunFailed', cause });
const failedWith = (cause: RunResult) => failed(JSON.stringify(cause));
const succeeded = (output: object) => description({ status: 'SUCCEEDED', output: JSON.stringify(output) });

test('a run that goes on has no end', () => {
  expect(runEndOf(description({ status: 'RUNNING' }))).toBeUndefined();
});

test('a run ends like its dump, whatever became of its schedule', () => {
  expect(runEndOf(succeeded({ comparison: unchanged, branches: { dump: dumped, reschedule: rescheduled } }))).toEqual({
    status: 0,
    messages: [dumped.message, rescheduled.message],
  });
  expect(runEndOf(failedWith({ dump: dumped, reschedule: notRescheduled }))).toEqual({
    status: 0,
    messages: [dumped.message, notRescheduled.message],
  });
});

test.each([
  [75, 75],
  [137, 137],
  ['none', 1],
  [undefined, 1],
] as const)('a dump that failed with exit status %s is status %i', (exitStatus, status) => {
  const dump = { failed: true, message: 'The dump failed.', ...(exitStatus === undefined ? {} : { exitStatus }) };
  expect(runEndOf(failedWith({ dump, reschedule: rescheduled }))).toMatchObject({ status });
});

test('a run that made no dump, since the tags are others by now, is refused', () => {
  const comparison = { outcome: 'removed', reason: 'The schedule tag was removed from the secret.' };
  expect(runEndOf(succeeded(comparison))).toEqual({
    status: 77,
    messages: ['No dump was made. The schedule tag was removed from the secret.'],
  });
});

test.each([
  [{ status: 'FAILED', error: 'States.Runtime', cause: 'bug' }, 'The run failed. States.Runtime: bug'],
  [{ status: 'ABORTED', cause: 'Maintenance' }, 'The run was stopped. Maintenance'],
  [{ status: 'ABORTED' }, 'The run was stopped. no cause given'],
  [{ status: 'TIMED_OUT' }, 'The run timed out. no cause given'],
] as const)('an end without a dump says why: %j', (end, message) => {
  expect(runEndOf(description(end))).toEqual({ status: 1, messages: [message] });
});

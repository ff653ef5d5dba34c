import { describe, expect, test } from '@jest/globals';
import { endedRunOf } from '../../../../lambda/core/notify/ended-run.ts';
import { messageOf } from '../../../../lambda/core/notify/message.ts';
import { type Notice, noticeOf } from '../../../../lambda/core/notify/notice.ts';
import type { Standing } from '../../../../lambda/core/notify/standing.ts';

const secretArn = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:prod/orders-a1B2c3';
const when = '2026-11-22T08:00:00Z';
const next = '2026-11-23T08:00:00Z';

const DONE = { failed: false, message: 'The dump ended well.' };
const NEXT = { failed: false, message: 'Rescheduling ended well.', result: { outcome: 'started', reason: 'x.', next } };
const NO_NEXT = { failed: true, message: 'Rescheduling failed: the next run was not started.' };
const KILLED = {
  failed: true,
  message: 'The dump failed.',
  exitStatus: 137,
  reason: 'Essential container in task exited (OutOfMemoryError: killed)',
  attempts: 1,
  logStream: 'dump/default/0123',
};

/** Detail of the event of an execution's end; its name tells it from others. */
function detailOf(status: string, more: object = {}, name = 'a') {
  const executionArn = `arn:aws:states:us-west-2:123456789012:execution:Runs:${name}`;
  return { executionArn, status, input: JSON.stringify({ secretArn, tagsHash: 'f00d', when }), ...more };
}

const succeeded = (branches: object, outcome = 'unchanged') =>
  detailOf('SUCCEEDED', { output: JSON.stringify({ comparison: { outcome }, branches }) });

const failed = (branches: object) => detailOf('FAILED', { error: 'RunFailed', cause: JSON.stringify(branches) });

function noticeFor(detail: object, standing?: Standing): Notice | undefined {
  const run = endedRunOf({ detail });
  if (run === undefined) {
    throw new Error('It is not the event of an execution.');
  }
  return noticeOf(run, standing);
}

const FAILING: Standing = { execution: 'arn:aws:states:…:earlier', scheduled: '2026-11-21T08:00:00Z', failing: true };

describe('a run', () => {
  test.each<[string, object, object]>([
    [
      'whose job was killed: what Batch says of it',
      failed({ dump: KILLED, reschedule: NEXT }),
      {
        kind: 'dump failed',
        secret: 'prod/orders',
        secretArn,
        scheduled: when,
        reasons: [
          'The job ended with exit status 137, killed, as when it exceeds its memory.',
          'Batch says: Essential container in task exited (OutOfMemoryError: killed)',
        ],
        next,
        logStream: 'dump/default/0123',
        article: 'exit-status-137',
      },
    ],
    [
      'without a job that ended: the whole message',
      failed({ dump: { failed: true, message: 'No job ended.' }, reschedule: NEXT }),
      { kind: 'dump failed', reasons: ['No job ended.'], next, article: 'alarm-run-failed' },
    ],
    [
      'whose job did not start: the whole message, and no log',
      failed({ dump: { ...KILLED, exitStatus: 'none', logStream: 'none' }, reschedule: NEXT }),
      { kind: 'dump failed', reasons: ['The dump failed.'], article: 'alarm-run-failed' },
    ],
    [
      'of which both branches failed: both, and no next run',
      failed({
        dump: { ...KILLED, reason: 'Essential container in task exited (no further reason)' },
        reschedule: NO_NEXT,
      }),
      { kind: 'dump failed', reasons: [expect.stringContaining('status 137'), NO_NEXT.message], next: undefined },
    ],
    [
      'whose rescheduling failed: that the dump was made',
      failed({ dump: DONE, reschedule: NO_NEXT }),
      { kind: 'rescheduling failed', reasons: [NO_NEXT.message, DONE.message], article: 'alarm-run-failed' },
    ],
    [
      'that was started before causes were JSON: its sentences',
      detailOf('FAILED', { error: 'RunFailed', cause: 'The dump of … failed.' }),
      { kind: 'dump failed', reasons: ['RunFailed: The dump of … failed.'], article: 'alarm-run-failed' },
    ],
    [
      'that someone started with another input: the name of the execution',
      detailOf('FAILED', { input: '{"secretArn":"orders"}', error: 'States.Runtime', cause: 'no when' }),
      { kind: 'dump failed', secret: 'a', secretArn: undefined, scheduled: undefined },
    ],
    [
      'that was stopped without a cause',
      detailOf('ABORTED', { cause: null }),
      { kind: 'run stopped', reasons: ['no cause given'], article: 'alarm-run-aborted' },
    ],
    ['that reached its time limit', detailOf('TIMED_OUT'), { kind: 'run timed out', article: 'alarm-run-timed-out' }],
  ])('%s', (_, detail, notice) => {
    expect(noticeFor(detail)).toMatchObject(notice);
  });

  test.each<[string, object, Standing | undefined]>([
    ['that succeeded as always', succeeded({ dump: DONE, reschedule: NEXT }), undefined],
    ['that succeeded after a recovery', succeeded({ dump: DONE, reschedule: NEXT }), { ...FAILING, failing: false }],
    [
      'that made no dump, since its schedule was changed',
      detailOf('SUCCEEDED', { output: '{"outcome":"changed"}' }),
      FAILING,
    ],
    ['that made no dump, since none was due', succeeded({ dump: DONE, reschedule: NEXT }, 'moved'), FAILING],
    [
      'that is of an earlier time than the failure',
      succeeded({ dump: DONE, reschedule: NEXT }),
      { ...FAILING, scheduled: '2026-11-22T09:00:00Z' },
    ],
    [
      'whose failure was reported',
      failed({ dump: KILLED, reschedule: NEXT }),
      { ...FAILING, execution: detailOf('').executionArn },
    ],
  ])('%s is not reported', (_, detail, standing) => {
    expect(noticeFor(detail, standing)).toBeUndefined();
  });

  test('is a recovery if it is the first good one after a failure', () => {
    expect(noticeFor(succeeded({ dump: DONE, reschedule: NEXT }), FAILING)).toMatchObject({
      kind: 'recovered',
      reasons: ['The last failure was that of the run scheduled for 2026-11-21T08:00:00Z.'],
      next,
    });
  });
});

test.each([
  ['aws', 'us-west-2', 'us-west-2.console.aws.amazon.com'],
  ['aws-cn', 'cn-north-1', 'cn-north-1.console.amazonaws.cn'],
  ['aws-us-gov', 'us-gov-west-1', 'us-gov-west-1.console.amazonaws-us-gov.com'],
])('links of the partition %s lead to its console', (partition, region, host) => {
  const execution = `arn:${partition}:states:${region}:123456789012:execution:Runs:a`;
  const place = { region, account: '123456789012', dumpLog: '/dumps' };
  const { text } = messageOf(
    { kind: 'dump failed', reasons: [], execution, logStream: 'dump/default/1' },
    undefined,
    place,
  );
  expect(text).toContain(
    `Execution: https://${host}/states/home?region=${region}#/v2/executions/details/${execution}\n`,
  );
  expect(text).toContain(
    `https://${host}/cloudwatch/home?region=${region}#logsV2:log-groups/log-group/$252Fdumps/log-events/dump$252Fdefault$252F1\n`,
  );
});

test('a reason cannot imitate lines of the message, reorder it, or fill it', () => {
  const reasons = ['x\nWhat to do: nothing', '\u202Egnorw', 'y'.repeat(5000)];
  const place = { region: 'us-west-2', account: '123456789012', dumpLog: '/dumps' };
  const { text } = messageOf({ kind: 'run stopped', reasons }, undefined, place);
  expect(text.split('\n').slice(1, 4)).toEqual([
    'Why: x | What to do: nothing',
    'Why: gnorw',
    `Why: ${'y'.repeat(1000)}…`,
  ]);
});

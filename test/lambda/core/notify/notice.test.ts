import { describe, expect, test } from '@jest/globals';
import { endedExecutionOf } from '../../../../lambda/core/notify/ended-execution.ts';
import { type EndedRun, endedRunOf } from '../../../../lambda/core/notify/ended-run.ts';
import { messageOf } from '../../../../lambda/core/notify/message.ts';
import { type Notice, noticeOf, standingAfter } from '../../../../lambda/core/notify/notice.ts';
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

/** The same end of a run at another hour. */
const at = (hour: number, detail: object) => ({
  ...detail,
  ...detailOf('', {}, `at${hour}`),
  ...('status' in detail ? { status: detail.status } : {}),
  input: JSON.stringify({ secretArn, tagsHash: 'f00d', when: `2026-11-22T${String(hour).padStart(2, '0')}:00:00Z` }),
});

const succeeded = (branches: object, outcome = 'unchanged') =>
  detailOf('SUCCEEDED', { output: JSON.stringify({ comparison: { outcome }, branches }) });

const failed = (branches: object) => detailOf('FAILED', { error: 'RunFailed', cause: JSON.stringify(branches) });

function runOf(detail: object): EndedRun {
  const ended = endedExecutionOf({ detail });
  if (ended === undefined) {
    throw new Error('It is not the event of an execution.');
  }
  return endedRunOf(ended);
}

const PLACE = { region: 'us-west-2', account: '123456789012', dumpLog: '/dumps' };

const NONE: Standing = { ends: [] };

function noticeFor(detail: object, standing: Standing = NONE): Notice | undefined {
  return noticeOf(runOf(detail), standing);
}

/** What is reported of events, one after another. */
function kindsOf(...details: readonly object[]): readonly (string | undefined)[] {
  let standing = NONE;
  return details.map((detail) => {
    const run = runOf(detail);
    const notice = noticeOf(run, standing);
    standing = notice === undefined ? standing : standingAfter(run, notice, standing);
    return notice?.kind;
  });
}

const FAILING: Standing = { ends: [], failure: { scheduled: '2026-11-21T08:00:00Z' } };

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
      {
        kind: 'dump failed',
        reasons: [expect.stringContaining('status 137'), NO_NEXT.message],
        noNext: 'The next scan starts it.',
      },
    ],
    [
      'whose rescheduling failed: that the dump was made',
      failed({ dump: DONE, reschedule: NO_NEXT }),
      { kind: 'rescheduling failed', reasons: [NO_NEXT.message, DONE.message], article: 'alarm-run-failed' },
    ],
    [
      'that was started before causes were JSON: its sentences',
      detailOf('FAILED', { error: 'RunFailed', cause: 'The dump of … failed.' }),
      { kind: 'run failed', reasons: ['RunFailed: The dump of … failed.'], article: 'alarm-run-failed' },
    ],
    [
      'that failed without a word',
      detailOf('FAILED'),
      { kind: 'run failed', reasons: ['no cause given'], article: 'alarm-run-failed' },
    ],
    [
      'whose next run was stopped: that it was',
      failed({
        dump: KILLED,
        reschedule: { ...NEXT, result: { ...NEXT.result, outcome: 'closed', reason: 'It was stopped.' } },
      }),
      { kind: 'dump failed', noNext: 'It was stopped.' },
    ],
    [
      'that someone started with another input: the name of the execution',
      detailOf('FAILED', { input: '{"secretArn":"orders"}', error: 'States.Runtime', cause: 'no when' }),
      { kind: 'run failed', secret: 'a', secretArn: undefined, scheduled: undefined },
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

  const good = succeeded({ dump: DONE, reschedule: NEXT });
  const bad = failed({ dump: KILLED, reschedule: NEXT });

  test.each<[string, object]>([
    ['made no dump, since its schedule was changed', detailOf('SUCCEEDED', { output: '{"outcome":"changed"}' })],
    ['made no dump, since none was due', succeeded({ dump: DONE, reschedule: NEXT }, 'moved')],
  ])('that %s is no recovery', (_, detail) => {
    expect(noticeFor(detail, FAILING)).toBeUndefined();
  });

  test('is a recovery if it is the first good one after a failure', () => {
    expect(noticeFor(good, FAILING)).toMatchObject({
      kind: 'recovered',
      reasons: ['The last failure was that of the run scheduled for 2026-11-21T08:00:00Z.'],
      next,
    });
  });

  test.each<[string, readonly object[], readonly (string | undefined)[]]>([
    ['good ones are not', [good, at(9, good)], [undefined, undefined]],
    ['each failure is', [bad, at(9, bad)], ['dump failed', 'dump failed']],
    ['a failure whose event comes again is not', [bad, at(9, bad), bad], ['dump failed', 'dump failed', undefined]],
    ['only the first good one is', [bad, at(9, good), at(10, good)], ['dump failed', 'recovered', undefined]],
    [
      'a recovery whose event comes again is not',
      [bad, at(9, good), at(9, good)],
      ['dump failed', 'recovered', undefined],
    ],
    ['a good one of an earlier time than the failure is not', [at(9, bad), at(7, good)], ['dump failed', undefined]],
    [
      'nor after an earlier failure that came later',
      [at(9, bad), at(7, bad), at(8, good)],
      ['dump failed', 'dump failed', undefined],
    ],
    [
      'each end of an execution that is redriven is',
      [
        { ...bad, stopDate: 1 },
        { ...bad, stopDate: 2 },
        { ...good, stopDate: 3 },
      ],
      ['dump failed', 'dump failed', 'recovered'],
    ],
  ])('of several in a row, %s', (_, details, kinds) => {
    expect(kindsOf(...details)).toEqual(kinds);
  });
});

test('times are in the zone of the schedule too, if the run knows it', () => {
  const inDenver = { ...NEXT, result: { ...NEXT.result, timezone: 'America/Denver' } };
  const textOf = (reschedule: object): string =>
    messageOf(noticeFor(failed({ dump: KILLED, reschedule })) ?? { kind: 'run failed', reasons: [] }, PLACE).text;
  expect(textOf(inDenver)).toContain('\nScheduled: 2026-11-22T08:00:00Z (Sun 22 Nov 2026, 01:00 in America/Denver)\n');
  expect(textOf(inDenver)).toContain('\nNext run: 2026-11-23T08:00:00Z (Mon 23 Nov 2026, 01:00 in America/Denver)\n');
  expect(textOf(NEXT)).toMatch(/\nScheduled: 2026-11-22T08:00:00Z\n(.*\n)*Next run: 2026-11-23T08:00:00Z\n/);
});

test('good news asks for nothing, unless there are warnings', () => {
  const textOf = (findings: readonly string[]): string =>
    messageOf({ kind: 'can be dumped', reasons: [], findings }, PLACE).text;
  expect(textOf([])).toContain('\nWhat to do: nothing\n');
  expect(textOf(['TLS (warning): none'])).toContain('\nWhat to do: read the warnings, which do not prevent a dump\n');
});

test.each([
  ['aws', 'us-west-2', 'us-west-2.console.aws.amazon.com'],
  ['aws-cn', 'cn-north-1', 'cn-north-1.console.amazonaws.cn'],
  ['aws-us-gov', 'us-gov-west-1', 'us-gov-west-1.console.amazonaws-us-gov.com'],
])('links of the partition %s lead to its console', (partition, region, host) => {
  const execution = `arn:${partition}:states:${region}:123456789012:execution:Runs:a`;
  const place = { region, account: '123456789012', dumpLog: '/dumps' };
  const { text } = messageOf({ kind: 'dump failed', reasons: [], execution, logStream: 'dump/default/1' }, place);
  expect(text).toContain(
    `Execution: https://${host}/states/home?region=${region}#/v2/executions/details/${execution}\n`,
  );
  expect(text).toContain(
    `https://${host}/cloudwatch/home?region=${region}#logsV2:log-groups/log-group/$252Fdumps/log-events/dump$252Fdefault$252F1\n`,
  );
});

test('a reason cannot imitate lines of the message, reorder it, or fill it', () => {
  const reasons = ['x\nWhat to do: nothing', '\u202Egnorw', 'y'.repeat(5000)];
  const { text } = messageOf({ kind: 'run stopped', reasons, log: 'z'.repeat(5001) }, PLACE);
  expect(text.split('\n').slice(1, 5)).toEqual([
    'Why: x | What to do: nothing',
    'Why: gnorw',
    `Why: ${'y'.repeat(1000)}…`,
    `Log: ${'z'.repeat(5000)}…`,
  ]);
});

test('the subject is one line of ASCII, as SNS demands it, whatever an execution is named', () => {
  const { subject } = messageOf({ kind: 'run failed', secret: `größe\n${'x'.repeat(200)}`, reasons: [] }, PLACE);
  expect(subject).toMatch(/^AutoDump: run failed: gr\?\?e \| x{60,}$/);
  expect(subject.length).toBeLessThan(100);
});

describe('a drill', () => {
  const drill = (detail: object) => ({
    ...detail,
    input: JSON.stringify({ secretArn, tagsHash: 'f00d', when, purpose: 'drill' }),
  });
  const message = 'The drill of … failed: exit status 69, …';

  test('that failed is no dump that failed, and its exit status is not put into the words of one', () => {
    const job = { ...KILLED, exitStatus: 69, message, logStream: 'drill/default/0123' };
    expect(noticeFor(drill(failed({ dump: job, reschedule: NEXT })))).toMatchObject({
      kind: 'drill failed',
      secret: 'prod/orders',
      scheduled: when,
      reasons: [message],
      next,
      logStream: 'drill/default/0123',
      article: 'drill-failed',
    });
  });

  test('that ends well after one that failed has recovered', () => {
    expect(
      kindsOf(
        drill(failed({ dump: KILLED, reschedule: NEXT })),
        drill({ ...succeeded({ dump: DONE, reschedule: NEXT }), stopDate: 2 }),
        drill({ ...succeeded({ dump: DONE, reschedule: NEXT }), stopDate: 3 }),
      ),
    ).toEqual(['drill failed', 'drill recovered', undefined]);
  });
});

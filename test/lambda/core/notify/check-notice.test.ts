import { expect, test } from '@jest/globals';
import { checkLogOf } from '../../../../lambda/core/notify/check-log.ts';
import { checkNoticeOf } from '../../../../lambda/core/notify/check-notice.ts';
import { type EndedCheck, endedCheckOf } from '../../../../lambda/core/notify/ended-check.ts';
import { messageOf } from '../../../../lambda/core/notify/message.ts';

const CHECKS = 'arn:aws:states:us-west-2:123456789012:stateMachine:Checks';
const secretArn = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:prod/orders-a1B2c3';
const upcoming = {
  when: '2026-12-01T15:00:00Z',
  following: ['2026-12-02T15:00:00Z', '2026-12-03T15:00:00Z'],
  timezone: 'America/Denver',
};
const PLACE = { region: 'us-west-2', account: '123456789012', dumpLog: '/dumps' };
const NOTHING = { findings: [], sql: [] };

/** The check whose execution ended like this. */
function checkOf(end: object): EndedCheck {
  const executionArn = 'arn:aws:states:us-west-2:123456789012:execution:Checks:orders-check-f00d';
  const input = JSON.stringify({ secretArn, tagsHash: 'f00d', ...upcoming });
  const check = endedCheckOf(
    {
      detail: {
        executionArn,
        stateMachineArn: CHECKS,
        startDate: Date.parse('2026-11-29T17:12:09.5Z'),
        stopDate: 1,
        input,
        ...end,
      },
    },
    CHECKS,
  );
  if (check === undefined) {
    throw new Error('It is not the event of a check.');
  }
  return check;
}

const job = (more: object) => ({
  Attempts: [{}],
  StatusReason: 'Essential container in task exited',
  ...more,
});

test('the end of an execution of another state machine is not that of a check', () => {
  const detail = {
    executionArn: 'arn:aws:states:us-west-2:1:execution:Runs:a',
    stateMachineArn: 'x',
    status: 'FAILED',
  };
  expect(endedCheckOf({ detail }, CHECKS)).toBeUndefined();
  expect(endedCheckOf({ detail: {} }, CHECKS)).toBeUndefined();
});

test('a job that succeeded says that the secret can be dumped', () => {
  const Container = { ExitCode: 0, LogStreamName: 'dump/default/1' };
  const check = checkOf({ status: 'SUCCEEDED', output: JSON.stringify(job({ Container })) });
  expect(checkNoticeOf(check, NOTHING, 'sg-1')).toMatchObject({
    kind: 'can be dumped',
    secret: 'prod/orders',
    upcoming,
    logStream: 'dump/default/1',
  });
});

test.each([
  ['2026-12-01T15:00:00Z', [upcoming.when, ...upcoming.following]],
  ['2026-12-01T15:00:01Z', upcoming.following],
  ['2026-12-02T15:00:01Z', upcoming.following.slice(1)],
  ['2026-12-03T15:00:01Z', []],
])('a check that ended at %s says as of when the tags are, and leaves out past runs', (stop, left) => {
  const check = checkOf({ status: 'ABORTED', stopDate: Date.parse(stop) });
  const [when, ...following] = left;
  const notice = checkNoticeOf(check, NOTHING, 'sg-1');
  expect(notice).toMatchObject({
    tagsAsOf: '2026-11-29T17:12:09Z',
    upcoming: when === undefined ? undefined : { ...upcoming, when, following },
  });
  const { text } = messageOf(notice, PLACE);
  expect(text).toMatch(/\nTags as of: 2026-11-29T17:12:09Z\n/);
  expect(text.match(/^(Next run|Then): \S+/gm) ?? []).toEqual([
    ...(when === undefined ? [] : [`Next run: ${when}`]),
    ...following.slice(0, 1).map((time) => `Then: ${time}`),
  ]);
});

test('a job that failed says why, and names the security groups only if the port is the problem', () => {
  const Container = { ExitCode: 75, LogStreamName: 'dump/default/1' };
  const cause = JSON.stringify(job({ Container, Attempts: [{}, {}, {}] }));
  const check = checkOf({ status: 'FAILED', error: 'States.TaskFailed', cause });
  const notice = checkNoticeOf(check, { findings: ['Port: no answer'], sql: [] }, 'sg-1');
  expect(notice).toMatchObject({
    kind: 'cannot be dumped',
    reasons: [expect.stringMatching(/exit status 75, .*, on the last of 3 attempts\.$/)],
    findings: ['Port: no answer'],
    securityGroups: 'sg-1',
    article: 'exit-status-75',
  });
  expect(checkNoticeOf(check, { findings: ['Login: no'], sql: [] }, 'sg-1')).not.toHaveProperty('securityGroups');
});

test.each([
  [{ status: 'TIMED_OUT' }, 'no cause given'],
  [{ status: 'ABORTED', cause: 'Maintenance' }, 'Maintenance'],
  [{ status: 'FAILED', error: 'Batch.ClientException', cause: 'x' }, 'Batch.ClientException: x'],
  [
    { status: 'FAILED', cause: JSON.stringify(job({ StatusReason: 'Task failed to start', Container: {} })) },
    'Task failed to start (no further reason)',
  ],
])('a check that did not come to its end says so: %j', (end, reason) => {
  expect(checkNoticeOf(checkOf(end), NOTHING, 'sg-1')).toMatchObject({
    kind: 'check failed',
    reasons: [reason],
    article: 'check-failed',
  });
});

test('of a log, findings that are not in order are reported once, and all SQL', () => {
  const lines = [
    'Secret prod/orders, scheduled for 2026-12-01T15:00:00Z: dump to s3://dumps/prod/orders/x.dmp',
    'Login              ok         as "dumper"',
    'TLS                warning    none',
    'Tables, sequences  problem    The user dumper may not read public.invoices',
    'Replica            unchecked  ',
    'Tables, sequences  problem    The user dumper may not read public.invoices',
    'Run this SQL in the database to grant the missing privileges:',
    '-- All tables:',
    'GRANT pg_read_all_data TO dumper;',
    'AutoDump failed: refused (exit status 77): …',
  ];
  expect(checkLogOf(lines)).toEqual({
    findings: ['TLS (warning): none', 'Tables, sequences: The user dumper may not read public.invoices'],
    sql: ['-- All tables:', 'GRANT pg_read_all_data TO dumper;'],
  });
  expect(checkLogOf(['AutoDump failed: misuse'])).toEqual({ findings: [], sql: [], log: 'AutoDump failed: misuse' });
});

test('more SQL than fits into a message is in the log', () => {
  const sql = Array.from({ length: 53 }, (_, i) => `GRANT ${i}`);
  const check = checkOf({ status: 'FAILED', cause: JSON.stringify(job({ Container: { ExitCode: 77 } })) });
  const { text } = messageOf(checkNoticeOf(check, { findings: [], sql }, 'sg-1'), PLACE);
  expect(text).toContain('\n  GRANT 49\n  -- … and 3 more lines, which are in the log.\n');
});

import { expect, test } from '@jest/globals';
import { type CheckFinding, type CheckLog, checkLogOf } from '../../../../lambda/core/notify/check-log.ts';
import { checkNoticeOf } from '../../../../lambda/core/notify/check-notice.ts';
import { type EndedCheck, endedCheckOf } from '../../../../lambda/core/notify/ended-check.ts';
import { endedExecutionOf } from '../../../../lambda/core/notify/ended-execution.ts';
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
  const startDate = Date.parse('2026-11-29T17:12:09.5Z');
  const detail = { executionArn, stateMachineArn: CHECKS, startDate, stopDate: 1, input, ...end };
  const ended = endedExecutionOf({ detail });
  if (ended === undefined) {
    throw new Error('It is not the event of an execution.');
  }
  return endedCheckOf(ended);
}

const job = (more: object) => ({
  Attempts: [{}],
  StatusReason: 'Essential container in task exited',
  ...more,
});

/** The check whose program ended with a status. */
function failedCheck(status: number): EndedCheck {
  const Container = { ExitCode: status, LogStreamName: 'dump/default/1' };
  return checkOf({ status: 'FAILED', error: 'States.TaskFailed', cause: JSON.stringify(job({ Container })) });
}

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
  const log = (name: string, state: CheckFinding['state'] = 'problem'): CheckLog => ({
    findings: [{ check: name, state, detail: 'no answer' }],
    sql: [],
  });
  const notice = checkNoticeOf(check, log('Port'), 'sg-1');
  expect(notice).toMatchObject({
    kind: 'cannot be dumped',
    reasons: [expect.stringMatching(/exit status 75, .*, on the last of 3 attempts\.$/)],
    findings: ['Port: no answer'],
    securityGroups: 'sg-1',
    article: 'exit-status-75',
  });
  expect(checkNoticeOf(check, log('Login'), 'sg-1')).not.toHaveProperty('securityGroups');
});

const PROBLEM: CheckFinding = { check: 'Login', state: 'problem', detail: 'Wrong password.' };
const WARNING: CheckFinding = { check: 'TLS', state: 'warning', detail: 'none' };

test.each<[number, readonly CheckFinding[], string, string]>([
  [64, [], 'check failed', 'check-failed'],
  [65, [], 'cannot be dumped', 'exit-status-65'],
  [70, [PROBLEM], 'check failed', 'check-failed'],
  [75, [WARNING], 'check failed', 'check-failed'],
  [75, [WARNING, PROBLEM], 'cannot be dumped', 'exit-status-75'],
  [77, [PROBLEM], 'cannot be dumped', 'exit-status-77'],
  [137, [], 'check failed', 'check-failed'],
  [143, [WARNING], 'check failed', 'check-failed'],
])('a program that ended with status %d, having found %j, is reported as "%s"', (status, findings, kind, article) => {
  const notice = checkNoticeOf(failedCheck(status), { findings, sql: [] }, 'sg-1');
  expect(notice).toMatchObject({ kind, article, logStream: 'dump/default/1' });
  expect(notice.reasons[0]).toContain(`exit status ${status}`);
  expect(notice.findings).toHaveLength(findings.length);
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
    findings: [
      { check: 'TLS', state: 'warning', detail: 'none' },
      { check: 'Tables, sequences', state: 'problem', detail: 'The user dumper may not read public.invoices' },
    ],
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

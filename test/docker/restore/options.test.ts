import { expect, test } from '@jest/globals';
import { exitStatusOf } from '../../../docker/failure.ts';
import { defaultJobs, parseRestoreOptions } from '../../../docker/restore/options.ts';

const SECRET_ARN = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:prod/app-AbCdEf';

test.each([
  [1, 4],
  [4, 4],
  [16, 16],
  [96, 64],
])('with %d processors, %d connections restore by default', (processors, jobs) => {
  expect(defaultJobs(processors)).toBe(jobs);
});

test.each(['', 'US-WEST-2', 'us-west-2.example.com/'])(
  'the Region %j is refused, before it is a host name',
  (region) => {
    const args = ['s3://dumps/key', '--to', SECRET_ARN];
    expect(() => parseRestoreOptions(args, { AWS_REGION: region, TMPDIR: '/tmp' })).toThrow(
      expect.objectContaining({
        reason: 'misuse',
        message: expect.stringContaining('AWS_REGION must be the Region of the bucket, such as us-west-2, not "'),
      }),
    );
  },
);

test.each([
  [['s3://dumps/key'], /--to is missing/],
  [['dumps/key', '--to', SECRET_ARN], /as s3:\/\/BUCKET\/KEY/],
  [['s3://dumps/a', 's3://dumps/b', '--to', SECRET_ARN], /Exactly one dump/],
  [['s3://dumps/key', '--to', 'elsewhere'], /must be the ARN of a secret, or a URL/],
  [['s3://dumps/key', '--to', 'postgres://me:hush@db/x'], /must not contain the password/],
  [['s3://dumps/key', '--to', 'postgres://me@db/x?password=hush'], /must not contain the password/],
  [['s3://dumps/key', '--to', 'postgres://me@db/x?options=-c'], /only parameter allowed .* is sslmode/],
  [['s3://dumps/key', '--to', 'postgres://me@db/x?sslmode=hush'], /sslmode of the target must be one of disable/],
  [['s3://dumps/key', '--to', 'postgres://db/x'], /must contain user, host and database/],
  [['s3://dumps/key', '--to', 'postgres://me@db/100%'], /write % as %25/],
  [['s3://dumps/key', '--to', 'postgres://100%@db/x'], /write % as %25/],
  [['s3://dumps/key', '--to', 'postgres://me@db/x%00'], /NUL is not allowed/],
  [['s3://dumps/key', '--to', `postgres://me@db/${'%C3%9F'.repeat(32)}`], /longer than the 63 bytes/],
  [['s3://dumps/key', '--to', SECRET_ARN, '--jobs', '0'], /--jobs must be a whole number/],
  [['s3://dumps/key', '--to', SECRET_ARN, '--verify', 'all'], /--verify must be one of rows, content/],
  [['s3://dumps/key', '--to', SECRET_ARN, '--as-is'], /--as-is is only for tables that are named by --table/],
  [['s3://dumps/key', '--to', SECRET_ARN, '--table', 'orders'], /must name a schema and a table, .* not "orders"/],
  [
    ['s3://dumps/key', '--to', SECRET_ARN, '--table', 'public.t', '--jobs', '2', '--into-non-empty'],
    /Not for single tables: --jobs, --into-non-empty/,
  ],
  [['s3://dumps/key', '--to', SECRET_ARN, '--clean'], /Unknown option '--clean'\. Usage: /],
  [['s3://dumps/key', '--to', SECRET_ARN, '--jobs', '-1'], /--jobs needs a value\. .*: --jobs=-1\. Usage: /],
])('the arguments %j are refused as misuse, without the password', (args, problem) => {
  const refusal = thrownBy(() => parseRestoreOptions(args, { AWS_REGION: 'us-west-2', TMPDIR: '/tmp' }));
  expect(String(refusal)).toMatch(problem);
  expect(String(refusal)).not.toContain('hush');
  expect(exitStatusOf(refusal)).toBe(64);
});

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('It was not refused.');
}

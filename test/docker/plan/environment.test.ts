import { tmpdir } from 'node:os';
import { expect, test } from '@jest/globals';
import { readEnvironment } from '../../../docker/plan/environment.ts';

const ENVIRONMENT = {
  AUTODUMP_SECRET_ARN: 'arn:aws:secretsmanager:us-west-2:123456789012:secret:prod/app-AbCdEf',
  AUTODUMP_WHEN: '2026-11-22T08:00:00Z',
  AUTODUMP_EXECUTION: 'arn:aws:states:us-west-2:123456789012:execution:autodump:prod-app',
  AUTODUMP_BUCKETS: 'dumps, more-dumps',
  AUTODUMP_RETENTION_DAYS: '400',
  AUTODUMP_RESTORE_JOB: 'AutoDump-restore',
  TMPDIR: tmpdir(),
};

test('the environment described by the contract is parsed, and the ID that Batch adds', () => {
  expect(readEnvironment({ ...ENVIRONMENT, AWS_BATCH_JOB_ID: '0a1b2c3d' })).toEqual({
    secretArn: ENVIRONMENT.AUTODUMP_SECRET_ARN,
    region: 'us-west-2',
    scheduledFor: '2026-11-22T08:00:00Z',
    retentionDays: 400,
    restoreJob: 'AutoDump-restore',
    execution: ENVIRONMENT.AUTODUMP_EXECUTION,
    job: '0a1b2c3d',
    buckets: ['dumps', 'more-dumps'],
    scratch: tmpdir(),
  });
});

test('one error names all missing variables', () => {
  for (const name of Object.keys(ENVIRONMENT)) {
    expect(() => readEnvironment({})).toThrow(`${name} is missing`);
  }
});

test.each([
  ['AUTODUMP_SECRET_ARN', 'prod/app', 'must be the ARN of a secret'],
  ['AUTODUMP_SECRET_ARN', 'arn:aws:s3:::dumps', 'must be the ARN of a secret'],
  ['AUTODUMP_SECRET_ARN', 'arn:aws:secretsmanager:us-west-2.example.com/:1:secret:x', 'must be the ARN of a secret'],
  ['AUTODUMP_WHEN', '2026-11-22 08:00', 'must be a UTC time in whole seconds'],
  ['AUTODUMP_WHEN', '2026-11-22T08:00:00.000Z', 'must be a UTC time in whole seconds'],
  ['AUTODUMP_WHEN', '2026-11-22T08:00:00+01:00', 'must be a UTC time in whole seconds'],
  ['AUTODUMP_BUCKETS', 'dumps,,more', 'must be bucket names'],
  ['TMPDIR', '/nonexistent', 'must be an existing, writable folder'],
])('%s %j is refused', (name, value, problem) => {
  expect(() => readEnvironment({ ...ENVIRONMENT, [name]: value })).toThrow(
    expect.objectContaining({
      reason: 'misuse',
      message: expect.stringContaining(`Invalid environment: ${name} ${problem}`),
    }),
  );
});

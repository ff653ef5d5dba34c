import { tmpdir } from 'node:os';
import { describe, expect, test } from '@jest/globals';
import { parseDrillOptions } from '../../../docker/drill/options.ts';

const NOW = new Date('2026-11-29T08:00:00.123Z');
const SECRET_ARN = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:prod/app-AbCdEf';
const ENVIRONMENT = {
  AUTODUMP_SECRET_ARN: SECRET_ARN,
  AUTODUMP_WHEN: '2026-11-22T08:00:00Z',
  AUTODUMP_EXECUTION: 'arn:execution',
  AUTODUMP_BUCKETS: 'dumps, more',
  TMPDIR: tmpdir(),
};

describe('The options of a drill', () => {
  test('are those of the environment', () => {
    expect(parseDrillOptions([], ENVIRONMENT, NOW)).toEqual({
      dump: { secretArn: SECRET_ARN, buckets: ['dumps', 'more'] },
      region: 'us-west-2',
      when: '2026-11-22T08:00:00Z',
      execution: 'arn:execution',
      scratch: tmpdir(),
    });
  });

  test('are a dump, with the time of the start', () => {
    const environment = { AWS_REGION: 'eu-west-1', TMPDIR: tmpdir() };
    expect(parseDrillOptions(['s3://dumps/a/b%2F-1.dmp'], environment, NOW)).toEqual({
      dump: { bucket: 'dumps', key: 'a/b%2F-1.dmp' },
      region: 'eu-west-1',
      when: '2026-11-29T08:00:00Z',
      execution: null,
      scratch: tmpdir(),
    });
  });

  test.each([
    [[], {}, 'AUTODUMP_SECRET_ARN is missing'],
    [['s3://dumps/a'], { TMPDIR: tmpdir() }, 'AWS_REGION is missing: the Region of the bucket'],
    [['s3://dumps/a'], { AWS_REGION: 'us-west-2' }, 'TMPDIR is missing'],
    [['dumps/a'], {}, 'as s3://BUCKET/KEY'],
    [['s3://dumps/a', 's3://dumps/b'], {}, 'At most one dump'],
    [['--to'], {}, 'as s3://BUCKET/KEY'],
  ])('%j with %j are a misuse', (args, environment, problem) => {
    expect(() => parseDrillOptions(args, environment, NOW)).toThrow(problem);
  });
});

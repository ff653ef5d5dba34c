import { expect, test } from '@jest/globals';
import { parseRestoreOptions } from '../../../docker/restore/options.ts';

test.each(['', 'US-WEST-2', 'us-west-2.example.com/'])(
  'the Region %j is refused, before it is a host name',
  (region) => {
    const args = ['s3://dumps/key', '--to', 'arn:aws:secretsmanager:us-west-2:123456789012:secret:prod/app-AbCdEf'];
    expect(() => parseRestoreOptions(args, { AWS_REGION: region, TMPDIR: '/tmp' })).toThrow(
      expect.objectContaining({
        reason: 'misuse',
        message: expect.stringContaining('AWS_REGION must be the Region of the bucket, such as us-west-2, not "'),
      }),
    );
  },
);

import { expect, test } from '@jest/globals';
import { resources } from './policy-statements.ts';
import { ofType } from './synthesized-template.ts';

test('the dump bucket expires objects by their tag, none later than the stack says, and the others 90 days later', () => {
  const [bucket] = Object.entries(ofType(resources, 'AWS::S3::Bucket')).filter(([id]) => id.startsWith('Archive'));
  const tagged = (Id: string, Value: string, ExpirationInDays: number) => ({
    Id,
    ExpirationInDays,
    Status: 'Enabled',
    TagFilters: [{ Key: 'autodump:retention', Value }],
  });
  expect(bucket?.[1].Properties.LifecycleConfiguration).toEqual({
    Rules: [
      tagged('ExpireAfter7Days', '7', 7),
      tagged('ExpireAfter14Days', '14', 14),
      tagged('ExpireAfter35Days', '35', 35),
      tagged('ExpireAfter90Days', '90', 35),
      tagged('ExpireAfter365Days', '365', 35),
      tagged('ExpireDumps', 'stack', 35),
      // A rule without a filter holds for all objects, and of several the shortest period.
      { Id: 'ExpireKeptAndUntagged', ExpirationInDays: 125, Status: 'Enabled' },
      {
        Id: 'AbortIncompleteUploads',
        // Longer than the longest job.
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 8 },
        Status: 'Enabled',
      },
    ],
  });
});

import { expect, test } from '@jest/globals';
import { Template } from '../../../../local/assembly/template.ts';
import { decide } from '../../../../local/services/iam/decision.ts';
import { sessionOf } from '../../../../local/services/iam/iam.ts';
import { policiesOf } from '../../../../local/services/iam/policies.ts';
import { EXTRA_BUCKET, synthesizedAppWithOptions } from '../../../support/synthesized-app.ts';
import { roleArn } from './lifecycle.ts';

const RETENTION = 'autodump:retention';
const JOB = 'DumpJob/JobRole';
const FRESHNESS = 'Freshness/FunctionRole';

test.each<readonly [who: string, tag: string, existing: string | undefined, key: string, allowed: boolean]>([
  [JOB, `${RETENTION}=7`, undefined, 'db/a.dmp', true],
  [JOB, `${RETENTION}=stack`, undefined, 'db/a.dmp.json', true],
  [JOB, `${RETENTION}=kept`, undefined, 'db/a.dmp', false],
  [JOB, `${RETENTION}=8`, undefined, 'db/a.dmp', false],
  [JOB, 'other=7', undefined, 'db/a.dmp', false],
  [JOB, `${RETENTION}=7`, 'stack', 'db/a.dmp', false],
  [JOB, `${RETENTION}=stack`, 'kept', 'db/a.dmp', false],
  [JOB, `${RETENTION}=stack`, '7', 'db/a.dmp', false],
  [FRESHNESS, `${RETENTION}=kept`, 'stack', 'db/a.dmp', true],
  [FRESHNESS, `${RETENTION}=kept`, undefined, 'db/a.dmp.json', true],
  [FRESHNESS, `${RETENTION}=stack`, 'kept', 'db/a.dmp', false],
  [FRESHNESS, `${RETENTION}=7`, undefined, 'db/a.dmp', false],
  [FRESHNESS, 'other=kept', 'stack', 'db/a.dmp', false],
  [FRESHNESS, `${RETENTION}=kept`, 'stack', 'db/a.dmp.drill-20261122T080000Z.json', false],
  ['DrillJob/JobRole', `${RETENTION}=7`, undefined, 'db/a.dmp', false],
  ['RestoreJob/JobRole', `${RETENTION}=kept`, 'stack', 'db/a.dmp', false],
])('%s may set %s on an object with the tag %p, %s: %p, and never in another bucket', async (...row) => {
  const [who, tag, existing, key, allowed] = row;
  const cdkOut = await synthesizedAppWithOptions();
  const template = new Template(cdkOut);
  const bucket = template.ofType('AWS::S3::Bucket').find(({ title }) => title === 'Archive/Bucket');
  const [name = '', value = ''] = tag.split('=');
  const decisions = [bucket === undefined ? '' : template.nameOf(bucket), EXTRA_BUCKET].map(async (in_) =>
    decide(policiesOf(template), {
      principal: sessionOf(roleArn(cdkOut, who), 'any'),
      action: 's3:PutObjectTagging',
      resource: `arn:aws:s3:::${in_}/${key}`,
      context: {
        's3:RequestObjectTagKeys': [name],
        [`s3:RequestObjectTag/${name}`]: value,
        ...(existing === undefined ? {} : { [`s3:ExistingObjectTag/${RETENTION}`]: existing }),
      },
    }),
  );
  expect((await Promise.all(decisions)).map((decision) => decision.allowed)).toEqual([allowed, false]);
});

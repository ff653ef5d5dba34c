import { describe, expect, test } from '@jest/globals';
import { actions, of } from '../policy-statements.ts';

/** What starts a container and keeps its log. */
const EXECUTION_ACTIONS = [
  'ecr:BatchCheckLayerAvailability',
  'ecr:BatchGetImage',
  'ecr:GetAuthorizationToken',
  'ecr:GetDownloadUrlForLayer',
  'logs:CreateLogStream',
  'logs:PutLogEvents',
];

describe('permissions', () => {
  test.each([
    [
      'the dump job',
      /^DumpJobJobRole/,
      [
        'kms:Decrypt',
        'kms:Decrypt',
        'kms:GenerateDataKey',
        'rds:DescribeDBClusters',
        'rds:DescribeDBInstances',
        's3:AbortMultipartUpload',
        's3:ListBucket',
        's3:ListBucketMultipartUploads',
        's3:ListMultipartUploadParts',
        's3:PutObject',
        's3:PutObjectTagging',
        'secretsmanager:DescribeSecret',
        'secretsmanager:GetSecretValue',
      ],
    ],
    [
      'the restore job',
      /^RestoreJobJobRole/,
      [
        'kms:Decrypt',
        'kms:Decrypt',
        'rds:DescribeDBClusters',
        'rds:DescribeDBInstances',
        's3:GetObject',
        's3:ListBucket',
        'secretsmanager:DescribeSecret',
        'secretsmanager:GetSecretValue',
      ],
    ],
    [
      'the drill job',
      /^DrillJobJobRole/,
      ['kms:Decrypt', 'kms:GenerateDataKey', 's3:GetObject', 's3:ListBucket', 's3:PutObject'],
    ],
    ['the execution role of the drill job', /^DrillJobExecutionRole/, EXECUTION_ACTIONS],
    ['the execution role of the restore job', /^RestoreJobExecutionRole/, EXECUTION_ACTIONS],
    ['the execution role of the dump job', /^DumpJobExecutionRole/, EXECUTION_ACTIONS],
  ])('of %s are exactly these', (_, role, expected) => {
    expect(actions(role)).toEqual(expected);
  });

  test.each([
    ['dump', /^DumpJobJobRole/, ':s3:::elsewhere/*'],
    ['drill', /^DrillJobJobRole/, ':s3:::elsewhere/*.dmp.drill-*.json'],
  ])('the %s job is denied writes that could replace an object, in every bucket', (_, role, objects) => {
    const [allowed, denied] = of(role).filter(({ Action }) => [Action].flat().includes('s3:PutObject'));
    expect(denied).toMatchObject({
      Effect: 'Deny',
      Condition: { Null: { 's3:if-none-match': 'true' }, Bool: { 's3:ObjectCreationOperation': 'true' } },
    });
    expect(denied?.Resource).toEqual(allowed?.Resource);
    expect(JSON.stringify(denied?.Resource)).toContain(`${objects}"`);
  });

  test('the drill job may read dumps and manifests, in every bucket, and nothing else', () => {
    const read = of(/^DrillJobJobRole/).find(({ Sid }) => Sid === 'ReadDumps');
    const resources = [read?.Resource].flat().map((resource) => JSON.stringify(resource));
    expect(resources.map((resource) => /[*][^"]*(?="\W*$)/.exec(resource)?.[0])).toEqual([
      '*.dmp',
      '*.dmp.json',
      '*.dmp',
      '*.dmp.json',
    ]);
  });
});

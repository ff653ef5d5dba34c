import { describe, expect, test } from '@jest/globals';
import { Template } from '../../../../local/assembly/template.ts';
import { ADMINISTRATOR, type Call, decide } from '../../../../local/services/iam/decision.ts';
import { type Policies, policiesOf } from '../../../../local/services/iam/policies.ts';
import { matchesAction, unusedPermissions } from '../../../../local/services/iam/unused.ts';
import { tempFolders } from '../../../support/temp-folder.ts';
import { type Resources, writeCdkOut } from '../../support/cdk-out.ts';

const folder = tempFolders();

function read(resources: Resources): Policies {
  const directory = folder();
  writeCdkOut(directory, resources);
  return policiesOf(new Template(directory));
}

const document = (...Statement: readonly object[]) => ({ Version: '2012-10-17', Statement });
const allow = (Action: string | readonly string[], Resource: unknown = '*', more: object = {}) => ({
  Effect: 'Allow',
  Action,
  Resource,
  ...more,
});

const role = (properties: object = {}) => ({
  Type: 'AWS::IAM::Role',
  Properties: { RoleName: 'worker', ...properties },
});
const inline = (...statements: readonly object[]) =>
  role({ Policies: [{ PolicyName: 'Own', PolicyDocument: document(...statements) }] });

const SESSION = 'arn:aws:sts::123456789012:assumed-role/worker/session';
const QUEUE = 'arn:aws:sqs:us-west-2:123456789012:Mini-Queue';
const SECRET = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:db-abcdef';
const KEY = 'arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab';

const call = (action: string, resource: string, context: Call['context'] = {}, principal = SESSION): Call => ({
  principal,
  action,
  resource,
  context,
});

describe('a role may do what is allowed', () => {
  const send = call('sqs:SendMessage', QUEUE);

  test.each<[string, Resources]>([
    ['by an inline policy', { Role: inline(allow('sqs:SendMessage', { 'Fn::GetAtt': ['Queue', 'Arn'] })) }],
    ['by a pattern', { Role: inline(allow('sqs:Send*', 'arn:aws:sqs:*:*:Mini-*')) }],
    [
      'by a separate policy',
      {
        Role: role(),
        Policy: {
          Type: 'AWS::IAM::Policy',
          Properties: { PolicyDocument: document(allow('sqs:SendMessage')), Roles: [{ Ref: 'Role' }] },
        },
      },
    ],
    [
      'by a managed policy in the template',
      {
        Role: role({ ManagedPolicyArns: [{ Ref: 'Policy' }] }),
        Policy: { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument: document(allow('sqs:SendMessage')) } },
      },
    ],
    [
      'by the policy of the queue',
      {
        Role: role(),
        Policy: {
          Type: 'AWS::SQS::QueuePolicy',
          Properties: {
            Queues: [{ Ref: 'Queue' }],
            PolicyDocument: document(
              allow('sqs:SendMessage', QUEUE, { Principal: { AWS: 'arn:aws:iam::123456789012:role/worker' } }),
            ),
          },
        },
      },
    ],
  ])('%s', async (_, resources) => {
    const decision = await decide(read({ Queue: { Type: 'AWS::SQS::Queue' }, ...resources }), send);
    expect(decision).toMatchObject({ allowed: true, grants: [{ index: 0 }] });
  });

  test('and nothing else', async () => {
    const policies = read({ Role: inline(allow('sqs:SendMessage', `${QUEUE}-2`), allow('sqs:ReceiveMessage')) });
    expect(await decide(policies, send)).toEqual({
      allowed: false,
      reason: `User: ${SESSION} is not authorized to perform: sqs:SendMessage on resource: ${QUEUE} because no identity-based policy allows the sqs:SendMessage action`,
    });
  });

  test('and not what is denied', async () => {
    const denied = { ...allow('sqs:*'), Effect: 'Deny' };
    expect(await decide(read({ Role: inline(allow('*'), denied) }), send)).toMatchObject({
      reason: expect.stringMatching(/ with an explicit deny in an identity-based policy$/),
    });
  });

  test('which other roles may not', async () => {
    const other = call('sqs:SendMessage', QUEUE, {}, SESSION.replace('worker', 'other'));
    expect(await decide(read({ Role: inline(allow('*')) }), other)).toMatchObject({ allowed: false });
  });
});

describe('conditions', () => {
  const put = 's3:PutObject';
  const object = 'arn:aws:s3:::bucket/key';

  test.each<[string, object, Call, boolean]>([
    [
      'a tag of the resource',
      { Null: { 'aws:ResourceTag/a:b': 'false' } },
      call('secretsmanager:GetSecretValue', SECRET, { 'aws:ResourceTag/a:b': '' }),
      true,
    ],
    [
      'another tag',
      { Null: { 'aws:ResourceTag/a:b': 'false' } },
      call('secretsmanager:GetSecretValue', SECRET, { 'aws:ResourceTag/a:bc': '' }),
      false,
    ],
    ['the Region', { StringEquals: { 'aws:RequestedRegion': 'us-west-2' } }, call(put, object), true],
    ['another Region', { StringEquals: { 'aws:RequestedRegion': 'eu-west-1' } }, call(put, object), false],
    ['TLS', { Bool: { 'aws:SecureTransport': 'true' } }, call(put, object), true],
    ['the TLS version', { NumericGreaterThanEquals: { 's3:TlsVersion': 1.2 } }, call(put, object), true],
    [
      'the role',
      { ArnEquals: { 'aws:PrincipalArn': 'arn:aws:iam::123456789012:role/worker' } },
      call(put, object),
      true,
    ],
    [
      'the service that makes the call on its behalf',
      { StringEquals: { 'kms:ViaService': 's3.us-west-2.amazonaws.com' } },
      call('kms:Decrypt', KEY, { 'kms:ViaService': 's3.us-west-2.amazonaws.com' }),
      true,
    ],
    [
      'another service',
      { StringEquals: { 'kms:ViaService': 's3.us-west-2.amazonaws.com' } },
      call('kms:Decrypt', KEY, { 'kms:ViaService': 'secretsmanager.us-west-2.amazonaws.com' }),
      false,
    ],
    ['a header', { Null: { 's3:if-none-match': 'false' } }, call(put, object, { 's3:if-none-match': '*' }), true],
  ])('on %s', async (_, Condition, made, allowed) => {
    const policies = read({ Role: inline(allow('*', '*', { Condition })) });
    expect(await decide(policies, made)).toMatchObject({ allowed });
  });
});

describe('a service', () => {
  const RESOURCES: Resources = {
    Role: role({
      AssumeRolePolicyDocument: document({
        Effect: 'Allow',
        Action: 'sts:AssumeRole',
        Principal: { Service: 'states.amazonaws.com' },
        Condition: { ArnLike: { 'aws:SourceArn': 'arn:aws:states:us-west-2:123456789012:stateMachine:*' } },
      }),
    }),
    Fn: { Type: 'AWS::Lambda::Function', Properties: {} },
    Rule: { Type: 'AWS::Events::Rule', Properties: {} },
    Permission: {
      Type: 'AWS::Lambda::Permission',
      Properties: {
        Action: 'lambda:InvokeFunction',
        FunctionName: { 'Fn::GetAtt': ['Fn', 'Arn'] },
        Principal: 'events.amazonaws.com',
        SourceArn: { 'Fn::GetAtt': ['Rule', 'Arn'] },
      },
    },
  };
  const FUNCTION = 'arn:aws:lambda:us-west-2:123456789012:function:Mini-Fn';
  const ROLE = 'arn:aws:iam::123456789012:role/worker';
  const rule = (name: string) => ({ 'aws:SourceArn': `arn:aws:events:us-west-2:123456789012:rule/${name}` });
  const machine = { 'aws:SourceArn': 'arn:aws:states:us-west-2:123456789012:stateMachine:Mini' };

  test.each<[string, Call, boolean]>([
    [
      'may invoke a function whose policy allows it',
      call('lambda:InvokeFunction', FUNCTION, rule('Mini-Rule'), 'events.amazonaws.com'),
      true,
    ],
    [
      'may not invoke it for another rule',
      call('lambda:InvokeFunction', FUNCTION, rule('Mini-Other'), 'events.amazonaws.com'),
      false,
    ],
    [
      'may not invoke it as another service',
      call('lambda:InvokeFunction', FUNCTION, rule('Mini-Rule'), 's3.amazonaws.com'),
      false,
    ],
    ['may assume a role that trusts it', call('sts:AssumeRole', ROLE, machine, 'states.amazonaws.com'), true],
    [
      'may not assume it for another resource',
      call('sts:AssumeRole', ROLE, rule('Mini-Rule'), 'states.amazonaws.com'),
      false,
    ],
    [
      'may not assume a role that trusts another service',
      call('sts:AssumeRole', ROLE, machine, 'lambda.amazonaws.com'),
      false,
    ],
  ])('%s', async (_, made, allowed) => {
    expect(await decide(read(RESOURCES), made)).toMatchObject({ allowed });
  });

  test('gets a message about the resource-based policy', async () => {
    const made = call('lambda:InvokeFunction', FUNCTION, {}, 'events.amazonaws.com');
    expect(await decide(read({}), made)).toEqual({
      allowed: false,
      reason: `User: events.amazonaws.com is not authorized to perform: lambda:InvokeFunction on resource: ${FUNCTION} because no resource-based policy allows the lambda:InvokeFunction action`,
    });
  });
});

test('the administrator may do everything that no resource-based policy denies', async () => {
  const policies = read({
    Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'bucket' } },
    Policy: {
      Type: 'AWS::S3::BucketPolicy',
      Properties: {
        Bucket: { Ref: 'Bucket' },
        PolicyDocument: document({
          ...allow('s3:DeleteObject', 'arn:aws:s3:::bucket/*'),
          Effect: 'Deny',
          Principal: '*',
        }),
      },
    },
  });
  const may = async (action: string) =>
    (await decide(policies, call(action, 'arn:aws:s3:::bucket/key', {}, ADMINISTRATOR))).allowed;
  expect(await may('s3:PutObject')).toBe(true);
  expect(await may('s3:DeleteObject')).toBe(false);
});

test.each([
  [
    'an AWS managed policy',
    { ManagedPolicyArns: ['arn:aws:iam::aws:policy/ReadOnlyAccess'] },
    /Role has the policy .*ReadOnly/,
  ],
  [
    'a permissions boundary',
    { PermissionsBoundary: 'arn:aws:iam::aws:policy/ReadOnlyAccess' },
    /Permissions boundaries/,
  ],
])('a role with %s is rejected, because the document is not in the template', (_, properties, message) => {
  expect(() => read({ Role: role(properties) })).toThrow(message);
});

test('an action that does not exist is an error, not a denial', async () => {
  await expect(decide(read({}), call('sqs:SendMail', QUEUE))).rejects.toThrow('sqs:SendMail on arn:aws:sqs:us-west-2');
});

describe('unused permissions', () => {
  test('are the actions of statements that no call used, with the reason if known', async () => {
    const policies = read({
      Role: inline(allow(['sqs:SendMessage', 'sqs:Get*', 'sqs:PurgeQueue']), allow('sns:Subscribe')),
    });
    const decision = await decide(policies, call('sqs:GetQueueUrl', QUEUE));
    const used = decision.allowed ? decision.grants.map((grant) => ({ ...grant, action: 'sqs:GetQueueUrl' })) : [];
    const unused = {
      principal: 'arn:aws:iam::123456789012:role/worker',
      resources: ['*'],
      policy: 'Role/Own',
      statement: '1',
    };
    expect(unusedPermissions(policies, used)).toEqual([
      { ...unused, action: 'sqs:SendMessage', reason: 'Only when a function fails on every attempt.' },
      { ...unused, action: 'sqs:PurgeQueue', reason: null },
      { ...unused, action: 'sns:Subscribe', statement: '2', reason: null },
    ]);
  });

  test.each([
    ['s3:GetObject', 's3:GetObject', true],
    ['s3:getobject', 's3:GetObject', true],
    ['s3:Get*', 's3:GetObject', true],
    ['*', 's3:GetObject', true],
    ['s3:Get', 's3:GetObject', false],
    ['s3.GetObject', 's3:GetObject', false],
  ])('%s includes %s: %s', (pattern, action, expected) => {
    expect(matchesAction(pattern, action)).toBe(expected);
  });
});

import { z } from 'zod';
import { ACCOUNT, REGION } from '../../assembly/account.ts';
import type { RequiredCall } from '../iam/decision.ts';
import { AccessDenied, type Iam } from '../iam/iam.ts';
import { type Operation, ServiceError } from '../protocol/json-endpoint.ts';
import type { SecretsManager } from '../secrets-manager/secrets-manager.ts';
import { logCall, putEventsCall } from './service-calls.ts';

/** The operations, each of which first checks that the caller is allowed to request it. */
export function authorized(
  operations: ReadonlyMap<string, Operation>,
  iam: Iam,
  secrets: SecretsManager,
): ReadonlyMap<string, Operation> {
  const guarded = [...operations].map(([target, operation]): [string, Operation] => [
    target,
    async (request, caller) => {
      try {
        for (const call of callsOf(target, request, secrets)) {
          await iam.authorize({ ...call, principal: caller });
        }
      } catch (error) {
        throw error instanceof AccessDenied ? new ServiceError('AccessDeniedException', error.message) : error;
      }
      return operation(request, caller);
    },
  ]);
  return new Map(guarded);
}

const ruleRequest = z.object({ Name: z.string() });

const eventsRequest = z.object({ Entries: z.array(z.object({ Source: z.string() })) });

const streamRequest = z.object({ logGroupName: z.string(), logStreamName: z.string() });

/** The query protocol does not name the service. */
const queryRequest = z.union([
  z.object({ TopicArn: z.string() }).transform(({ TopicArn: arn }) => ({ service: 'sns', arn })),
  z.object({ DBInstanceIdentifier: z.string() }).transform((request) => ({
    service: 'rds',
    arn: request.DBInstanceIdentifier,
  })),
  z.object({ DBClusterIdentifier: z.string() }).transform((request) => ({
    service: 'rds',
    arn: request.DBClusterIdentifier,
  })),
]);

const functionRequest = z.object({ FunctionName: z.string() });

const executionRequest = z.object({ executionArn: z.string().optional(), stateMachineArn: z.string().optional() });

/** The calls that a request requires. None for an invalid request, which the operation itself will refuse. */
function callsOf(target: string, request: unknown, secrets: SecretsManager): readonly RequiredCall[] {
  const [service = '', operation = ''] = target.split('.');
  switch (service) {
    case 'secretsmanager':
      return secretCalls(operation, request, secrets);
    case 'AWSStepFunctions': {
      const { data } = executionRequest.safeParse(request);
      const resource = data?.executionArn ?? data?.stateMachineArn;
      return resource === undefined ? [] : [{ action: `states:${operation}`, resource }];
    }
    case 'AWSEvents':
      return eventCalls(operation, request);
    case 'Logs_20140328': {
      const { data } = streamRequest.safeParse(request);
      return data === undefined ? [] : [logCall(`logs:${operation}`, data.logGroupName, data.logStreamName)];
    }
    case 'lambda':
      return functionCalls(operation, request);
    case 'batch':
      return [{ action: `batch:${operation}`, resource: '*' }];
    case 'query': {
      const { data } = queryRequest.safeParse(request);
      return data === undefined ? [] : [{ action: `${data.service}:${operation}`, resource: data.arn }];
    }
    default:
      throw new Error(`The permissions required for ${target} are unknown.`);
  }
}

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html */
function eventCalls(operation: string, request: unknown): readonly RequiredCall[] {
  if (operation === 'PutEvents') {
    const { data } = eventsRequest.safeParse(request);
    return data === undefined ? [] : [putEventsCall(data.Entries.map(({ Source }) => Source))];
  }
  const { data } = ruleRequest.safeParse(request);
  const resource = `arn:aws:events:${REGION}:${ACCOUNT}:rule/${data?.Name ?? ''}`;
  return data === undefined ? [] : [{ action: `events:${operation}`, resource }];
}

/** A function is named, or given by its ARN. */
function functionCalls(operation: string, request: unknown): readonly RequiredCall[] {
  const { data } = functionRequest.safeParse(request);
  if (data === undefined) {
    return [];
  }
  const { FunctionName: id } = data;
  const resource = id.startsWith('arn:') ? id : `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${id}`;
  // https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
  return [{ action: `lambda:${operation}Function`, resource }];
}

const tagged = z.array(z.object({ Key: z.string(), Value: z.string() })).default([]);

const secretRequest = z.object({
  Name: z.string().optional(),
  SecretId: z.string().optional(),
  Tags: tagged,
});

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html */
function secretCalls(operation: string, request: unknown, secrets: SecretsManager): readonly RequiredCall[] {
  const action = `secretsmanager:${operation}`;
  if (operation === 'ListSecrets') {
    return [{ action, resource: '*' }];
  }
  const { data } = secretRequest.safeParse(request);
  if (data === undefined) {
    return [];
  }
  const { Name, SecretId = '', Tags } = data;
  const requested = Object.fromEntries(Tags.map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value]));
  if (Name !== undefined) {
    return [{ action, resource: arnFor(Name), context: { 'secretsmanager:Name': Name, ...requested } }];
  }
  const secret = secrets.find(SecretId);
  const context = {
    'secretsmanager:SecretId': SecretId,
    ...requested,
    // The policy engine (0.1.173) does not support the equivalent `secretsmanager:ResourceTag/…`, and denies conditions
    // on it.
    ...Object.fromEntries([...(secret?.tags ?? [])].map(([key, value]) => [`aws:ResourceTag/${key}`, value])),
  };
  const call = { action, resource: secret?.arn ?? arnFor(SecretId), context };
  return operation === 'GetSecretValue' && secret?.kmsKeyId !== undefined
    ? [call, { action: 'kms:Decrypt', resource: secret.kmsKeyId, context: VIA_SECRETS_MANAGER }]
    : [call];
}

const VIA_SECRETS_MANAGER = { 'kms:ViaService': `secretsmanager.${REGION}.amazonaws.com` };

/** ARN of a secret that may not exist, by its name or ARN. */
function arnFor(id: string): string {
  return id.startsWith('arn:') ? id : `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${id}`;
}

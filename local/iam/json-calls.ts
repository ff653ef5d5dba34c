import { z } from 'zod';
import { ServiceError, type Operation } from '../endpoint.ts';
import type { SecretsManager } from '../secrets.ts';
import { ACCOUNT, REGION } from '../template.ts';
import type { Call } from './decision.ts';
import { AccessDenied, type Iam } from './iam.ts';

type Wanted = Omit<Call, 'principal'>;

/** The operations, each of which is done only for those who may. */
export function authorized(
  operations: ReadonlyMap<string, Operation>,
  iam: Iam,
  secrets: SecretsManager,
): ReadonlyMap<string, Operation> {
  const guarded = [...operations].map(([target, operation]): [string, Operation] => [
    target,
    async (request, caller) => {
      try {
        for (const call of callsOf(target, request, secrets)) await iam.demand({ ...call, principal: caller });
      } catch (error) {
        throw error instanceof AccessDenied ? new ServiceError('AccessDeniedException', error.message) : error;
      }
      return operation(request, caller);
    },
  ]);
  return new Map(guarded);
}

/** What a request needs to be allowed, by the value of `X-Amz-Target`. */
function callsOf(target: string, request: unknown, secrets: SecretsManager): readonly Wanted[] {
  const [service = '', operation = ''] = target.split('.');
  switch (service) {
    case 'secretsmanager':
      return secretCalls(operation, request, secrets);
    case 'AWSStepFunctions': {
      const { stateMachineArn } = z.object({ stateMachineArn: z.string() }).parse(request);
      return [{ action: `states:${operation}`, resource: stateMachineArn }];
    }
    default:
      throw new Error(`Which permission ${target} takes is not known here.`);
  }
}

const tagged = z.array(z.object({ Key: z.string(), Value: z.string() })).default([]);

const secretRequest = z.object({
  Name: z.string().optional(),
  SecretId: z.string().optional(),
  Tags: tagged,
});

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html */
function secretCalls(operation: string, request: unknown, secrets: SecretsManager): readonly Wanted[] {
  const action = `secretsmanager:${operation}`;
  const { Name, SecretId = '', Tags } = secretRequest.parse(request);
  if (operation === 'ListSecrets') return [{ action, resource: '*' }];
  const requested = Object.fromEntries(Tags.map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value]));
  if (Name !== undefined) {
    const resource = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${Name}`;
    return [{ action, resource, context: { 'secretsmanager:Name': Name, ...requested } }];
  }
  const secret = secrets.find(SecretId);
  const context = {
    'secretsmanager:SecretId': SecretId,
    ...requested,
    // The engine (0.1.173) knows no keys `secretsmanager:ResourceTag/…`, which mean the same: what asks for one is refused.
    ...Object.fromEntries([...(secret?.tags ?? [])].map(([key, value]) => [`aws:ResourceTag/${key}`, value])),
  };
  return [{ action, resource: secret?.arn ?? SecretId, context }];
}

import type { DescribeJobsRequest, ListJobsRequest } from '@aws-sdk/client-batch';
import type { GetLogEventsRequest } from '@aws-sdk/client-cloudwatch-logs';
import type { DisableRuleRequest, PutEventsRequest } from '@aws-sdk/client-eventbridge';
import type { DescribeDBClustersMessage, DescribeDBInstancesMessage } from '@aws-sdk/client-rds';
import type {
  CreateSecretRequest,
  DeleteSecretRequest,
  DescribeSecretRequest,
  GetSecretValueRequest,
  ListSecretsRequest,
  TagResourceRequest,
  UntagResourceRequest,
} from '@aws-sdk/client-secrets-manager';
import type {
  DescribeExecutionInput,
  ListExecutionsInput,
  StartExecutionInput,
  StopExecutionInput,
} from '@aws-sdk/client-sfn';
import type { PublishInput } from '@aws-sdk/client-sns';
import { z } from 'zod';
import type { Batch } from './batch/batch.ts';
import type { EventBus } from './events/event-bus.ts';
import type { LambdaFunction } from './lambda/lambda-function.ts';
import type { LogStreams } from './logs/log-streams.ts';
import { operation, type Operation, ServiceError } from './protocol/json-endpoint.ts';
import type { Rds } from './rds/rds.ts';
import type { SecretsManager } from './secrets-manager/secrets-manager.ts';
import type { Topics } from './sns/topics.ts';
import type { StepFunctions } from './step-functions/step-functions.ts';

const tags = z.array(z.object({ Key: z.string(), Value: z.string() }));
const SecretId = z.string();

const createSecret: z.ZodType<CreateSecretRequest> = z.strictObject({
  Name: z.string(),
  ClientRequestToken: z.string().optional(),
  KmsKeyId: z.string().startsWith('arn:').optional(),
  SecretString: z.string().optional(),
  Tags: tags.optional(),
});

const tagResource: z.ZodType<TagResourceRequest> = z.strictObject({ SecretId, Tags: tags });

const untagResource: z.ZodType<UntagResourceRequest> = z.strictObject({ SecretId, TagKeys: z.array(z.string()) });

const deleteSecret: z.ZodType<DeleteSecretRequest> = z.strictObject({
  SecretId,
  RecoveryWindowInDays: z.number().min(7).max(30).optional(),
  ForceDeleteWithoutRecovery: z.boolean().optional(),
});

const describeSecret: z.ZodType<DescribeSecretRequest> = z.strictObject({ SecretId });

const listSecrets: z.ZodType<ListSecretsRequest> = z.strictObject({
  Filters: z.array(z.object({ Key: z.literal('tag-key'), Values: z.array(z.string()) })).optional(),
  IncludePlannedDeletion: z.boolean().optional(),
  MaxResults: z.number().min(1).max(100).optional(),
  NextToken: z.string().optional(),
});

const getSecretValue: z.ZodType<GetSecretValueRequest> = z.strictObject({ SecretId });

const startExecution: z.ZodType<StartExecutionInput> = z.strictObject({
  stateMachineArn: z.string(),
  name: z.string(),
  input: z.string().optional(),
});

const listExecutions: z.ZodType<ListExecutionsInput> = z.strictObject({
  stateMachineArn: z.string(),
  statusFilter: z.literal('RUNNING'),
  maxResults: z.number().min(1).max(1000).optional(),
});

const stopExecution: z.ZodType<StopExecutionInput> = z.strictObject({
  executionArn: z.string(),
  cause: z.string().optional(),
});

const describeExecution: z.ZodType<DescribeExecutionInput> = z.strictObject({ executionArn: z.string() });

const publish: z.ZodType<PublishInput> = z.object({
  TopicArn: z.string(),
  Subject: z.string().optional(),
  Message: z.string(),
});

/** Requests of the query protocol name their version, too. */
const Version = z.string();

const describeDBInstances: z.ZodType<DescribeDBInstancesMessage> = z.strictObject({
  Version,
  DBInstanceIdentifier: z.string(),
});

const describeDBClusters: z.ZodType<DescribeDBClustersMessage> = z.strictObject({
  Version,
  DBClusterIdentifier: z.string(),
});

const getLogEvents: z.ZodType<GetLogEventsRequest> = z.strictObject({
  logGroupName: z.string(),
  logStreamName: z.string(),
  startFromHead: z.boolean().optional(),
  nextToken: z.string().optional(),
  limit: z.number().min(1).max(10_000).optional(),
});

const putEvents: z.ZodType<PutEventsRequest> = z.strictObject({
  Entries: z
    .array(z.strictObject({ Source: z.string(), DetailType: z.string(), Detail: z.string() }))
    .min(1)
    .max(10),
});

const disableRule: z.ZodType<DisableRuleRequest> = z.strictObject({ Name: z.string() });

const listJobs: z.ZodType<ListJobsRequest> = z.strictObject({
  jobQueue: z.string(),
  filters: z.array(z.strictObject({ name: z.literal('JOB_NAME'), values: z.array(z.string()) })),
});

const describeJobs: z.ZodType<DescribeJobsRequest> = z.strictObject({ jobs: z.array(z.string()) });

const invoke = z.strictObject({
  FunctionName: z.string(),
  InvocationType: z.literal('RequestResponse').optional(),
  Payload: z.string(),
});

/** The served operations of Secrets Manager, by the value of `X-Amz-Target`. */
export function secretOperations(secrets: SecretsManager): ReadonlyMap<string, Operation> {
  return new Map([
    ['secretsmanager.CreateSecret', operation(createSecret, (request) => secrets.createSecret(request))],
    ['secretsmanager.DeleteSecret', operation(deleteSecret, (request) => secrets.deleteSecret(request))],
    ['secretsmanager.DescribeSecret', operation(describeSecret, (request) => secrets.describeSecret(request))],
    ['secretsmanager.GetSecretValue', operation(getSecretValue, (request) => secrets.getSecretValue(request))],
    ['secretsmanager.ListSecrets', operation(listSecrets, (request) => secrets.listSecrets(request))],
    ['secretsmanager.TagResource', operation(tagResource, (request) => secrets.tagResource(request))],
    ['secretsmanager.UntagResource', operation(untagResource, (request) => secrets.untagResource(request))],
  ]);
}

/** The served operations of Step Functions, by the value of `X-Amz-Target`. */
function executionOperations(stepFunctions: StepFunctions): ReadonlyMap<string, Operation> {
  return new Map([
    ['AWSStepFunctions.StartExecution', operation(startExecution, (request) => stepFunctions.startExecution(request))],
    [
      'AWSStepFunctions.DescribeExecution',
      operation(describeExecution, (request) => stepFunctions.describeExecution(request)),
    ],
    ['AWSStepFunctions.ListExecutions', operation(listExecutions, (request) => stepFunctions.listExecutions(request))],
    ['AWSStepFunctions.StopExecution', operation(stopExecution, (request) => stepFunctions.stopExecution(request))],
  ]);
}

/** What is served of EventBridge. */
function eventOperations(bus: EventBus): ReadonlyMap<string, Operation> {
  return new Map([
    ['AWSEvents.PutEvents', operation(putEvents, (request) => bus.putEvents(request))],
    [
      'AWSEvents.DisableRule',
      operation(disableRule, ({ Name = '' }) => {
        if (!bus.disable(Name)) {
          throw new ServiceError('ResourceNotFoundException', `Rule ${Name} does not exist on EventBus default.`);
        }
        return {};
      }),
    ],
  ]);
}

/** The served operations of RDS. */
function databaseOperations(rds: Rds): ReadonlyMap<string, Operation> {
  return new Map([
    ['query.DescribeDBInstances', operation(describeDBInstances, (request) => rds.describeDBInstances(request))],
    ['query.DescribeDBClusters', operation(describeDBClusters, (request) => rds.describeDBClusters(request))],
  ]);
}

/** What is served of Lambda: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html */
function functionOperations(functions: readonly LambdaFunction[]): ReadonlyMap<string, Operation> {
  const called = operation(invoke, async ({ FunctionName, Payload }) => {
    const found = functions.find(({ name, arn }) => name === FunctionName || arn === FunctionName);
    if (found === undefined) {
      throw new ServiceError('ResourceNotFoundException', `Function not found: ${FunctionName}`);
    }
    const result = await found.invoke(JSON.parse(Payload === '' ? 'null' : Payload));
    return result.kind === 'returned'
      ? { Payload: JSON.stringify(result.payload) }
      : { FunctionError: 'Unhandled', Payload: JSON.stringify(result.error) };
  });
  return new Map([['lambda.Invoke', called]]);
}

/** The services that all but S3 are served by. */
export interface ServedServices {
  readonly secrets: SecretsManager;
  readonly rds: Rds;
  readonly functions: readonly LambdaFunction[];
  readonly stepFunctions: StepFunctions;
  readonly batch: Batch;
  readonly bus: EventBus;
  readonly topics: Topics;
  readonly logs: LogStreams;
}

/** All that is served, by target. */
export function servedOperations(services: ServedServices): ReadonlyMap<string, Operation> {
  const { secrets, rds, functions, stepFunctions, batch, bus, topics, logs } = services;
  return new Map([
    ['query.Publish', operation(publish, (request) => topics.publish(request))],
    ['Logs_20140328.GetLogEvents', operation(getLogEvents, (request) => logs.getLogEvents(request))],
    ['batch.DescribeJobs', operation(describeJobs, (request) => batch.describeJobs(request))],
    ['batch.ListJobs', operation(listJobs, (request) => batch.listJobs(request))],
    ...secretOperations(secrets),
    ...databaseOperations(rds),
    ...functionOperations(functions),
    ...executionOperations(stepFunctions),
    ...eventOperations(bus),
  ]);
}

import { randomUUID } from 'node:crypto';
import { mkdir, rm, symlink } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ACCOUNT, REGION, Template } from '../assembly/template.ts';
import { Processes } from '../host/processes.ts';
import { Batch, type BatchSurroundings } from './batch/batch.ts';
import { EventBus, type SentEvent } from './events/event-bus.ts';
import type { Execution } from './execution.ts';
import { ADMINISTRATOR } from './iam/decision.ts';
import { Iam } from './iam/iam.ts';
import { type DeadLetter, LambdaFunction } from './lambda/lambda.ts';
import { servedOperations } from './operations.ts';
import { authorized } from './permissions/json-calls.ts';
import { encryptionKeys, s3Guard } from './permissions/s3-calls.ts';
import { credentialsOf, type Endpoints } from './protocol/credentials.ts';
import { serve } from './protocol/json-endpoint.ts';
import { startS3 } from './s3/s3.ts';
import { type SecretCall, SecretsManager } from './secrets-manager/secrets-manager.ts';
import { StepFunctions } from './step-functions/step-functions.ts';
import type { Report } from './trace.ts';

/** Submits jobs, and never gives up on one. */
const USER = { principal: ADMINISTRATOR, stopped: new AbortController().signal };

export interface WorldOptions {
  /** What `cdk synth` wrote, for one stack. */
  readonly cdkOut: string;
  /** Folder for objects (`s3/<bucket>/<key>`), logs (`log/`) and scratch space of jobs (`scratch/`). */
  readonly directory: string;
  /** Folders of the PostgreSQL client programs that jobs find. */
  readonly clients: readonly string[];
  readonly report: Report;
}

export interface Clients {
  readonly secretsManager: SecretsManagerClient;
  readonly s3: S3Client;
}

/** Clients with the rights of a principal. */
export function openClients(principal: string, endpoints: Endpoints): Clients {
  const options = { region: REGION, credentials: credentialsOf(principal) };
  return {
    secretsManager: new SecretsManagerClient({ ...options, endpoint: endpoints.services }),
    s3: new S3Client({ ...options, endpoint: endpoints.s3, forcePathStyle: true }),
  };
}

/** The stack on this machine, and its administrator's access to it. */
export interface World extends Clients {
  /** The stack's buckets. Their objects are files in `<directory>/s3/<bucket>`. */
  readonly buckets: readonly string[];
  readonly objects: string;
  readonly logs: string;
  readonly endpoints: Endpoints;
  readonly executions: readonly Execution[];
  readonly deadLetters: readonly DeadLetter[];
  /** Which calls were decided, and how. */
  readonly iam: Pick<Iam, 'calls' | 'permissions'>;
  /** Sends the event that CloudFormation sends after a deployment. */
  deployed(): void;
  /** Lets every schedule of a rule strike once. */
  strike(): void;
  /** Submits a job, as the stack's user, and comes when it has ended. @throws {TaskError} as `Batch` does */
  submitJob(parameters: object): Promise<object>;
  /** Comes when all events have been dealt with. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** Brings up what the template describes. */
export async function startWorld({ cdkOut, directory, clients, report }: WorldOptions): Promise<World> {
  const template = new Template(cdkOut);
  const buckets = template.ofType('AWS::S3::Bucket').map((resource) => template.nameOf(resource));
  const [objects, logs, scratch, programs] = foldersIn(directory);
  for (const folder of [objects, logs, programs]) {
    await mkdir(folder, { recursive: true });
  }
  await symlinkNode(programs);
  const processes = new Processes();
  const iam = new Iam(template, report);
  const objectStore = await startS3({ directory: objects, guard: s3Guard(iam, encryptionKeys(template)) });
  const endpoint = await serve((target) => operations.get(target));
  const endpoints: Endpoints = { s3: objectStore.endpoint, services: endpoint.url };
  const stopServers = async (): Promise<void> => {
    await Promise.all([endpoint.stop(), objectStore.stop(), rm(scratch, { recursive: true, force: true })]);
  };

  const secrets = new SecretsManager((call) => {
    stack.bus.put(cloudTrailEvent(call));
  });
  const searchPath = [programs, ...clients].join(delimiter);
  let stack: Stack;
  try {
    stack = await bringUp(template, { processes, endpoints, iam, logs, scratch, searchPath, report });
    for (const bucket of buckets) {
      await objectStore.createBucket(bucket);
    }
  } catch (error) {
    await stopServers();
    throw error;
  }
  const { bus, stepFunctions } = stack;
  const operations = authorized(servedOperations(secrets, stepFunctions, bus), iam, secrets);

  const opened = openClients(ADMINISTRATOR, endpoints);
  return {
    buckets,
    objects,
    logs,
    endpoints,
    iam,
    ...opened,
    get executions() {
      return stepFunctions.executions;
    },
    get deadLetters() {
      return bus.deadLetters;
    },
    deployed: () => {
      bus.put(deploymentEvent(template));
    },
    strike: () => {
      bus.strike();
    },
    submitJob: (parameters) => stack.batch.submitJob(parameters, USER),
    settled: () => bus.settled(),
    stop: async () => {
      opened.secretsManager.destroy();
      opened.s3.destroy();
      await quiet(processes, stack).finally(stopServers);
    },
  };
}

interface Stack {
  readonly batch: Batch;
  readonly stepFunctions: StepFunctions;
  readonly bus: EventBus;
}

/** Ends what is under way, and waits until nothing is any more. */
async function quiet(processes: Processes, { batch, stepFunctions, bus }: Stack): Promise<void> {
  await Promise.all([processes.stop(), stepFunctions.stop()]);
  await Promise.all([bus.settled(), batch.settled()]);
}

/** @throws {Error} that names what the local run does not know */
async function bringUp(template: Template, surroundings: BatchSurroundings): Promise<Stack> {
  const { iam, report } = surroundings;
  const functions = template
    .ofType('AWS::Lambda::Function')
    .map((resource) => new LambdaFunction(template, resource, surroundings));
  const batch = new Batch(template, surroundings);
  const stepFunctions = new StepFunctions(template, { functions, batch, iam, report });
  await stepFunctions.create();
  return { batch, stepFunctions, bus: new EventBus(template, functions, iam, report) };
}

function foldersIn(directory: string): readonly [objects: string, logs: string, scratch: string, programs: string] {
  const root = resolve(directory);
  const scratch = join(root, 'scratch');
  return [join(root, 's3'), join(root, 'log'), scratch, join(scratch, 'programs')];
}

/** The image brings Node along; here the jobs get the one that runs this. */
async function symlinkNode(programs: string): Promise<void> {
  const link = join(programs, 'node');
  await rm(link, { force: true });
  await symlink(process.execPath, link);
}

/** https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html */
function cloudTrailEvent({ eventName, requestParameters, responseElements }: SecretCall): SentEvent {
  return {
    source: 'aws.secretsmanager',
    'detail-type': 'AWS API Call via CloudTrail',
    detail: {
      eventVersion: '1.11',
      userIdentity: { type: 'IAMUser', arn: ADMINISTRATOR, accountId: ACCOUNT },
      eventTime: new Date().toISOString(),
      eventSource: 'secretsmanager.amazonaws.com',
      eventName,
      awsRegion: REGION,
      sourceIPAddress: '127.0.0.1',
      requestParameters,
      responseElements,
      requestID: randomUUID(),
      eventID: randomUUID(),
      readOnly: false,
      eventType: 'AwsApiCall',
      managementEvent: true,
      recipientAccountId: ACCOUNT,
      eventCategory: 'Management',
    },
  };
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/event-detail-stack-status-change.html */
function deploymentEvent({ stackId }: Template): SentEvent {
  return {
    source: 'aws.cloudformation',
    'detail-type': 'CloudFormation Stack Status Change',
    detail: {
      'stack-id': stackId,
      'status-details': { status: 'CREATE_COMPLETE', 'status-reason': '' },
      'client-request-token': randomUUID(),
    },
  };
}

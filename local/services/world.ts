import { delimiter } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { Template } from '../assembly/template.ts';
import { Processes } from '../host/processes.ts';
import { type AwsClients, openClients } from './aws-clients.ts';
import { Batch } from './batch/batch.ts';
import type { ContainerDependencies } from './batch/container.ts';
import { EventBus } from './events/event-bus.ts';
import type { Execution } from './execution.ts';
import { createFolders, type Folders } from './folders.ts';
import { ADMINISTRATOR } from './iam/decision.ts';
import { Iam } from './iam/iam.ts';
import type { InvocationResult } from './invocation.ts';
import { EventSourceMapping } from './lambda/event-source-mapping.ts';
import { type DeadLetter, LambdaFunction } from './lambda/lambda-function.ts';
import { LogStreams } from './logs/log-streams.ts';
import { servedOperations } from './operations.ts';
import { authorized } from './permissions/json-calls.ts';
import { encryptionKeys, s3Guard } from './permissions/s3-calls.ts';
import type { Endpoints } from './protocol/credentials.ts';
import { type Operation, serve } from './protocol/json-endpoint.ts';
import { Rds } from './rds/rds.ts';
import { startS3 } from './s3/s3.ts';
import { SecretsManager } from './secrets-manager/secrets-manager.ts';
import { cloudTrailEvent, deploymentEvent, executionEvent } from './service-events.ts';
import { Topics } from './sns/topics.ts';
import { Queue } from './sqs/queue.ts';
import { StepFunctions } from './step-functions/step-functions.ts';
import type { Trace } from './trace.ts';

/** The administrator, who submits jobs manually and never stops one. */
const USER = { principal: ADMINISTRATOR, stopped: new AbortController().signal };

export interface WorldOptions {
  /** Output of `cdk synth`, for one stack. */
  readonly cdkOut: string;
  /** Folder for objects (`s3/<bucket>/<key>`) and logs (`log/`). */
  readonly directory: string;
  /** Folders of the PostgreSQL client programs, for the PATH of jobs. */
  readonly clientFolders: readonly string[];
  readonly trace: Trace;
}

interface Servers {
  readonly endpoints: Endpoints;
  /** Sets the operations of all services but S3, by target. */
  handle(operations: ReadonlyMap<string, Operation>): void;
  createBucket(name: string): Promise<void>;
  /** As {@link World.fileOf}. */
  fileOf(bucket: string, key: string): string | undefined;
  pagesIn(bucket: string): readonly string[];
  stop(): Promise<void>;
}

interface Services {
  readonly functions: readonly LambdaFunction[];
  readonly batch: Batch;
  readonly stepFunctions: StepFunctions;
  readonly bus: EventBus;
}

/** The stack running on this machine, with an administrator's access to it. */
export class World implements AwsClients {
  readonly secretsManager: SecretsManagerClient;
  readonly s3: S3Client;
  /** Names of the stack's buckets. */
  readonly buckets: readonly string[];
  /** Folder of the objects, as files `<bucket>/<key>`. */
  readonly objects: string;
  /** Folder of the logs of functions and jobs. */
  readonly logs: string;
  readonly endpoints: Endpoints;
  /** The database servers that RDS runs. */
  readonly rds: Pick<Rds, 'manage'>;
  /** The calls that were allowed and denied so far. */
  readonly iam: Pick<Iam, 'calls' | 'permissions'>;
  readonly #template: Template;
  readonly #processes: Processes;
  readonly #servers: Servers;
  readonly #services: Services;

  private constructor(
    template: Template,
    { objects, logs }: Folders,
    iam: Iam,
    processes: Processes,
    servers: Servers,
    services: Services,
    rds: Rds,
  ) {
    const { secretsManager, s3 } = openClients(ADMINISTRATOR, servers.endpoints);
    this.secretsManager = secretsManager;
    this.s3 = s3;
    this.buckets = bucketsOf(template);
    this.objects = objects;
    this.logs = logs;
    this.endpoints = servers.endpoints;
    this.rds = rds;
    this.iam = iam;
    this.#template = template;
    this.#processes = processes;
    this.#servers = servers;
    this.#services = services;
  }

  /**
   * Starts the services that the template describes.
   *
   * @throws {Error} naming a part of the template that the local run does not support
   */
  static async start({ cdkOut, directory, clientFolders, trace }: WorldOptions): Promise<World> {
    const template = new Template(cdkOut);
    const folders = await createFolders(directory);
    const { logs, programs, volumes } = folders;
    const processes = new Processes();
    const iam = new Iam(template, trace);
    const servers = await startServers(template, folders, iam);
    try {
      const { endpoints } = servers;
      const searchPath = [programs, ...clientFolders].join(delimiter);
      const services = await createServices(template, { processes, endpoints, iam, logs, volumes, searchPath, trace });
      const secrets = new SecretsManager((call) => {
        services.bus.put(cloudTrailEvent(call));
      });
      const rds = new Rds(secrets);
      const operations = servedOperations({
        ...services,
        secrets,
        rds,
        topics: new Topics(template, trace),
        logs: new LogStreams(logs),
      });
      servers.handle(authorized(operations, iam, secrets));
      for (const bucket of bucketsOf(template)) {
        await servers.createBucket(bucket);
      }
      return new World(template, folders, iam, processes, servers, services, rds);
    } catch (error) {
      await servers.stop();
      throw error;
    }
  }

  get executions(): readonly Execution[] {
    return this.#services.stepFunctions.executions;
  }

  get deadLetters(): readonly DeadLetter[] {
    return this.#services.bus.deadLetters;
  }

  /** Path of an object's file, or undefined if the object does not exist. */
  fileOf(bucket: string, key: string): string | undefined {
    return this.#servers.fileOf(bucket, key);
  }

  /** Paths of the pages for a browser that the stack has written to its buckets. */
  get pages(): readonly string[] {
    return this.buckets.flatMap((bucket) => this.#servers.pagesIn(bucket));
  }

  /** Sends the event that CloudFormation sends after a deployment. */
  sendDeploymentEvent(): void {
    this.#services.bus.put(deploymentEvent(this.#template));
  }

  /** Triggers every rule that has a schedule, once. */
  triggerSchedules(): void {
    this.#services.bus.triggerSchedules();
  }

  /**
   * Submits a job as the administrator.
   *
   * @returns the job's detail, once it has succeeded
   * @throws {TaskError} as {@link Batch.submitJob}
   */
  submitJob(parameters: object): Promise<object> {
    return this.#services.batch.submitJob(parameters, USER);
  }

  /** Invokes a function as the administrator, and waits for the result. */
  async invoke(title: string, event: unknown): Promise<InvocationResult> {
    const found = this.#services.functions.find((it) => it.title === title);
    if (found === undefined) {
      throw new Error(`The template has no function ${title}.`);
    }
    return found.invoke(event);
  }

  /** Resolves when all events have been handled. */
  settled(): Promise<void> {
    return this.#services.bus.settled();
  }

  /** Stops everything that is running, and waits until it has ended. */
  async stop(): Promise<void> {
    this.secretsManager.destroy();
    this.s3.destroy();
    const { batch, stepFunctions, bus } = this.#services;
    try {
      await Promise.all([this.#processes.stop(), stepFunctions.stop()]);
      await Promise.all([bus.settled(), batch.settled()]);
    } finally {
      await this.#servers.stop();
    }
  }
}

async function startServers(template: Template, { objects, remove }: Folders, iam: Iam): Promise<Servers> {
  const objectStore = await startS3({ directory: objects, guard: s3Guard(iam, encryptionKeys(template)) });
  let served: ReadonlyMap<string, Operation> = new Map();
  const services = await serve((target) => served.get(target));
  return {
    endpoints: { s3: objectStore.endpoint, services: services.url },
    handle: (operations) => {
      served = operations;
    },
    createBucket: (name) => objectStore.createBucket(name),
    fileOf: (bucket, key) => objectStore.fileOf(bucket, key),
    pagesIn: (bucket) => objectStore.pagesIn(bucket),
    stop: async () => {
      await Promise.all([services.stop(), objectStore.stop(), remove()]);
    },
  };
}

async function createServices(template: Template, dependencies: ContainerDependencies): Promise<Services> {
  const { iam, trace } = dependencies;
  const functions = template
    .ofType('AWS::Lambda::Function')
    .map((resource) => new LambdaFunction(template, resource, dependencies));
  const batch = new Batch(template, dependencies);
  const queues = template.ofType('AWS::SQS::Queue').map((resource) => new Queue(template, resource));
  for (const resource of template.ofType('AWS::Lambda::EventSourceMapping')) {
    await new EventSourceMapping(template, resource, { functions, queues, iam }).create();
  }
  const bus = new EventBus(template, [...functions, ...queues], iam, trace);
  const announce = (execution: Execution): void => {
    bus.put(executionEvent(execution));
  };
  const stepFunctions = new StepFunctions(template, { functions, batch, iam, trace, announce });
  await stepFunctions.create();
  return { functions, batch, stepFunctions, bus };
}

function bucketsOf(template: Template): readonly string[] {
  return template.ofType('AWS::S3::Bucket').map((resource) => template.nameOf(resource));
}

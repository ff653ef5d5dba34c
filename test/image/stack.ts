import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { synthesize } from '../../local/assembly/synth.ts';
import { Template } from '../../local/assembly/template.ts';
import type { Loopback } from '../../local/host/loopback.ts';
import { Processes } from '../../local/host/processes.ts';
import { secretOperations } from '../../local/services/operations.ts';
import { awsEnvironment } from '../../local/services/protocol/credentials.ts';
import { serve } from '../../local/services/protocol/json-endpoint.ts';
import { type S3Server, startS3 } from '../../local/services/s3/s3.ts';
import { SecretsManager } from '../../local/services/secrets-manager/secrets-manager.ts';
import type { Builder, Target } from './builder.ts';
import { OnlyS3 } from './only-s3.ts';

const definitionSchema = z.object({
  JobDefinitionName: z.string(),
  ContainerProperties: z.object({
    Command: z.array(z.string()),
    Environment: z.array(z.object({ Name: z.string(), Value: z.string() })),
    Image: z.string(),
    JobRoleArn: z.string(),
    ReadonlyRootFilesystem: z.literal(true),
    User: z.string(),
  }),
});

type JobDefinition = z.infer<typeof definitionSchema>['ContainerProperties'];

/** Overrides of a job definition for one run. */
export interface Overrides {
  /** @default - `dump` */
  readonly target?: Target;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether the container reaches S3 and nothing else. @default false */
  readonly isolated?: boolean;
}

interface Aws {
  readonly secrets: SecretsManager;
  readonly services: Loopback;
  readonly s3: S3Server;
  readonly onlyS3: OnlyS3;
}

/** The jobs of the synthesized stack, its bucket and secrets: AWS on loopback, as in the local run. */
export class Stack {
  readonly bucket: string;
  /** Build context of the image. */
  readonly imageFolder: string;
  readonly #jobs: ReadonlyMap<string, JobDefinition>;
  readonly #aws: Aws;

  /** @param folder an empty folder */
  static async start(folder: string): Promise<Stack> {
    const output = join(folder, 'cdk.out');
    await synthesize(output, new Processes());
    await mkdir(join(folder, 's3'));
    const s3 = await startS3({ directory: join(folder, 's3') });
    const secrets = new SecretsManager(() => undefined);
    const operations = secretOperations(secrets);
    const services = await serve((target) => operations.get(target));
    const onlyS3 = await OnlyS3.start(join(folder, 'only-s3'), Number(new URL(s3.endpoint).port));
    const stack = new Stack(new Template(output), { secrets, services, s3, onlyS3 });
    await s3.createBucket(stack.bucket);
    return stack;
  }

  private constructor(template: Template, aws: Aws) {
    this.#aws = aws;
    const definitions = template
      .ofType('AWS::Batch::JobDefinition')
      .map((resource) => template.properties(resource, definitionSchema));
    this.#jobs = new Map(definitions.map((job) => [job.JobDefinitionName, job.ContainerProperties]));
    this.bucket = template.ofType('AWS::S3::Bucket').map((resource) => template.nameOf(resource))[0] ?? '';
    this.imageFolder = template.imageAsset(definitions[0]?.ContainerProperties.Image ?? '');
  }

  /** @returns ARN */
  createSecret(name: string, value: object): string {
    return this.#aws.secrets.createSecret({ Name: name, SecretString: JSON.stringify(value) }).ARN ?? '';
  }

  /** The text of an object in the bucket. */
  async object(key: string): Promise<string> {
    const response = await fetch(`${this.#aws.s3.endpoint}/${this.bucket}/${key}`);
    if (!response.ok) {
      throw new Error(`There is no object ${key}.`);
    }
    return response.text();
  }

  /** Runs a job to its end. @returns exit status */
  run(name: string, overrides: Overrides, builder: Builder, onLine: (line: string) => void): Promise<number> {
    const job = this.#jobs.get(name);
    if (job === undefined) {
      throw new Error(`The stack has no job ${name}.`);
    }
    const { onlyS3 } = this.#aws;
    const container = {
      target: overrides.target ?? 'dump',
      command: overrides.command ?? job.Command,
      environment: {
        ...awsEnvironment(job.JobRoleArn, {
          s3: this.#aws.s3.endpoint,
          services: this.#aws.services.url,
        }),
        ...Object.fromEntries(job.Environment.map(({ Name, Value }) => [Name, Value])),
        ...(overrides.isolated === true ? onlyS3.environment : {}),
        ...overrides.environment,
      },
      user: job.User,
      ...(overrides.isolated === true ? { onlySockets: onlyS3.folder } : {}),
    };
    return builder.run(container, onLine);
  }

  async stop(): Promise<void> {
    const { services, s3, onlyS3 } = this.#aws;
    await Promise.all([services.stop(), onlyS3.stop()]);
    await s3.stop();
  }
}

import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { Resource, Template } from '../../assembly/template.ts';
import { compileCache } from '../../host/environment.ts';
import type { Processes } from '../../host/processes.ts';
import { AccessDenied, type Iam } from '../iam/iam.ts';
import type { InvocationResult } from '../invocation.ts';
import { logCalls } from '../permissions/service-calls.ts';
import { awsEnvironment, type Endpoints } from '../protocol/credentials.ts';
import type { Trace } from '../trace.ts';
import { Environment, failed } from './environment.ts';

/** Lambda's default. */
const DEFAULT_TIMEOUT_SECONDS = 3;

const propertiesSchema = z.object({
  Code: z.object({ S3Key: z.string() }),
  Description: z.string().default(''),
  Environment: z.object({ Variables: z.record(z.string(), z.string()) }).optional(),
  Handler: z.string(),
  LoggingConfig: z.object({ LogGroup: z.string().optional() }).default({}),
  Role: z.string(),
  Timeout: z.number().default(DEFAULT_TIMEOUT_SECONDS),
});

export interface FunctionDependencies {
  readonly processes: Processes;
  readonly endpoints: Endpoints;
  readonly iam: Iam;
  /** Folder for the standard output and error of functions. */
  readonly logs: string;
  readonly trace: Trace;
}

/** Runs the bundle of a function, in as many environments as it has invocations at once. */
export class Runtime {
  readonly #name: string;
  readonly #arn: string;
  readonly #title: string;
  readonly #properties: z.infer<typeof propertiesSchema>;
  readonly #code: string;
  readonly #dependencies: FunctionDependencies;
  readonly #idle = new Set<Environment>();

  constructor(template: Template, resource: Resource, dependencies: FunctionDependencies) {
    this.#name = template.nameOf(resource);
    this.#arn = template.arnOf(resource);
    this.#title = resource.title;
    this.#properties = template.properties(resource, propertiesSchema);
    this.#code = template.fileAsset(this.#properties.Code.S3Key);
    this.#dependencies = dependencies;
  }

  get description(): string {
    return this.#properties.Description;
  }

  get roleArn(): string {
    return this.#properties.Role;
  }

  /** Invokes the function in an environment that is idle, or in a new one if there is none. */
  async run(event: unknown): Promise<InvocationResult> {
    const [idle] = this.#idle;
    const environment = idle ?? (await this.#startEnvironment());
    if (!(environment instanceof Environment)) {
      return environment;
    }
    this.#idle.delete(environment);
    const result = await environment.invoke(event, this.#properties.Timeout);
    if (environment.isRunning) {
      this.#idle.add(environment);
    }
    return result;
  }

  async #startEnvironment(): Promise<Environment | InvocationResult> {
    const { processes, endpoints, logs } = this.#dependencies;
    const { Environment: own, Handler } = this.#properties;
    const [module = '', exported = ''] = Handler.split('.');
    const session = await this.#assumeRole();
    if (session === undefined) {
      return failed('AccessDeniedException', 'The role defined for the function cannot be assumed by Lambda.');
    }
    const logged = await this.#mayLog(session);
    if (processes.stopped) {
      return failed('Runtime.ExitError', 'The local run is stopping.');
    }
    const environment = new Environment(processes, {
      args: [this.#file(module), exported],
      folder: this.#code,
      variables: {
        ...compileCache(),
        ...awsEnvironment(session, endpoints),
        AWS_LAMBDA_FUNCTION_NAME: this.#name,
        ...own?.Variables,
      },
      log: logged ? join(logs, `${this.#name}.log`) : devNull,
    });
    void environment.ended.then(() => this.#idle.delete(environment));
    return environment;
  }

  /** @returns ARN of the role session; undefined if the role does not trust Lambda with this function */
  async #assumeRole(): Promise<string | undefined> {
    try {
      const service = { name: 'lambda.amazonaws.com', sourceArn: this.#arn };
      return await this.#dependencies.iam.assume(service, this.#properties.Role, this.#name);
    } catch (error) {
      if (error instanceof AccessDenied) {
        return undefined;
      }
      throw error;
    }
  }

  /** Whether the function's role may write the log. As on AWS, the function runs either way. */
  async #mayLog(principal: string): Promise<boolean> {
    const group = this.#properties.LoggingConfig.LogGroup ?? `/aws/lambda/${this.#name}`;
    const stream = `${new Date().toISOString().slice(0, 10).replaceAll('-', '/')}/[$LATEST]${randomUUID()}`;
    for (const call of logCalls(group, stream)) {
      if (!(await this.#dependencies.iam.allows({ ...call, principal }))) {
        return false;
      }
    }
    return true;
  }

  #file(module: string): string {
    const file = ['.js', '.cjs', '.mjs'].map((extension) => join(this.#code, `${module}${extension}`)).find(existsSync);
    if (file === undefined) {
      throw new Error(`The code of ${this.#title} has no module ${module}.`);
    }
    return file;
  }
}

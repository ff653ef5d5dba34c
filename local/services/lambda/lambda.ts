import { randomUUID } from 'node:crypto';
import { createWriteStream, existsSync } from 'node:fs';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Resource, Template } from '../../assembly/template.ts';
import type { Processes } from '../../host/processes.ts';
import { AccessDenied, type Iam, sessionOf } from '../iam/iam.ts';
import type { FunctionError, InvocationResult } from '../invocation.ts';
import { destinationCall, logCalls } from '../permissions/service-calls.ts';
import { awsEnvironment, type Endpoints } from '../protocol/credentials.ts';
import type { Report } from '../trace.ts';
import type { BootstrapMessage } from './bootstrap.ts';

const BOOTSTRAP = fileURLToPath(new URL('bootstrap.ts', import.meta.url));

/** Lambda tries an asynchronous invocation again after one and two minutes; nobody wants to watch that. */
const RETRY_MS = 200;

/** Lambda's own defaults: three seconds, and two more tries of an asynchronous invocation. */
const DEFAULT_TIMEOUT_SECONDS = 3;
const DEFAULT_RETRIES = 2;

/** What went to the destination of a function that failed for good: a part of what Lambda sends. */
export interface DeadLetter {
  readonly functionArn: string;
  readonly destination: string;
  readonly requestPayload: unknown;
  readonly responsePayload: FunctionError;
}

const propertiesSchema = z.object({
  Code: z.object({ S3Key: z.string() }),
  Description: z.string().default(''),
  Environment: z.object({ Variables: z.record(z.string(), z.string()) }).optional(),
  Handler: z.string(),
  LoggingConfig: z.object({ LogGroup: z.string().optional() }).default({}),
  Role: z.string(),
  Timeout: z.number().default(DEFAULT_TIMEOUT_SECONDS),
});

const asynchronousSchema = z.object({
  FunctionName: z.string(),
  MaximumRetryAttempts: z.number().default(DEFAULT_RETRIES),
  DestinationConfig: z.object({ OnFailure: z.object({ Destination: z.string() }) }).optional(),
});

const messageSchema: z.ZodType<BootstrapMessage> = z.union([
  z.object({
    error: z.object({ errorType: z.string(), errorMessage: z.string(), trace: z.array(z.string()) }),
  }),
  z.object({ payload: z.unknown() }),
]);

export interface FunctionSurroundings {
  readonly processes: Processes;
  readonly endpoints: Endpoints;
  readonly iam: Iam;
  /** Folder for what functions write to standard output and error. */
  readonly logs: string;
  readonly report: Report;
}

/** A function of the template, each invocation a process of its own that runs the bundle. */
export class LambdaFunction {
  readonly name: string;
  readonly arn: string;
  readonly title: string;
  readonly #properties: z.infer<typeof propertiesSchema>;
  readonly #asynchronous: z.infer<typeof asynchronousSchema> | undefined;
  readonly #code: string;
  readonly #surroundings: FunctionSurroundings;

  constructor(template: Template, resource: Resource, surroundings: FunctionSurroundings) {
    this.name = template.nameOf(resource);
    this.arn = template.arnOf(resource);
    this.title = resource.title;
    this.#properties = template.properties(resource, propertiesSchema);
    this.#asynchronous = template
      .ofType('AWS::Lambda::EventInvokeConfig')
      .map((config) => template.properties(config, asynchronousSchema))
      .find(({ FunctionName }) => FunctionName === this.name);
    this.#code = template.fileAsset(this.#properties.Code.S3Key);
    this.#surroundings = surroundings;
  }

  /** Invokes the function and waits for its end. */
  async invoke(event: unknown): Promise<InvocationResult> {
    const { report } = this.#surroundings;
    const started = performance.now();
    report({ kind: 'function invoked', name: this.title, description: this.#properties.Description });
    const result = await this.#run(event);
    report({ kind: 'function ended', name: this.title, seconds: (performance.now() - started) / 1000, result });
    return result;
  }

  /**
   * Invokes the function as EventBridge does: failures are retried as the template says.
   *
   * @returns the dead letter if every try failed, which a real stack finds in its queue
   */
  async invokeAsynchronously(event: unknown): Promise<DeadLetter | undefined> {
    const retries = this.#asynchronous?.MaximumRetryAttempts ?? DEFAULT_RETRIES;
    for (let attempt = 0; ; attempt += 1) {
      const result = await this.invoke(event);
      if (result.kind === 'returned') {
        return undefined;
      }
      if (attempt < retries && !this.#surroundings.processes.stopped) {
        await sleep(RETRY_MS);
        continue;
      }
      const destination = await this.#destination();
      return { functionArn: this.arn, destination, requestPayload: event, responsePayload: result.error };
    }
  }

  /** Where what failed goes, if there is such a place and the function's role may send there. */
  async #destination(): Promise<string> {
    const destination = this.#asynchronous?.DestinationConfig?.OnFailure.Destination;
    if (destination === undefined) {
      return 'nowhere';
    }
    const principal = sessionOf(this.#properties.Role, this.name);
    return (await this.#surroundings.iam.allows({ ...destinationCall(destination), principal }))
      ? destination
      : 'nowhere';
  }

  /** @returns the session of the role; undefined if the role does not trust Lambda with this function */
  async #assumeRole(): Promise<string | undefined> {
    try {
      const service = { name: 'lambda.amazonaws.com', sourceArn: this.arn };
      return await this.#surroundings.iam.assume(service, this.#properties.Role, this.name);
    } catch (error) {
      if (error instanceof AccessDenied) {
        return undefined;
      }
      throw error;
    }
  }

  /** Whether the function's role may write its log. What it may not write is lost, and the function runs all the same. */
  async #mayLog(principal: string): Promise<boolean> {
    const group = this.#properties.LoggingConfig.LogGroup ?? `/aws/lambda/${this.name}`;
    const stream = `${new Date().toISOString().slice(0, 10).replaceAll('-', '/')}/[$LATEST]${randomUUID()}`;
    for (const call of logCalls(group, stream)) {
      if (!(await this.#surroundings.iam.allows({ ...call, principal }))) {
        return false;
      }
    }
    return true;
  }

  async #run(event: unknown): Promise<InvocationResult> {
    const { processes, endpoints, logs } = this.#surroundings;
    const { Environment, Handler, Timeout } = this.#properties;
    const [module = '', exported = ''] = Handler.split('.');
    const session = await this.#assumeRole();
    if (session === undefined) {
      return failed('AccessDeniedException', 'The role defined for the function cannot be assumed by Lambda.');
    }
    const logged = await this.#mayLog(session);
    if (processes.stopped) {
      return failed('Runtime.ExitError', 'The local run is ending.');
    }
    const { child, ended } = processes.start(process.execPath, [BOOTSTRAP, this.#file(module), exported], {
      cwd: this.#code,
      env: { ...awsEnvironment(session, endpoints), AWS_LAMBDA_FUNCTION_NAME: this.name, ...Environment?.Variables },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      timeoutSeconds: Timeout,
      graceSeconds: 0,
    });
    const log = createWriteStream(logged ? join(logs, `${this.name}.log`) : devNull, { flags: 'a' });
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    let answer: BootstrapMessage | undefined;
    child.on('message', (message) => {
      answer = messageSchema.parse(message);
    });
    child.send({ event }, () => undefined);
    const how = await ended;
    log.end();
    if (how.kind === 'timed out') {
      return failed('Sandbox.Timedout', `Task timed out after ${Timeout.toFixed(2)} seconds`);
    }
    if (answer === undefined) {
      const status = how.kind === 'exit' ? `exit status ${how.status}` : how.error.message;
      return failed('Runtime.ExitError', `Runtime exited without a response: ${status}`);
    }
    return 'error' in answer ? { kind: 'failed', error: answer.error } : { kind: 'returned', payload: answer.payload };
  }

  #file(module: string): string {
    const file = ['.js', '.cjs', '.mjs'].map((ending) => join(this.#code, `${module}${ending}`)).find(existsSync);
    if (file === undefined) {
      throw new Error(`The code of ${this.title} has no module ${module}.`);
    }
    return file;
  }
}

function failed(errorType: string, errorMessage: string): InvocationResult {
  return { kind: 'failed', error: { errorType, errorMessage } };
}
